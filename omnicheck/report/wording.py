"""The sentences that several formats share: where a finding lies, what the verdict means, what was skipped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omnicheck.model.finding import SEVERITIES, Severity
from omnicheck.model.report import EXIT_CODES, Diagnostic, Report
from omnicheck.report.plain import compact, printable

CRASHED = "OMN003"
NOTHING = "OMN004"


def shown_path(found: Diagnostic) -> str:
    """Return the path for people: members of an archive follow after ``!/``."""
    return printable("!/".join((found.path, *found.members)))


def place(found: Diagnostic, *, line: bool = True) -> str:
    """Return where in the file a finding lies, as ``line 3, row 2, /a/b``; empty when it is about the whole file.

    With ``line=False`` the line is left out, for formats that have a field of their own for it. A row of JSON Lines is
    its line, and told once.
    """
    parts = (
        ("line ", found.line if line else None),
        ("row ", None if line and found.row == found.line else found.row),
        ("", found.pointer),
        ("tensor ", found.tensor),
        ("node ", found.node),
    )
    return ", ".join(f"{label}{printable(str(value))}" for label, value in parts if value is not None and value != "")


def details(found: Diagnostic) -> tuple[tuple[str, str], ...]:
    """Return the printable lines below a message, labelled expected, actual, help, suppressed; absent ones left out."""
    lines = [(label, compact(value)) for label, value in values(found)]
    if found.help:
        lines.append(("help", printable(" ".join(found.help.split()))))
    if found.suppressed is not None:
        until = f" (until {found.suppressed.until})" if found.suppressed.until else ""
        lines.append(("suppressed", printable(f"{found.suppressed.reason}{until}")))
    return tuple(lines)


def values(found: Diagnostic) -> tuple[tuple[str, Any], ...]:
    """Return what was expected and what stands there, where the rule named them."""
    if found.expected is None and found.actual is None:
        return ()
    if found.expected is None:
        return (("actual", found.actual),)
    return (("expected", found.expected), ("actual", found.actual))


def counting(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings that count: those that are not suppressed."""
    return tuple(found for found in findings if found.suppressed is None)


def failing(report: Report) -> frozenset[Severity]:
    """Return the severities that a format with only pass and fail shows as failures.

    Errors always; the milder ones only when the verdict is a failure that no graver finding explains (``--fail-on``).
    """
    severities: set[Severity] = set()
    for severity in SEVERITIES:
        severities.add(severity)
        if report.verdict != "fail" or getattr(report.summary, severity):
            break
    return frozenset(severities)


def summary_line(report: Report) -> str:
    """Return the last line of the text report: verdict, counts, files and runs."""
    counts = report.summary
    parts = [
        amount(counts.error, "error"),
        amount(counts.warning, "warning"),
        f"{counts.info} info",
    ]
    suppressed = f" ({counts.suppressed} suppressed)" if counts.suppressed else ""
    files = amount(report.coverage.files.total, "file")
    return f"verdict: {report.verdict} — {', '.join(parts)}{suppressed} in {files}, {amount(len(report.runs), 'run')}"


def explanation(report: Report) -> str:
    """Return what a verdict without a judgement means; empty for pass and fail."""
    code = EXIT_CODES[report.verdict]
    if report.verdict == "error":
        return (
            f"The check itself broke ({CRASHED} names the rule): what was not judged is not a pass (exit code {code})."
        )
    if report.verdict != "incomplete":
        return ""
    if not report.runs or not report.coverage.rules_run:
        where = ", ".join(printable(root) for root in report.roots) or "the given paths"
        return (
            f"Nothing was checked below {where}: no file has a role that a rule knows. "
            f"This is not a pass (exit code {code}); the config's [roles] can name your own layout."
        )
    return (
        f"A rule that profile {printable(report.config.profile)} requires could not judge: see what was skipped. "
        f"This is not a pass (exit code {code})."
    )


def skipped_by_reason(report: Report) -> tuple[tuple[str, tuple[str, ...], int], ...]:
    """Return what was skipped as (reason, rules, number of runs), the reason that silenced most rules first."""
    rules: dict[str, set[str]] = {}
    runs: dict[str, set[str]] = {}
    for skipped in report.coverage.rules_skipped:
        rules.setdefault(skipped.reason, set()).add(skipped.rule)
        runs.setdefault(skipped.reason, set()).add(skipped.run)
    ordered = sorted(rules, key=lambda reason: (-len(rules[reason]), reason))
    return tuple((printable(reason), tuple(sorted(rules[reason])), len(runs[reason])) for reason in ordered)


def contract_of(contract: str | None, source: str) -> str:
    """Return the contract of a run in words; without one, why, where the run names one that cannot judge it."""
    if contract is None:
        return "no contract" if source == "none" else printable(f"no contract: {source}")
    return printable(f"contract {contract} (by {source})")


def amount(number: int, noun: str) -> str:
    """Return ``3 errors`` or ``1 error``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
