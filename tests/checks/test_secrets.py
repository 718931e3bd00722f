"""SEC: what is planted is found at its place, and no text of it leaves."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import tarfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.report import Report
from omnicheck.report import FORMATS, render
from tests.checks.planted import plant, secrets_of, told
from tests.make_fixtures.secrets import jpeg, png, safetensors, tiff


def checked(
    folder: Path, *, select: tuple[str, ...] = ("SEC",), cache: bool = False, paths: tuple[str, ...] = ("run",)
) -> Report:
    loaded = load_config(folder, None, isolated=True)
    request = Request(
        paths=tuple(map(Path, paths)), cwd=folder, select=select, today=date(2026, 1, 31), use_cache=cache, jobs=1
    )
    return check_paths(request, loaded)


def found(report: Report) -> set[tuple[str, str]]:
    return {(each.rule, each.path) for each in report.findings if each.rule.startswith("SEC")}


def pieces(secret: str) -> set[str]:
    return {secret[i : i + 8] for i in range(len(secret) - 7)}


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is no simpler run
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10**9))
def test_no_eight_characters_of_a_secret_leave(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("planted")
    secrets = secrets_of(seed)
    plant(folder / "run", secrets)
    told_to_nobody = set().union(*(pieces(line) for secret in secrets.values() for line in secret.split("\n")))
    told_to_nobody -= pieces("-----BEGIN RSA PRIVATE KEY-----") | pieces("-----END RSA PRIVATE KEY-----")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMNICHECK_CACHE_DIR", str(folder / "cache"))
        patch.setattr("omnicheck.engine.cache.FRESH_NS", -(10**18))  # files that were just written are kept as well
        report = checked(folder, select=("ALL",), cache=True)
    outputs: dict[str, Any] = {name: render(report, name) for name in FORMATS}
    outputs["every field"] = repr(report)
    outputs |= {
        path.name: path.read_bytes().decode("latin-1") for path in (folder / "cache").rglob("*") if path.is_file()
    }
    for name, text in outputs.items():
        shown = {piece for piece in told_to_nobody if piece in text}
        assert not shown, f"{name} shows {shown}"
    assert {rule for rule, _ in found(report)} >= {"SEC104", "SEC107"}


@pytest.mark.parametrize("kind", sorted(secrets_of(1)))
@pytest.mark.parametrize(
    "name",
    ["notes.txt", "run.log", "rows.jsonl", "table.csv", "config.yaml", "metrics.json", "look.md", ".env", "noname"],
)
def test_a_secret_is_found_in_any_file(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "predictions.jsonl").write_text('{"sample_id": "a", "label": "b", "prediction": "b"}\n')
    secret = secrets_of(5)[kind]
    (tmp_path / "run" / name).write_text("first line\n" + told(kind, secret) + "\nlast line\n")
    report = checked(tmp_path)
    assert found(report) == {("SEC104", f"run/{name}")}
    (finding,) = (each for each in report.findings if each.rule == "SEC104")
    assert finding.line == 2


def test_a_run_that_leaks_is_cached_without_its_leaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNICHECK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("omnicheck.engine.cache.FRESH_NS", -(10**18))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"accuracy": 0.5}')
    (tmp_path / "run" / "a.log").write_text("password=qz7wk4n2vd /home/marlene/x\n")
    first, again = checked(tmp_path, cache=True), checked(tmp_path, cache=True)
    assert first == again
    kept = list((tmp_path / "cache").rglob("run-*.msgpack"))
    assert kept
    assert not any(word in path.read_bytes() for path in kept for word in (b"qz7wk4n2vd", b"marlene"))


def test_files_outside_every_run_are_searched_too(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"accuracy": 0.5}')
    (tmp_path / "notes.txt").write_text("see /home/marlene/x\n")
    report = checked(tmp_path, paths=(".",))
    assert found(report) == {("SEC101", "notes.txt")}
    assert [run.root for run in report.runs] == ["run"]


def test_a_rule_that_quotes_a_value_does_not_quote_a_password(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"password": "qz7wk4n2vd", "accuracy": "is qz7wk4n2vd"}')
    report = checked(tmp_path, select=("ALL",))
    assert "qz7wk4n2vd" not in repr(report)
    assert ("SEC104", "run/metrics.json") in found(report)


def test_utf16_and_long_files_are_searched_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"accuracy": 0.5}')
    (tmp_path / "run" / "wide.txt").write_bytes("one\ntwo /home/marlene/x\n".encode("utf-16"))
    (tmp_path / "run" / "long.log").write_bytes(b"nothing here\n" * 700_000 + b"at /home/marlene/x\n")
    report = checked(tmp_path)
    assert {(each.path, each.line) for each in report.findings} == {("run/wide.txt", 2), ("run/long.log", 700_001)}


def test_one_finding_for_each_file_and_kind(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"accuracy": 0.5}')
    (tmp_path / "run" / "a.log").write_text("".join(f"open /home/marlene/{i}\n" for i in range(500)))
    (finding,) = checked(tmp_path).findings
    assert finding.actual["count"] == 500
    assert "in lines 1, 2, 3 and 497 more" in finding.message
    assert "marlene" not in repr(finding)


def test_fingerprints_depend_on_the_file(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"accuracy": 0.5}')
    for name in ("a.log", "b.log"):
        (tmp_path / "run" / name).write_text("open /home/marlene/x\nopen /home/marlene/x\n")
    marks = [each.actual["fingerprints"] for each in checked(tmp_path).findings]
    assert [len(each) for each in marks] == [1, 1]
    assert marks[0] != marks[1]


def test_unreadable_structure_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text('{"accuracy": 0.5}')
    (tmp_path / "run" / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 64)
    (tmp_path / "run" / "b.npz").write_bytes(b"PK\x03\x04" + b"\0" * 22 + b"\x05\0\0\0a.npy" + b"\0" * 40)
    (tmp_path / "run" / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xff")
    (tmp_path / "run" / "d.ipynb").write_text("{broken")
    with contextlib.redirect_stderr(io.StringIO()):
        report = checked(tmp_path)
    assert not report.traces
    assert not report.findings


def test_leaks_are_found_inside_archives_at_their_member(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.json").write_text('{"accuracy": 0.5}')
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("notes.txt", "one\nsee /home/marlene/x\n")
        archive.writestr("scene.jpg", jpeg(tiff(gps=True)))
        archive.writestr("a.safetensors", safetensors({"from": "/home/marlene/y"}))
    with tarfile.open(run / "out.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("in.zip")
        info.size = len(inner.getvalue())
        tar.addfile(info, io.BytesIO(inner.getvalue()))
    places = {(each.rule, each.path, each.members[-2:], each.line) for each in checked(tmp_path).findings}
    assert places == {
        ("SEC101", "run/out.tar.gz", ("in.zip", "notes.txt"), 2),
        ("SEC106", "run/out.tar.gz", ("in.zip", "scene.jpg"), None),
        ("SEC107", "run/out.tar.gz", ("in.zip", "a.safetensors"), None),
    }


def test_each_leak_is_told_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.json").write_text('{"accuracy": 0.5}')
    np.savez(run / "a.npz", paths=np.array(["/home/marlene/x"]))
    picture = base64.b64encode(png((b"eXIf", tiff(gps=True)))).decode()
    cell = {"cell_type": "code", "source": [], "outputs": [{"data": {"image/png": picture}}]}
    (run / "b.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    report = checked(tmp_path)
    told_once = sorted((each.rule, each.path) for each in report.findings)
    assert told_once == [("SEC106", "run/b.ipynb"), ("SEC107", "run/a.npz")]
