"""Numbers that a metrics file holds its own metrics against: baselines, earlier runs, thresholds of a gate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.facts.recomputed import Score
from omnicheck.facts.registry import fact
from omnicheck.measures.agreement import PERCENT

_BEFORE = re.compile(r"(?:baseline|previous|reference|base_model|prior)_(?P<metric>.+)")
_AFTER = re.compile(r"(?P<metric>.+?)_(?:baseline|previous|reference|base_model|prior|threshold|minimum)")
_DELTA = re.compile(r"(?:delta|gain|improvement)_(?P<metric>.+)|(?P<other>.+?)_(?:delta|gain|improvement)")
_TABLES = ("baseline", "baselines", "previous", "reference", "thresholds", "gates", "gate_thresholds")


class ClaimedGain(Struct, frozen=True):
    """A metric and a number that it is held against.

    Attributes:
        score: the metric.
        value: the metric on the scale 0 to 1.
        other: what it is held against, on the same scale.
        name: key of that number.
        pointer: JSON pointer of that number.
    """

    score: Score
    value: float
    other: float
    name: str
    pointer: str


@fact(absent="no metric is held against a baseline, an earlier run or a threshold")
def claimed_gains(scores: tuple[Score, ...]) -> tuple[ClaimedGain, ...]:
    """Find the numbers beside each recomputed metric."""
    found = []
    for score in scores:
        if not score.matches or (score.rows is None and not score.ranks):
            continue
        percent = score.matches[0].endswith(PERCENT)
        for name, pointer, other in _others(score):
            scale = 100.0 if percent else 1.0
            found.append(ClaimedGain(score, score.stated / scale, other / scale, name, pointer))
    return tuple(found)


def _others(score: Score) -> Iterator[tuple[str, str, float]]:
    value = score.evaluation.metrics.record.value
    for key, other in value.items():
        number = _number(other)
        if number is None:
            if key in _TABLES and isinstance(other, dict):
                for name in score.keys:
                    inner = _number(other.get(name))
                    if inner is not None:
                        yield f"{key}/{name}", f"/{key}/{name}", inner
            continue
        match = _BEFORE.fullmatch(key) or _AFTER.fullmatch(key)
        if match is not None and match["metric"] in score.keys:
            yield key, f"/{key}", number
        delta = _DELTA.fullmatch(key)
        if delta is not None and (delta["metric"] or delta["other"]) in score.keys and number > 0:
            yield key, f"/{key}", score.stated - number


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
