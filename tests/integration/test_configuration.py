"""What a configuration fits, and that a slip of the pen in it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command import demo, omnicheck, told


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return demo(tmp_path / "work")


def configure(place: Path, text: str) -> None:
    (place / "omnicheck.toml").write_text(text)


def report(place: Path, *arguments: str) -> dict[str, Any]:
    done = omnicheck(place, "check", *arguments, "--format", "json")
    told(done)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def judged_as_before(place: Path, *arguments: str) -> dict[str, Any]:
    """Return a report in which everything is judged as in the run under its usual names."""
    found = report(place, *arguments)
    assert found["verdict"] == "pass", found["findings"]
    return found


@pytest.mark.parametrize(
    ("text", "message", "help_"),
    [
        ('[roles]\npredictons = ["x"]', "no role is called 'predictons'", "did you mean predictions?"),
        ('[rules.severity]\nSLP103 = "info"', "no rule is called 'SLP103'", "did you mean SPL103?"),
        ('[rules.severity]\nSPL103 = "fatal"', "'fatal'", "schema config"),
        ("[rules.params.SPL999]\nx = 1", "no rule is called 'SPL999'", "omnicheck rules"),
        ("[rules.params.SPL104]\nembargo_frame = 30", "SPL104 has no parameter 'embargo_frame'", "embargo_frames"),
        ('[rules.params.SPL104]\nembargo_frames = "thirty"', "embargo_frames", "omnicheck explain SPL104"),
        ("[rules.params.OMN004]\nx = 1", "OMN004 takes no parameters", ""),
        ('[rules]\nselect = ["SPX"]', "no rule fits 'SPX'", "did you mean SPL?"),
        ('[rules]\nignore = ["omn6"]', "no rule fits 'omn6'", "`omnicheck rules` lists them"),
        ('[[allow]]\nrule = "SPL1033"\npath = "x"\nreason = "y"', "no rule is called 'SPL1033'", "SPL103"),
        ('[rules]\ndigest = "0000"', "the rules are not those that the configuration pins", "CHANGELOG"),
        ('[rules]\nextends = ["x"]', "extends", "schema config"),
        ('[[run]]\npath = "*"\ncontract = "kitchen"', "no contract is called 'kitchen'", "known: "),
    ],
)
def test_a_slip_is_told_with_what_was_meant(place: Path, text: str, message: str, help_: str) -> None:
    configure(place, text)
    done = omnicheck(place, "check", "run")
    assert done.returncode == 2
    assert message in told(done)
    assert help_ in done.stderr


def test_the_digest_that_is_in_force_may_be_pinned(place: Path) -> None:
    digest = json.loads(omnicheck(place, "rules", "--format", "json").stdout)["rules_digest"]
    for pin in (digest, digest[:12]):
        configure(place, f'[rules]\ndigest = "{pin}"\n')
        assert report(place, "run")["tool"]["rules_digest"] == digest


def test_roles_fit_file_names_of_ones_own(place: Path) -> None:
    before = judged_as_before(place, "run")
    for old, new in (
        ("eval/predictions.jsonl", "eval/outputs.jsonl"),
        ("eval/metrics.json", "eval/scores.json"),
        ("dataset/dataset.jsonl", "dataset/items.jsonl"),
    ):
        (place / "run" / old).rename(place / "run" / new)
    configure(
        place,
        '[roles]\npredictions = ["outputs*.jsonl"]\nmetrics = ["scores.json"]\ndataset_rows = ["dataset/items.jsonl"]\n'
        '[rules]\nignore = ["EVD"]\n',
    )
    after = judged_as_before(place, "run")
    assert after["runs"][0]["roles"]["predictions"] == ["run/eval/outputs.jsonl"]
    assert after["runs"][0]["roles"]["metrics"] == ["run/eval/scores.json"]
    assert after["coverage"]["rules_run"] == [rule for rule in before["coverage"]["rules_run"] if rule[:3] != "EVD"]
    (place / "omnicheck.toml").unlink()
    assert report(place, "run")["coverage"]["rules_run"] != before["coverage"]["rules_run"]


def apart(place: Path) -> None:
    """Put the parts of the run into directories that have nothing to do with each other."""
    (place / "data").mkdir()
    (place / "jobs").mkdir()
    for name in ("README.md", "LICENSE"):
        (place / "run" / name).rename(place / "run" / "eval" / name)
    (place / "run" / "dataset").rename(place / "data" / "export_7")
    (place / "run" / "training").rename(place / "jobs" / "train_7")
    (place / "run" / "eval").rename(place / "jobs" / "eval_7")
    (place / "run").rmdir()


LINKED = '[[run]]\ndataset = "data/export_7"\ntraining = "jobs/train_7"\neval = "jobs/eval_7"\n'


@pytest.mark.parametrize("way", ["options", "configuration"])
def test_linked_directories_are_one_run(place: Path, way: str) -> None:
    before = judged_as_before(place, "run")
    apart(place)
    parts = ("data/export_7", "jobs/train_7", "jobs/eval_7")
    if way == "options":
        options = ("--dataset", parts[0], "--training", parts[1], "--eval", parts[2])
        after = judged_as_before(place, *options)
    else:
        configure(place, f'{LINKED}contract = "kitchen_episode_qa"\n')
        after = judged_as_before(place, *parts)
        assert after["runs"][0]["contract_source"] == "config"
    (run,) = after["runs"]
    assert run["layout"] == "linked"
    assert run["contract"] == "kitchen_episode_qa"
    assert after["coverage"]["rules_run"] == before["coverage"]["rules_run"]


def test_a_leak_over_linked_directories_is_found(place: Path) -> None:
    apart(place)
    configure(place, LINKED)
    rows = (place / "data" / "export_7" / "dataset.jsonl").read_text().splitlines()
    held_out = next(json.loads(row) for row in rows if '"test"' in row)
    with (place / "data" / "export_7" / "dataset.jsonl").open("a") as stream:
        stream.write(json.dumps({**held_out, "split": "train"}).replace(held_out["id"], "copy") + "\n")
    found = report(place, "data", "jobs")
    assert any(each["rule"].startswith("SPL") for each in found["findings"])


def test_a_run_entry_names_the_contract_of_what_fits(place: Path) -> None:
    configure(place, '[[run]]\npath = "ru?"\ncontract = "qwen3_omni_lora"\n')
    (run,) = report(place, "run")["runs"]
    assert (run["contract"], run["contract_source"]) == ("qwen3_omni_lora", "config")
    (run,) = report(place, "run", "--contract", "kitchen_episode_qa")["runs"]
    assert (run["contract"], run["contract_source"]) == ("kitchen_episode_qa", "option")


def test_in_publish_a_run_does_not_choose_its_judge(place: Path) -> None:
    assert report(place, "run")["runs"][0]["contract_source"] == "metadata"
    assert report(place, "run", "--profile", "publish")["runs"][0]["contract"] is None


def test_contracts_lie_where_the_configuration_says(place: Path) -> None:
    (place / "contracts").rename(place / "judges")
    assert report(place, "run")["runs"][0]["contract"] is None
    configure(place, '[contracts]\npaths = ["judges"]\n')
    assert report(place, "run")["runs"][0]["contract"] == "kitchen_episode_qa"
    (place / "below").mkdir()
    assert report(place / "below", "../run")["runs"][0]["contract"] == "kitchen_episode_qa", "found from below"


def test_severity_and_parameters_are_the_configurations(place: Path) -> None:
    (place / "run" / "extra.json").write_text("{}")
    (place / "run" / "training" / "training_metadata.json").write_text('{"a": 1, "a": 2}')
    configure(place, '[rules]\nselect = ["OMN006"]\n[rules.severity]\nOMN006 = "info"\n')
    found = report(place, "run")
    assert found["verdict"] == "pass"
    assert [each["severity"] for each in found["findings"]] == ["info"]
    assert omnicheck(place, "check", "run", "--fail-on", "info").returncode == 1


def test_exclude_leaves_files_out(place: Path) -> None:
    (place / "run" / "training" / "training_metadata.json").write_text('{"a": 1, "a": 2}')
    assert omnicheck(place, "check", "run", "--select", "OMN006").returncode == 1
    configure(place, 'exclude = ["run/training/*"]\n')
    assert omnicheck(place, "check", "run", "--select", "OMN006").returncode == 0
