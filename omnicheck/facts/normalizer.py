"""Normalisation statistics: what they say they were fitted on, and the same statistics over the run's own rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.documents import Normalization
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact, fold
from omnicheck.facts.row_index import text_of
from omnicheck.facts.split_names import TRAIN, split_name, split_of_file
from omnicheck.model.run import RunFile

EPISODE_KEYS = (
    "fit_episode_ids",
    "fit_episodes",
    "fitted_on_episodes",
    "fitted_episode_ids",
    "episode_ids",
    "episodes",
    "train_episode_ids",
    "train_episodes",
    "source_episodes",
)
SPLIT_KEYS = ("fit_split", "fit_splits", "fitted_on", "fitted_split", "fit_on", "source_split", "split", "splits")
DEPTH = 4
MAX_DIMENSIONS = 4096
LARGEST = 1e100
"""Numbers from which on sums of squares would overflow."""


class Statistic(Struct, frozen=True):
    """Mean and standard deviation of one feature, per dimension.

    Attributes:
        name: the feature's key; empty when the file holds one unnamed feature.
        pointer: JSON pointer.
        mean: per dimension.
        std: per dimension.
    """

    name: str
    pointer: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


class Fit(Struct, frozen=True):
    """What a file of normalisation statistics states.

    Attributes:
        file: the file.
        episodes: ids that it says it was fitted on, with the pointer of the list; None when it names none.
        splits: splits that it says it was fitted on, with the pointer; None when it names none.
        statistics: means and deviations.
    """

    file: RunFile
    episodes: tuple[str, tuple[str, ...]] | None
    splits: tuple[str, tuple[str, ...]] | None
    statistics: tuple[Statistic, ...]


@fact(absent="no normalisation statistics")
def fits(files: tuple[Normalization, ...]) -> tuple[Fit, ...]:
    """Read every file of statistics."""
    return tuple(
        Fit(each.file, _episodes(each.record), _splits(each.record), tuple(_statistics(each.record.value, "", "", 0)))
        for each in files
    )


def _places(record: Record) -> Iterator[Record]:
    yield record
    for key in ("provenance", "fit", "fitted_on", "source", "metadata"):
        if isinstance(record.value.get(key), dict):
            yield record.object(key)


def _episodes(record: Record) -> tuple[str, tuple[str, ...]] | None:
    for place in _places(record):
        for key in EPISODE_KEYS:
            found = place.value.get(key)
            if isinstance(found, list) and found:
                ids = [_named(item, place.names("episode")) if isinstance(item, dict) else item for item in found]
                return f"{place.at}/{key}", tuple(text for item in ids if (text := text_of(item)) is not None)
    return None


def _named(item: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((item[key] for key in keys if key in item), None)


def _splits(record: Record) -> tuple[str, tuple[str, ...]] | None:
    for place in _places(record):
        for key in SPLIT_KEYS:
            found = place.value.get(key)
            texts = [found] if isinstance(found, str) else found if isinstance(found, list) else []
            named = tuple(text for text in texts if isinstance(text, str))
            if named:
                return f"{place.at}/{key}", named
    return None


def _statistics(value: Any, name: str, at: str, depth: int) -> Iterator[Statistic]:
    if not isinstance(value, dict) or depth > DEPTH:
        return
    mean, std = _vector(value.get("mean")), _vector(value.get("std"))
    if mean and len(mean) == len(std):
        yield Statistic(name, at, mean, std)
        return
    for key, inner in value.items():
        if isinstance(key, str):
            yield from _statistics(inner, key, f"{at}/{key.replace('~', '~0').replace('/', '~1')}", depth + 1)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _vector(value: Any) -> tuple[float, ...]:
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_DIMENSIONS or not all(map(_number, items)):
        return ()
    return tuple(float(item) for item in items)


class Moments(Struct):
    """Count, sum and sum of squares of vectors, about the first of them so that digits are not lost."""

    origin: tuple[float, ...]
    count: int
    total: list[float]
    square: list[float]

    def add(self, vector: Sequence[float]) -> None:
        """Take one vector."""
        self.count += 1
        for at, (value, origin) in enumerate(zip(vector, self.origin, strict=True)):
            shifted = value - origin
            self.total[at] += shifted
            self.square[at] += shifted * shifted

    def join(self, other: Moments) -> None:
        """Take what another collected about another origin."""
        for at, (here, there) in enumerate(zip(self.origin, other.origin, strict=True)):
            shift = there - here
            self.square[at] += other.square[at] + 2 * shift * other.total[at] + other.count * shift * shift
            self.total[at] += other.total[at] + other.count * shift
        self.count += other.count

    def mean(self) -> tuple[float, ...]:
        """Return the mean of each dimension."""
        return tuple(origin + total / self.count for origin, total in zip(self.origin, self.total, strict=True))

    def std(self, less: int) -> tuple[float, ...]:
        """Return the deviation of each dimension with ``count - less`` in the denominator."""
        below = max(self.count - less, 1)
        return tuple(
            float(max(square - total * total / self.count, 0.0) / below) ** 0.5
            for total, square in zip(self.total, self.square, strict=True)
        )


def moments(first: Sequence[float]) -> Moments:
    """Return moments of nothing yet, about a first vector."""
    return Moments(tuple(first), 0, [0.0] * len(first), [0.0] * len(first))


class FeatureMoments(Struct, frozen=True):
    """Statistics of one feature over the rows of a file, by split.

    Attributes:
        file: the file.
        features: feature name to split to moments; split None where rows name none.
    """

    file: RunFile
    features: dict[str, dict[str | None, Moments]]


@fold(FeatureMoments, absent="no rows with the normalised features")
class FeatureFold:
    """Adds up the features that normalisation statistics speak of."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows",)
    needs: ClassVar[tuple[type, ...]] = (Fit,)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        fitted = given[Fit]
        self._width = {
            each.name or "features": len(each.mean)
            for fit in (fitted if isinstance(fitted, tuple) else ())
            for each in fit.statistics
        }
        self._told = split_of_file(self._file.base)
        self._features: dict[str, dict[str | None, Moments]] = {}

    def idle(self) -> bool:
        """Whether no statistics are there to compare with."""
        return not self._width

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - vectors are summed, not placed
        """Take rows."""
        for row in rows:
            for name, width in self._width.items():
                value = row.get(name)
                if not isinstance(value, list) or not value:
                    continue
                split = row.get("split")
                key = split_name(split) if isinstance(split, str) else self._told
                for vector in value if isinstance(value[0], list) else (value,):
                    if isinstance(vector, list) and len(vector) == width and all(map(_number, vector)):
                        by_split = self._features.setdefault(name, {})
                        if key not in by_split:
                            by_split[key] = moments(vector)
                        by_split[key].add(vector)

    def merge(self, other: FeatureFold) -> None:
        """Add the sums of the later part."""
        for name, by_split in other._features.items():
            mine = self._features.setdefault(name, {})
            for split, found in by_split.items():
                if split in mine:
                    mine[split].join(found)
                else:
                    mine[split] = found

    def fact(self) -> FeatureMoments | None:
        """Return the sums; None when no row has the features."""
        return FeatureMoments(self._file, self._features) if self._features else None


def side(features: Mapping[str | None, Moments], *, train: bool) -> Moments | None:
    """Return the moments over training rows, or over all rows."""
    chosen = [found for split, found in features.items() if split == TRAIN or not train]
    if not chosen:
        return None
    whole = moments(chosen[0].origin)
    for found in chosen:
        whole.join(found)
    return whole
