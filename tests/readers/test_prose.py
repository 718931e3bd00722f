from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.model.errors import ReadError
from omnicheck.readers.markdown import Bullet, Heading, facts, headings
from omnicheck.readers.problem import Problem
from omnicheck.readers.text import read_text
from omnicheck.readers.yaml_document import parse_yaml, read_yaml


def read(data: bytes, **options: Any) -> tuple[str, list[tuple[str, int | None]]]:
    problems: list[Problem] = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        text = read_text(Path(file.name), problems, **options)
    return text, [(problem.kind, problem.line) for problem in problems]


@given(st.binary(max_size=60), st.integers(1, 40))
def test_any_bytes_give_text(data: bytes, limit: int) -> None:
    text, problems = read(data, limit=limit)
    assert len(text) <= limit
    assert (len(data) > limit) == (("too-large", None) in problems)
    if not problems:
        assert text == data.decode("utf-8-sig")


def test_text_problems() -> None:
    assert read("é\nü".encode()) == ("é\nü", [])
    assert read(b"ok\n\xff") == ("ok\n\ufffd", [("encoding", 2)])
    assert read("hé".encode("utf-16"))[1] == [("encoding", 1)]
    assert read("éé".encode(), limit=3) == ("é", [("too-large", None)])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(PLAIN)
def test_what_yaml_dumps_comes_back(value: Any) -> None:
    document = parse_yaml(yaml.safe_dump(value, allow_unicode=True))
    assert document.problems == ()
    # A key such as "on" or "null" is quoted by the writer and text for the reader.
    assert document.value == value


@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!<>|'\"#\n \t?,~.1e", max_size=40).map(str.encode))
def test_any_bytes_give_a_yaml_document(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        document = read_yaml(Path(file.name))
    assert document.readable or document.problems
    json.dumps(document.value, allow_nan=False)
    msgspec.json.encode(document.value)


@pytest.mark.parametrize(
    ("text", "kind", "readable"),
    [
        ("a: &x [1]\nb: *x\n", "too-deep", False),
        ("[" * 5000, "too-deep", False),
        ("a: 1\nb: {c: 2, c: 3}\n", "duplicate-key", True),
        ("a: !!python/object/apply:os.system ['true']\n", "type", True),
        ("a: !!python/name:os.system\n", "type", True),
        ("a: .nan\n", "not-finite", True),
        ("a: " + "9" * 5000, "not-finite", True),
        ("a: 1e999999", None, True),
        ("a: [1", "syntax", False),
        ("a: 1\n---\nb: 2\n", "syntax", False),
        ("a: \x00", "syntax", False),
        ("? [1, 2]\n: 3\n", "type", True),
        ("a: !!int x", "type", True),
    ],
)
def test_bad_yaml_is_told(text: str, kind: str | None, readable: bool) -> None:
    document = parse_yaml(text)
    assert [problem.kind for problem in document.problems][:1] == ([kind] if kind else [])
    assert document.readable == readable


def test_yaml_keys_and_dates_stay_text() -> None:
    document = parse_yaml("on: 2024-01-02\n1: yes\nlr: 1.0e-4\n")
    assert document.value == {"on": "2024-01-02", "1": True, "lr": 0.0001}
    problem = parse_yaml("a: 1\nb:\n  c: 2\n  c: 3\n").problems[0]
    assert (problem.pointer, problem.line) == ("/b/c", 4)


def test_yaml_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    assert read_yaml(path).value == {"a": 1}
    assert [problem.kind for problem in read_yaml(path, limit=3).problems] == ["too-large"]
    with pytest.raises(ReadError):
        read_yaml(tmp_path)


REPORT = """# Run *report* #
- Final train loss: 0.12
- Run id: `run: x`
* **Macro F1:** 0.31
* **Accuracy**: `0.5` of all
1. See https://example.org/a:b
  - Nested: yes
- Empty:
- no fact here

| Metric | Value |
| --- | ---: |
| `macro_f1` | **0.31** |
| a \\| b | 2 |

| a | b | c |
|---|---|---|
| 1 | 2 | 3 |
```python
# no heading
- no: fact
```
### C#
"""


def test_facts_and_headings() -> None:
    assert facts(REPORT) == [
        Bullet("Final train loss", "0.12", 2),
        Bullet("Run id", "run: x", 3),
        Bullet("Macro F1", "0.31", 4),
        Bullet("Accuracy", "`0.5` of all", 5),
        Bullet("Nested", "yes", 7),
        Bullet("Empty", "", 8),
        Bullet("macro_f1", "0.31", 13),
        Bullet("a | b", "2", 14),
    ]
    assert headings(REPORT) == [Heading(1, "Run *report*", 1), Heading(3, "C#", 23)]
    assert facts(REPORT.replace("\n", "\r\n")) == facts(REPORT)


@given(st.text(alphabet="-*#|`~: ab\n\r\\_1.", max_size=80))
def test_any_text_is_markdown(text: str) -> None:
    lines = text.split("\n")
    assert all(1 <= fact.line <= len(lines) and fact.key for fact in facts(text))
    assert all(lines[heading.line - 1].lstrip().startswith("#" * heading.level) for heading in headings(text))
