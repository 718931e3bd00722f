from __future__ import annotations

import json
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.model.errors import ReadError
from omnicheck.readers import jsonl
from omnicheck.readers.jsonl import read_jsonl, split_ranges
from omnicheck.readers.problem import Problem

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(['":', ' : "', '\\":', "{"])
ROWS = st.lists(
    st.dictionaries(
        TEXT,
        TEXT | st.integers() | st.lists(st.integers() | st.dictionaries(TEXT, TEXT, max_size=2), max_size=3),
        max_size=5,
    ),
    max_size=12,
)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "BLOCK", 32)


def read(data: bytes, **options: Any) -> tuple[list[tuple[int, Any]], list[Problem]]:
    """Read bytes through a file; rows come back with their line numbers."""
    problems: list[Problem] = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        chunks = list(read_jsonl(Path(file.name), problems, **options))
    assert all(chunk.rows for chunk in chunks)
    return [(chunk.first + offset, row) for chunk in chunks for offset, row in enumerate(chunk.rows)], problems


def told(problems: list[Problem]) -> list[tuple[str, int | None]]:
    return [(problem.kind, problem.line) for problem in problems]


@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 5))
def test_rows_come_back(rows: list[dict[str, Any]], end: str, last: bool, chunk_rows: int) -> None:
    data = end.join(json.dumps(row) for row in rows) + (end if last and rows else "")
    assert read(data.encode(), chunk_rows=chunk_rows) == (list(enumerate(rows, 1)), [])


@given(
    st.lists(st.binary(max_size=8) | st.sampled_from([b"{}", b'{"a":1}', b"", b"[", b'"']), max_size=12).map(b"\n".join)
)
def test_arbitrary_bytes_give_rows_or_problems_for_every_line(data: bytes) -> None:
    rows, problems = read(data)
    lines = data.split(b"\n")
    covered = {line for line, _ in rows} | {problem.line for problem in problems}
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and len(problems) <= 20:
        written = {number for number, line in enumerate(lines, 1) if line.strip()}
        assert written <= covered
    assert covered <= set(range(1, len(lines) + 1))


@given(ROWS.filter(bool), st.data())
def test_a_planted_repeated_key_is_always_found(rows: list[dict[str, Any]], choose: st.DataObject) -> None:
    at = choose.draw(st.integers(0, len(rows) - 1))
    colon = choose.draw(st.sampled_from([":", ": ", " :", "\t: "]))
    lines = [json.dumps(row) for row in rows]
    inner = f'{{"split"{colon}"train","split"{colon}"test"}}'
    lines[at] = choose.draw(st.sampled_from([inner, f'{{"x"{colon}[0,{inner}]}}']))
    found, problems = read("\n".join(lines).encode())
    assert told(problems) == [("duplicate-key", at + 1)]
    assert found[at] == (at + 1, json.loads(lines[at]))


@pytest.mark.usefixtures("small_blocks")
def test_blocks_do_not_show() -> None:
    rows = [{"id": index, "text": "x" * (index % 70)} for index in range(200)]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    assert read(data) == (list(enumerate(rows, 1)), [])


@pytest.mark.parametrize(
    ("data", "lines", "expected"),
    [
        (b"", [], []),
        (b'{"a":1}\n\n \n', [1], []),
        (b'{"a":1}\n\n{"a":2}\n', [1, 3], [("syntax", 2)]),
        (b'{"a":1}\n{"a":', [1], [("truncated", 2)]),
        (b'{"a":1}\n{"a":\n1}\n', [1], [("syntax", 2), ("syntax", 3)]),
        (b'{"a":1}{"a":2}\n', [], [("syntax", 1)]),
        (b'[1]\nnull\n"x"\n3\n', [], [("type", 1), ("type", 2), ("type", 3), ("type", 4)]),
        (b'\xef\xbb\xbf{"a":1}\n', [1], [("encoding", 1)]),
        ('{"a":1}\n'.encode("utf-16"), [], [("encoding", 1)]),
        (b'{"a":"\xff"}\n{"a":1}\n', [2], [("encoding", 1)]),
        (b'{"a":"\x00"}\n{"a":1}\n', [2], [("syntax", 1)]),
        (b'{"a":1e999}\n{"a":NaN}\n', [1, 2], [("not-finite", 1), ("not-finite", 2)]),
        (b'{"a":' + b"9" * 5000 + b"}\n", [1], [("not-finite", 1)]),
        (b'{"a":"\\ud800"}\n', [1], [("encoding", 1)]),
        (b'{"a":' + b"[" * 1_000_000 + b'\n{"a":1}\n', [2], [("too-deep", 1)]),
        (b'{"a":' + b"[" * 300 + b"]" * 300 + b"}\n", [], [("too-deep", 1)]),
    ],
)
def test_bad_lines_are_told_and_the_others_read(data: bytes, lines: list[int], expected: list[tuple[str, int]]) -> None:
    rows, problems = read(data)
    assert [line for line, _ in rows] == lines
    assert told(problems) == expected


