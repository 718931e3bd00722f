"""Future retrieval by episode, and the ways to measure its temporal consistency."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from omnicheck.measures.regression import mean_of
from omnicheck.measures.retrieval import mrr, recall_at


class Query(Struct, frozen=True, kw_only=True):
    """One context window and the future window that was retrieved for it.

    Attributes:
        episode: episode of the context window.
        rank: 1-based rank of the true future, or None when it was not retrieved.
        error: feature reconstruction error, or None.
        predicted_episode: episode of the retrieved future (rank 1), or None when unknown.
        predicted_position: place of the retrieved future in its episode (start frame or row ordinal), or None.
    """

    episode: str
    rank: int | None
    error: float | None = None
    predicted_episode: str | None = None
    predicted_position: int | None = None


class EpisodeRow(Struct, frozen=True):
    """One line of a temporal consistency table.

    Attributes:
        episode_id: the episode.
        num_queries: its queries.
        mrr: mean reciprocal rank.
        recall_at_5: share of queries whose true future is among the first five.
        mean_feature_reconstruction_error: mean error of the queries that have one; None when none has.
    """

    episode_id: str
    num_queries: int
    mrr: float
    recall_at_5: float
    mean_feature_reconstruction_error: float | None


MEANINGS: dict[str, str] = {
    "temporal_consistency@same_episode": "Share of queries whose retrieved future lies in the query's own episode.",
    "temporal_consistency@episode_mean": "Mean over episodes of the share that `same_episode` counts.",
    "temporal_consistency@consecutive_own": "Share of consecutive queries whose futures both lie in their own episode.",
    "temporal_consistency@consecutive_same": "Share of consecutive queries whose futures lie in one episode.",
    "temporal_consistency@consecutive_in_order": "As `consecutive_same`, the later future not before the earlier.",
}
"""The definitions of `evaluate_consistency`, each in one sentence."""


def consistency_table(queries: Iterable[Query]) -> list[EpisodeRow]:
    """Return one row per episode, sorted by episode.

    Raises:
        ReadError: a rank is below 1.
    """
    rows = []
    for episode, members in sorted(_by_episode(queries).items()):
        ranks = [query.rank for query in members]
        error = mean_of(query.error for query in members if query.error is not None)
        rows.append(EpisodeRow(episode, len(members), mrr(ranks) or 0.0, recall_at(ranks, 5) or 0.0, error))
    return rows


def evaluate_consistency(queries: Iterable[Query]) -> dict[str, float]:
    """Value of each definition of temporal consistency, by name; definitions that the queries cannot decide are absent.

    Args:
        queries: in temporal order within each episode; a definition is undecided when a query lacks what it needs.
    """
    episodes = [members for _, members in sorted(_by_episode(queries).items())]
    everything = [query for members in episodes for query in members]
    if not everything or any(query.predicted_episode is None for query in everything):
        return {}
    shares = [_share([_own(query) for query in members]) for members in episodes]
    values: dict[str, float | None] = {
        "temporal_consistency@same_episode": _share([_own(query) for query in everything]),
        "temporal_consistency@episode_mean": mean_of(share for share in shares if share is not None),
    }
    steps = [step for members in episodes for step in pairwise(members)]
    values["temporal_consistency@consecutive_own"] = _share([_own(here) and _own(there) for here, there in steps])
    values["temporal_consistency@consecutive_same"] = _share(
        [here.predicted_episode == there.predicted_episode for here, there in steps]
    )
    if all(query.predicted_position is not None for query in everything):
        values["temporal_consistency@consecutive_in_order"] = _share([_in_order(here, there) for here, there in steps])
    return {name: value for name, value in values.items() if value is not None}


def _by_episode(queries: Iterable[Query]) -> dict[str, list[Query]]:
    episodes: dict[str, list[Query]] = {}
    for query in queries:
        episodes.setdefault(query.episode, []).append(query)
    return episodes


def _own(query: Query) -> bool:
    return query.predicted_episode == query.episode


def _in_order(here: Query, there: Query) -> bool:
    if here.predicted_position is None or there.predicted_position is None:
        return False
    return here.predicted_episode == there.predicted_episode and here.predicted_position <= there.predicted_position


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
