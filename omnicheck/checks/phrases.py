"""How findings put numbers into words."""

from __future__ import annotations

from collections.abc import Sequence


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 window``, ``2,500 windows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def size_of(size: int) -> str:
    """Return a number of bytes as people say it: ``512 bytes``, ``1.2 GB``."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{size:,} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def some_of(names: Sequence[str], shown: int = 3) -> str:
    """Return the first few of some names and how many more there are: ``a, b, c and 4 more``."""
    text = ", ".join(names[:shown])
    return text if len(names) <= shown else f"{text} and {len(names) - shown:,} more"
