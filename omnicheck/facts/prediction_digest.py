"""The predictions of an evaluation as one digest, with the checkpoint that is said to have made them."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from omnicheck.facts.documents import Metrics, TrainingMetadata
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.prediction_files import PredictionFiles
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact


class PredictionDigest(Struct, frozen=True):
    """What another run's predictions are compared with.

    Attributes:
        path: display path of the prediction file.
        rows: how many.
        digest: SHA-256 over ids and predictions, in the order of ids, hex.
        checkpoint: path or name of the checkpoint, as stated.
        stated_in: display path of the file that names it.
    """

    path: str
    rows: int
    digest: str
    checkpoint: str
    stated_in: str


@fact(absent="no predictions whose checkpoint is named")
def prediction_digests(
    files: PredictionFiles, evaluations: tuple[Evaluation, ...] | None, training: tuple[TrainingMetadata, ...] | None
) -> tuple[PredictionDigest, ...]:
    """Digest every prediction file whose checkpoint is named and whose predictions are not all alike."""
    found = []
    for each in files.files:
        metrics = [item.metrics for item in evaluations or () if item.predictions is each]
        named = _checkpoint(metrics, training or ())
        if named is not None and _varies(each):
            checkpoint, holder = named
            found.append(PredictionDigest(each.file.path, len(each), _digest(each), checkpoint, holder))
    return tuple(found)


def _checkpoint(metrics: list[Metrics], training: tuple[TrainingMetadata, ...]) -> tuple[str, str] | None:
    for document in metrics:
        named = _named(document.record)
        if named is not None:
            return named, document.file.path
        # No adapter at all: the base model itself was evaluated.
        model = document.record.raw("model_id")
        if document.record.has("adapter") and document.record.raw("adapter") is None and isinstance(model, str):
            return model, document.file.path
    trained = {named: each.file.path for each in training if (named := _named(each.record)) is not None}
    return next(iter(trained.items())) if len(trained) == 1 else None


def _named(record: Record) -> str | None:
    for name in ("adapter", "checkpoint"):
        value = record.raw(name)
        if isinstance(value, str) and value:
            return value
    return None


def _varies(rows: Predictions) -> bool:
    """Whether the predictions tell one model from another: a constant is anybody's."""
    columns = [rows.predicted_labels, *(predicted for _, predicted in rows.fields.values())]
    return any(len({repr(value) for value in column}) > 1 for column in columns)


def _digest(rows: Predictions) -> str:
    names = sorted(rows.fields)
    lines = sorted(
        repr((rows.ids[at], rows.episodes[at], rows.predicted_labels[at], [rows.fields[name][1][at] for name in names]))
        for at in range(len(rows))
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
