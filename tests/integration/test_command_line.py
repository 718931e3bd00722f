"""The command line as a whole: exit codes, formats, options, what goes where."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

from tests.integration.command import FORMATS, ROOT, demo, environment, omnicheck, told

VERDICTS = {0: "pass", 1: "fail", 2: "error", 3: "incomplete"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working directory with a run for each exit code."""
    work = tmp_path / "work"
    work.mkdir()
    demo(work, "sound")
    (work / "run").rename(work / "code0")
    demo(work / "flawed", "flawed")
    (work / "flawed" / "run").rename(work / "code1")
    (work / "code3").mkdir()
    return work


IN_EVERY_FORMAT = """
import contextlib, io, json, sys
from omnicheck.__main__ import main
from omnicheck.engine import judge
from omnicheck.report import FORMATS

def resolve(name, enabled, real=judge.resolve):
    import msgspec
    return msgspec.structs.replace(real(name, enabled), function=lambda **facts: 1 / 0)

folder = sys.argv[1]
if folder == "code2":
    folder, judge.resolve = "code0", resolve
codes = {}
for each in FORMATS:
    sys.argv[1:] = ["check", folder, "--isolated", "--no-cache", "--format", each]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            main()
        except SystemExit as stop:
            codes[each] = stop.code
    assert printed.getvalue().strip(), each
print(json.dumps(codes))
"""


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_is_the_same_in_every_format(place: Path, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_EVERY_FORMAT, f"code{code}"],
        cwd=place,
        env=environment(place.parent / "cache"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(FORMATS, code)


def test_the_json_report_fits_the_published_schema(place: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads((ROOT / "schemas" / "report.schema.json").read_text()))
    for code in (0, 1, 3):
        done = omnicheck(place, "check", f"code{code}", "--format", "json")
        report = json.loads(done.stdout)
        validator.validate(report)
        assert report["verdict"] == VERDICTS[done.returncode]
        assert str(place) not in done.stdout, "no absolute path of this machine"


def test_an_empty_directory_says_so(place: Path) -> None:
    for options in ((), ("--select", "SPL103"), ("--ignore", "OMN004"), ("-q",), ("--profile", "publish")):
        done = omnicheck(place, "check", "code3", *options)
        assert done.returncode == 3, options
        assert "Nothing was checked below code3" in done.stdout


def test_no_known_role_says_so(place: Path) -> None:
    (place / "code3" / "notes.txt").write_text("hello\n")
    done = omnicheck(place, "check", "code3")
    assert done.returncode == 3
    assert "no file has a role" in done.stdout
    assert "1 file, none of a known role" in done.stdout


def test_a_finding_outside_every_run_comes_before_nothing_checked(place: Path) -> None:
    (place / "code3" / "notes.bin").write_bytes(b"\x00\x01")
    done = omnicheck(place, "check", "code3", "--format", "json")
    assert done.returncode == 1
    assert {each["rule"] for each in json.loads(done.stdout)["findings"]} == {"OMN004", "PUB109"}


def test_nothing_checked_cannot_be_allowed_away(place: Path) -> None:
    (place / "omnicheck.toml").write_text('[[allow]]\nrule = "OMN004"\npath = "*"\nreason = "be quiet"\n')
    assert omnicheck(place, "check", "code3").returncode == 3


def test_rules_that_all_were_skipped_are_no_pass(place: Path) -> None:
    (place / "bare").mkdir()
    (place / "bare" / "metrics.json").write_text('{"num_samples": 3}')
    done = omnicheck(place, "check", "bare", "--select", "SPL103", "--isolated")
    assert done.returncode == 3
    assert "skipped" in done.stdout


def test_a_path_that_is_not_there_is_told(place: Path) -> None:
    done = omnicheck(place, "check", "nowhere")
    assert done.returncode == 2
    assert "nowhere: no such file or directory" in told(done)


def test_output_goes_to_the_file_alone(place: Path) -> None:
    done = omnicheck(place, "check", "code1", "--format", "sarif", "--output", "out.sarif")
    assert (done.returncode, done.stdout) == (1, "")
    assert json.loads((place / "out.sarif").read_text())["version"] == "2.1.0"
    assert omnicheck(place, "check", "code1", "--output", "plain.txt", env={"FORCE_COLOR": "1"}).returncode == 1
    assert "\x1b" not in (place / "plain.txt").read_text()


def test_output_that_cannot_be_written_is_told(place: Path) -> None:
    for command in (("check", "code0"), ("baseline", "code0")):
        done = omnicheck(place, *command, "--output", "no/such/place.json")
        assert done.returncode == 2
        assert "cannot write" in told(done)


def test_quiet_tells_the_verdict_only(place: Path) -> None:
    done = omnicheck(place, "check", "code1", "-q")
    assert re.fullmatch(r"verdict: fail — .*\n", done.stdout)


def test_verbose_tells_more(place: Path) -> None:
    (place / "omnicheck.toml").write_text('[[allow]]\nrule = "SPL103"\npath = "*"\nreason = "known to all"\n')
    assert "known to all" not in omnicheck(place, "check", "code1").stdout
    assert "known to all" in omnicheck(place, "check", "code1", "-v").stdout


@pytest.mark.parametrize(
    ("options", "env", "colored"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": ""}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_color_is_asked_for(place: Path, options: tuple[str, ...], env: dict[str, str], colored: bool) -> None:
    done = omnicheck(place, "check", "code1", *options, env=env)
    assert ("\x1b[" in done.stdout) == colored


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("SPL1033", "did you mean SPL103?"),
        ("spl103", "did you mean SPL103?"),
        ("SPK", "did you mean SPL?"),
        ("window-overlap-across-splits", "did you mean SPL103?"),
        ("QQQQQQ", "`omnicheck rules` lists them"),
    ],
)
def test_an_unknown_rule_is_told_with_a_suggestion(place: Path, option: str, name: str, help_: str) -> None:
    done = omnicheck(place, "check", "code0", option, name)
    assert done.returncode == 2
    assert f"no rule fits {name!r}" in told(done)
    assert help_ in done.stderr


def test_an_unknown_format_is_told_before_anything_is_checked(place: Path) -> None:
    done = omnicheck(place, "check", "nowhere", "--format", "jsn")
    assert done.returncode == 2
    assert "did you mean json?" in told(done)


def test_an_unknown_contract_is_told_with_the_sorted_list(place: Path) -> None:
    done = omnicheck(place, "check", "code0", "--contract", "kitchen_episode_qaa")
    assert done.returncode == 2
    assert "did you mean 'kitchen_episode_qa'?" in told(done)
    known = re.search(r"known: (.*)", done.stderr)
    assert known is not None
    names = known.group(1).split(", ")
    assert names == sorted(names)
    assert {"kitchen_episode_qa", "qwen3_omni_lora", "cosmos_world_model", "policy_vla_branch"} <= set(names)


def test_a_contract_that_cannot_be_read_is_named_beside_the_unknown_one(place: Path) -> None:
    contract = place / "contracts" / "kitchen_episode_qa.json"
    contract.write_text(contract.read_text()[:-20])
    done = omnicheck(place, "check", "code0", "--contract", "kitchen_episode_qa")
    assert done.returncode == 2
    assert "the contract 'kitchen_episode_qa' cannot be used" in told(done)
    report = json.loads(omnicheck(place, "check", "code0", "--format", "json").stdout)
    assert "kitchen_episode_qa.json" in report["runs"][0]["contract_source"]


def test_isolated_obeys_no_configuration(place: Path) -> None:
    (place / "omnicheck.toml").write_text('[rules]\nselect = ["OMN006"]\n')
    assert omnicheck(place, "check", "code1").returncode == 0
    assert omnicheck(place, "check", "code1", "--isolated").returncode == 1
    assert omnicheck(place, "check", "code1", "--isolated", "--config", "omnicheck.toml").returncode == 2


def test_a_configuration_in_the_scanned_tree_is_told_and_not_obeyed(place: Path) -> None:
    (place / "code1" / "omnicheck.toml").write_text('[rules]\nignore = ["SPL", "OMN005"]\n')
    report = json.loads(omnicheck(place, "check", "code1", "--format", "json").stdout)
    rules = {each["rule"] for each in report["findings"]}
    assert {"OMN005", "SPL103"} <= rules


def test_allow_entries_are_held_to_their_word(place: Path) -> None:
    def rules(today: str, text: str) -> dict[str, str]:
        (place / "omnicheck.toml").write_text(text)
        done = omnicheck(place, "check", "code1", "--format", "json", "--today", today)
        return {
            each["rule"]: each["severity"] for each in json.loads(done.stdout)["findings"] if not each["suppressed"]
        }

    entry = '[[allow]]\nrule = "SPL103"\npath = "code1/*"\nreason = "known"\nuntil = "2026-06-30"\n'
    assert {"SPL103", "OMN002"}.isdisjoint(rules("2026-06-01", entry))
    assert rules("2026-06-20", entry)["OMN002"] == "warning"
    late = rules("2026-07-01", entry)
    assert late["OMN002"] == "error"
    assert "SPL103" in late
    unused = entry.replace("code1/*", "code1/gone/*")
    assert "OMN001" in rules("2026-06-01", unused)
    assert omnicheck(place, "check", "code1", "--today", "tomorrow").returncode == 2


def test_publish_is_incomplete_when_a_required_rule_was_skipped(place: Path) -> None:
    (place / "bare").mkdir()
    (place / "bare" / "metrics.json").write_text('{"num_samples": 3}')
    assert omnicheck(place, "check", "bare", "--isolated").returncode == 0
    done = omnicheck(place, "check", "bare", "--isolated", "--profile", "publish", "--fail-on", "error", "-q")
    assert done.returncode in (1, 3)
    only = omnicheck(place, "check", "bare", "--isolated", "--profile", "publish", "--select", "OMN006,SPL101")
    assert only.returncode == 3
    assert "requires could not judge" in only.stdout


def test_a_baseline_blocks_only_what_is_new_and_shrinks(place: Path) -> None:
    assert "known findings" in omnicheck(place, "baseline", "code1").stdout
    (place / "omnicheck.toml").write_text('baseline = "omnicheck-baseline.json"\n')
    assert omnicheck(place, "check", "code1").returncode == 0
    first = json.loads((place / "omnicheck-baseline.json").read_text())["known"]
    (place / "code1" / "validation" / "eval.json").unlink()
    (place / "code1" / "eval" / "metrics.json").write_text("{")
    new = omnicheck(place, "check", "code1", "--format", "json")
    assert new.returncode == 1
    assert "OMN006" in {each["rule"] for each in json.loads(new.stdout)["findings"] if not each["suppressed"]}
    assert "fewer than before" in omnicheck(place, "baseline", "code1").stdout
    second = json.loads((place / "omnicheck-baseline.json").read_text())["known"]
    assert {each["fingerprint"] for each in second} < {each["fingerprint"] for each in first}, "it only shrinks"
    omnicheck(place, "baseline", "code1", "--fresh")
    third = json.loads((place / "omnicheck-baseline.json").read_text())["known"]
    assert "OMN006" in {each["rule"] for each in third}
    assert omnicheck(place, "check", "code1").returncode == 0


def test_a_baseline_that_cannot_be_read_is_told(place: Path) -> None:
    (place / "omnicheck.toml").write_text('baseline = "b.json"\n')
    assert omnicheck(place, "check", "code1").returncode == 2
    for text in ("{", '{"version": 1, "known": 3}', '{"\udcff": 1}', '{"x":' + "[" * 100_000):
        (place / "b.json").write_text(text, errors="surrogateescape")
        done = omnicheck(place, "check", "code1")
        assert done.returncode == 2
        assert "baseline cannot be read" in told(done)


def test_init_asks_before_it_writes(place: Path) -> None:
    done = omnicheck(place, "init")
    assert done.returncode == 2
    assert "nobody can answer" in told(done)
    assert not (place / "omnicheck.toml").exists()
    assert omnicheck(place, "init", "--dry-run").returncode == 0
    assert not (place / "omnicheck.toml").exists()
    done = omnicheck(place, "init", "--yes")
    assert done.returncode == 0
    assert "kitchen_episode_qa" in (place / "omnicheck.toml").read_text()
    assert omnicheck(place, "check", "code0").returncode == 0
    assert omnicheck(place, "init", "--yes").returncode == 2


def test_a_sick_configuration_is_told(place: Path) -> None:
    for text in ("[", "fail_on = 'error'", "[rules]\nseverity = 3", "\0", "profile = 'strict'"):
        (place / "omnicheck.toml").write_text(text)
        done = omnicheck(place, "check", "code0")
        assert done.returncode == 2
        assert "omnicheck.toml" in told(done)
    (place / "omnicheck.toml").unlink()
    (place / "pyproject.toml").write_text("tool = 3 # [tool.omnicheck\n")
    assert omnicheck(place, "check", "code0").returncode == 0


def test_help_and_version(place: Path) -> None:
    assert re.fullmatch(r"omnicheck \d+\.\d+\S*\n", omnicheck(place, "--version").stdout)
    for command in ("check", "explain", "rules", "contracts", "baseline", "init", "schema"):
        done = omnicheck(place, command, "--help")
        assert (done.returncode, command in done.stdout) == (0, True)
    assert omnicheck(place, "chek").returncode == 2


@pytest.mark.skipif(
    tuple(map(int, version("click").split(".")[:2])) >= (8, 5),
    reason="click 8.5 drops this help; pyproject excludes it",
)
def test_help_tells_what_an_argument_is(place: Path) -> None:
    assert "Result directories" in omnicheck(place, "check", "--help").stdout


def test_the_cache_is_private_and_not_in_the_tree(place: Path) -> None:
    before = sorted(path for path in place.rglob("*"))
    omnicheck(place, "check", "code0")
    assert sorted(path for path in place.rglob("*")) == before
    cache = place.parent / "work.cache"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in cache.iterdir()} == {0o600}


def test_a_cache_below_a_scanned_path_is_left_alone(place: Path) -> None:
    inside = place / "code0" / "cache"
    done = omnicheck(place, "check", "code0", env={"OMNICHECK_CACHE_DIR": str(inside)})
    assert done.returncode == 0
    assert not inside.exists()
    linked = place.parent / "linked"
    linked.symlink_to(place / "code0")
    omnicheck(place, "check", "code0", env={"OMNICHECK_CACHE_DIR": str(linked / "cache")})
    assert not inside.exists()
