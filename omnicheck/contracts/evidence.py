"""The evidence that every backbone contract must ask of its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omnicheck.contracts.issue import Issue, mapping, pointer_of, strings

_EVAL = ("metrics.json", "RUN_REPORT.md")
_TRAINING = ("training_metadata.json", "progress.jsonl")


def judge_evidence(value: Mapping[str, Any]) -> list[Issue]:
    """Return a CTR104 issue for each piece of evidence that a contract does not declare.

    Split counts and the leakage guard are told by the model's own validation, with the same rule id.
    """
    issues = []
    metrics = value.get("primary_metrics")
    if isinstance(metrics, list) and metrics and "held_out_episode_count" not in metrics:
        issues.append(
            _issue(
                ("primary_metrics",),
                "the primary metrics do not include held_out_episode_count",
                "held_out_episode_count",
                metrics,
                "Add held_out_episode_count: without it nobody can tell how much data a score stands on.",
            )
        )
    artifacts = mapping(value.get("artifact_contract"))
    issues += _files(artifacts, "required_eval_files", _EVAL)
    names = artifacts.get("required_eval_files")
    if isinstance(names, list) and not any(_is_rows(name) for name in strings(names)):
        issues.append(
            _issue(
                ("artifact_contract", "required_eval_files"),
                "no required evaluation file is a JSONL file of held-out predictions",
                "*.jsonl",
                names,
                "Require the file that holds one prediction per held-out sample, such as predictions.jsonl.",
            )
        )
    return issues + _files(artifacts, "required_training_files", _TRAINING)


def _files(artifacts: Mapping[str, Any], key: str, wanted: tuple[str, ...]) -> list[Issue]:
    names = artifacts.get(key)
    if not isinstance(names, list):
        return []
    return [
        _issue(("artifact_contract", key), f"{key} does not list {name}", name, names, f"Add {name} to {key}.")
        for name in wanted
        if name not in _bases(names)
    ]


def _bases(names: list[Any]) -> set[str]:
    return {name.rpartition("/")[2] for name in strings(names)}


def _is_rows(name: str) -> bool:
    # The training log is JSONL as well, and predicts nothing.
    return name.endswith(".jsonl") and not name.rpartition("/")[2].startswith("progress")


def _issue(parts: tuple[str, ...], message: str, expected: Any, actual: Any, help_: str) -> Issue:
    return Issue("CTR104", pointer_of(parts), message, expected, actual, help_)
