"""RUN: a package whose files agree is silent; each forged or foreign file makes exactly one rule speak."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.facts.checkpoints import same_checkpoint
from omnicheck.facts.clock import seconds, shown_span, shown_time
from omnicheck.facts.progress import Event
from omnicheck.facts.timeline import outcome, segments
from tests.checks.trees import Tree, check_tree, skipped, spoken
from tests.make_fixtures.logs import EVAL_LOG, FULL, GATE_OK, METRICS, PACKAGE, TRAINED, log, steps, validation

SUMMARY = "run/verified_result_summary.json"
TRAINING = "run/training/training_metadata.json"
LOG = "run/training/progress.jsonl"
EVALUATION = "run/eval/progress.jsonl"
STATED = "run/eval/metrics.json"
GATE = "run/watch_walk_v3.jsonl"
VALIDATION = "run/validation/eval.json"
LATE = "2026-01-02T10:05:00Z"


def clean() -> Tree:
    """Return a package that every RUN rule can judge and none may criticise."""
    return deepcopy(PACKAGE) | {
        TRAINING: deepcopy(FULL),
        LOG: deepcopy(TRAINED),
        EVALUATION: deepcopy(EVAL_LOG),
        GATE: deepcopy(GATE_OK),
        STATED: {**METRICS, "generated_at_utc": "2026-01-02T10:00:00Z"},
        VALIDATION: validation(LATE),
    }


def test_clean_package_is_silent(tmp_path: Path) -> None:
    report = check_tree(tmp_path, clean(), "RUN1")
    assert spoken(report) == []
    assert len(report.coverage.rules_run) == 11


Change = Callable[[Tree], object]


def put(path: str, value: Any) -> Change:
    return lambda tree: tree.__setitem__(path, value)


def update(path: str, **values: Any) -> Change:
    return lambda tree: tree[path].update(values)


def history(*losses: float) -> list[dict[str, float]]:
    return [{"epoch": i, "val_loss": loss} for i, loss in enumerate(losses)]


MUTATIONS: dict[str, tuple[Change, str, str]] = {
    "cut log": (lambda tree: tree[LOG].pop(), "RUN101", LOG),
    "failed gate": (lambda tree: tree[GATE].extend(log(("eval_full_exit", 500), returncode=1)), "RUN102", GATE),
    "instant load": (put(LOG, log(("setup_start", 0), ("model_load_done", 1e-4), ("complete", 3))), "RUN103", LOG),
    "clock set back": (put(LOG, [*TRAINED[:4], *log(("eval_step", -100)), *TRAINED[4:]]), "RUN103", LOG),
    "instant steps": (put(LOG, [*steps(500, 1e-6), *log(("complete", 70))]), "RUN103", LOG),
    "retried": (lambda tree: tree[LOG].__setitem__(slice(0, 0), TRAINED[:5]), "RUN104", LOG),
    "foreign config": (put("run/training/config.yaml", "run_id: other_v1\n"), "RUN105", "run/training"),
    "second metadata": (put("run/training/training_metadata_b.json", {"run_id": "b"}), "RUN105", "run/training"),
    "foreign log": (put(LOG, log(("start", 0), ("complete", 9), run_id="walk_v1")), "RUN106", LOG),
    "foreign eval": (update(STATED, run_id="walk_v1_eval_test"), "RUN106", SUMMARY),
    "foreign model": (
        put("run/training/model_config.json", {"run_id": "b"}),
        "RUN106",
        "run/training/model_config.json",
    ),
    "foreign adapter": (update(STATED, adapter_dir="/ckpt/walk_v1/adapter_lora"), "RUN107", STATED),
    "base model": (update(STATED, adapter_dir=None), "RUN107", STATED),
    "early validation": (put(VALIDATION, validation("2026-01-02T09:59:00Z")), "RUN108", VALIDATION),
    "rising loss": (update(TRAINING, history=history(0.5, 0.4, 0.41)), "RUN109", TRAINING),
    "no commit": (lambda tree: tree[TRAINING].pop("git_commit"), "RUN110", TRAINING),
    "early evaluation": (
        put(EVALUATION, log(("eval_start", 30), ("complete", 460), eval_split="test", run_id=None)),
        "RUN111",
        EVALUATION,
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_forged_file(name: str, tmp_path: Path) -> None:
    tree = clean()
    change, rule, path = MUTATIONS[name]
    change(tree)
    assert spoken(check_tree(tmp_path, tree, "RUN1")) == [(rule, path)]


@pytest.mark.parametrize(
    "lines",
    [
        # An evaluation within the training, one loading of the model after another: one run.
        [
            *TRAINED[:-1],
            *log(("model_load_start", 120), ("model_load_done", 150), ("eval_done", 160), ("complete", 161)),
        ],
        # Eight ranks that share a log each report their start.
        [*log(*[("setup_start", i / 10) for i in range(8)]), *TRAINED[1:]],
        [{**row, "rank": rank} for row in TRAINED for rank in (0, 1)],
    ],
    ids=["evaluation", "ranks", "named ranks"],
)
def test_sound_logs_are_silent(lines: list[dict[str, Any]], tmp_path: Path) -> None:
    assert spoken(check_tree(tmp_path, {LOG: lines}, "RUN101", "RUN103", "RUN104")) == []


def test_times_in_text_are_understood(tmp_path: Path) -> None:
    lines = [
        {"event": name, "time": f"2026-01-02T10:00:{second:02d}+00:00"}
        for name, second in (("setup_start", 30), ("eval_step", 10), ("complete", 40))
    ]
    report = check_tree(tmp_path, {LOG: lines}, "RUN103")
    assert spoken(report) == [("RUN103", LOG)]
    assert "20.0 s earlier" in report.findings[0].message


def test_validation_of_the_dataset_may_precede_the_training(tmp_path: Path) -> None:
    early = {"status": "pass", "generated_at_utc": "2001-01-01T00:00:00Z", "summary": {"required_stage": "dataset"}}
    tree = clean() | {"run/validation/dataset.json": early}
    assert spoken(check_tree(tmp_path, tree, "RUN108")) == []


def test_an_interruption_that_the_run_reports_is_told_as_such(tmp_path: Path) -> None:
    tree = {LOG: TRAINED[:4], "run/training/pilot_summary.json": {"status": "aborted_by_scheduler"}}
    report = check_tree(tmp_path, tree, "RUN101")
    assert [(each.rule, each.severity) for each in report.findings] == [("RUN101", "info")]


def test_skipped_with_reasons_when_nothing_can_be_compared(tmp_path: Path) -> None:
    reasons = skipped(check_tree(tmp_path, {"run/predictions.jsonl": [{"id": "a"}]}, "RUN1"))
    assert len(reasons) == 11
    assert reasons["RUN107"] == "no evaluated checkpoint is named beside a trained one"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("<project>/checkpoints/a/adapter_lora", "checkpoints/a/adapter_lora", True),
        ("/data/x/a", "$HOME/y/a/adapter_lora", True),
        ("out\\a\\checkpoint-10", "out/a", True),
        ("best", "out/a", True),
        ("out/a_v1/adapter_lora", "out/a_v2/adapter_lora", False),
        ("out/a/adapter_model.safetensors", "out/a", True),
    ],
)
def test_same_checkpoint(one: str, other: str, same: bool) -> None:
    assert same_checkpoint(one, other) is same
    assert same_checkpoint(other, one) is same


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2099, 1, 1)))  # noqa: DTZ001 - the zone is added
def test_seconds_reads_what_datetime_writes(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    for text in (aware.isoformat(), moment.isoformat(), aware.isoformat().replace("+00:00", "Z")):
        found = seconds(text)
        assert found is not None
        assert abs(found - aware.timestamp()) < 1e-5
    found = seconds(int(aware.timestamp() * 1000))
    assert found is None or aware.timestamp() < 1e9 or abs(found - aware.timestamp()) <= 1


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.lists(st.integers())))
def test_seconds_takes_anything(value: object) -> None:
    found = seconds(value)
    assert found is None or found >= 0 or isinstance(value, str)
    if found is not None:
        assert shown_time(found)
        assert shown_span(abs(found))


NAMES = ("setup_start", "setup_done", "train_step", "complete", "failed", "save_done")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0, 100), st.sampled_from(["a", "b", None]))))
def test_segments_keep_every_event_in_order(drawn: list[tuple[str, float, str | None]]) -> None:
    events = [Event(i + 1, name, time, run_id, {}) for i, (name, time, run_id) in enumerate(drawn)]
    parts = segments(events)
    assert [event for part in parts for event in part] == events
    assert all(parts)
    for part in parts:
        assert len({event.run_id for event in part} - {None}) <= 1
        ends = [event.name for event in part if event.name in ("complete", "failed")]
        assert outcome(part) == ({"complete": "complete", "failed": "failed"}[ends[-1]] if ends else "unfinished")


@pytest.mark.parametrize(
    ("last", "speaks"),
    [
        ({"event": "rank_done"}, False),
        ({"event": "eval_complete"}, False),
        ({"event": "setup_done"}, True),
        ({"event": "model_load_done"}, True),
        ({"event": "complete", "status": "failed"}, True),
        ({"event": "complete", "status": "blocked_missing_targets"}, False),
    ],
)
def test_what_closes_a_log(last: dict[str, Any], speaks: bool, tmp_path: Path) -> None:
    found = spoken(check_tree(tmp_path, {LOG: [*TRAINED[:5], {**last, "timestamp": 1_700_000_500.5}]}, "RUN101"))
    assert found == ([("RUN101", LOG)] if speaks else [])


def test_an_evaluation_in_no_time(tmp_path: Path) -> None:
    lines = log(("eval_start", 0), num_eval_samples=448) + log(("eval_complete", 2e-6))
    report = check_tree(tmp_path, {EVALUATION: lines}, "RUN103")
    assert "448 samples evaluated within" in report.findings[0].message


def test_metadata_of_a_recording_is_no_training(tmp_path: Path) -> None:
    report = check_tree(tmp_path, {"run/metadata.json": {"robot": "arm", "steps": 40, "fps": 10}}, "RUN110")
    assert skipped(report)["RUN110"] == "no training or evaluation is recorded"
