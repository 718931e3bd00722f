"""Everything of a metrics file that can be computed again, and every table beside it."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.loss_scores import SampleScore
from omnicheck.facts.recomputed import Score
from omnicheck.facts.registry import fact
from omnicheck.facts.score_tables import ClassTable, ConfusionTable
from omnicheck.facts.temporal_tables import TemporalTable


class AllScores(Struct, frozen=True):
    """The recomputed metrics of a run: of labels and rankings, and of losses and positions."""

    scores: tuple[Score, ...]


class ScoreTables(Struct, frozen=True):
    """The tables of a run that the predictions give."""

    matrices: tuple[ConfusionTable, ...]
    classes: tuple[ClassTable, ...]
    temporal: tuple[TemporalTable, ...]


@fact(absent="no metrics with the predictions or losses behind them")
def all_scores(scores: tuple[Score, ...] | None, samples: tuple[SampleScore, ...] | None) -> AllScores | None:
    """Put all scores together."""
    found = (*(scores or ()), *(samples or ()))
    return AllScores(found) if found else None


@fact(absent="no confusion matrix, per-class or temporal table with the predictions behind it")
def score_tables(
    matrices: tuple[ConfusionTable, ...] | None,
    classes: tuple[ClassTable, ...] | None,
    temporal: tuple[TemporalTable, ...] | None,
) -> ScoreTables | None:
    """Put all tables together."""
    return ScoreTables(matrices or (), classes or (), temporal or ()) if matrices or classes or temporal else None
