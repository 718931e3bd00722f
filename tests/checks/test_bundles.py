"""BND: a clean package is silent, and one broken thing makes its rule speak."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.report import Report
from tests.make_fixtures.bundles import (
    MASKED,
    METRICS,
    PACKAGE,
    PROGRESS,
    ROWS,
    TABLE,
    Files,
    manifest,
    signature,
    summary,
    upload,
)

LISTED = {**PACKAGE, "README.md": b"# Toy\n"}


def clean() -> Files:
    """A package with every sort of list, each of which is right."""
    found = {
        **LISTED,
        "verified_result_summary.json": summary(*PACKAGE),
        "upload_manifest.json": upload({**LISTED, "verified_result_summary.json": summary(*PACKAGE)}),
    }
    found["MANIFEST"] = manifest(found)
    found["model.sig"] = signature(found, "model.sig")
    return found


def check(folder: Path, files: Files, *paths: str, cached: bool = False) -> Report:
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    request = Request(
        paths=tuple(map(Path, paths or ("run",))),
        cwd=folder,
        select=("BND",),
        today=date(2026, 1, 31),
        use_cache=cached,
        jobs=1,
    )
    return check_paths(request, load_config(folder, isolated=True))


def spoken(report: Report) -> list[tuple[str, str]]:
    return sorted((each.rule, each.path) for each in report.findings)


def in_run(files: Files) -> Files:
    return {f"run/{name}": data for name, data in files.items()}


def test_a_clean_package_is_silent(tmp_path: Path) -> None:
    report = check(tmp_path, in_run(clean()))
    assert spoken(report) == []
    assert report.coverage.rules_run == ("BND101", "BND102", "BND103", "BND105")
    assert [skip.rule for skip in report.coverage.rules_skipped] == ["BND104"]


def test_a_run_without_any_list_is_skipped(tmp_path: Path) -> None:
    report = check(tmp_path, in_run({"metrics.json": METRICS}))
    assert {skip.rule for skip in report.coverage.rules_skipped} == {"BND101", "BND102", "BND103", "BND104", "BND105"}


def replace(name: str, data: bytes) -> Callable[[Files], None]:
    return lambda files: files.update({name: data})


def drop(name: str) -> Callable[[Files], None]:
    def mutate(files: Files) -> None:
        del files[name]

    return mutate


MUTATIONS: dict[str, tuple[Callable[[Files], None], list[tuple[str, str]]]] = {
    "a file edited is told once, however many lists have it": (
        replace("eval/metrics.json", b"{}\n"),
        [("BND101", "run/eval/metrics.json")],
    ),
    "a file of the same size": (
        replace("eval/metrics.json", METRICS.replace(b"0.5", b"0.6")),
        [("BND101", "run/eval/metrics.json")],
    ),
    "a file gone": (
        drop("eval/predictions.jsonl"),
        [
            ("BND101", "run/MANIFEST"),
            ("BND101", "run/model.sig"),
            ("BND101", "run/upload_manifest.json"),
            ("BND101", "run/verified_result_summary.json"),
        ],
    ),
    "a file more": (
        replace("analysis/notes.txt", b"later\n"),
        [
            ("BND103", "run/MANIFEST"),
            ("BND103", "run/upload_manifest.json"),
            ("BND103", "run/verified_result_summary.json"),
        ],
    ),
    "a signature cut": (replace("model.sig", signature(LISTED)[:-40]), [("BND102", "run/model.sig")]),
    "a signature that ignores what is there": (
        replace("model.sig", signature({"README.md": LISTED["README.md"]}, "model.sig", "eval")),
        [("BND105", "run/model.sig")],
    ),
    "a manifest of another tool": (replace("MANIFEST", b"include README.md\nrecursive-include eval *\n"), []),
}


@pytest.mark.parametrize("case", sorted(MUTATIONS))
def test_a_mutation_makes_its_rule_speak(tmp_path: Path, case: str) -> None:
    mutate, expected = MUTATIONS[case]
    files = clean()
    mutate(files)
    found = spoken(check(tmp_path, in_run(files)))
    if case == "a manifest of another tool":
        expected = [("BND101", "run/MANIFEST")]  # the signature still lists the one that was there
    assert found == expected


def test_files_of_nested_runs_count(tmp_path: Path) -> None:
    """The manifest of a directory of runs covers them all, and a change in a nested run is seen."""
    files = {"one/metrics.json": METRICS, "two/metrics.json": METRICS, "README.md": b"# Toy\n"}
    both = {**files, "MANIFEST": manifest(files)}
    assert spoken(check(tmp_path / "a", in_run(both))) == []
    assert spoken(check(tmp_path / "b", in_run({**both, "two/metrics.json": b"{}\n"}))) == [
        ("BND101", "run/two/metrics.json")
    ]
    assert spoken(check(tmp_path / "c", in_run({**both, "three/metrics.json": METRICS}))) == [
        ("BND103", "run/MANIFEST")
    ]


def test_the_cache_sees_changes_in_nested_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNICHECK_CACHE_DIR", str(tmp_path / "cache"))
    files = {"one/metrics.json": METRICS, "README.md": b"# Toy\n"}
    tree = in_run({**files, "MANIFEST": manifest(files)})
    work = tmp_path / "work"
    assert spoken(check(work, tree, cached=True)) == []
    for path in work.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    for _ in range(2):
        assert spoken(check(work, {}, cached=True)) == []
    assert spoken(check(work, {"run/one/metrics.json": b"{}\n"}, cached=True)) == [("BND101", "run/one/metrics.json")]


MADE = {"eval_run_id": "walk_eval", "train_run_id": "walk_train", "dataset_run_id": "walk_data"}
SOURCES = {
    "walk_eval/metrics.json": METRICS,
    "walk_eval/predictions.jsonl": ROWS,
    "walk_eval/predictions.csv": TABLE,
    "walk_train/progress.jsonl": PROGRESS,
    "walk_data/validation_eval_walk_eval.json": b'{"status": "pass"}\n',
}
PACKED = {
    "pack/eval/metrics.json": METRICS,
    "pack/eval/predictions.jsonl": ROWS,
    "pack/eval/predictions.csv": TABLE,
    "pack/training/progress.jsonl": PROGRESS,
    "pack/validation/eval.json": b'{"status": "pass"}\n',
    "pack/verified_result_summary.json": summary(**MADE),
}


def test_a_package_of_the_same_bytes_is_silent(tmp_path: Path) -> None:
    report = check(tmp_path, {**SOURCES, **PACKED}, ".")
    assert spoken(report) == []
    assert "BND104" in report.coverage.rules_run


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (
            "eval/predictions.csv",
            TABLE.replace(b"\r\n", b"\n"),
            "only the line endings differ (CRLF in the run, LF here)",
        ),
        ("training/progress.jsonl", MASKED, "1 of 2 lines differ"),
        ("validation/eval.json", b'{"status": "pass", "note": ""}\n', "1 of 1 lines differ"),
        ("eval/metrics.json", METRICS + METRICS, f"{len(METRICS)} bytes in the run, {2 * len(METRICS)} here"),
    ],
)
def test_an_altered_copy_is_told(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    report = check(tmp_path, {**SOURCES, **PACKED, f"pack/{name}": data}, ".")
    assert spoken(report) == [("BND104", f"pack/{name}")]
    assert words in report.findings[0].message


@pytest.mark.parametrize("record", [["eval/metrics.json"], [{"path": "eval/metrics.json"}], {"eval/metrics.json": 1}])
def test_a_recorded_edit_is_silent(tmp_path: Path, record: object) -> None:
    changed = {
        "pack/eval/metrics.json": b"{}\n",
        "pack/verified_result_summary.json": summary(**MADE, redactions=record),
    }
    assert spoken(check(tmp_path, {**SOURCES, **PACKED, **changed}, ".")) == []


def test_runs_that_the_package_does_not_name_are_not_compared(tmp_path: Path) -> None:
    others = {name.replace("walk_", "other_"): data + b"\n" for name, data in SOURCES.items()}
    assert spoken(check(tmp_path, {**SOURCES, **PACKED, **others}, ".")) == []


def test_a_list_that_was_copied_elsewhere_alone_is_not_judged(tmp_path: Path) -> None:
    for name in ("upload_manifest.json", "verified_result_summary.json"):
        report = check(tmp_path / name, in_run({name: clean()[name], "metrics.json": METRICS}))
        assert spoken(report) == []
        assert {"BND101", "BND103"} <= {skip.rule for skip in report.coverage.rules_skipped}


def test_names_of_an_upload_list_may_begin_with_its_output_directory(tmp_path: Path) -> None:
    there = upload({f"/data/out/{name}": data for name, data in LISTED.items()}, output_dir="/data/out/")
    assert spoken(check(tmp_path / "a", in_run({**LISTED, "upload_manifest.json": there}))) == []
    changed = {**LISTED, "README.md": b"# Top\n", "upload_manifest.json": there}
    assert spoken(check(tmp_path / "b", in_run(changed))) == [("BND101", "run/README.md")]
