"""The prediction files that stand for themselves: no table beside its JSONL twin, no shard beside the merged file."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.dataset_truth import DatasetTruth
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

WHOLE = ("predictions", "future_predictions", "policy_predictions")


class PredictionFiles(Struct, frozen=True):
    """Prediction files, each once.

    Attributes:
        files: with at least one row each.
        empty: those without any row.
    """

    files: tuple[Predictions, ...]
    empty: tuple[RunFile, ...]


@fact(absent="no predictions")
def prediction_files(predictions: tuple[Predictions, ...]) -> PredictionFiles | None:
    """Leave out files that repeat another one."""
    whole = [each for each in predictions if each.file.role in WHOLE]
    tables = [
        each
        for each in predictions
        if each.file.role == "predictions_table" and not any(_twins(each.file, other.file) for other in whole)
    ]
    shards = [
        each
        for each in predictions
        if each.file.role == "shard_predictions" and not any(_merged(each.file, other.file) for other in whole)
    ]
    found = [*whole, *tables, *shards]
    if not found:
        return None
    return PredictionFiles(
        tuple(each for each in found if len(each)), tuple(each.file for each in found if not len(each))
    )


class CheckedLabels(Struct, frozen=True):
    """Predictions whose labels can be checked: by their own `correct`, or by the dataset.

    Attributes:
        files: with a `correct` for at least one labelled row, or with rows that the dataset holds.
        truth: the dataset rows of the same ids.
    """

    files: tuple[Predictions, ...]
    truth: tuple[DatasetTruth, ...]


@fact(absent="predictions have no `correct`, and the run holds no dataset rows of the same ids")
def checked_labels(files: PredictionFiles, truth: tuple[DatasetTruth, ...] | None) -> CheckedLabels | None:
    """Keep the files that can be checked."""
    known = frozenset(key for each in truth or () for key in (*each.labels, *each.answers))
    found = tuple(
        each
        for each in files.files
        if any(flag is not None and true is not None for flag, true in zip(each.correct, each.true_labels, strict=True))
        or not known.isdisjoint(each.ids)
    )
    return CheckedLabels(found, truth or ()) if found else None


def _twins(table: RunFile, rows: RunFile) -> bool:
    return table.folder == rows.folder and table.tag == rows.tag


def _merged(shard: RunFile, whole: RunFile) -> bool:
    return shard.folder == whole.folder or shard.folder.startswith(f"{whole.folder}/" if whole.folder else "")
