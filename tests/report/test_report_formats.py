import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from sample_reports import FINDINGS, SARIF, clean, crashed, diagnostic, empty, flood, report

from omnicheck.model.errors import UsageError
from omnicheck.model.report import EXIT_CODES, Report, Summary
from omnicheck.model.rule import Rule
from omnicheck.report import FORMATS, render
from omnicheck.report.schema import json_schema

RULE = Rule(
    id="SPL103", name="window-overlap", summary="Windows overlap.", severity="error", check="split.x", since="0.1"
)
BROKEN = [empty(), crashed(), empty("error"), report(verdict="incomplete")]


def check_sarif(text: str) -> dict:
    log = json.loads(text)
    jsonschema.Draft4Validator(SARIF).validate(log)
    return log["runs"][0]


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no format 'yaml'"):
        render(report(), "yaml")


@pytest.mark.parametrize("value", [report(), clean(), empty(), crashed(), flood()])
def test_json_fits_its_schema(value: Report) -> None:
    text = render(value, "json")
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(text))
    assert ("traces" in json.loads(text)) == bool(value.traces)


def test_the_schema_refuses_what_is_not_a_report() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    value = json.loads(render(report(), "json"))
    for wrong in (
        value | {"verdict": "fine"},
        value | {"schema_version": "2"},
        {k: value[k] for k in value if k != "coverage"},
    ):
        assert list(validator.iter_errors(wrong))


def test_json_has_the_keys_of_the_design_in_their_order() -> None:
    value = json.loads(render(report(), "json"))
    assert list(value) == [
        "schema_version",
        "tool",
        "config",
        "roots",
        "verdict",
        "summary",
        "findings",
        "coverage",
        "runs",
    ]
    assert list(value["findings"][0]) == [
        *("rule", "name", "severity", "path", "members", "pointer", "line", "row", "tensor", "node"),
        *("message", "expected", "actual", "help", "fingerprint", "suppressed", "run"),
    ]
    assert value["findings"][2]["actual"]["share"] == "NaN"
    assert value["findings"][5]["suppressed"] == {
        "reason": "transposed on purpose, see the card",
        "until": "2031-01-31",
    }


def test_jsonl_repeats_the_findings_of_json_and_ends_with_the_verdict() -> None:
    *findings, last = map(json.loads, render(report(), "jsonl").splitlines())
    assert findings == json.loads(render(report(), "json"))["findings"]
    assert (last["verdict"], last["exit_code"]) == ("fail", 1)


@pytest.mark.parametrize("value", [report(), clean(), empty(), crashed(), flood()])
@pytest.mark.parametrize("show", [False, True])
def test_sarif_fits_the_official_schema(value: Report, show: bool) -> None:
    run = check_sarif(render(value, "sarif", rules=(RULE,), show_suppressed=show))
    assert run["invocations"][0]["exitCode"] == EXIT_CODES[value.verdict]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_leaves_suppressed_results_out_unless_asked() -> None:
    left = check_sarif(render(report(), "sarif"))["results"]
    kept = check_sarif(render(report(), "sarif", show_suppressed=True))["results"]
    assert len(left) == len(FINDINGS) - 1
    assert [result["suppressions"] for result in kept if "suppressions" in result] == [
        [{"kind": "external", "justification": "transposed on purpose, see the card"}]
    ]


def test_sarif_says_where_and_how_to_mend() -> None:
    run = check_sarif(render(report(), "sarif", rules=(RULE,)))
    by_rule = {result["ruleId"]: result for result in run["results"]}
    metric = by_rule["MET201"]["locations"][0]
    assert metric["physicalLocation"]["region"] == {"startLine": 3}
    assert metric["logicalLocations"] == [{"fullyQualifiedName": "/accuracy", "kind": "value"}]
    assert by_rule["SPL103"]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "row 13"
    log = by_rule["RUN104"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert log == "results/flawed/train%0A%3A%3Aerror%3A%3Alog%20%2525.txt"
    rule = next(rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "SPL103")
    assert rule["shortDescription"] == {"text": "Windows overlap."}
    assert rule["help"]["text"] == (
        "Windows overlap. Split by episode, then cut windows. `omnicheck explain SPL103` tells more."
    )
    assert by_rule["MET201"]["partialFingerprints"] == {"omnicheck/v1": "aa02"}


def test_github_escapes_what_would_end_a_command() -> None:
    lines = render(report(), "github").splitlines()
    assert len(lines) == len(FINDINGS) - 1 + 1
    log = next(line for line in lines if "RUN104" in line)
    assert log.startswith(r"::warning file=results/flawed/train\n%3A%3Aerror%3A%3Alog %2525.txt,line=7,title=RUN104 ")
    assert lines[1].split("::")[1] == "error file=results/flawed/eval/metrics.json,line=3,title=MET201 accuracy-differs"
    assert "%0Aexpected: 0.75%0Aactual: 0.9%0Ahelp: " in lines[1]


def test_gitlab_fingerprints_are_unique_and_lines_are_there() -> None:
    entries = json.loads(render(report(), "gitlab"))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries) == len(FINDINGS) - 1
    assert [entry["location"]["lines"]["begin"] for entry in entries] == [1, 3, 1, 1, 7]


