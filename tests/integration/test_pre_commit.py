"""The hook in a real ``pre-commit``, in a git repository of its own.

The entry and its options are those of ``.pre-commit-hooks.yaml``; only the language differs, so that no package index
is needed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.command import ROOT, Done, demo, environment

MANIFEST = ROOT / ".pre-commit-hooks.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a sound run, and the hook installed as it is published."""
    work = tmp_path / "repository"
    demo(work / "results")
    (work / "results" / "contracts").rename(work / "contracts")
    (work / "src").mkdir()
    (work / "src" / "model.py").write_text("x = 1\n")
    (hook,) = yaml.safe_load(MANIFEST.read_text())
    hook["language"] = "system"
    hook["entry"] = f"{sys.executable} -m {hook['entry']}"
    (work / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [{"repo": "local", "hooks": [hook]}]}))
    git(work, "init", "-q", "-b", "main")
    git(work, "add", ".")
    assert pre_commit(work, "install").returncode == 0
    assert commit(work).returncode == 0
    return work


def git(work: Path, *arguments: str) -> Done:
    name = ("-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *name, *arguments], cwd=work, env=settings(work), capture_output=True, text=True, check=False
    )


def settings(work: Path) -> dict[str, str]:
    home = {"HOME": str(work.parent), "GIT_CONFIG_NOSYSTEM": "1", "PRE_COMMIT_HOME": str(work.parent / "hooks")}
    return environment(work.parent / "cache", home)


def pre_commit(work: Path, *arguments: str) -> Done:
    command = [sys.executable, "-m", "pre_commit", *arguments]
    return subprocess.run(command, cwd=work, env=settings(work), capture_output=True, text=True, check=False)


def commit(work: Path, *options: str) -> Done:
    """Commit what is staged; the hook speaks on stderr."""
    done = git(work, "commit", "-q", "-m", "a change", *options)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def flaw(run: Path) -> None:
    """Claim a result that the predictions do not give."""
    metrics = run / "eval" / "metrics.json"
    metrics.write_text(re.sub(r'("num_samples"|"num_eval_samples"): \d+', r"\1: 4711", metrics.read_text()))
    (run / "training" / "training_metadata.json").write_text('{"a": 1, "a": 2}')


def test_the_manifest_is_valid(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    done = pre_commit(tmp_path / "work", "validate-manifest", str(MANIFEST))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_flawed_run_does_not_get_in(repository: Path) -> None:
    flaw(repository / "results" / "run")
    git(repository, "add", ".")
    done = commit(repository)
    assert done.returncode == 1
    assert "OMN006" in done.stderr
    assert "results/run/training/training_metadata.json" in done.stderr
    assert git(repository, "status", "--porcelain").stdout


def test_an_unrelated_file_passes(repository: Path) -> None:
    flaw(repository / "results" / "run")
    (repository / "src" / "model.py").write_text("x = 2\n")
    git(repository, "add", "src")
    done = commit(repository, "-v")
    assert done.returncode == 0, done.stderr
    assert "OMN006" not in done.stderr


def test_only_the_run_of_the_staged_file_is_judged(repository: Path) -> None:
    (repository / "results" / "other").mkdir()
    (repository / "results" / "other" / "metrics.json").write_text('{"a": 1, "a": 2}')
    card = repository / "results" / "run" / "eval" / "RUN_REPORT.md"
    card.write_text(card.read_text() + "\nA remark.\n")
    git(repository, "add", str(card))
    assert commit(repository).returncode == 0


def test_a_deletion_is_noticed(repository: Path) -> None:
    git(repository, "rm", "-q", "results/run/eval/predictions.jsonl", "results/run/eval/predictions.csv")
    done = commit(repository)
    assert done.returncode == 1
    assert "EVD" in done.stderr


def test_a_file_that_moves_out_of_a_run_is_noticed(repository: Path) -> None:
    (repository / "archive").mkdir()
    for name in ("predictions.jsonl", "predictions.csv"):
        git(repository, "mv", f"results/run/eval/{name}", f"archive/old_{name}.txt")
    done = commit(repository)
    assert done.returncode == 1
    assert "EVD" in done.stderr


def test_a_run_that_goes_as_a_whole_may_go(repository: Path) -> None:
    git(repository, "rm", "-rq", "results/run")
    assert commit(repository).returncode == 0


def test_what_counts_is_what_is_staged(repository: Path) -> None:
    metadata = repository / "results" / "run" / "training" / "training_metadata.json"
    sound = metadata.read_text()
    card = repository / "results" / "run" / "eval" / "RUN_REPORT.md"
    card.write_text(card.read_text() + "\nA remark.\n")
    git(repository, "add", str(card))
    metadata.write_text('{"a": 1, "a": 2}')
    assert commit(repository).returncode == 0, "what is broken is not staged"
    assert metadata.read_text() == '{"a": 1, "a": 2}', "and is there again afterwards"
    git(repository, "add", str(metadata))
    metadata.write_text(sound)
    assert commit(repository).returncode == 1, "what is mended is not staged"
    assert metadata.read_text() == sound


def test_names_with_spaces_and_other_letters(repository: Path) -> None:
    folder = repository / "results" / "été 2 наш\tlauf"
    git(repository, "mv", "results/run", str(folder))
    done = commit(repository)
    assert done.returncode == 0, done.stderr
    flaw(folder)
    git(repository, "add", ".")
    done = commit(repository)
    assert done.returncode == 1
    assert "été 2 наш" in done.stderr


def test_a_first_commit_and_a_directory_below_the_top(tmp_path: Path) -> None:
    work = tmp_path / "repository"
    run = demo(work / "results") / "run"
    flaw(run)
    git(work, "init", "-q")
    git(work, "add", ".")

    def staged(cwd: Path) -> Done:
        command = [sys.executable, "-m", "omnicheck", "check", "--staged"]
        return subprocess.run(command, cwd=cwd, env=settings(work), capture_output=True, text=True, check=False)

    assert staged(work).returncode == 1
    assert staged(run).returncode == 1
    (work / "src").mkdir()
    assert staged(work / "src").returncode == 0
    assert staged(tmp_path).returncode == 2
