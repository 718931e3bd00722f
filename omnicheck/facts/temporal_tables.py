"""The table of a retrieval by episode, beside what its predictions give."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fact
from omnicheck.facts.retrieval_queries import queries
from omnicheck.facts.score_tables import number_of, read_small_table
from omnicheck.facts.source import Source
from omnicheck.measures.temporal import EpisodeRow, consistency_table
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile

COLUMNS = ("num_queries", "mrr", "recall_at_5", "mean_feature_reconstruction_error")


class TemporalTable(Struct, frozen=True):
    """A temporal consistency table.

    Attributes:
        file: the file.
        rows: episode to column to the stated number.
        actual: what the predictions give, by episode.
    """

    file: RunFile
    rows: dict[str, dict[str, float]]
    actual: dict[str, EpisodeRow]


@fact(absent="no temporal consistency table with the predictions behind it")
def temporal_tables(source: Source, predictions: tuple[Predictions, ...]) -> tuple[TemporalTable, ...]:
    """Read each table whose directory holds one file of retrieval predictions."""
    found = []
    for file in source.run.of("temporal_table"):
        near = [each for each in predictions if each.file.folder == file.folder and any(each.ranks)]
        table = read_small_table(source, file)
        if len(near) != 1 or table is None or "episode_id" not in table[0]:
            continue
        asked = queries(near[0], range(len(near[0])))
        if len(asked) < len(near[0]):
            continue  # a row without a rank cannot be judged
        try:
            actual = {row.episode_id: row for row in consistency_table(asked)}
        except ReadError:
            continue
        found.append(TemporalTable(file, _rows(*table), actual))
    return tuple(found)


def _rows(header: list[str], rows: list[list[str]]) -> dict[str, dict[str, float]]:
    at = header.index("episode_id")
    places = {column: header.index(column) for column in COLUMNS if column in header}
    return {
        row[at]: {
            column: value
            for column, place in places.items()
            if place < len(row) and (value := number_of(row[place])) is not None
        }
        for row in rows
        if at < len(row)
    }
