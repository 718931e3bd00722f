"""SARIF 2.1.0, for code scanning services and editors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from omnicheck.model.finding import Severity
from omnicheck.model.report import EXIT_CODES, Diagnostic, Report
from omnicheck.model.rule import Rule
from omnicheck.report import wording
from omnicheck.report.plain import encodable, printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
FINGERPRINT = "omnicheck/v1"


def render(report: Report, *, rules: Sequence[Rule] = (), show_suppressed: bool = False) -> str:
    """Render a report as one SARIF run.

    Args:
        report: what to render.
        rules: the rules in force; they give each id its description, level and help.
        show_suppressed: keep suppressed findings. Upload services ignore the mark, so they are left out by default.
    """
    findings = report.findings if show_suppressed else wording.counting(report.findings)
    spoken = {found.rule: found for found in reversed(findings)}
    ids = sorted({*spoken, *report.coverage.rules_run})
    known = {rule.id: rule for rule in rules}
    index = {rule: i for i, rule in enumerate(ids)}
    driver = {
        "name": report.tool.name,
        "version": report.tool.version,
        "semanticVersion": report.tool.version,
        "rules": [_rule(rule, spoken.get(rule), known.get(rule)) for rule in ids],
        "properties": {"rulesDigest": report.tool.rules_digest},
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, index) for found in findings],
        "properties": {"verdict": report.verdict},
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rule(rule_id: str, spoken: Diagnostic | None, rule: Rule | None) -> dict[str, Any]:
    described: dict[str, Any] = {"id": rule_id}
    advice = [spoken.help] if spoken is not None and spoken.help else []
    if rule is not None:
        described["name"] = rule.name
        described["shortDescription"] = {"text": rule.summary}
        described["defaultConfiguration"] = {"level": LEVELS[rule.severity]}
        advice = [rule.summary, *advice]
    elif spoken is not None:
        described["name"] = encodable(spoken.name)
    advice.append(f"`omnicheck explain {rule_id}` tells more.")
    return described | {"help": {"text": encodable(" ".join(advice))}}


def _result(found: Diagnostic, index: dict[str, int]) -> dict[str, Any]:
    text = [printable(found.message), *(f"{label}: {value}" for label, value in wording.details(found))]
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "ruleIndex": index[found.rule],
        "level": LEVELS[found.severity],
        "message": {"text": "\n".join(text)},
        "locations": [_location(found)],
        "partialFingerprints": {FINGERPRINT: encodable(found.fingerprint)},
        "properties": {"run": encodable(found.run)},
    }
    if found.suppressed is not None:
        result["suppressions"] = [{"kind": "external", "justification": encodable(found.suppressed.reason)}]
    return result


def _location(found: Diagnostic) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(encodable(found.path), safe="/")}}
    if found.line is not None and found.line > 0:
        physical["region"] = {"startLine": found.line}
    logical = [
        {"fullyQualifiedName": encodable(str(value)), "kind": kind}
        for kind, value in (
            ("member", "!/".join(found.members)),
            ("value", found.pointer),
            ("element", f"row {found.row}" if found.row is not None else None),
            ("tensor", found.tensor),
            ("node", found.node),
        )
        if value
    ]
    return {"physicalLocation": physical, **({"logicalLocations": logical} if logical else {})}


def _invocation(report: Report) -> dict[str, Any]:
    invocation: dict[str, Any] = {
        "executionSuccessful": report.verdict not in {"error", "incomplete"},
        "exitCode": EXIT_CODES[report.verdict],
        "exitCodeDescription": f"verdict: {report.verdict}",
    }
    if note := wording.explanation(report):
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": {"text": note}}]
    return invocation
