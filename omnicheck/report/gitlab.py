"""The Code Quality report of GitLab."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from omnicheck.model.finding import Severity
from omnicheck.model.report import Report
from omnicheck.report import wording
from omnicheck.report.plain import encodable, printable

SEVERITIES: dict[Severity, str] = {"error": "major", "warning": "minor", "info": "info"}


def render(report: Report) -> str:
    """Render the findings that count as a JSON array.

    An empty array means "clean" to GitLab, so a verdict without a judgement becomes an entry of its own. Fingerprints
    are made unique: GitLab shows one entry for each.
    """
    entries: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for found in wording.counting(report.findings):
        seen[found.fingerprint] += 1
        again = seen[found.fingerprint]
        where = wording.place(found, line=False)
        text = "; ".join([printable(found.message), *(f"{label}: {value}" for label, value in wording.details(found))])
        entries.append(
            {
                "description": f"{found.rule}: {f'{where}: ' if where else ''}{text}",
                "check_name": found.rule,
                "fingerprint": encodable(found.fingerprint if again == 1 else f"{found.fingerprint}-{again}"),
                "severity": SEVERITIES[found.severity],
                "location": {"path": encodable(found.path), "lines": {"begin": found.line or 1}},
            }
        )
    if note := wording.explanation(report):
        root = report.roots[0] if report.roots else "."
        entries.append(
            {
                "description": note,
                "check_name": "omnicheck",
                "fingerprint": f"omnicheck-{report.verdict}",
                "severity": "blocker",
                "location": {"path": encodable(root), "lines": {"begin": 1}},
            }
        )
    return msgspec.json.format(msgspec.json.encode(entries), indent=2).decode() + "\n"
