"""Predictions of a retrieval as queries."""

from __future__ import annotations

from collections.abc import Sequence

from omnicheck.facts.predictions import Predictions
from omnicheck.measures.temporal import Query


def queries(given: Predictions, kept: Sequence[int]) -> list[Query]:
    """Return the rows of a retrieval that have a rank; the record that was retrieved tells its episode."""
    home = {target[0]: given.episodes[i] for i in range(len(given)) if (target := given.targets[i]) is not None}
    return [
        Query(
            episode=given.episodes[i] or "",
            rank=given.ranks[i],
            error=given.errors[i],
            predicted_episode=home.get(target[1]) if (target := given.targets[i]) is not None else None,
        )
        for i in kept
        if given.ranks[i] is not None
    ]
