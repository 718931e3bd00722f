"""Maps units over processes; nothing above knows which executor ran."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

WORTH_BYTES = 64 << 20
"""Below this much input, starting processes costs more than it saves."""


def usable_cores() -> int:
    """Return the cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_units(
    function: Callable[[A], B], units: Sequence[A], *, weight: int, jobs: int, progress: Callable[[int, int], None]
) -> list[B]:
    """Apply a function to units, in order.

    Args:
        function: a module-level function.
        units: picklable values.
        weight: bytes of input behind all units.
        jobs: how many processes at most.
        progress: told how many of how many are done.
    """
    if jobs < 2 or len(units) < 2 or weight < WORTH_BYTES:
        return list(_counted(map(function, units), len(units), progress))
    import multiprocessing  # noqa: PLC0415 - 14 ms with the pool, only for large input
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(max_workers=min(jobs, len(units)), mp_context=context) as pool:
        return list(_counted(pool.map(function, units), len(units), progress))


def _counted(results: Iterable[B], total: int, progress: Callable[[int, int], None]) -> Iterator[B]:
    for done, result in enumerate(results, 1):
        progress(done, total)
        yield result
