"""How checks write numbers."""

from __future__ import annotations


def shown(value: float) -> str:
    """Return a number with as many digits as a reader needs: six decimals at most, no needless zeros."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return text if text.strip("-") not in ("0", "") else f"{value:.3g}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun in the right number: ``1 cell``, ``1,204 cells``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
