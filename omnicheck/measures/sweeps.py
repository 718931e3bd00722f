"""Windows of one episode that share frames, or lie too near to one another."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Literal, NamedTuple

from msgspec import Struct

Window = tuple[int, int, int, int]
"""First frame, last frame (inclusive), split code, row number.

A window whose last frame lies before its first has no frames and is passed over.
"""

TRAIN = 0
"""The split code of the training split."""


class Pair(Struct, frozen=True):
    """A held-out window and one window of another split that it overlaps or lies too near to.

    Attributes:
        row: row number of the held-out window.
        split: its split code.
        other_row: row number of the other window.
        other_split: its split code; 0 is train.
        shared: frames that both hold; 0 when they only lie near.
        gap: frames strictly between the two; 0 when they touch or overlap.
    """

    row: int
    split: int
    other_row: int
    other_split: int
    shared: int
    gap: int

    @property
    def kind(self) -> Literal["overlap", "touching", "near"]:
        """Whether they share frames, are neighbours without a frame between, or lie nearer than the embargo."""
        if self.shared:
            return "overlap"
        return "near" if self.gap else "touching"

    @property
    def against_train(self) -> bool:
        """Whether the other window is a training one; else both are held out (validation against test)."""
        return self.other_split == TRAIN


class OverlapCounts(Struct, frozen=True):
    """How many held-out windows are too near to another split.

    Attributes:
        train: held-out windows by the kind of their nearest training window (``overlap``, ``touching``, ``near``).
        held_out: the same against the other held-out splits.
    """

    train: dict[str, int]
    held_out: dict[str, int]


class Dependence(NamedTuple):
    """How far windows of the same split depend on one another.

    Attributes:
        overlapping: windows that share a frame with another window of their split.
        independent: size of the largest set of windows without a common frame, added up over the splits.
    """

    overlapping: int
    independent: int


def cross_overlaps(windows: Sequence[Window], *, embargo: int = 0) -> Iterator[Pair]:
    """Yield, for each held-out window of an episode, the nearest window of another split that is too near.

    A held-out window (split code other than 0) gives at most one pair against train, and one against each other
    held-out split of a lower code. Time O(n log n), memory O(n).

    Args:
        windows: the windows of one episode, in any order.
        embargo: frames that must lie between windows of different splits; 0 asks only for no shared frame.

    Yields:
        Pairs by split pair, then in the order of the windows given.
    """
    by_split: dict[int, list[Window]] = {}
    for window in windows:
        if window[1] >= window[0]:
            by_split.setdefault(window[2], []).append(window)
    # Training first, whatever the other codes are.
    for reference, held in combinations(sorted(by_split, key=lambda code: (code != TRAIN, code)), 2):
        yield from _near(by_split[held], sorted(by_split[reference]), embargo)


def count_cross_overlaps(windows: Sequence[Window], *, embargo: int = 0) -> OverlapCounts:
    """Count the pairs of `cross_overlaps`, those against train apart from those between held-out splits."""
    train: Counter[str] = Counter()
    held_out: Counter[str] = Counter()
    for pair in cross_overlaps(windows, embargo=embargo):
        (train if pair.against_train else held_out)[pair.kind] += 1
    return OverlapCounts(dict(sorted(train.items())), dict(sorted(held_out.items())))


def same_split_overlaps(windows: Sequence[Window]) -> Dependence:
    """Count windows of one episode that overlap another of their own split, and the independent ones.

    Args:
        windows: the windows of one episode, in any order; each split is looked at by itself.
    """
    overlapping = independent = 0
    by_split: dict[int, list[tuple[int, int]]] = {}
    for start, end, split, _ in windows:
        if end >= start:
            by_split.setdefault(split, []).append((start, end))
    for spans in by_split.values():
        overlapping += _overlapping(sorted(spans))
        independent += _disjoint(sorted(spans, key=lambda span: span[1]))
    return Dependence(overlapping, independent)


def _near(held: Sequence[Window], reference: Sequence[Window], embargo: int) -> Iterator[Pair]:
    starts = [window[0] for window in reference]
    # reaching[i]: which of the first i + 1 windows ends last; it decides whether any of them reaches a later frame.
    reaching: list[int] = []
    for index, window in enumerate(reference):
        reaching.append(index if not reaching or window[1] > reference[reaching[-1]][1] else reaching[-1])
    for start, end, split, row in held:
        after = bisect_right(starts, end)
        candidates = []
        if after:
            candidates.append(reference[reaching[after - 1]])
        if after < len(reference):
            candidates.append(reference[after])
        pairs = [_pair((start, end, split, row), other) for other in candidates]
        nearest = min(pairs, key=lambda pair: (pair.gap, -pair.shared))
        if nearest.shared or nearest.gap < embargo:
            yield nearest


def _pair(held: Window, other: Window) -> Pair:
    shared = min(held[1], other[1]) - max(held[0], other[0]) + 1
    return Pair(held[3], held[2], other[3], other[2], max(shared, 0), max(-shared, 0))


def _overlapping(spans: Sequence[tuple[int, int]]) -> int:
    """Spans, sorted by start, that meet another: one before that reaches them, or the next one."""
    marked = [False] * len(spans)
    reach = -1
    for index, (start, end) in enumerate(spans):
        if index and start <= reach:
            marked[index] = True
        reach = max(reach, end) if index else end
    for index, (here, there) in enumerate(pairwise(spans)):
        if there[0] <= here[1]:
            marked[index] = True
    return sum(marked)


def _disjoint(spans: Sequence[tuple[int, int]]) -> int:
    """Size of the largest disjoint subset of spans sorted by end: taking the earliest end first is optimal."""
    taken = 0
    reach: int | None = None
    for start, end in spans:
        if reach is None or start > reach:
            taken, reach = taken + 1, end
    return taken
