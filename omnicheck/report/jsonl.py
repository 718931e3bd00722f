"""JSON lines: one finding a line, and a last line with the verdict."""

from __future__ import annotations

import msgspec

from omnicheck.model.report import EXIT_CODES, Report
from omnicheck.report.plain import plain


def render(report: Report) -> str:
    """Render every finding, suppressed ones too, in the form of the JSON report; the last line has ``verdict``."""
    last = {
        "verdict": report.verdict,
        "exit_code": EXIT_CODES[report.verdict],
        "schema_version": report.schema_version,
        "summary": plain(report.summary),
    }
    return b"".join(msgspec.json.encode(item) + b"\n" for item in (*map(plain, report.findings), last)).decode()
