"""Workflow commands of GitHub Actions: annotations beside the lines of a change."""

from __future__ import annotations

from omnicheck.model.finding import Severity
from omnicheck.model.report import Diagnostic, Report
from omnicheck.report import wording
from omnicheck.report.plain import printable

COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report) -> str:
    """Render one workflow command a finding, and the verdict as a plain last line.

    GitHub shows only the first ten annotations of a kind in a step; all are written, the rest stay in the log.
    """
    lines = [_command(found) for found in wording.counting(report.findings)]
    if note := wording.explanation(report):
        lines.append(f"::error title={_property(f'omnicheck: {report.verdict}')}::{_data(note)}")
    return "\n".join([*lines, wording.summary_line(report)]) + "\n"


def _command(found: Diagnostic) -> str:
    properties = {"file": printable(found.path)}
    if found.line is not None:
        properties["line"] = str(found.line)
    properties["title"] = printable(f"{found.rule} {found.name}")
    where = wording.place(found, line=False)
    message = f"{f'{where}: ' if where else ''}{printable(found.message)}"
    body = "\n".join([message, *(f"{label}: {value}" for label, value in wording.details(found))])
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{COMMANDS[found.severity]} {listed}::{_data(body)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
