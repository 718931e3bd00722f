"""Scores of a ranking, and what a random ranking scores."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, log

from omnicheck.model.errors import ReadError

Rank = int | None
"""1-based rank of the true candidate, or None when it was not retrieved."""

EULER_GAMMA = 0.577_215_664_901_532_9
SUMMED_UP_TO = 10_000


def mrr(ranks: Sequence[Rank]) -> float | None:
    """Mean reciprocal rank, a candidate that was not retrieved counting 0; None for no queries.

    Raises:
        ReadError: a rank is below 1.
    """
    return fsum(1 / rank for rank in _checked(ranks)) / len(ranks) if ranks else None


def recall_at(ranks: Sequence[Rank], k: int) -> float | None:
    """Share of queries whose true candidate is among the first ``k``; None for no queries.

    Raises:
        ReadError: a rank is below 1.
    """
    return sum(rank <= k for rank in _checked(ranks)) / len(ranks) if ranks else None


def chance_mrr(candidates: int) -> float:
    """Expected reciprocal rank of a random ranking of ``candidates``: the harmonic number over their count."""
    if candidates < 1:
        return 0.0
    if candidates <= SUMMED_UP_TO:
        return fsum(1 / rank for rank in range(1, candidates + 1)) / candidates
    harmonic = log(candidates) + EULER_GAMMA + 1 / (2 * candidates) - 1 / (12 * candidates**2)
    return harmonic / candidates


def chance_recall_at(k: int, candidates: int) -> float:
    """Expected recall at ``k`` of a random ranking of ``candidates``."""
    return min(max(k, 0) / candidates, 1.0) if candidates > 0 else 0.0


def _checked(ranks: Sequence[Rank]) -> list[int]:
    found = [rank for rank in ranks if rank is not None]
    if any(rank < 1 for rank in found):
        raise ReadError(f"a rank is {min(found)}, and ranks start at 1")
    return found
