"""What was kept of an earlier check never hides a change."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.integration.command import demo, omnicheck


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A demo run of an hour ago, as far as modification times tell."""
    work = demo(tmp_path / "work")
    aged(work)
    return work


def aged(work: Path) -> None:
    for file in work.rglob("*"):
        os.utime(file, ns=(1_700_000_000_000_000_000, 1_700_000_000_000_000_000))


def settled(work: Path) -> None:
    """Wait until the change times of all files are old enough to be kept."""
    newest = max(file.stat().st_ctime for file in work.rglob("*") if file.is_file())
    time.sleep(max(0.0, newest + 2.2 - time.time()))


def kept(work: Path) -> set[str]:
    return {entry.name for entry in (work.parent / f"{work.name}.cache").glob("run-*")}


def codes(work: Path, *arguments: str) -> tuple[int, set[str]]:
    done = omnicheck(work, "check", "run", "--format", "json", *arguments)
    return done.returncode, {each["rule"] for each in json.loads(done.stdout)["findings"]}


def test_a_fresh_run_is_not_kept(place: Path) -> None:
    (place / "run" / "eval" / "RUN_REPORT.md").touch()
    assert codes(place)[0] == 0
    assert not any(self_judged(place))


def self_judged(work: Path) -> list[str]:
    # The contract that judged has a unit of its own; it may be kept where the run is not.
    return [name for name in kept(work) if b"run/eval" in (work.parent / f"{work.name}.cache" / name).read_bytes()]


@pytest.mark.slow
def test_a_change_of_the_same_size_and_time_is_seen(place: Path) -> None:
    settled(place)
    assert codes(place)[0] == 0
    assert kept(place), "the run is kept now"
    before = kept(place)
    assert codes(place)[0] == 0
    assert kept(place) == before
    metrics = place / "run" / "eval" / "metrics.json"
    status, data = metrics.stat(), metrics.read_bytes()
    metrics.write_bytes(b"[" + data[1:])
    os.utime(metrics, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (metrics.stat().st_size, metrics.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    code, rules = codes(place)
    assert (code, "OMN006" in rules) == (1, True)


@pytest.mark.slow
def test_what_lies_outside_the_run_is_looked_at_again(place: Path) -> None:
    contract = place / "contracts" / "kitchen_episode_qa.json"
    value = json.loads(contract.read_text())
    value["entrypoints"] = {"train": "train.py", "eval": "eval.py"}
    for script in value["entrypoints"].values():
        (place / script).write_text("")
    value["status"] = "implemented"
    contract.write_text(json.dumps(value))
    settled(place)
    assert "CTR103" not in codes(place)[1]
    assert kept(place)
    (place / "train.py").unlink()
    assert "CTR103" in codes(place)[1]


@pytest.mark.slow
def test_contract_configuration_and_selection_are_part_of_the_key(place: Path) -> None:
    settled(place)
    assert codes(place) == (0, set())
    rename = (place / "contracts" / "kitchen_episode_qa.json").read_text()
    (place / "contracts" / "kitchen_episode_qa.json").write_text(rename.replace('"metrics.json"', '"measures.json"'))
    assert codes(place)[0] == 1
    (place / "contracts" / "kitchen_episode_qa.json").write_text(rename)
    assert codes(place)[0] == 0
    (place / "omnicheck.toml").write_text('[roles]\ndocument = ["metrics.json"]\n')
    report = json.loads(omnicheck(place, "check", "run", "--format", "json").stdout)
    assert "metrics" not in report["runs"][0]["roles"]
    assert "EVD102" in {each["rule"] for each in (*report["findings"], *report["coverage"]["rules_skipped"])}


@pytest.mark.slow
def test_what_is_kept_is_not_trusted(place: Path) -> None:
    settled(place)
    assert codes(place)[0] == 0
    for entry in (place.parent / "work.cache").iterdir():
        entry.write_bytes(b"\x81\xa1\xff\xa1\xff")
    assert codes(place) == (0, set())
    (place / "run" / "training" / "training_metadata.json").write_text("{")
    assert codes(place, "--profile", "publish")[0] == 1