def test_junit_counts_failures_skips_and_milder_findings() -> None:
    root = ET.fromstring(render(report(), "junit"))  # noqa: S314 - our own output
    assert (root.get("failures"), root.get("skipped"), root.get("errors")) == ("2", "4", "0")
    flawed, other = root.findall("testsuite")
    cases = {case.get("name"): case for case in flawed}
    assert "(and 1 more)" in cases["SPL103"].find("failure").get("message")
    assert cases["RUN104"].find("failure") is None
    assert "The log ends" in cases["RUN104"].find("system-out").text
    assert cases["MET302"].find("skipped").get("message") == "no confusion matrix"
    assert [child.tag for case in other for child in case] == ["skipped", "skipped"]


def test_junit_fails_when_only_a_warning_failed_the_verdict() -> None:
    warning = diagnostic(severity="warning")
    value = report(findings=(warning,), summary=Summary(0, 1, 0, 0))
    assert 'failures="1"' in render(value, "junit")


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in {"json", "jsonl"}])
@pytest.mark.parametrize("value", BROKEN)
def test_a_verdict_without_a_judgement_is_told_in_words(form: str, value: Report) -> None:
    assert "not a pass" in render(value, form).replace("\n", " ")


def test_an_empty_result_is_a_failure_for_tools_that_only_count() -> None:
    assert json.loads(render(empty(), "gitlab"))[0]["severity"] == "blocker"
    assert 'errors="1"' in render(empty(), "junit")
    assert render(empty(), "github").startswith("::error title=")
    assert check_sarif(render(empty(), "sarif"))["invocations"][0]["executionSuccessful"] is False


def test_html_has_no_script_and_fetches_nothing() -> None:
    page = render(report(), "html")
    assert "<script" not in page
    assert not re.search(r"\b(src|href)=", page)
    assert "&lt;script&gt;" in page


def test_markdown_mentions_nobody() -> None:
    assert "@<!-- -->nobody" in render(report(), "markdown")
    assert "macro\\_f1@union" in render(report(), "markdown")
    assert "<script>" not in render(report(), "markdown")


def test_text_shows_all_only_when_asked() -> None:
    few, every = render(flood(), "text"), render(flood(), "text", verbose=1)
    assert few.count("window-overlap-across-splits") == 24
    assert every.count("window-overlap-across-splits") == 200
    assert "176 more findings are not shown: MET201 (59), PRD105 (58), SPL103 (59)." in few.replace("\n", " ")
    assert render(flood(), "text", verbose=-1).splitlines() == every.splitlines()[-1:]


def test_the_bound_of_the_text_report_keeps_the_grave_ones() -> None:
    mild = [diagnostic(rule=f"MET{i}", severity="info", path=f"a{i}", run=f"r{i}") for i in range(80)]
    grave = [diagnostic(rule=f"SPL{i}", path=f"z{i}", run=f"r{i}") for i in range(30)]
    text = render(report(findings=(*mild, *grave)), "text")
    assert (text.count("  error SPL"), text.count("  info MET")) == (30, 20)


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_loads_no_other_and_nothing_heavy(form: str) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from sample_reports import report
from omnicheck.report import FORMATS, render
render(report(), {form!r})
others = [f"omnicheck.report.{{name}}" for name in FORMATS if name != {form!r}]
heavy = ["pydantic", "rich", "numpy", "jsonschema", "yaml", "typer"]
print([name for name in (*others, *heavy) if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
