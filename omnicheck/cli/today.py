"""The date that exceptions expire by."""

from __future__ import annotations

from datetime import UTC, date, datetime

from omnicheck.model.errors import UsageError


def given_date(text: str | None) -> date:
    """Return the date that ``--today`` gives, or today's in UTC.

    Raises:
        UsageError: it is no date.
    """
    if text is None:
        return datetime.now(tz=UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--today wants YYYY-MM-DD, got {text!r}") from None
