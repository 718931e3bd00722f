"""The report for a terminal: findings by run and file, coverage, one last line."""

from __future__ import annotations

import textwrap
from itertools import groupby

from omnicheck.model.report import Diagnostic, Report
from omnicheck.report import wording
from omnicheck.report.plain import printable
from omnicheck.report.selection import hidden_line, select_shown

COLORS = {"error": "1;31", "warning": "1;33", "info": "1;36", "pass": "1;32", "fail": "1;31", "incomplete": "1;35"}
NARROWEST = 40
REASONS = 12
"""Reasons for skipping that are listed unless more detail is asked for."""


def render(report: Report, *, color: bool = False, width: int = 80, verbose: int = 0) -> str:
    """Render a report for people.

    Args:
        report: what to render.
        color: whether to use ANSI colours.
        width: columns to wrap at; paths and values that have no space are not broken.
        verbose: -1 tells the verdict only, 0 bounds the findings shown, 1 shows all (suppressed ones too), 2 traces.
    """
    pen = _Pen(color, max(width, NARROWEST))
    if verbose < 0:
        return "\n".join(_verdict(pen, report)) + "\n"
    findings = report.findings if verbose > 0 else wording.counting(report.findings)
    selection = select_shown(findings, everything=verbose > 0)
    lines: list[str] = []
    order = {summary.root: i for i, summary in enumerate(report.runs)}
    ranked = sorted(selection.shown, key=lambda found: (order.get(found.run, len(order)), found.run))
    for run, of_run in groupby(ranked, key=lambda found: found.run):
        lines += _run(pen, run, tuple(of_run), several=len(report.runs) > 1)
    if selection.hidden:
        lines += [*pen.wrap(f"{hidden_line(selection.hidden)} Use -v to see all.", ""), ""]
    lines += _coverage(pen, report, verbose)
    if verbose > 1:
        lines += _traces(pen, report)
    return "\n".join([*lines, *_verdict(pen, report)]) + "\n"


class _Pen:
    """Wraps and colours lines."""

    def __init__(self, color: bool, width: int) -> None:  # noqa: FBT001 - private
        self._color = color
        self._width = width

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    def wrap(self, text: str, indent: str, hang: str | None = None) -> list[str]:
        return textwrap.wrap(
            text,
            self._width,
            initial_indent=indent,
            subsequent_indent=indent if hang is None else hang,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [indent.rstrip()]


def _run(pen: _Pen, run: str, findings: tuple[Diagnostic, ...], *, several: bool) -> list[str]:
    lines = [pen.paint(f"── {printable(run)}", "2"), ""] if several else []
    helped: set[tuple[str, str]] = set()
    for path, of_file in groupby(findings, key=wording.shown_path):
        lines.append(pen.paint(path, "1"))
        for found in of_file:
            # The same advice under each of many findings is noise: once a rule and run is enough.
            repeated = (found.rule, found.help) in helped
            helped.add((found.rule, found.help))
            lines += _finding(pen, found, with_help=not repeated)
        lines.append("")
    return lines


def _finding(pen: _Pen, found: Diagnostic, *, with_help: bool) -> list[str]:
    severity = "suppressed" if found.suppressed else found.severity
    head = f"  {pen.paint(severity, COLORS.get(severity, '2'))} {pen.paint(found.rule, '1')}"
    where = wording.place(found)
    lines = [f"{head} {printable(found.name)}{f' at {where}' if where else ''}"]
    lines += pen.wrap(printable(found.message), "    ")
    for label, value in wording.details(found):
        if label == "help" and not with_help:
            continue
        first, *rest = pen.wrap(f"{label + ':':<9} {value}", "      ", " " * 16)
        lines += [first.replace(f"{label}:", pen.paint(f"{label}:", "32" if label == "help" else "2"), 1), *rest]
    return lines


def _coverage(pen: _Pen, report: Report, verbose: int) -> list[str]:
    lines = [pen.paint("coverage", "1")]
    for run in report.runs:
        lines += pen.wrap(
            f"{printable(run.root)}: {printable(run.layout)}, {wording.contract_of(run.contract, run.contract_source)}",
            "  run ",
            "      ",
        )
    covered = report.coverage
    lines += pen.wrap(wording.amount(len(covered.rules_run), "rule") + " ran", "  ")
    reasons = wording.skipped_by_reason(report)
    listed = reasons if verbose > 0 else reasons[:REASONS]
    for reason, rules, runs in listed:
        where = f" ({wording.amount(runs, 'run')})" if len(report.runs) > 1 else ""
        lines += pen.wrap(f"skipped, {reason}{where}: {', '.join(rules)}", "  ", "      ")
    if len(reasons) > len(listed):
        lines.append(f"  skipped for {wording.amount(len(reasons) - len(listed), 'more reason')} (-v lists them)")
    kinds = ", ".join(f"{count:,} {printable(kind)}" for kind, count in sorted(covered.files.by_kind.items()))
    lines += pen.wrap(f"{wording.amount(covered.files.total, 'file')}{f': {kinds}' if kinds else ''}", "  ", "      ")
    if covered.files.unknown:
        unknown = f"{wording.amount(len(covered.files.unknown), 'file')} of unknown kind"
        names = covered.files.unknown if verbose > 0 else covered.files.unknown[:3]
        more = ", …" if len(names) < len(covered.files.unknown) else ""
        lines += pen.wrap(f"{unknown}: {', '.join(printable(name) for name in names)}{more}", "  ", "      ")
    return [*lines, ""]


def _verdict(pen: _Pen, report: Report) -> list[str]:
    note = wording.explanation(report)
    last = pen.paint(wording.summary_line(report), COLORS.get(report.verdict, "1;31"))
    return [*([*pen.wrap(note, ""), ""] if note else []), last]


def _traces(pen: _Pen, report: Report) -> list[str]:
    lines: list[str] = []
    for trace in report.traces:
        lines += [pen.paint("trace", "1"), *(f"  {printable(line)}" for line in trace.split("\n")), ""]
    return lines
