"""What was judged and what was not, for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from omnicheck.engine.redact import redact_text
from omnicheck.engine.unit import RunResult, Unit
from omnicheck.model.report import Coverage, FileCoverage, RunSummary, SkippedRule
from omnicheck.runs.discover import Found


def coverage_of(results: Sequence[RunResult], skipped: tuple[SkippedRule, ...], found: Found) -> Coverage:
    """Return which rules ran, which were skipped and why, and what kinds of files were seen."""
    files = [file for run in (*found.runs, found.tree) for file in run.files]
    kinds = Counter(file.kind for file in files)
    return Coverage(
        rules_run=tuple(sorted({rule for result in results for rule in result.ran})),
        rules_skipped=tuple(msgspec.structs.replace(each, reason=redact_text(each.reason)) for each in skipped),
        files=FileCoverage(
            total=len(files),
            by_kind=dict(sorted(kinds.items())),
            unknown=tuple(sorted(file.path for file in files if file.kind in ("unknown", "unreadable"))),
        ),
    )


def summary_of(unit: Unit) -> RunSummary:
    """Return a run as it was understood."""
    run = unit.run
    roles: dict[str, list[str]] = {}
    for file in run.files:
        if file.role is not None:
            roles.setdefault(file.role, []).append(file.path)
    return RunSummary(
        root=run.path,
        layout=run.layout,
        contract=None if run.contract is None else redact_text(run.contract),
        contract_source=redact_text(run.contract_source),
        roles={role: tuple(paths) for role, paths in sorted(roles.items())},
    )
