from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.model.errors import ReadError
from omnicheck.readers.json_document import Document, line_of, parse_json, read_json
from omnicheck.readers.json_scan import count_key_tokens

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(['":', ':"', '\\":', "\\", '"', ' : "', "{[", '{"a": 1, "a": 2}']),
)
KEYS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4), st.sampled_from(["a", "b", '"', "\\", "~/"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
LAYOUTS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t : \n")])


def kinds(document: Document) -> list[str]:
    return [problem.kind for problem in document.problems]


@given(VALUES, LAYOUTS, st.booleans())
def test_valid_documents_read_as_the_standard_library_reads_them(
    value: Any, layout: tuple[str, str], ascii_: bool
) -> None:
    data = json.dumps(value, separators=layout, ensure_ascii=ascii_).encode()
    assert parse_json(data) == Document(json.loads(data))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]:,"\\u0dD8aftrne1.-+ \n', max_size=40).map(str.encode))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    document = parse_json(data)
    assert document.readable or document.problems
    msgspec.json.encode(document.value)
    for problem in document.problems:
        line_of(data, problem.pointer or "")
    try:
        json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        assert not document.readable or "encoding" in kinds(document)
    else:
        assert document.readable


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.lists(st.sampled_from(["x", 0]), max_size=4), LAYOUTS)
def test_a_planted_repeated_key_is_always_found(
    members: dict[str, Any], path: list[str | int], layout: tuple[str, str]
) -> None:
    comma, colon = layout
    written = [json.dumps(key) + colon + json.dumps(value, separators=layout) for key, value in members.items()]
    twice = next(iter(members))
    text = "{" + comma.join([*written, json.dumps(twice) + colon + '"last"']) + "}"
    for step in path:
        text = f'{{"{step}"{colon}{text}}}' if step else f"[{text}]"
    document = parse_json(text.encode())
    assert kinds(document) == ["duplicate-key"]
    pointer = "".join(f"/{step}" for step in reversed(path)) + "/" + twice.replace("~", "~0").replace("/", "~1")
    assert document.problems[0].pointer == pointer
    assert document.value == json.loads(text)


def test_repeated_keys_have_pointer_and_line() -> None:
    data = b'{"a": [\n {"b": 1,\n  "c/d": 2,\n  "b": 3}],\n "e": {"f":1,"\\u0066":2}}'
    problems = parse_json(data).problems
    assert [(problem.pointer, problem.line) for problem in problems] == [("/a/0/b", 4), ("/e/f", 5)]
    assert parse_json(data).value == {"a": [{"b": 3, "c/d": 2}], "e": {"f": 2}}


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 6000, "9" * 5000 + ".5"]
)
def test_numbers_that_are_not_finite_become_none(number: str) -> None:
    document = parse_json(f'{{"ok": 1,\n"bad": [0, {number}]}}'.encode())
    assert document.readable
    assert document.value == {"ok": 1, "bad": [0, None]}
    assert [(problem.kind, problem.pointer, problem.line) for problem in document.problems] == [
        ("not-finite", "/bad/1", 2)
    ]


def test_long_numbers_that_fit_are_kept() -> None:
    data = b"[1" + b"0" * 308 + b", 0." + b"0" * 400 + b'1, "' + b"9" * 400 + b'"]'
    assert parse_json(data) == Document([10**308, 0.0, "9" * 400])


def test_half_a_surrogate_pair_is_replaced_and_told() -> None:
    document = parse_json(b'{"a": "x\\ud800", "b\\udc00": "\\ud83d\\ude00"}')
    assert kinds(document) == ["encoding", "encoding"]
    assert document.value == {"a": "x\ufffd", "b\ufffd": "\U0001f600"}


