"""JUnit XML: a test suite a run, a test case a rule."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from omnicheck.model.report import Diagnostic, Report
from omnicheck.report import wording
from omnicheck.report.plain import printable


def render(report: Report) -> str:
    """Render a report as JUnit XML.

    A rule that could not judge is ``<skipped>``, one whose findings fail the verdict is ``<failure>``; milder findings
    stand in ``<system-out>``. A verdict without a judgement is a suite of its own with an ``<error>``.
    """
    findings = wording.counting(report.findings)
    fatal = wording.failing(report)
    runs = dict.fromkeys((*(run.root for run in report.runs), *(found.run for found in findings)))
    suites = [_suite(report, run, tuple(found for found in findings if found.run == run), fatal) for run in runs]
    if note := wording.explanation(report):
        suites.append(_broken(report, note))
    root = ET.Element("testsuites", {"name": report.tool.name, **_totals(suites)})
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: Report, run: str, findings: tuple[Diagnostic, ...], fatal: frozenset[str]) -> ET.Element:
    skipped = {skip.rule: skip.reason for skip in report.coverage.rules_skipped if skip.run == run}
    judged = report.coverage.rules_run if any(run == known.root for known in report.runs) else ()
    cases = []
    for rule in sorted({*judged, *skipped, *(found.rule for found in findings)}):
        case = ET.Element("testcase", {"classname": printable(run), "name": rule})
        spoken = [found for found in findings if found.rule == rule]
        failed = [found for found in spoken if found.severity in fatal]
        mild = [found for found in spoken if found.severity not in fatal]
        if failed:
            failure = ET.SubElement(case, "failure", {"message": _headline(failed), "type": failed[0].severity})
            failure.text = "\n\n".join(map(_account, failed))
        elif rule in skipped and not mild:
            ET.SubElement(case, "skipped", {"message": printable(skipped[rule])})
        if mild:
            ET.SubElement(case, "system-out").text = "\n\n".join(map(_account, mild))
        cases.append(case)
    return _with_counts(printable(run), cases)


def _broken(report: Report, note: str) -> ET.Element:
    case = ET.Element("testcase", {"classname": report.tool.name, "name": "verdict"})
    ET.SubElement(case, "error", {"message": note, "type": report.verdict})
    return _with_counts("verdict", [case])


def _with_counts(name: str, cases: list[ET.Element]) -> ET.Element:
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    suite = ET.Element("testsuite", {"name": name, **counts})
    suite.extend(cases)
    return suite


def _totals(suites: list[ET.Element]) -> dict[str, str]:
    return {
        key: str(sum(int(suite.get(key, "0")) for suite in suites))
        for key in ("tests", "failures", "errors", "skipped")
    }


def _headline(findings: list[Diagnostic]) -> str:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{printable(findings[0].message)}{more}"


def _account(found: Diagnostic) -> str:
    where = wording.place(found)
    head = f"{wording.shown_path(found)}{f' at {where}' if where else ''}: {found.severity}: {printable(found.message)}"
    return "\n".join([head, *(f"  {label}: {value}" for label, value in wording.details(found))])
