"""EVD: a clean run is silent, and one broken thing makes its rule speak."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from omnicheck.facts.adapter import weights_headers
from omnicheck.facts.adapter_tensors import adapter_tensors
from omnicheck.facts.source import Source
from omnicheck.model.run import Run, RunFile
from tests.checks.test_predictions import Files, check_tree, fired
from tests.make_fixtures.evidence import (
    CHECKPOINT,
    EPISODES,
    EVALUATION,
    GATE_WORLD,
    MODEL,
    SHAPES,
    TRAINING,
    VALIDATION,
    ruled,
    safetensors,
)


def clean() -> Files:
    return copy.deepcopy(
        {
            **ruled(training=("adapter_shape_check.json",)),
            **TRAINING,
            **EVALUATION,
            "run/adapter_shape_check.json": SHAPES,
            "run/validation_eval.json": VALIDATION,
            "run/episode_manifest.json": {"generated_at": 900.0, "episodes": EPISODES},
        }
    )


def drop(name: str) -> Callable[[Files], None]:
    def mutate(files: Files) -> None:
        del files[f"run/{name}"]

    return mutate


def change(name: str, key: str, value: object) -> Callable[[Files], None]:
    def mutate(files: Files) -> None:
        files[f"run/{name}"][key] = value

    return mutate


def bare(files: Files) -> None:
    files["run/validation_eval.json"] = {"status": "pass", "message": "all good"}


def less_predicted(files: Files) -> None:
    files["run/predictions.jsonl"] = files["run/predictions.jsonl"][:3]


def no_predictions(files: Files) -> None:
    del files["run/predictions.jsonl"]
    del files["run/validation_eval.json"]


def no_gate(files: Files) -> None:
    del files["run/adapter_shape_check.json"]


def full_tuning(files: Files) -> None:
    no_gate(files)
    files["run/training_metadata.json"]["tuning_mode"] = "full"


def incomplete(files: Files) -> None:
    del files["run/episode_manifest.json"]["episodes"][2]["total_bytes"]


def empty(files: Files) -> None:
    files["run/run.log"] = ""


@pytest.mark.parametrize(
    ("mutate", "rules"),
    [
        (lambda _: None, set()),
        (drop("progress.jsonl"), {"EVD101"}),
        (no_gate, {"EVD101", "EVD104"}),
        (full_tuning, {"EVD101"}),
        (change("metrics.json", "accuracy", None), {"EVD102"}),
        (drop("RUN_REPORT.md"), {"EVD103"}),
        (bare, {"EVD105"}),
        (less_predicted, {"EVD105"}),
        (change("validation_eval.json", "issues", ["something"]), {"EVD105"}),
        (change("validation_eval.json", "status", "fail"), set()),
        (empty, {"EVD107"}),
        (incomplete, {"EVD109"}),
        (change("episode_manifest.json", "generated_at", 1005.0), {"EVD109"}),
        (no_predictions, {"EVD103", "EVD110"}),
        (change("adapter_shape_check.json", "num_bad_tensors", 2), {"EVD111"}),
    ],
)
def test_mutation(tmp_path: Path, mutate: Callable[[Files], None], rules: set[str]) -> None:
    files = clean()
    mutate(files)
    assert fired(check_tree(tmp_path, files, "EVD")) == rules


def test_validation_reported_as_test(tmp_path: Path) -> None:
    files = clean()
    files["run/metrics.json"]["eval_split"] = "val"
    del files["run/validation_eval.json"]
    assert fired(check_tree(tmp_path, files, "EVD")) == {"EVD108"}


@pytest.mark.parametrize(("kept", "rule"), [(EVALUATION, "EVD101"), (TRAINING, "EVD103")])
def test_a_stage_that_is_not_here_is_skipped(tmp_path: Path, kept: Files, rule: str) -> None:
    report = check_tree(tmp_path, {**ruled(), **kept}, rule)
    assert fired(report) == set()
    assert [each.rule for each in report.coverage.rules_skipped] == [rule]


def test_a_lora_gate_is_not_applied_to_other_weights(tmp_path: Path) -> None:
    files = {**ruled(), **TRAINING}
    check_tree(tmp_path, files, "EVD111")
    (tmp_path / "run" / "adapter_model.safetensors").write_bytes(safetensors({"head.weight": [4]}))
    report = check_tree(tmp_path, files, "EVD111")
    assert fired(report) == set()
    assert [each.rule for each in report.coverage.rules_skipped] == ["EVD111"]


def test_documents_of_a_world_model_that_disagree(tmp_path: Path) -> None:
    files = {
        **ruled(GATE_WORLD),
        "run/model_config.json": MODEL,
        "run/checkpoint_manifest.json": {**CHECKPOINT, "dataset_contract": "toy_rows_v1"},
    }
    assert fired(check_tree(tmp_path / "a", files, "EVD111")) == set()
    files["run/checkpoint_manifest.json"] = {**CHECKPOINT, "dataset_contract": "toy_rows_v2"}
    assert fired(check_tree(tmp_path / "b", files, "EVD111")) == {"EVD111"}


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 8, b"\xff" * 16, (2**60).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"[]", b"abc"],
)
def test_a_broken_header_is_no_tensor(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "adapter_model.safetensors"
    path.write_bytes(data)
    file = RunFile(
        path=path.name,
        name=path.name,
        location=str(path),
        kind="unknown",
        size=len(data),
        mtime_ns=0,
        ctime_ns=0,
        inode=0,
        role="adapter_weights",
    )
    run = Run(path=".", location=str(tmp_path), files=(file,))
    assert adapter_tensors(weights_headers(Source(run, contract=None, workspace=tmp_path))) == ()
