"""No value of any file breaks a check: each is replaced by what does not belong there, a few at a time.

``OMNICHECK_SWEEP=20000 pytest tests/integration/test_wrong_types.py`` tries that many instead of a sample.
"""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.errors import ContractError
from omnicheck.model.report import Report
from omnicheck.report import FORMATS, render
from tests.integration.command import ROOT, demo

SAMPLE = int(os.environ.get("OMNICHECK_SWEEP", "120"))
LARGEST = 400_000
GONE = object()
WRONG: tuple[Any, ...] = (
    *(None, True, 0, 3, -1.5, -0.0, 1e308, 10**40, -(10**30), [], {}, [[]], [{}], [None], [True], [1, "a", None], GONE),
    *({"a": {"b": 1}}, {"²": 1}, ["²"], "", "x", "NaN", "1e999", "0e400", "²", "\u0660", "--5", "9" * 5000, "a" * 5000),
    *("\ud800", "\0", "%s", "[1", "{'a': (1,", "/", "*", "[", "../../etc/passwd", "C:\\x", "2024-99-99"),
)

Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Yield where a value has values: two of each list are enough."""
    yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield from places(inner, (*at, index))


def replaced(value: Any, at: Place, new: Any) -> Any:
    """Return a copy with another value at a place; ``GONE`` takes the place away."""
    if not at:
        return {} if new is GONE else new
    value = copy.copy(value)
    if len(at) == 1 and new is GONE:
        del value[at[0]]
    else:
        value[at[0]] = replaced(value[at[0]], at[1:], new)
    return value


def documents(folder: Path) -> Iterator[tuple[Path, Any]]:
    """Yield the JSON files below a folder with their values; of JSON Lines, the list of rows."""
    for file in sorted(folder.rglob("*.json*")):
        if file.name == "expect.json" or file.is_symlink() or file.stat().st_size > LARGEST:
            continue
        try:
            text = file.read_text()
            value = [json.loads(line) for line in text.splitlines()] if file.suffix == ".jsonl" else json.loads(text)
        except ValueError:
            continue  # broken by design
        if value:
            yield file, value


def write(file: Path, value: Any) -> None:
    rows = isinstance(value, list) and file.suffix == ".jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in value) if rows else json.dumps(value))


def broken_rows(rows: list[Any], at: Place, new: Any) -> list[Any]:
    """Return all rows with another value at a place, as a writer with a defect would leave them."""
    changed = []
    for row in rows:
        try:
            changed.append(replaced(row, at, new))
        except (KeyError, IndexError, TypeError):
            changed.append(row)
    return changed


def judged(work: Path, *, profile: str) -> Report | None:
    own = work / "omnicheck.toml"
    loaded = load_config(work, own if own.is_file() else None, isolated=not own.is_file())
    paths = tuple(path.relative_to(work) for path in sorted(work.glob("run*/")))
    request = Request(paths=paths, cwd=work, profile=profile, today=date(2026, 1, 31), use_cache=False, jobs=1)  # type: ignore[arg-type]
    try:
        return check_paths(request, loaded)
    except ContractError:
        assert list(work.glob("contracts/*.json")), "only a contract that was broken may stop a check"
        return None


def sampled(folders: list[Path], rng: random.Random, count: int) -> Iterator[tuple[Path, Path, Any, Place, Any]]:
    known = {folder: list(documents(folder)) for folder in folders}
    usable = [folder for folder in folders if known[folder]]
    for _ in range(count):
        folder = rng.choice(usable)
        file, value = rng.choice(known[folder])
        of = rng.choice(value) if file.suffix == ".jsonl" else value
        yield folder, file.relative_to(folder), value, rng.choice(list(places(of))), rng.choice(WRONG)


def sweep(tmp_path: Path, folders: list[Path], seed: int, count: int) -> None:
    rng = random.Random(seed)
    for number, (folder, name, value, at, new) in enumerate(sampled(folders, rng, count)):
        work = tmp_path / f"work{number}"
        shutil.copytree(folder, work)
        if name.suffix == ".jsonl":
            first, last = rng.choice([(0, len(value)), (0, 1), (len(value) - 1, len(value))])
            changed = [*value[:first], *broken_rows(value[first:last], at, new), *value[last:]]
        else:
            changed = replaced(value, at, new)
        write(work / name, changed)
        report = judged(work, profile="publish" if number % 3 == 0 else "lint")
        case = f"{folder.parents[1].name}/{folder.parent.name}/{folder.name}/{name} {at} = {ascii(new)[:60]}"
        if report is not None:
            assert report.traces == (), case
            if number % 10 == 0:
                for format_ in FORMATS:
                    assert render(report, format_), case
        shutil.rmtree(work)


@pytest.mark.parametrize("kind", ["sound", "flawed"])
def test_no_value_of_the_demo_crashes_a_check(tmp_path: Path, kind: str) -> None:
    place = demo(tmp_path / "demo", kind)
    sweep(tmp_path, [place], len(kind), SAMPLE // 4)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_value_of_any_fixture_crashes_a_check(tmp_path: Path, seed: int) -> None:
    folders = [folder for folder in sorted(ROOT.glob("fixtures/*/*/*")) if folder.parent.name in ("pass", "fail")]
    assert len(folders) > 200
    sweep(tmp_path, folders, seed, SAMPLE)


def test_a_report_with_half_characters_is_written_in_every_format(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    name = os.fsdecode(b"predictions_\xff.jsonl")
    (run / name).write_text('{"sample_id": "\\ud800", "label": "\\u0000\\u001b[31m"}\n' * 2)
    (run / "metrics.json").write_text('{"num_samples": 1, "num_samples": 2}')
    report = judged(tmp_path, profile="lint")
    assert report is not None
    for format_ in FORMATS:
        render(report, format_).encode("utf-8")
