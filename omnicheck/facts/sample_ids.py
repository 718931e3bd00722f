"""Files whose rows have ids."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fact
from omnicheck.facts.row_index import RowIndex
from omnicheck.facts.row_splits import SuspectRows
from omnicheck.facts.windows import without_twins


class SampleIds(Struct, frozen=True):
    """Rows with ids.

    Attributes:
        rows: dataset rows and window indexes, with the ids that repeat.
        predictions: prediction files with ids; shards apart, and CSV twins of JSONL files left out.
    """

    rows: tuple[SuspectRows, ...]
    predictions: tuple[Predictions, ...]


@fact(absent="no rows with ids")
def sample_ids(
    indexes: tuple[RowIndex, ...], rows: tuple[SuspectRows, ...], predictions: tuple[Predictions, ...]
) -> SampleIds | None:
    """Choose the files whose rows have ids."""
    with_id = {index.file for index in indexes if index.with_id}
    judged = tuple(each for each in rows if each.file in with_id)
    predicted = tuple(each for each in without_twins(predictions) if any(sample is not None for sample in each.ids))
    return SampleIds(judged, predicted) if judged or predicted else None
