"""CNT and RUN: whatever stands in the place of a value, no check crashes."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.checks import test_counts, test_logs
from tests.checks.trees import Tree, check_tree, write_tree

JUNK: tuple[Any, ...] = (None, [], {}, "x", "", -1, 1.5, True, [1, None], {"a": [{}]}, 10**30, 10**400)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the keys of every value of a document, the document included; the first few items of a list."""
    found = [at]
    if isinstance(value, dict):
        found += [place for key in value for place in places(value[key], (*at, key))]
    elif isinstance(value, list):
        found += [place for i in range(min(len(value), 2)) for place in places(value[i], (*at, i))]
    return found


def replaced(value: Any, place: tuple[Any, ...], junk: Any) -> Any:
    if not place:
        return junk
    copy = deepcopy(value)
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    return copy


TREES = {"CNT": test_counts.clean(), "RUN1": test_logs.clean()}
FILES = [(family, name) for family, tree in TREES.items() for name in tree if name.startswith("run/")]


@pytest.mark.parametrize(("family", "name"), FILES)
def test_junk_in_any_place_crashes_nothing(family: str, name: str, tmp_path: Path) -> None:
    tree: Tree = TREES[family]
    write_tree(tmp_path, tree)
    for i, place in enumerate(places(tree[name])):
        junk = JUNK[i % len(JUNK)], JUNK[(i * 7 + 3) % len(JUNK)]
        for each in junk:
            changed = replaced(tree[name], place, each)
            text = json.dumps(changed)
            report = check_tree(tmp_path, {name: text if place == () else changed}, family)
            assert not report.traces, f"{place} = {each!r}: {report.traces[0]}"
