"""Windows cut from one recording and numbered through: what the held-out ones prove about the others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct


class Neighbour(Struct, frozen=True):
    """A held-out window and a training window that must share frames with it.

    Attributes:
        index: number of the held-out window.
        other: number of the training window.
        shared: frames that both hold at least.
    """

    index: int
    other: int
    shared: int


def proven_overlaps(starts: Mapping[int, int], *, count: int, stride: int, frames: int) -> list[Neighbour] | None:
    """Return the held-out windows that provably share frames with a window that is not held out.

    Windows are numbered 0 to ``count - 1`` in the order of their first frames, which lie at least ``stride``
    apart; some places may have been left out, so the first frame of an unlisted window is only known between
    bounds. A window counts when it overlaps at both bounds.

    Args:
        starts: number of each held-out window to its first frame.
        count: number of all windows.
        stride: frames between neighbouring places.
        frames: frames in a window.

    Returns:
        One neighbour for each such window, in order; None when the numbers contradict this reading.
    """
    known = sorted(starts)
    if not known or known[0] < 0 or known[-1] >= count or stride < 1:
        return None
    for before, after in pairwise(known):
        gap = starts[after] - starts[before]
        if gap < (after - before) * stride or gap % stride:
            return None
    found = []
    for index in known:
        best: Neighbour | None = None
        for other in (_unlisted(starts, index, -1), _unlisted(starts, index, 1)):
            if 0 <= other < count:
                apart = _farthest(starts, known, index, other, stride)
                if apart is not None and apart < frames and (best is None or frames - apart > best.shared):
                    best = Neighbour(index, other, frames - apart)
        if best is not None:
            found.append(best)
    return found


def _unlisted(starts: Mapping[int, int], index: int, step: int) -> int:
    while index in starts:
        index += step
    return index


def _farthest(starts: Mapping[int, int], known: Sequence[int], index: int, other: int, stride: int) -> int | None:
    """Return the largest distance there can be between the first frames of two windows; None without a bound."""
    at = bisect_left(known, other)
    here = starts[index]
    if other < index:
        # At the beginning of a recording only frame 0 bounds it from below.
        low = starts[known[at - 1]] + (other - known[at - 1]) * stride if at else other * stride
        return here - low
    if at == len(known):
        return None
    return starts[known[at]] - (known[at] - other) * stride - here
