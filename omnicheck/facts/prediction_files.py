"""The prediction files that stand for themselves: no table beside its JSONL twin, no shard beside the merged file."""

from __future__ import annotations

from msgspec import Struct

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


def _twins(table: RunFile, rows: RunFile) -> bool:
    return table.folder == rows.folder and table.tag == rows.tag


def _merged(shard: RunFile, whole: RunFile) -> bool:
    return shard.folder == whole.folder or shard.folder.startswith(f"{whole.folder}/" if whole.folder else "")
