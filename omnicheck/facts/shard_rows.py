"""Shards beside the dataset rows of their split: which sample is whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import gcd
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact, fold
from omnicheck.facts.row_index import RowKeys, ids_of
from omnicheck.facts.shards import Shard, ShardSet
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import split_name, split_of_file
from omnicheck.model.run import RunFile


class SplitOrder(Struct, frozen=True):
    """The samples of one dataset file.

    Attributes:
        file: the dataset rows.
        samples: evaluated split to its ids, in the order of the file; key None holds every id where rows name none.
        elsewhere: predicted id to the split it is in, for those of other splits.
        known: how many predicted ids the file holds.
    """

    file: RunFile
    samples: dict[str | None, tuple[str, ...]]
    elsewhere: dict[str, str | None]
    known: int


@fold(SplitOrder, absent="no dataset rows of the split that the shards predict")
class SplitOrderFold:
    """Lists the ids of the evaluated splits; read only where there are shards."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows",)
    needs: ClassVar[tuple[type, ...]] = (Source, ShardSet)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._keys = RowKeys(given[Source])
        sets: tuple[ShardSet, ...] = given[ShardSet] if isinstance(given[ShardSet], tuple) else ()
        self._predicted = {sample for each in sets for shard in each.shards for sample in shard.rows.ids}
        self._wanted = {each.split for each in sets}
        self._told = split_of_file(self._file.base)
        self._idle = not sets
        self._samples: dict[str | None, list[str]] = {}
        self._elsewhere: dict[str, str | None] = {}
        self._known = 0

    def idle(self) -> bool:
        """Whether there are no shards."""
        return self._idle

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - ids are what counts
        """Take rows."""
        split_names = [self._split(row) for row in rows]
        for sample, split in zip(ids_of(rows, self._keys), split_names, strict=True):
            if sample is None:
                continue
            predicted = sample in self._predicted
            self._known += predicted
            if None in self._wanted or split is None or split in self._wanted:
                self._samples.setdefault(split, []).append(sample)
            elif predicted:
                self._elsewhere[sample] = split

    def _split(self, row: Mapping[str, Any]) -> str | None:
        key = self._keys.layout(row)[2]
        return split_name(row[key]) if key is not None else self._told

    def merge(self, other: SplitOrderFold) -> None:
        """Append what the later part holds."""
        for split, samples in other._samples.items():
            self._samples.setdefault(split, []).extend(samples)
        self._elsewhere.update(other._elsewhere)
        self._known += other._known

    def fact(self) -> SplitOrder:
        """Return the order."""
        samples = {split: tuple(found) for split, found in self._samples.items()}
        return SplitOrder(self._file, samples, self._elsewhere, self._known)


class Slice(Struct, frozen=True):
    """Which samples of a split a shard holds: those whose ordinal is ``offset`` modulo ``stride``.

    Attributes:
        offset: of its first sample.
        stride: how far apart its samples lie.
        stated: where offset and stride stand; None when they were inferred from the rows.
    """

    offset: int
    stride: int
    stated: Record | None

    def size(self, samples: int) -> int:
        """Return how many of a split's samples it holds."""
        return max(0, -(-(samples - self.offset) // self.stride))


class ShardAccount(Struct, frozen=True):
    """A set of shards beside the dataset rows of its split.

    Attributes:
        shards: the set.
        dataset: the dataset rows.
        split: name of the split; None where rows name none.
        samples: its ids, in dataset order.
        places: id to its ordinal.
        elsewhere: predicted id to the other split of the dataset that it is in.
        slices: for each shard which samples it should hold; None where nothing tells.
        complete: whether all samples should be there; False where a limit was stated that the rows do not follow.
    """

    shards: ShardSet
    dataset: RunFile
    split: str | None
    samples: tuple[str, ...]
    places: dict[str, int]
    elsewhere: dict[str, str | None]
    slices: tuple[Slice | None, ...]
    complete: bool


@fact(absent="no shards beside the dataset rows of their split")
def shard_accounts(sets: tuple[ShardSet, ...], orders: tuple[SplitOrder, ...]) -> tuple[ShardAccount, ...]:
    """Set each set of shards beside the dataset file that holds its samples."""
    found = []
    for each in sets:
        order = _order(each, orders)
        if order is None:
            continue
        split = each.split if each.split in order.samples or len(order.samples) != 1 else next(iter(order.samples))
        samples = order.samples.get(split, ())
        if not samples:
            continue
        limit, complete = each.limited(), True
        predicted = {sample for shard in each.shards for sample in shard.rows.ids}
        if limit is not None and limit < len(samples):
            complete = predicted.isdisjoint(samples[limit:])
            samples = samples[:limit] if complete else samples
        places = {sample: at for at, sample in reversed(list(enumerate(samples)))}
        slices = slices_of(each.shards, places)
        found.append(ShardAccount(each, order.file, split, samples, places, order.elsewhere, slices, complete))
    return tuple(found)


def _order(shards: ShardSet, orders: Sequence[SplitOrder]) -> SplitOrder | None:
    """Return the dataset file of a set: the one that its metrics name, else the one that knows most of its ids."""
    named = next((found[0] for each in shards.shards if (found := each.stated("dataset_path")) is not None), None)
    if len(orders) > 1 and isinstance(named, str):
        parts = named.replace("\\", "/").split("/")
        fitting = [each for each in orders if each.file.location.split("/")[-2:] == parts[-2:]]
        if len(fitting) == 1:
            return fitting[0]
    return max(orders, key=lambda each: (each.known, each.file.name), default=None)


def slices_of(shards: Sequence[Shard], places: Mapping[str, int]) -> tuple[Slice | None, ...]:
    """Return which samples each shard should hold: as it states, else as the rows of all of them tell."""
    stated = [each.partition() for each in shards]
    if any(stated):
        return tuple(Slice(found[0], found[1], found[2]) if found else None for found in stated)
    ordinals = [
        sorted({places[sample] for sample in each.rows.ids if sample is not None and sample in places})
        for each in shards
    ]
    inferred = _by_steps(ordinals) or _by_majority(ordinals)
    if inferred is None:
        return (None,) * len(shards)
    stride, offsets = inferred
    return tuple(None if offset is None else Slice(offset, stride, None) for offset in offsets)


def _by_steps(ordinals: Sequence[list[int]]) -> tuple[int, list[int | None]] | None:
    """Return stride and offsets where every shard steps evenly through the split."""
    stride = 0
    for each in ordinals:
        for one, other in pairwise(each):
            stride = gcd(stride, other - one)
    if stride < 2:
        return None
    return stride, [each[0] % stride if each else None for each in ordinals]


def _by_majority(ordinals: Sequence[list[int]]) -> tuple[int, list[int | None]] | None:
    """Return stride and offsets where nine in ten rows of every shard fit as many shards as there are."""
    stride = len(ordinals)
    if stride < 2:
        return None
    offsets: list[int | None] = []
    for each in ordinals:
        counts = [0] * stride
        for ordinal in each:
            counts[ordinal % stride] += 1
        most = max(counts)
        if len(each) and (most * 10 < len(each) * 9 or len(each) < 3):
            return None
        offsets.append(counts.index(most) if each else None)
    known = [each for each in offsets if each is not None]
    return (stride, offsets) if len(set(known)) == len(known) else None
