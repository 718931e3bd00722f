"""The report: what every output format renders."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from omnicheck.model.bundle import BundleRecord
from omnicheck.model.finding import Severity

Verdict = Literal["pass", "fail", "incomplete", "error"]

EXIT_CODES: dict[Verdict, int] = {"pass": 0, "fail": 1, "error": 2, "incomplete": 3}


class Suppression(Struct, frozen=True):
    """Why a finding does not count."""

    reason: str
    until: str | None = None


class Diagnostic(Struct, frozen=True, kw_only=True):
    """A finding under a rule: the form it has in a report. Fields as in ``Finding``."""

    rule: str
    name: str
    severity: Severity
    path: str
    members: tuple[str, ...]
    pointer: str | None
    line: int | None
    row: int | None
    tensor: str | None
    node: str | None
    message: str
    expected: Any
    actual: Any
    help: str
    fingerprint: str
    suppressed: Suppression | None
    run: str


class Tool(Struct, frozen=True):
    """Which tool judged, by which rules."""

    name: str
    version: str
    rules_digest: str


class ConfigSummary(Struct, frozen=True):
    """Which configuration was in force."""

    path: str | None
    digest: str
    profile: str


class Summary(Struct, frozen=True):
    """Counts of findings that count, and of those that are suppressed."""

    error: int
    warning: int
    info: int
    suppressed: int


class SkippedRule(Struct, frozen=True, order=True):
    """A rule that could not judge a run, and why."""

    rule: str
    run: str
    reason: str


class FileCoverage(Struct, frozen=True):
    """How many files were seen, by kind; the unknown ones by path."""

    total: int
    by_kind: dict[str, int]
    unknown: tuple[str, ...]


class Coverage(Struct, frozen=True):
    """What was judged and what was not: silence is not a pass."""

    rules_run: tuple[str, ...]
    rules_skipped: tuple[SkippedRule, ...]
    files: FileCoverage


class RunSummary(Struct, frozen=True):
    """A run as it was understood."""

    root: str
    layout: str
    contract: str | None
    contract_source: str
    roles: dict[str, tuple[str, ...]]


class Report(Struct, frozen=True, kw_only=True):
    """The whole answer. ``schemas/report.schema.json`` describes its JSON form.

    ``traces`` stands in the JSON only when a check crashed, ``bundle`` only in the report that a bundle carries.
    """

    schema_version: str = "1"
    tool: Tool
    config: ConfigSummary
    roots: tuple[str, ...]
    verdict: Verdict
    summary: Summary
    findings: tuple[Diagnostic, ...]
    coverage: Coverage
    runs: tuple[RunSummary, ...]
    traces: tuple[str, ...] = ()
    bundle: BundleRecord | None = None
