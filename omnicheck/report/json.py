"""The report as JSON: stable, versioned, described by ``schemas/report.schema.json``."""

from __future__ import annotations

import msgspec

from omnicheck.model.report import Report
from omnicheck.report.plain import plain


def render(report: Report) -> str:
    """Render the whole report; ``traces`` stands there only when a check crashed, ``bundle`` only in a bundle."""
    value = plain(report)
    if not report.traces:
        del value["traces"]
    if report.bundle is None:
        del value["bundle"]
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
