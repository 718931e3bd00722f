"""How findings put numbers into words."""

from __future__ import annotations


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 window``, ``2,500 windows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
