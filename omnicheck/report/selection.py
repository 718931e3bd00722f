"""Which findings people are shown: a report of hundreds must stay readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from omnicheck.model.finding import SEVERITIES
from omnicheck.model.report import Diagnostic

PER_FILE = 3
"""Findings of one rule shown for one file."""
PER_RUN = 8
"""Findings of one rule shown for one run."""
IN_ALL = 50
"""Findings shown in all."""


class Selection(msgspec.Struct, frozen=True):
    """What is shown, in the order of the report, and how many of each rule are not."""

    shown: tuple[Diagnostic, ...]
    hidden: dict[str, int]


def select_shown(findings: Sequence[Diagnostic], *, everything: bool = False) -> Selection:
    """Choose findings within the bounds of this module, the graver ones first; all of them when asked for."""
    if everything:
        return Selection(tuple(findings), {})
    ranked = sorted(range(len(findings)), key=lambda i: (SEVERITIES.index(findings[i].severity), i))
    kept: list[int] = []
    hidden: Counter[str] = Counter()
    of_file: Counter[tuple[str, str]] = Counter()
    of_run: Counter[tuple[str, str]] = Counter()
    for i in ranked:
        found = findings[i]
        file, run = (found.rule, found.path), (found.rule, found.run)
        if len(kept) >= IN_ALL or of_file[file] >= PER_FILE or of_run[run] >= PER_RUN:
            hidden[found.rule] += 1
            continue
        of_file[file] += 1
        of_run[run] += 1
        kept.append(i)
    return Selection(tuple(findings[i] for i in sorted(kept)), dict(sorted(hidden.items())))


def hidden_line(hidden: dict[str, int]) -> str:
    """Return one sentence that counts the findings not shown; empty when there are none."""
    if not hidden:
        return ""
    rules = ", ".join(f"{rule} ({count:,})" for rule, count in hidden.items())
    return f"{sum(hidden.values()):,} more findings are not shown: {rules}."
