"""Confidence intervals: of a proportion, and of a statistic over episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from math import sqrt
from random import Random
from typing import TypeVar

from msgspec import Struct

Row = TypeVar("Row")


class Interval(Struct, frozen=True):
    """A confidence interval.

    Attributes:
        low: lower bound.
        high: upper bound.
        groups: number of independent units it rests on: episodes, or trials.
    """

    low: float
    high: float
    groups: int

    def contains(self, value: float) -> bool:
        """Whether a value lies inside, bounds included."""
        return self.low <= value <= self.high


def episode_bootstrap(
    groups: Mapping[str, Sequence[float]], *, seed: int, resamples: int = 1000, level: float = 0.95
) -> Interval | None:
    """Percentile bootstrap interval of the mean over all rows, whole episodes being drawn.

    Rows of one episode are not independent, so episodes are resampled, not rows.

    Args:
        groups: values of the rows by episode; episodes without rows are left out.
        seed: seed of the generator; the same seed gives the same interval.
        resamples: number of resamples.
        level: confidence level.

    Returns:
        None for fewer than two episodes, which say nothing about their spread.
    """
    sums = [(sum(groups[name]), len(groups[name])) for name in sorted(groups) if groups[name]]
    if len(sums) < 2:
        return None
    means = []
    for drawn in _draws(len(sums), seed=seed, resamples=resamples):
        chosen = [sums[index] for index in drawn]
        means.append(sum(total for total, _ in chosen) / sum(rows for _, rows in chosen))
    return _percentile_interval(means, level=level, groups=len(sums))


def episode_bootstrap_statistic(
    rows_by_episode: Mapping[str, Sequence[Row]],
    statistic: Callable[[list[Row]], float | None],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval | None:
    """Percentile bootstrap interval of any statistic of the rows, such as F1, whole episodes being drawn.

    Args:
        rows_by_episode: the rows by episode; episodes without rows are left out.
        statistic: from the rows of a resample to the value; None leaves the resample out.
        seed: seed of the generator.
        resamples: number of resamples.
        level: confidence level.

    Returns:
        None for fewer than two episodes, or when the statistic is never defined.
    """
    episodes = [list(rows_by_episode[name]) for name in sorted(rows_by_episode) if rows_by_episode[name]]
    if len(episodes) < 2:
        return None
    draws = _draws(len(episodes), seed=seed, resamples=resamples)
    values = [statistic(list(chain.from_iterable(episodes[index] for index in drawn))) for drawn in draws]
    return _percentile_interval([value for value in values if value is not None], level=level, groups=len(episodes))


def paired_difference_interval(
    a_by_episode: Mapping[str, Sequence[Row]],
    b_by_episode: Mapping[str, Sequence[Row]],
    statistic: Callable[[list[Row]], float | None],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval | None:
    """Percentile bootstrap interval of ``statistic(a) - statistic(b)``, the same episodes being drawn for both.

    Args:
        a_by_episode: rows of one run by episode.
        b_by_episode: rows of the other; only episodes with rows in both are used.
        statistic: from the rows of a resample to the value; None leaves the resample out.
        seed: seed of the generator.
        resamples: number of resamples.
        level: confidence level.

    Returns:
        None for fewer than two common episodes, or when the difference is never defined.
    """
    common = sorted(name for name in a_by_episode if a_by_episode[name] and b_by_episode.get(name))
    if len(common) < 2:
        return None
    differences = []
    for drawn in _draws(len(common), seed=seed, resamples=resamples):
        names = [common[index] for index in drawn]
        left = statistic([row for name in names for row in a_by_episode[name]])
        right = statistic([row for name in names for row in b_by_episode[name]])
        if left is not None and right is not None:
            differences.append(left - right)
    return _percentile_interval(differences, level=level, groups=len(common))


def wilson(successes: int, trials: int, level: float = 0.95) -> Interval | None:
    """Wilson score interval of a proportion of independent trials; None for no trials.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if trials < 1:
        return None
    from statistics import NormalDist  # noqa: PLC0415 - slow to import, seldom used

    z = NormalDist().inv_cdf((1 + level) / 2)
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / trials + spread / (4 * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return Interval(low, high, trials)


def _draws(size: int, *, seed: int, resamples: int) -> Iterator[list[int]]:
    generator = Random(seed)  # noqa: S311 - statistics, not secrets: it must be repeatable
    for _ in range(resamples):
        yield generator.choices(range(size), k=size)


def _percentile_interval(values: Sequence[float], *, level: float, groups: int) -> Interval | None:
    if not values:
        return None
    ordered = sorted(values)
    return Interval(_quantile(ordered, (1 - level) / 2), _quantile(ordered, (1 + level) / 2), groups)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
