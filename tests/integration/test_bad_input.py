"""What no one means to write: a finding with path and place, never a traceback, never unbounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.engine.judge import judge
from omnicheck.facts.source import Source
from omnicheck.model.report import Diagnostic, Report
from omnicheck.readers import jsonl
from tests.integration.command import demo, environment, omnicheck

GOOD = '{"num_samples": 2}'
ROW = '{"sample_id": "s1", "episode_id": "e1"}\n'


def check(cwd: Path, *families: str) -> Report:
    request = Request(paths=(Path("run"),), cwd=cwd, select=families, today=date(2026, 1, 31), use_cache=False, jobs=1)
    report = check_paths(request, load_config(cwd, isolated=True))
    assert report.traces == ()
    return report


def unread(cwd: Path) -> list[Diagnostic]:
    return [each for each in check(cwd).findings if each.rule == "OMN006"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "metrics.json").write_text(GOOD)
    return folder


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b'{"num_samples": 2', "ends in the middle of a value", 1),
        (b'{\n"a": "b', "ends in the middle of a value", 2),
        (b'{"num_samples": 2}}', "data after the end", 1),
        (b"\xff\xfe{\x00}\x00", "UTF-16", 1),
        (b"\xef\xbb\xbf{}", "byte order mark", 1),
        (b'{"a":\n"\xff"}', "not UTF-8", 2),
        (b'{"a": 1,\n"a": 2}', 'key "a" stands twice', 2),
        (b'{"a": NaN}', "NaN", 1),
        (b'{"a": 1e999}', "1e999", 1),
        (b"[" * 1_000_000, "nests deeper", None),
        (b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000, "nests deeper", None),
        (b" \n \n", "empty", 1),
        (b"\0" * 4096, "not JSON", 1),
        (b"<html>404</html>", "not JSON", 1),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "not JSON", 1),
    ],
    ids=lambda value: ascii(value)[:24] if isinstance(value, bytes) else None,
)
def test_a_broken_document_is_a_finding_with_its_place(run: Path, data: bytes, message: str, line: int | None) -> None:
    (run / "training_metadata.json").write_bytes(data)
    (found,) = unread(run.parent)
    assert found.path == "run/training_metadata.json"
    assert message in found.message
    assert found.line == line
    assert found.help


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"sample_id": "s2"', "ends in the middle"),
        (b'{"sample_id": "s2", "sample_id": "s3"}\n', "sample_id"),
        (b"\n" + ROW.encode(), "blank line"),
        (b'{"a": Infinity}\n', "Infinity"),
        (b"3\n", "a row is an object"),
        (b'{"a": "\xe9"}\n', "not UTF-8"),
        (b"[" * 1_000_000 + b"\n", "nests deeper"),
        (b'{"a": "' + b"x" * (17 << 20) + b'"}\n', "longer than"),
    ],
    ids=lambda value: ascii(value)[:24] if isinstance(value, bytes) else None,
)
def test_a_broken_row_is_a_finding_with_its_line(run: Path, data: bytes, message: str) -> None:
    (run / "predictions.jsonl").write_bytes(ROW.encode() + data)
    (found,) = (each for each in unread(run.parent) if "UTF" in each.message or each.line)
    assert message in found.message
    assert found.line is not None
    assert found.line >= 2


def test_a_table_that_is_none_is_told(run: Path) -> None:
    for number, data in enumerate((b"\0\0\0", b'a,b\n"1,2\n3,4', b"a,b\n1\n", b"a,a\n1,2\n", b"\xff\xfea\x00", b"\n")):
        (run / f"predictions_{number}.csv").write_bytes(data)
    assert {each.path for each in check(run.parent).findings if each.rule == "OMN006"}


def test_a_run_of_bytes_is_judged_without_a_crash(run: Path) -> None:
    names = ("dataset.jsonl", "predictions.jsonl", "predictions.csv", "progress.jsonl", "config.yaml", "RUN_REPORT.md")
    for name in (*names, "episode_manifest.json", "adapter_model.safetensors", "train.log", "confusion_matrix.csv"):
        (run / name).write_bytes(bytes(range(256)) * 40)
    assert {each.path for each in unread(run.parent)} >= {"run/dataset.jsonl", "run/episode_manifest.json"}


def test_links_are_told_and_not_followed(run: Path) -> None:
    outside = run.parent / "outside"
    outside.mkdir()
    (outside / "predictions.jsonl").write_text(ROW)
    (run / "predictions.jsonl").symlink_to(outside / "predictions.jsonl")
    (run / "eval").symlink_to(outside)
    (run / "loop").symlink_to(run)
    (run / "nowhere.json").symlink_to("missing")
    report = check(run.parent)
    told = {each.path for each in report.findings if "symbolic link" in each.message}
    assert told == {"run/predictions.jsonl", "run/eval", "run/loop", "run/nowhere.json"}
    assert report.coverage.files.total == 1


def test_a_pipe_does_not_stop_a_check(run: Path) -> None:
    os.mkfifo(run / "predictions.jsonl")
    os.mkfifo(run / "omnicheck.toml")
    (found, _) = unread(run.parent)
    assert "not a regular file" in found.message
    done = omnicheck(run, "check", ".")
    assert done.returncode in (0, 1)


def test_a_file_that_goes_while_it_is_checked_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "predictions.jsonl").write_text(ROW)
    (run / "training_metadata.json").write_text("{}")

    def late(*arguments: object, **options: object) -> object:
        for name in ("predictions.jsonl", "training_metadata.json"):
            (run / name).unlink(missing_ok=True)
        return judge(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("omnicheck.engine.judge.judge", late)
    found = unread(run.parent)
    assert {each.path for each in found} == {"run/predictions.jsonl", "run/training_metadata.json"}
    assert all("no such file" in each.message for each in found)


def test_a_file_that_changes_while_it_is_read_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "predictions.jsonl").write_text(ROW * 20_000)
    decode = jsonl._decode_body

    def growing(*arguments: object, **options: object) -> object:
        with (run / "predictions.jsonl").open("a") as stream:
            stream.write(" ")
        return decode(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(jsonl, "_decode_body", growing)
    assert any("changed while it was read" in each.message for each in unread(run.parent))


def test_a_directory_that_becomes_a_file_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "eval").mkdir()
    (run / "eval" / "predictions.jsonl").write_text(ROW)
    real = Source.__init__

    def late(self: Source, *arguments: object, **options: object) -> None:
        if (run / "eval").is_dir():
            (run / "eval" / "predictions.jsonl").unlink()
            (run / "eval").rmdir()
            (run / "eval").write_text("no directory")
        real(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Source, "__init__", late)
    assert [each.path for each in unread(run.parent)] == ["run/eval/predictions.jsonl"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary directory that every user may enter; that of the tests is for its owner alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


AS_NOBODY = """
import os, sys
from pathlib import Path
from omnicheck.report import render
from tests.integration.test_bad_input import check

