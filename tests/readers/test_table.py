from __future__ import annotations

import csv
import io
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.model.errors import ReadError
from omnicheck.readers.problem import Problem
from omnicheck.readers.table import Table, read_csv, read_header, read_matrix

CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6) | st.sampled_from(
    ['a,"b"', '{"k": [1, 2]}', "x\ny", "x\r\ny"]
)


def read(data: bytes, **options: Any) -> tuple[list[tuple[int, Any]], list[Problem]]:
    problems: list[Problem] = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        chunks = list(read_csv(Path(file.name), problems, **options))
    assert all(chunk.rows for chunk in chunks)
    return [(chunk.first + offset, row) for chunk in chunks for offset, row in enumerate(chunk.rows)], problems


def told(problems: list[Problem]) -> list[tuple[str, int | None, int | None]]:
    return [(problem.kind, problem.line, problem.row) for problem in problems]


@given(st.data(), st.integers(1, 4), st.sampled_from(["\n", "\r\n"]), st.integers(1, 5))
def test_rows_come_back(choose: st.DataObject, width: int, end: str, chunk_rows: int) -> None:
    header = choose.draw(
        st.lists(CELL.filter(lambda cell: not cell.startswith("\ufeff")), min_size=width, max_size=width, unique=True)
    )
    rows = choose.draw(st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=8))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    data = text.getvalue().encode()
    expected = [(number, dict(zip(header, row, strict=True))) for number, row in enumerate(rows, 1)]
    assert read(data, chunk_rows=chunk_rows) == (expected, [])
    assert read(b"\xef\xbb\xbf" + data) == (expected, [])


@given(st.binary(max_size=80) | st.text(alphabet='ab,"\n\r\0é', max_size=60).map(str.encode))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    rows, problems = read(data)
    assert all(type(row) is dict for _, row in rows)
    if not data:
        assert problems


@pytest.mark.parametrize(
    ("data", "rows", "expected"),
    [
        (b"", [], [("truncated", 1, None)]),
        (b"a,b\n", [], []),
        (b"a,b\n1,2\n3\n4,5\n6,7,8\n", [1, 3], [("syntax", 3, 2), ("syntax", 5, 4)]),
        (b"a,a\n1,2\n", [1], [("duplicate-key", 1, None)]),
        (b'a,b\n1,2\n3,"open\n4,5\n', [1], [("truncated", 3, None)]),
        (b'a,b\n1,"x"y\n3,4\n', [2], [("syntax", 2, None)]),
        (b'a,"x"b\n1,2\n', [], [("syntax", 1, None)]),
        (b"a,b\n1,\xff\n", [1], [("encoding", 2, None)]),
        (b"a,b\n1,\x00\n", [1], [("syntax", 2, None)]),
        ("a,b\n1,2\n".encode("utf-16"), [], [("encoding", 1, None)]),
        (b"a,b\n\n1,2\n\n\n", [1], [("syntax", 2, None)]),
    ],
)
def test_bad_tables_say_where(data: bytes, rows: list[int], expected: list[tuple[str, int, int | None]]) -> None:
    found, problems = read(data)
    assert [row for row, _ in found] == rows
    assert told(problems) == expected


def test_lines_count_physical_lines_and_rows_count_records() -> None:
    _, problems = read(b'a,b\n"x\ny",1\nshort\n')
    assert told(problems) == [("syntax", 4, 2)]


def test_long_cells_are_read_up_to_the_limit() -> None:
    rows, problems = read(b"a,b\n1," + b"x" * 300_000 + b"\n")
    assert len(rows[0][1]["b"]) == 300_000
    assert problems == []
    rows, problems = read(b"a,b\n1,2\n" + b"x" * 300 + b"\n3,4\n", cell_limit=100)
    assert [row for row, _ in rows] == [1]
    assert told(problems) == [("too-large", 3, None)]


def test_a_quote_that_never_closes_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b'a,b\n1,"')
        for _ in range(20_000):
            file.write(b"x" * 1023 + b"\n")
    problems: list[Problem] = []
    tracemalloc.start()
    assert list(read_csv(path, problems, cell_limit=1 << 19)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told(problems) == [("too-large", 2, None)]
    assert peak < 8 << 20


def test_a_matrix_keeps_repeated_headers_and_ragged_rows(tmp_path: Path) -> None:
    path = tmp_path / "confusion.csv"
    path.write_bytes(b'true,"{""a"": 1}",x,x\r\nx,1,2\r\ny,3,4,5\r\n')
    problems: list[Problem] = []
    assert read_matrix(path, problems) == (["true", '{"a": 1}', "x", "x"], [["x", "1", "2"], ["y", "3", "4", "5"]])
    assert problems == []
    assert read_header(path, problems) == Table(("true", '{"a": 1}', "x", "x"))
    assert read_matrix(path, problems, limit=5) == ([], [])
    assert told(problems) == [("too-large", None, None)]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "gone", "."):
        with pytest.raises(ReadError):
            list(read_csv(tmp_path / name, []))
        with pytest.raises(ReadError):
            read_matrix(tmp_path / name, [])
