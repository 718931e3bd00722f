"""Every rule: its passing fixtures yield nothing, its failing ones exactly ``expect.json``."""

from __future__ import annotations

import json
import os

import pytest

from omnicheck.engine.rulebook import load_rulebook
from tests.fixture_cases import ROOT, Case, cases, check_case, findings_of

CASES = list(cases())
PAGES = load_rulebook().pages


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fixture(case: Case) -> None:
    scope = PAGES[case.rule].rule.scope
    # What the engine itself says depends on the other rules: they run too, and only its own word is compared.
    report = check_case(case, select=(case.rule[:3],) if scope == "engine" else (case.rule,))
    found = [each for each in findings_of(report) if each["rule"] == case.rule]
    if not case.fails:
        assert found == []
        assert scope == "engine" or case.rule in report.coverage.rules_run, f"skipped: {report.coverage.rules_skipped}"
        return
    expected = case.folder / "expect.json"
    if os.environ.get("OMNICHECK_WRITE_EXPECT"):
        expected.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found, "the failing fixture yields no finding"
    assert found == json.loads(expected.read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", sorted(PAGES))
def test_rule_has_fixtures(rule: str) -> None:
    for outcome in ("pass", "fail"):
        assert any((ROOT / rule / outcome).glob("*/run*/")), f"fixtures/{rule}/{outcome}/<case>/run is missing"


@pytest.mark.parametrize("rule", sorted(PAGES))
def test_page_is_complete(rule: str) -> None:
    page = PAGES[rule]
    for title in ("What it does", "Why it matters", "Fails on", "Passes on", "How to fix"):
        assert f"## {title}\n" in page.prose, f"{page.path} lacks '## {title}'"
    assert page.rule.summary.endswith(".")
