"""One line a finding: ``path:line: RULE severity message``."""

from __future__ import annotations

from omnicheck.model.report import Diagnostic, Report
from omnicheck.report import wording
from omnicheck.report.plain import printable


def render(report: Report) -> str:
    """Render the findings that count, one line each, and a last line with the verdict."""
    lines = [_line(found) for found in wording.counting(report.findings)]
    note = wording.explanation(report)
    return "\n".join([*lines, *([note] if note else []), wording.summary_line(report)]) + "\n"


def _line(found: Diagnostic) -> str:
    path = wording.shown_path(found)
    if found.line is not None:
        path = f"{path}:{found.line}"
    where = wording.place(found, line=False)
    return f"{path}: {found.rule} {found.severity} {f'[{where}] ' if where else ''}{printable(found.message)}"