def test_problems_are_capped_and_counted() -> None:
    _, problems = read(b"oops\n" * 500)
    assert len(problems) == 21
    assert problems[-1].message.startswith("480 more")


@pytest.mark.usefixtures("small_blocks")
def test_overlong_lines_are_skipped() -> None:
    long = b'{"a":"' + b"x" * 500 + b'"}'
    rows, problems = read(b'{"b":1}\n' + long + b'\n{"b":2}\n' + long, line_limit=100)
    assert rows == [(1, {"b": 1}), (3, {"b": 2})]
    assert told(problems) == [("too-large", 2), ("too-large", 4)]


def test_an_overlong_line_inside_one_block_is_skipped() -> None:
    rows, problems = read(b'{"b":1}\n{"a":"' + b"x" * 500 + b'"}\n{"b":2}\n', line_limit=100)
    assert [line for line, _ in rows] == [1, 3]
    assert told(problems) == [("too-large", 2)]


def test_a_huge_line_is_never_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.write(b'{"a":1}\n{"a":"')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"a":2}\n')
    problems: list[Problem] = []
    tracemalloc.start()
    rows = [(chunk.first, chunk.rows) for chunk in read_jsonl(path, problems, line_limit=1 << 20)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == [(1, [{"a": 1}]), (3, [{"a": 2}])]
    assert told(problems) == [("too-large", 2)]
    assert peak < 6 << 20


@given(st.lists(st.integers(0, 60), max_size=30), st.integers(1, 8), st.booleans())
def test_ranges_read_as_the_whole(lengths: list[int], parts: int, last: bool) -> None:
    rows = [{"i": index, "x": "y" * length} for index, length in enumerate(lengths)]
    data = ("\n".join(json.dumps(row) for row in rows) + ("\n" if last and rows else "")).encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        ranges = split_ranges(Path(file.name), parts)
        found: list[tuple[int, Any]] = []
        problems: list[Problem] = []
        for start, stop, line in ranges:
            for chunk in read_jsonl(Path(file.name), problems, start=start, stop=stop, first_line=line):
                found.extend(enumerate(chunk.rows, chunk.first))
    assert len(ranges) <= parts
    assert [ranges[0][0], ranges[-1][1]] == [0, len(data)]
    assert problems == []
    assert found == list(enumerate(rows, 1))


def test_blank_lines_at_the_end_of_a_range_are_told_when_text_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a":1}\n\n{"a":2}\n\n')
    for stop, expected in ((9, [("syntax", 2)]), (18, [])):
        problems: list[Problem] = []
        list(read_jsonl(path, problems, stop=stop))
        assert told(problems) == (expected if stop == 9 else [("syntax", 2)])


def test_a_file_that_grows_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a":1}\n' * 10)
    problems: list[Problem] = []
    chunks = read_jsonl(path, problems, chunk_rows=4)
    next(chunks)
    with path.open("ab") as file:
        file.write(b'{"a":2}\n')
    list(chunks)
    assert told(problems) == [("changed", None)]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "gone", "."):
        with pytest.raises(ReadError):
            list(read_jsonl(tmp_path / name, []))
        with pytest.raises(ReadError):
            split_ranges(tmp_path / name, 2)
