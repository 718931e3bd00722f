"""Recorded times as seconds since the epoch, however a file spells them."""

from __future__ import annotations

from datetime import UTC, datetime

MAX_SECONDS = 1e11
"""Larger numbers are milliseconds; a thousand times as much is no time at all."""


def seconds(value: object) -> float | None:
    """Return a recorded time in seconds since the epoch; None for anything that is no time.

    Numbers are seconds (milliseconds when they are too large for that); text is ISO 8601, and without a zone it is
    taken for UTC.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        if not 0 <= value < MAX_SECONDS * 1000:
            return None
        return value / 1000 if value > MAX_SECONDS else float(value)
    if isinstance(value, str) and len(value) <= 40:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return None


def shown_time(value: float) -> str:
    """Return a time for people: UTC, to the second."""
    try:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{value:.0f} s"


def shown_span(span: float) -> str:
    """Return a duration for people, in the unit that fits it."""
    if span < 1e-3:
        return f"{span * 1e6:.1f} µs"
    if span < 1:
        return f"{span * 1e3:.1f} ms"
    return f"{span:,.1f} s" if span < 600 else f"{span / 60:,.0f} min"
