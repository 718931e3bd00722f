import json
import re
import string
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_reports import SARIF, report

from omnicheck.model.report import Diagnostic, Report, RunSummary, SkippedRule, Suppression
from omnicheck.report import FORMATS, render
from omnicheck.report.plain import compact, plain, printable
from omnicheck.report.schema import json_schema

# Surrogates, controls and direction overrides must be common, not one in a million.
hostile = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\x1b\r\n\u2028\u202e\ud800\ufffe%:,`<>&@|]'\"\\")), max_size=20
)
values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=6,
)
positions = st.none() | st.integers(min_value=1)


@st.composite
def diagnostics(draw: st.DrawFn) -> Diagnostic:
    return Diagnostic(
        rule="SPL103",
        name=draw(hostile),
        severity=draw(st.sampled_from(["error", "warning", "info"])),
        path=draw(hostile),
        members=tuple(draw(st.lists(hostile, max_size=2))),
        pointer=draw(st.none() | hostile),
        line=draw(positions),
        row=draw(positions),
        tensor=draw(st.none() | hostile),
        node=draw(st.none() | hostile),
        message=draw(hostile),
        expected=draw(values),
        actual=draw(values),
        help=draw(hostile),
        fingerprint=draw(st.text(string.hexdigits, min_size=1, max_size=8)),
        suppressed=draw(st.none() | st.builds(Suppression, hostile, st.none() | hostile)),
        run=draw(hostile),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    run = draw(hostile)
    base = report()
    coverage = type(base.coverage)(("SPL103",), (SkippedRule("SPL104", run, draw(hostile)),), base.coverage.files)
    return report(
        verdict=draw(st.sampled_from(["pass", "fail", "incomplete", "error"])),
        findings=tuple(draw(st.lists(diagnostics(), max_size=3))),
        roots=(draw(hostile),),
        coverage=coverage,
        runs=(RunSummary(run, "flat", draw(st.none() | hostile), "config", {draw(hostile): (draw(hostile),)}),),
        traces=tuple(draw(st.lists(hostile, max_size=1))),
    )


@given(reports())
def test_people_never_get_control_characters(value: Report) -> None:
    for form in ("text", "concise", "github", "markdown", "html", "junit"):
        assert render(value, form, verbose=2).replace("\n", "").isprintable()


@given(reports())
def test_colour_is_the_only_escape(value: Report) -> None:
    text = render(value, "text", color=True, verbose=2)
    assert re.sub("\x1b\\[[0-9;]+m", "", text) == render(value, "text", verbose=2)


@given(reports())
def test_one_finding_is_one_line(value: Report) -> None:
    count = sum(found.suppressed is None for found in value.findings)
    noted = value.verdict in {"incomplete", "error"}
    assert len(render(value, "concise").splitlines()) == count + noted + 1
    commands = render(value, "github").splitlines()
    assert [line.startswith("::") for line in commands] == [True] * (count + noted) + [False]
    assert len(render(value, "jsonl").split("\n")) == len(value.findings) + 2


@given(reports())
def test_every_machine_format_parses(value: Report) -> None:
    ET.fromstring(render(value, "junit"))  # noqa: S314 - our own output
    json.loads(render(value, "gitlab"))
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(render(value, "json")))
    for line in render(value, "jsonl").rstrip("\n").split("\n"):
        json.loads(line)


@settings(max_examples=40)
@given(reports())
def test_sarif_always_fits_its_schema(value: Report) -> None:
    jsonschema.Draft4Validator(SARIF).validate(json.loads(render(value, "sarif", show_suppressed=True)))


@given(reports())
def test_html_holds_no_element_that_data_brought(value: Report) -> None:
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert {name for name, _ in attrs} <= {"class", "lang", "charset", "http-equiv", "content", "name"}

    Tags().feed(render(value, "html"))
    assert tags <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "article", "strong", "code", "br"),
        *("dl", "dt", "dd", "table", "tr", "th", "td", "ul", "li", "footer", "small"),
    }


@given(reports())
def test_every_format_ends_with_one_line_break(value: Report) -> None:
    for form in FORMATS:
        text = render(value, form)
        text.encode()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


@given(hostile)
def test_printable_text_stays_itself(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    if text.isprintable():
        assert printable(text) == text


@given(values)
def test_plain_values_are_json_and_stay_plain(value: Any) -> None:
    made = plain(value)
    assert plain(made) == made
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_a_deep_value_is_cut_and_a_long_one_is_counted() -> None:
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    assert "…" in compact(deep)
    assert compact("a" * 5000).endswith("… (5,002 characters)")
