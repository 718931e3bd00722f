"""The catalogue: every promised rule has a page, a check and its severity; ``docs/rules.md`` is what the pages say.

``UPDATE_SNAPSHOTS=1 pytest tests/test_rule_catalogue.py`` writes the table anew.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from omnicheck.checks.declare import decode_params, find_check
from omnicheck.engine.rulebook import FAMILY_ORDER, Page, load_rulebook, section
from omnicheck.facts.registry import provider
from omnicheck.facts.source import Source

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "rules.md"
PAGES = load_rulebook().pages
SPOKEN_BY_THE_ENGINE = {"OMN001", "OMN002", "OMN003", "OMN004", "OMN005", "CTR102"}
FAMILIES = {
    "OMN": "The tool itself",
    "CTR": "Contracts",
    "EVD": "Evidence",
    "CNT": "Counts",
    "SPL": "Splits and leakage",
    "PRD": "Predictions",
    "MET": "Metrics",
    "SHD": "Shards",
    "RUN": "Logs and provenance",
    "CLM": "Claims",
    "LOR": "Adapters and safetensors",
    "ONX": "ONNX models",
    "KVC": "KV caches",
    "PAR": "Parity",
    "PRM": "Prompts, tokenizers and masks",
    "PUB": "Publication safety",
    "SEC": "Secrets and identity",
    "BND": "Bundles",
    "DEV": "On-device loaders",
    "PRO": "Promotion",
    "SES": "Sessions and gestures",
}

CATALOGUE = "".join(path.read_text("utf-8") for path in sorted((ROOT / "tests" / "catalogue").glob("*.txt")))
"""The promised rules, a file for each family: id, severity, name."""
PROMISED = {line.split()[0]: (line.split()[1], line.split()[2]) for line in CATALOGUE.splitlines()}


def rule_table() -> str:
    """Return ``docs/rules.md``: all rules by family, with severity, summary and a link to the page."""
    lines = [
        "# Rules",
        "",
        "One row for each rule; the link leads to its page, which `omnicheck explain ID` prints as well. A severity in",
        "brackets holds in profile `publish`, the others in `lint`; a `required` rule must have judged a run before it",
        "may be published. Written from the pages by `UPDATE_SNAPSHOTS=1 pytest tests/test_rule_catalogue.py`.",
    ]
    for family, pages in groupby(PAGES.values(), key=lambda page: page.rule.family):
        lines += ["", f"## {family}: {FAMILIES[family].lower()}", ""]
        lines += ["| id | severity | before publication | name | fires when |", "|---|---|---|---|---|"]
        lines += [_row(page) for page in pages]
    return "\n".join(lines) + "\n"


def _row(page: Page) -> str:
    rule = page.rule
    severity: str = rule.severity
    if "publish" in rule.profile:
        severity += f" ({rule.profile['publish'].severity})"
    summary = rule.summary.replace("|", "\\|")
    return f"| [{rule.id}](../rules/{page.path}) | {severity} | {rule.publish} | {rule.name} | {summary} |"


def test_the_table_of_rules_is_current() -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        TABLE.write_text(rule_table(), "utf-8")
    assert TABLE.read_text("utf-8") == rule_table(), (
        "stale: run `UPDATE_SNAPSHOTS=1 pytest tests/test_rule_catalogue.py`"
    )


def test_every_link_of_the_table_leads_to_a_page() -> None:
    links = [line.split("](")[1].split(")")[0] for line in rule_table().splitlines() if line.startswith("| [")]
    assert len(links) == len(PAGES)
    assert [link for link in links if not (TABLE.parent / link).is_file()] == []


def test_every_promised_rule_has_a_page_and_no_page_is_unknown() -> None:
    assert sorted(set(PROMISED) - set(PAGES)) == [], "promised, but without a page"
    assert sorted(set(PAGES) - set(PROMISED)) == [], "a page, but not in tests/catalogue"
    assert {rule[:3] for rule in PAGES} <= set(FAMILY_ORDER)


@pytest.mark.parametrize("rule", sorted(set(PROMISED) & set(PAGES)))
def test_a_rule_has_the_name_and_severity_of_the_catalogue(rule: str) -> None:
    page = PAGES[rule]
    assert (page.rule.severity, page.rule.name) == PROMISED[rule]
    assert Path(page.path).name == f"{rule}-{page.rule.name}.md"


@pytest.mark.parametrize("rule", sorted(PAGES))
def test_the_check_of_a_page_exists_and_takes_its_parameters(rule: str) -> None:
    spec = PAGES[rule].rule
    if spec.scope == "engine":
        assert rule in SPOKEN_BY_THE_ENGINE
        assert spec.check == ""
        return
    found = find_check(spec.check)
    decode_params(found, spec.params)
    assert (found.params is not None) or not spec.params
    assert found.wants, f"{spec.check} asks for no fact"
    for want in found.wants:
        if want.fact is not Source:
            assert provider(want.fact).absent
        assert (want.arity == "each") == (spec.scope == "across"), f"{spec.check} asks for {want.name} in another scope"


@pytest.mark.parametrize("rule", sorted(PAGES))
def test_a_page_ends_with_advice(rule: str) -> None:
    advice = section(PAGES[rule].prose, "How to fix").split("\n\n")[0]
    assert advice.endswith((".", ")", "`"))
    assert advice[0].isupper() or advice[0] == "`"


def test_variants_that_checks_use_are_declared_and_declared_ones_are_used() -> None:
    named = {path.stem: set(_variants(path)) for path in sorted((ROOT / "omnicheck" / "checks").glob("*.py"))}
    for module, used in named.items():
        declared = {
            variant
            for page in PAGES.values()
            if page.rule.check.partition(".")[0] == module
            for variant in page.rule.variants
        }
        assert used <= declared, f"checks/{module}.py names variants that no page of it declares"
    texts = {
        node.value
        for path in (ROOT / "omnicheck").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for rule, page in PAGES.items():
        assert set(page.rule.variants) <= texts, f"{rule} declares a variant that nothing speaks"


def _variants(path: Path) -> Iterator[str]:
    """Yield the texts that a module passes as ``variant``; those that come from data are not seen here."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "variant":
            branches = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
            for each in branches:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value