@pytest.mark.parametrize(
    ("data", "kind", "line"),
    [
        (b"", "truncated", 1),
        (b" \n", "truncated", 1),
        (b'{"a": 1', "truncated", 1),
        (b'{"a":\n "unfinis', "truncated", 2),
        (b'{"a": tr', "truncated", 1),
        (b'{"a": 1,}', "syntax", 1),
        (b"{}\n{}", "syntax", 2),
        (b"\n{'a': 1}", "syntax", 2),
        (b'{"a": "\x00"}', "syntax", 1),
        (b'{\n"a": "\xff"}', "encoding", 2),
        ('{"a": 1}'.encode("utf-16"), "encoding", 1),
        (b"[" * 1_000_000, "too-deep", None),
        (b"[" * 1_000_000 + b"]" * 1_000_000, "too-deep", None),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "too-deep", None),
    ],
)
def test_unreadable_documents_say_why(data: bytes, kind: str, line: int | None) -> None:
    document = parse_json(data)
    assert not document.readable
    assert document.value is None
    assert [(problem.kind, problem.line) for problem in document.problems] == [(kind, line)]


def test_depth_is_exact_and_strings_do_not_nest() -> None:
    assert parse_json(b"[" * 200 + b"]" * 200).readable
    assert parse_json(json.dumps(["[" * 500, "\\" * 3 + '"' + "{" * 500]).encode()).problems == ()


def test_a_byte_order_mark_is_tolerated_and_told() -> None:
    document = parse_json(b'\xef\xbb\xbf{"a": 1}')
    assert document.value == {"a": 1}
    assert kinds(document) == ["encoding"]


def test_problems_are_capped_and_counted() -> None:
    document = parse_json(b"[" + b",".join([b"NaN"] * 50) + b"]")
    assert len(document.problems) == 21
    assert document.problems[-1].message.startswith("30 more")
    assert document.value == [None] * 50


def test_long_escaped_strings_cost_no_memory() -> None:
    data = b'["' + b"\\n" * 2_000_000 + b'", ' + b"[]," * 200 + b"NaN]"
    tracemalloc.start()
    document = parse_json(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kinds(document) == ["not-finite"]
    assert peak < 16 * len(data)


def test_read_json_bounds_the_size_and_refuses_what_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": 1}')
    assert read_json(path).value == {"a": 1}
    assert kinds(read_json(path, limit=7)) == ["too-large"]
    with pytest.raises(ReadError, match="directory"):
        read_json(tmp_path)


@given(VALUES, LAYOUTS, st.data())
def test_line_of_finds_every_value(value: Any, layout: tuple[str, str], choose: st.DataObject) -> None:
    marked, pointer = value, ""
    while isinstance(marked, dict | list) and marked:
        key = choose.draw(st.sampled_from(sorted(marked) if isinstance(marked, dict) else range(len(marked))))
        pointer += "/" + str(key).replace("~", "~0").replace("/", "~1")
        marked = marked[key]
    text = json.dumps(value, separators=layout)
    line = line_of(text.encode(), pointer)
    assert line is not None
    rest = "\n".join(text.split("\n")[line - 1 :])
    begins = json.dumps(marked, separators=layout).split("\n")[0]
    assert begins in rest.split("\n")[0]


def test_line_of_follows_the_last_of_repeated_keys_and_gives_up_quietly() -> None:
    data = b'{"a": 1,\n"a": [\n2,\n3]}'
    assert line_of(data, "") == 1
    assert line_of(data, "/a") == 2
    assert line_of(data, "/a/1") == 4
    for pointer in ("/b", "/a/2", "/a/x", "/a/1/0", "/a/-"):
        assert line_of(data, pointer) is None
    assert line_of(b"[" * 100_000, "/1/0") is None
    assert line_of(b'{"a":\n NaN, "b": oops', "/a") == 2
    assert line_of(b"", "") is None


def test_counting_keys_costs_little_more_than_the_document() -> None:
    data = b"{" + b'"a":" :",' * 100_000 + b'"b":2}'
    tracemalloc.start()
    counted = count_key_tokens(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counted == 100_001
    assert peak < 3 * len(data)
