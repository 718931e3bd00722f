"""The world model gate: configuration, checkpoint manifest, scheduler and evaluation agree where they meet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from omnicheck.facts.contract import Contract
from omnicheck.facts.documents import CheckpointManifest, Metrics, ModelConfig, TrainingMetadata
from omnicheck.facts.record import Record
from omnicheck.model.run import RunFile

Fault = tuple[RunFile, str | None, str, Any, Any, str | None]

SHARED = (
    "backbone",
    "dataset_contract",
    "model_id",
    "feature_dim",
    "latent_dim",
    "latent_channels",
    "num_train_timesteps",
    "prediction_type",
    "beta_schedule",
    "sigma_shift",
    "flow_shift",
    "scheduler_class",
    "scheduler_type",
    "resolution",
    "num_frames",
    "fps",
    "height",
    "width",
    "horizon_windows",
    "horizon_frames",
    "chunk_size",
    "action_dim",
)
"""Keys that mean the same in every document of a checkpoint."""

NESTED = ("adapter", "generation", "scheduler", "model", "config")


class CheckpointDocuments(Struct, frozen=True):
    """The documents of a checkpoint and of what was done with it."""

    checkpoints: tuple[CheckpointManifest, ...]
    configs: tuple[ModelConfig, ...]
    training: tuple[TrainingMetadata, ...]
    metrics: tuple[Metrics, ...]


def world_faults(
    contract: Contract, documents: CheckpointDocuments, others: Sequence[Record], weights: Sequence[RunFile]
) -> Iterator[Fault] | None:
    """Return where the documents disagree; None when there are fewer than two to compare."""
    records = [each.record for each in (*documents.configs, *documents.checkpoints)] + list(others)
    beside = len(records) + len(documents.training) + len(documents.metrics)
    if not records or (beside < 2 and not documents.checkpoints):
        return None
    return _faults(contract, records, documents, weights)


def _faults(
    contract: Contract, records: Sequence[Record], documents: CheckpointDocuments, weights: Sequence[RunFile]
) -> Iterator[Fault]:
    # Of several trainings nobody knows which one the checkpoint is of.
    trained = [each.record for each in documents.training] if len(documents.training) == 1 else []
    yield from _shared([*trained, *records])
    yield from _steps(records)
    for each in documents.checkpoints:
        gate = each.record.raw("checkpoint_gate")
        if isinstance(gate, str) and gate != contract.gate:
            text = f"checkpoint_gate is {gate!r}, the contract {contract.id} asks for {contract.gate!r}"
            yield each.file, "/checkpoint_gate", text, contract.gate, gate, None
        yield from _weights(each, trained, weights)
        if len(documents.metrics) == 1:
            yield from _metrics(each, documents.metrics[0])


def _shared(records: Sequence[Record]) -> Iterator[Fault]:
    for key in SHARED:
        first: tuple[Any, Record] | None = None
        for record in records:
            pointer, value = _find(record, key)
            if value is None:
                continue
            if first is None:
                first = (value, record)
            elif value != first[0]:
                text = f"{key} is {value!r}, in {first[1].file.base} {first[0]!r}"
                yield record.file, pointer, text, first[0], value, None


def _find(record: Record, key: str) -> tuple[str, Any]:
    # Raw keys: the canonical "adapter" is a path, and here it is an object.
    nested = [(f"/{name}", inner) for name in NESTED if isinstance(inner := record.value.get(name), dict)]
    for at, holder in (("", record.value), *nested):
        value = holder.get(key)
        if isinstance(value, dict):
            value = value.get("id")
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            # A model is named by a path on one machine and by its repository on another.
            tail = str(value).rstrip("/").replace("__", "/").rpartition("/")[2] if key == "model_id" else value
            return f"{at}/{key}", tail
    return "", None


def _steps(records: Sequence[Record]) -> Iterator[Fault]:
    steps = [(record, *_find(record, "num_inference_steps")) for record in records]
    trained = [(record, *_find(record, "num_train_timesteps")) for record in records]
    most = next(((record, value) for record, _, value in trained if isinstance(value, int)), None)
    for record, pointer, value in steps:
        if most is not None and isinstance(value, int) and value > most[1]:
            text = f"num_inference_steps is {value:,}, more than the {most[1]:,} of {most[0].file.base} to choose from"
            yield record.file, pointer, text, most[1], value, None


def _weights(each: CheckpointManifest, trained: Sequence[Record], weights: Sequence[RunFile]) -> Iterator[Fault]:
    says = each.record.raw("contains_lora_weights")
    if says is False and weights:
        text = f"contains_lora_weights is false, but {weights[0].name} is here"
        yield each.file, "/contains_lora_weights", text, True, False, None
    for record in trained:
        adapter = record.value.get("adapter")
        saved = adapter.get("saved_weights") if isinstance(adapter, dict) else None
        if says is True and saved is False and not weights:
            text = f"contains_lora_weights is true, but {record.file.base} says that no weights were saved"
            yield each.file, "/contains_lora_weights", text, False, True, None


def _metrics(each: CheckpointManifest, metrics: Metrics) -> Iterator[Fault]:
    stated = each.record.raw("metrics")
    if not isinstance(stated, dict):
        return
    for key, value in stated.items():
        own: Any = metrics.record.value.get(key)
        if _number(value) and _number(own) and not math.isclose(value, own, rel_tol=1e-6, abs_tol=1e-9):
            text = f"metrics say {key} {value:.6g}, {metrics.file.base} says {own:.6g}"
            yield each.file, f"/metrics/{key}", text, own, value, None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
