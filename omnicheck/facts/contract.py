"""The contract in force, as far as rules ask of it; full validation is the contracts layer's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source


class Contract(Struct, frozen=True):
    """What a backbone contract asks of a run.

    Attributes:
        id: exact id.
        raw: the JSON value as it stands in the file.
        status: ``implemented`` or ``planned_adapter``.
        gate: name of the checkpoint gate.
        primary_metrics: names that metrics.json must hold.
        eval_files: names or globs required of the evaluation.
        training_files: names or globs required of the training.
        split_counts: declared episodes per split.
        metric_definitions: metric name to definition name.
        sample_contract: raw sample contract, or None.
    """

    id: str
    raw: dict[str, Any]
    status: str
    gate: str
    primary_metrics: tuple[str, ...]
    eval_files: tuple[str, ...]
    training_files: tuple[str, ...]
    split_counts: dict[str, int]
    metric_definitions: dict[str, str]
    sample_contract: dict[str, Any] | None


@fact(absent="no contract")
def contract(source: Source) -> Contract | None:
    """Read the contract in force; values of the wrong type are left out (rule CTR101 names them)."""
    raw = source.contract
    if raw is None:
        return None
    artifacts = _mapping(raw.get("artifact_contract"))
    counts = _mapping(_mapping(raw.get("split_policy")).get("default_counts"))
    sample = raw.get("sample_contract")
    return Contract(
        id=str(raw.get("id", "")),
        raw=dict(raw),
        status=str(raw.get("status", "")),
        gate=str(artifacts.get("checkpoint_gate", "")),
        primary_metrics=_strings(raw.get("primary_metrics")),
        eval_files=_strings(artifacts.get("required_eval_files")),
        training_files=_strings(artifacts.get("required_training_files")),
        split_counts={k: v for k, v in counts.items() if isinstance(v, int) and not isinstance(v, bool)},
        metric_definitions={k: v for k, v in _mapping(raw.get("metric_definitions")).items() if isinstance(v, str)},
        sample_contract=sample if isinstance(sample, dict) else None,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
