"""Every construct that scanners let through is named at the right member; nothing harmless alarms."""

from __future__ import annotations

from pathlib import Path

import pytest

from omnicheck.content.part import Part
from omnicheck.content.scan import scan_file
from tests.checks.trees import check_tree
from tests.content import construct_lists as lists

ALARMING = {"weights", "pickle", "raw_data", "archive", "executable", "unknown"}
RULES = {"weights": "PUB101", "raw_data": "PUB102", "pickle": "PUB103", "text": "PUB111", "array": "PUB105"}


def found(parts: tuple[Part, ...]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(part.members, part.kinds) for part in parts]


@pytest.mark.parametrize("case", lists.bypasses() + lists.hidden(), ids=lambda case: case[0])
def test_a_construct_is_named_at_its_member(case: lists.Construct) -> None:
    _, name, data, members, kind = case
    parts = scan_file(data, name)
    assert any(part.members == members and kind in part.kinds for part in parts), found(parts)


@pytest.mark.parametrize("case", lists.harmless(), ids=lambda case: case[0])
def test_a_harmless_file_alarms_nobody(case: tuple[str, bytes, str]) -> None:
    name, data, kind = case
    parts = scan_file(data, name)
    assert parts[0].kinds == (kind,), found(parts)
    assert all(not part.anomalies for part in parts)
    assert not {group for part in parts for group in part.groups} & ALARMING, found(parts)


def test_the_rules_name_every_construct(tmp_path: Path) -> None:
    cases = lists.bypasses() + lists.hidden()
    for number, (_, name, data, _, _) in enumerate(cases):
        path = tmp_path / "run" / f"{number:03d}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    report = check_tree(tmp_path, {"run/metrics.json": {}}, "PUB")
    spoken = {(each.path, each.members, each.rule) for each in report.findings}
    for number, (title, name, _, members, kind) in enumerate(cases):
        group = next(iter(Part((), (kind,), 0).groups))
        assert (f"run/{number:03d}/{name}", members, RULES[group]) in spoken, title


def test_the_rules_alarm_on_no_harmless_file(tmp_path: Path) -> None:
    for name, data, _ in lists.harmless():
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / name).write_bytes(data)
    report = check_tree(tmp_path, {"run/metrics.json": {}}, "PUB")
    # Arrays are told as undeclared: the shipped policy does not cover them.
    assert {(each.rule, each.path) for each in report.findings} == {
        ("PUB105", "run/int_array.npy"),
        ("PUB105", "run/int_arrays.npz"),
    }
