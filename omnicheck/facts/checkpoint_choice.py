"""By which metric, on which split, the best checkpoint was chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from omnicheck.facts.documents import CheckpointManifest, ModelConfig, TrainingMetadata
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

CHOICE = frozenset(
    {
        "metric_for_best_model",
        "best_model_metric",
        "best_metric_name",
        "best_checkpoint_metric",
        "checkpoint_metric",
        "selection_metric",
        "selection_split",
        "selected_on",
        "selected_by",
        "selected_on_split",
        "model_selection",
        "checkpoint_selection",
        "checkpoint_selected_by",
        "best_checkpoint_selected_by",
        "best_epoch_selected_by",
        "best_epoch_split",
        "best_checkpoint_split",
        "early_stopping_metric",
        "early_stopping_split",
        "early_stopping_monitor",
        "monitor",
        "monitored_metric",
    }
)
"""Keys that say how a checkpoint was chosen; a nested object under one of them counts with all its texts."""

DEPTH = 6
_WORD = re.compile(r"[a-z0-9]+")


class Statement(Struct, frozen=True):
    """One place that says how a checkpoint was chosen.

    Attributes:
        file: the file.
        pointer: JSON pointer.
        value: metric or split named there.
    """

    file: RunFile
    pointer: str
    value: str

    @property
    def names_test(self) -> bool:
        """Whether the test split is named, as a word of its own (``test_loss``, ``eval/test/acc``; not ``latest``)."""
        return "test" in _WORD.findall(self.value.lower())


class BestValue(Struct, frozen=True):
    """The metric value of the best checkpoint, and the history keys under which that very value stands.

    Attributes:
        file: the file.
        value: ``best_metric``.
        keys: keys of the history that hold exactly this value.
    """

    file: RunFile
    value: float
    keys: frozenset[str]


class CheckpointChoice(Struct, frozen=True):
    """What a run says about the choice of its checkpoint."""

    statements: tuple[Statement, ...]
    best: tuple[BestValue, ...]


@fact(absent="nothing says by which metric the checkpoint was chosen")
def checkpoint_choice(
    source: Source,
    training: tuple[TrainingMetadata, ...],
    checkpoints: tuple[CheckpointManifest, ...],
    configs: tuple[ModelConfig, ...],
) -> CheckpointChoice | None:
    """Gather statements from training metadata, trainer state, checkpoint manifests and run configurations."""
    documents: list[tuple[RunFile, Any]] = [
        (each.file, each.record.value) for group in (training, checkpoints, configs) for each in group
    ]
    for file in source.run.of("run_config"):
        value = source.yaml(file).value if file.base.endswith((".yaml", ".yml")) else source.json(file).value
        documents.append((file, value))
    statements = tuple(
        Statement(file, pointer, value) for file, document in documents for pointer, value in _walk(document, "", 0)
    )
    best = tuple(found for file, document in documents if (found := _best(file, document)) is not None)
    return CheckpointChoice(statements, best) if statements or best else None


def _walk(value: Any, at: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEPTH or not isinstance(value, dict):
        return
    for key, inner in value.items():
        if not isinstance(key, str):
            continue
        pointer = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in CHOICE:
            yield from _texts(inner, pointer, 0)
        else:
            yield from _walk(inner, pointer, depth + 1)


def _texts(value: Any, at: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict) and depth < DEPTH:
        for key, inner in value.items():
            if str(key) not in ("note", "notes", "description", "reason"):
                yield from _texts(inner, f"{at}/{key}", depth + 1)


def _best(file: RunFile, document: Any) -> BestValue | None:
    if not isinstance(document, dict):
        return None
    value = document.get("best_metric")
    history = document.get("log_history", document.get("history"))
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(history, list):
        return None
    keys = {
        key
        for entry in history
        if isinstance(entry, Mapping)
        for key, found in entry.items()
        if isinstance(found, float) and found == value
    }
    return BestValue(file, float(value), frozenset(keys)) if keys else None