check(Path.cwd())  # so that all modules are loaded: another user may not reach the interpreter's files
for name in ("eval/metrics.json", "eval/predictions.jsonl", "dataset"):
    Path("run", name).chmod(0)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
sys.stdout.write(render(check(Path.cwd()), "json"))
"""


def test_no_permission_is_told(open_folder: Path) -> None:
    work = demo(open_folder / "work")
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY],
        cwd=work,
        env=environment(open_folder / "cache"),
        capture_output=True,
        text=True,
        check=False,
    )
    (work / "run" / "dataset").chmod(0o755)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    told = {each["path"]: each["message"] for each in report["findings"] if each["rule"] == "OMN006"}
    assert {"run/dataset", "run/eval/metrics.json", "run/eval/predictions.jsonl"} <= told.keys()
    assert report["verdict"] == "fail"
    assert report["coverage"]["files"]["unknown"] == ["run/eval/metrics.json", "run/eval/predictions.jsonl"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("rows", [False, True], ids=["one-line", "many-rows"])
def test_memory_stays_bounded(run: Path, rows: bool) -> None:
    size = 200 << 20
    with (run / "dataset.jsonl").open("wb") as stream:
        if rows:
            row = b'{"sample_id": "%d", "episode_id": "e%d", "split": "train", "text": "' + b"x" * 4000 + b'"}\n'
            for number in range(size // 4060):
                stream.write(row % (number, number // 500))
        else:
            stream.write(b'{"a": "')
            stream.truncate(size)
            stream.seek(size)
            stream.write(b'"}\n' + ROW.encode())
    # Not getrusage: its peak counts what the parent held when it started the process.
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "import sys; from pathlib import Path; from omnicheck.__main__ import main\n"
        "try:\n    main()\n"
        "finally:\n    print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "check", "run", "--jobs", "1", "--format", "concise", "--no-cache"],
        cwd=run.parent,
        env=environment(run.parent / "cache"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert ("longer than" in done.stdout) == (not rows)
    assert int(done.stderr.split()[-1]) < 160 << 10, "kilobytes, far below the file's 200 MiB"
