"""Checks of others: a package with the entry point group, enabled by name, bound by a page of the user's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.command import Done, environment, omnicheck, told

MODULE = """
import sys
from collections.abc import Iterator
from msgspec import Struct
from omnicheck.facts.documents import Metrics
from omnicheck.model.finding import Finding

print("the plug-in was loaded", file=sys.stderr)


class Least(Struct, frozen=True, forbid_unknown_fields=True):
    least: int = 10


def enough(metrics: tuple[Metrics, ...], params: Least) -> Iterator[Finding]:
    for each in metrics:
        count = each.record.count("num_samples")
        if count is not None and count < params.least:
            yield Finding(path=each.file.path, message=f"{count} samples", expected=params.least, actual=count)


def crash(metrics: tuple[Metrics, ...]) -> Iterator[Finding]:
    token = "hf_" + "".join(chr(97 + at * 7 % 26) for at in range(34))
    raise ValueError(f"cannot read /home/someone/private/{metrics[0].file.base} with {token}")


def unreadable(metrics: "tuple[Nowhere, ...]") -> Iterator[Finding]:
    raise NotImplementedError


CHECKS = {"enough": enough, "crash": crash, "unreadable": unreadable, "none": 3}
"""
PAGE = """+++
id = "{id}"
name = "{name}"
summary = "An evaluation of few samples."
severity = "error"
check = "{check}"
since = "0.1"
{params}+++
## What it does
Counts.
## How to fix
Evaluate more samples.
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working directory with a run, a rule pack and a configuration; the package lies beside it."""
    site = tmp_path / "site"
    (site / "few_samples-1.0.dist-info").mkdir(parents=True)
    (site / "few_samples.py").write_text(MODULE)
    (site / "broken_plugin.py").write_text("import nothing_of_this_name\n")
    (site / "few_samples-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: few-samples\n")
    (site / "few_samples-1.0.dist-info" / "entry_points.txt").write_text(
        "[omnicheck.checks]\nfew = few_samples:CHECKS\nbroken = broken_plugin:CHECKS\nnotamap = few_samples:MODULE\n"
    )
    work = tmp_path / "work"
    (work / "run").mkdir(parents=True)
    (work / "run" / "metrics.json").write_text(json.dumps({"num_samples": 3}))
    page(work, "XYZ101", "few-samples", "few:enough", "[params]\nleast = 5\n")
    configure(work, 'extend = ["pack"]\nchecks = ["few"]')
    return work


def page(work: Path, id_: str, name: str, check: str, params: str = "") -> None:
    (work / "pack").mkdir(exist_ok=True)
    text = PAGE.format(id=id_, name=name, check=check, params=params)
    (work / "pack" / f"{id_}-{name}.md").write_text(text)


def configure(work: Path, rules: str) -> None:
    (work / "omnicheck.toml").write_text(f"[rules]\n{rules}\n")


def check(work: Path, *arguments: str) -> Done:
    path = f"{environment(work)['PYTHONPATH']}:{work.parent / 'site'}"
    return omnicheck(work, *arguments, env={"PYTHONPATH": path})


def test_an_enabled_plugin_judges(place: Path) -> None:
    done = check(place, "check", "run", "--select", "XYZ", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(each["rule"], each["path"], each["actual"]) for each in report["findings"]] == [
        ("XYZ101", "run/metrics.json", 3)
    ]
    assert report["findings"][0]["help"] == "Evaluate more samples."
    assert report["coverage"]["rules_run"] == ["XYZ101"]


def test_its_page_is_explained_and_listed_and_in_sarif(place: Path) -> None:
    assert "Evaluate more samples." in check(place, "explain", "few-samples").stdout
    assert "XYZ101" in check(place, "rules").stdout
    sarif = json.loads(check(place, "check", "run", "--select", "XYZ", "--format", "sarif").stdout)
    assert [rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]] == ["XYZ101"]


def test_parameters_of_a_plugin_are_typed(place: Path) -> None:
    configure(place, 'extend = ["pack"]\nchecks = ["few"]\n[rules.params.XYZ101]\nleast = 2')
    assert check(place, "check", "run", "--select", "XYZ").returncode == 0
    configure(place, 'extend = ["pack"]\nchecks = ["few"]\n[rules.params.XYZ101]\nleats = 2')
    done = check(place, "check", "run")
    assert done.returncode == 2
    assert "did you mean least?" in told(done)


def test_what_changed_in_a_plugin_is_seen_at_once(place: Path) -> None:
    assert check(place, "check", "run", "--select", "XYZ").returncode == 1
    module = place.parent / "site" / "few_samples.py"
    module.write_text(module.read_text().replace("count < params.least", "False"))
    assert check(place, "check", "run", "--select", "XYZ").returncode == 0


@pytest.mark.parametrize("format_", ["json", "text", "sarif", "junit", "github"])
def test_a_plugin_that_crashes_decides_the_verdict(place: Path, format_: str) -> None:
    page(place, "XYZ102", "crashes", "few:crash")
    assert check(place, "check", "run", "--format", format_).returncode == 2


def test_the_trace_of_a_crash_is_redacted(place: Path) -> None:
    page(place, "XYZ102", "crashes", "few:crash")
    report = json.loads(check(place, "check", "run", "--select", "XYZ", "--format", "json").stdout)
    assert report["verdict"] == "error"
    assert {each["rule"] for each in report["findings"]} == {"OMN003", "XYZ101"}
    (trace,) = report["traces"]
    assert "few_samples.py" in trace
    assert "ValueError" in trace
    assert "hf_" not in trace
    assert "/home" not in trace
    assert str(place) not in trace


def test_a_crash_cannot_be_allowed_away_or_ignored(place: Path) -> None:
    page(place, "XYZ102", "crashes", "few:crash")
    text = (place / "omnicheck.toml").read_text()
    (place / "omnicheck.toml").write_text(
        f'{text}ignore = ["OMN003", "XYZ101"]\n[[allow]]\nrule = "OMN003"\npath = "*"\nreason = "let me through"\n'
    )
    assert check(place, "check", "run").returncode == 2


def test_a_plugin_that_is_not_enabled_is_not_loaded(place: Path) -> None:
    configure(place, 'extend = ["pack"]')
    done = check(place, "check", "run")
    assert done.returncode == 2
    assert "the plug-in 'few' is not enabled" in told(done)
    assert "was loaded" not in done.stderr
    (place / "omnicheck.toml").unlink()
    assert "was loaded" not in check(place, "check", "run").stderr


def test_a_plugin_that_is_not_installed_is_named(place: Path) -> None:
    configure(place, 'checks = ["absent"]')
    done = check(place, "check", "run")
    assert done.returncode == 2
    assert "'absent'" in told(done)
    assert "few" in done.stderr, "those that are installed are listed"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("few:nothing", "has no check 'nothing'"),
        ("few:none", "has no check 'none'"),
        ("few:unreadable", "the signature of the check"),
        ("broken:x", "cannot be loaded: ModuleNotFoundError"),
        ("notamap:x", "must point at a mapping"),
        ("nowhere.nothing", "no check is called"),
    ],
)
def test_a_check_that_cannot_be_used_is_told(place: Path, name: str, message: str) -> None:
    (place / "pack" / "XYZ101-few-samples.md").unlink()
    page(place, "XYZ103", "unusable", name)
    module = place.parent / "site" / "few_samples.py"
    module.write_text(module.read_text() + "\nMODULE = 3\n")
    configure(place, 'extend = ["pack"]\nchecks = ["few", "broken", "notamap"]')
    done = check(place, "check", "run")
    assert done.returncode == 2
    assert message in told(done)


def test_a_pack_that_is_not_there_is_told(place: Path) -> None:
    configure(place, 'extend = ["elsewhere"]')
    done = check(place, "check", "run")
    assert done.returncode == 2
    assert "no directory of rule pages at 'elsewhere'" in told(done)


def test_two_pages_of_one_id_are_told(place: Path) -> None:
    page(place, "OMN001", "mine", "few:enough")
    done = check(place, "check", "run")
    assert done.returncode == 2
    assert "OMN001 has two pages" in told(done)
