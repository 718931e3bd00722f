"""Predictions that an unfinished evaluation left behind, beside the final ones."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.predictions import PredictionFold, Predictions
from omnicheck.facts.registry import fact, fold


class PartialRows(Struct, frozen=True):
    """The rows of a partial prediction file."""

    rows: Predictions


class Partial(Struct, frozen=True):
    """A partial prediction file and the final one of the same directory, or None."""

    rows: Predictions
    final: Predictions | None


@fold(PartialRows, absent="no partial predictions")
class PartialFold(PredictionFold):
    """Collects the columns of a partial prediction file."""

    roles: ClassVar[tuple[str, ...]] = ("partial_predictions", "shard_partial_predictions")

    def fact(self) -> Any:
        """Return the columns."""
        return PartialRows(super().fact())


@fact(absent="no partial predictions")
def partials(parts: tuple[PartialRows, ...], predictions: tuple[Predictions, ...] | None) -> tuple[Partial, ...]:
    """Find the final file of each partial one: in its directory, or for a shard the merged one above it."""
    whole = [each for each in predictions or () if each.file.role != "predictions_table"]
    found = []
    for part in parts:
        folder = part.rows.file.folder
        near = [each for each in whole if each.file.folder == folder]
        if not near and part.rows.file.role == "shard_partial_predictions":
            above = folder.rpartition("/")[0]
            near = [each for each in whole if each.file.folder in (above, above.rpartition("/")[0])]
        own = set(part.rows.ids)
        near.sort(key=lambda each: (-len(own & set(each.ids)), each.file.name))
        found.append(Partial(part.rows, near[0] if near else None))
    return tuple(found)
