"""The engine: verdicts, exceptions, skips, crashes, caps, cache."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import LoadedConfig, load_config
from omnicheck.model.config import Allow, Config
from omnicheck.model.errors import ConfigError, OmnicheckError
from omnicheck.model.report import Report

TODAY = date(2026, 1, 31)


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def run_check(cwd: Path, config: Config | None = None, **options: object) -> Report:
    loaded = load_config(cwd, isolated=True)
    if config is not None:
        loaded = LoadedConfig(config, None, cwd, "0" * 64)
    options = {"use_cache": False, "jobs": 1, "today": TODAY, "paths": (Path("run"),), **options}
    return check_paths(Request(cwd=cwd, **options), loaded)  # type: ignore[arg-type]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    write(tmp_path / "run" / "metrics.json", '{"num_samples": 1, "num_samples": 2}')
    return tmp_path


def test_empty_directory_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    report = run_check(tmp_path)
    assert report.verdict == "incomplete"
    assert [each.rule for each in report.findings] == ["OMN004"]


def test_unknown_roles_are_incomplete(tmp_path: Path) -> None:
    write(tmp_path / "run" / "picture.txt", "hello")
    assert run_check(tmp_path).verdict == "incomplete"


def test_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OmnicheckError, match="no such file"):
        run_check(tmp_path)


def test_failure_beats_incomplete(broken: Path) -> None:
    report = run_check(broken, select=("OMN006",))
    assert report.verdict == "fail"
    assert report.findings[0].rule == "OMN006"
    assert "num_samples" in report.findings[0].message


def test_allow_suppresses_with_reason(broken: Path) -> None:
    config = Config(allow=(Allow("OMN006", "run/*", "known writer bug"),))
    report = run_check(broken, config, select=("OMN006",))
    assert report.verdict == "pass"
    assert report.summary.suppressed == 1
    assert report.findings[0].suppressed is not None
    assert report.findings[0].suppressed.reason == "known writer bug"


def test_expired_allow_suppresses_nothing(broken: Path) -> None:
    config = Config(allow=(Allow("OMN006", "run/*", "known", until="2026-01-30"),))
    report = run_check(broken, config, select=("OMN",))
    assert {each.rule for each in report.findings if not each.suppressed} >= {"OMN006", "OMN002"}
    assert report.verdict == "fail"


def test_allow_near_its_end_warns(broken: Path) -> None:
    config = Config(allow=(Allow("OMN006", "run/*", "known", until="2026-02-05"),))
    report = run_check(broken, config, select=("OMN",))
    assert [(each.rule, each.severity) for each in report.findings if not each.suppressed] == [("OMN002", "warning")]


def test_unused_allow_is_told(broken: Path) -> None:
    config = Config(allow=(Allow("OMN007", "run/gone.json", "never"),))
    report = run_check(broken, config, select=("OMN",))
    assert "OMN001" in {each.rule for each in report.findings}


def test_expired_allow_that_is_no_date_is_a_config_error(tmp_path: Path) -> None:
    write(tmp_path / "omnicheck.toml", '[[allow]]\nrule="OMN006"\npath="*"\nreason="x"\nuntil="soon"\n')
    with pytest.raises(ConfigError, match="until"):
        load_config(tmp_path)


def test_allow_without_reason_is_a_config_error(tmp_path: Path) -> None:
    write(tmp_path / "omnicheck.toml", '[[allow]]\nrule="OMN006"\npath="*"\nreason=" "\n')
    with pytest.raises(ConfigError, match="reason"):
        load_config(tmp_path)


def test_unknown_config_key_names_it(tmp_path: Path) -> None:
    write(tmp_path / "omnicheck.toml", "[rulez]\n")
    with pytest.raises(ConfigError, match="rulez"):
        load_config(tmp_path)


def test_nested_policy_is_not_obeyed(broken: Path) -> None:
    write(broken / "run" / "omnicheck.toml", '[rules]\nignore = ["OMN006"]\n')
    report = run_check(broken, select=("OMN",))
    assert {each.rule for each in report.findings} == {"OMN005", "OMN006"}


def test_wrong_digest_pin_stops(broken: Path) -> None:
    config = msgspec.convert({"rules": {"digest": "deadbeef"}}, Config)
    with pytest.raises(ConfigError, match="pins"):
        run_check(broken, config)


def test_fingerprint_survives_moved_lines(tmp_path: Path) -> None:
    write(tmp_path / "run" / "metrics.json", '{"num_samples": 1, "num_samples": 2}')
    before = run_check(tmp_path, select=("OMN006",)).findings[0]
    write(tmp_path / "run" / "metrics.json", '\n\n\n{"num_samples": 1,\n "num_samples": 2}')
    after = run_check(tmp_path, select=("OMN006",)).findings[0]
    assert before.line != after.line
    assert before.fingerprint == after.fingerprint


def test_same_report_twice(broken: Path) -> None:
    assert run_check(broken) == run_check(broken)


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret" / "metrics.json", {"num_samples": 1})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").symlink_to(tmp_path / "secret" / "metrics.json")
    report = run_check(tmp_path, select=("OMN",))
    assert report.verdict == "incomplete"
    assert any("symbolic link" in each.message for each in report.findings)
