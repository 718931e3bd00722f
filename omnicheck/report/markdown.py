"""Markdown, for a comment on a change or a job summary."""

from __future__ import annotations

import re
from itertools import groupby

from omnicheck.model.report import Diagnostic, Report
from omnicheck.report import wording
from omnicheck.report.plain import printable
from omnicheck.report.selection import hidden_line, select_shown

SPECIAL = re.compile(r"([\\`*_\[\]|~])")
MENTION = re.compile(r"(?<![A-Za-z0-9])@")


def render(report: Report, *, verbose: int = 0) -> str:
    """Render a report as Markdown; a bounded number of findings unless ``verbose`` is above zero."""
    findings = wording.counting(report.findings)
    selection = select_shown(findings, everything=verbose > 0)
    blocks = ["# omnicheck", f"**{escape(wording.summary_line(report))}**"]
    if note := wording.explanation(report):
        blocks.append(f"> {escape(note)}")
    for path, of_file in groupby(selection.shown, key=wording.shown_path):
        blocks.append(f"## {code(path)}")
        blocks.append("\n".join(_finding(found) for found in of_file))
    if selection.hidden:
        blocks.append(escape(hidden_line(selection.hidden)))
    blocks += ["## Coverage", _coverage(report)]
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, no mention of a person."""
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A comment between the sign and the name keeps a forge from notifying whoever a file names.
    return MENTION.sub("@<!-- -->", SPECIAL.sub(r"\\\1", safe))


def code(text: str) -> str:
    """Return text as a code span, in a fence longer than any run of backticks in it."""
    safe = printable(text)
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", safe)), default=0))
    pad = " " if safe.startswith("`") or safe.endswith("`") or not safe.strip() else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def _finding(found: Diagnostic) -> str:
    where = wording.place(found)
    lines = [f"- **{found.severity} {found.rule}** {f'at {code(where)}: ' if where else ''}{escape(found.message)}"]
    for label, value in wording.details(found):
        lines.append(f"  - {label}: {escape(value) if label in {'help', 'suppressed'} else code(value)}")
    return "\n".join(lines)


def _coverage(report: Report) -> str:
    lines = []
    for run in report.runs:
        contract = wording.contract_of(run.contract, run.contract_source)
        lines.append(f"- run {code(run.root)}: {escape(run.layout)}, {escape(contract)}")
    lines.append(f"- {wording.amount(len(report.coverage.rules_run), 'rule')} ran")
    lines += [
        f"- skipped, {escape(reason)}: {', '.join(rules)}" for reason, rules, _ in wording.skipped_by_reason(report)
    ]
    if report.coverage.files.unknown:
        lines.append(f"- {wording.amount(len(report.coverage.files.unknown), 'file')} of unknown kind")
    return "\n".join(lines)
