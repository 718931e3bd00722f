"""CSV tables (RFC 4180), streamed."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from omnicheck.readers.gate import open_regular, stamp
from omnicheck.readers.json_document import wide_encoding
from omnicheck.readers.json_scan import brief
from omnicheck.readers.jsonl import Chunk, Row
from omnicheck.readers.problem import Problem, Tally

CELL_LIMIT = 16 << 20


class Table(Struct, frozen=True):
    """What a table's header says.

    Attributes:
        columns: names in order, as they stand there.
    """

    columns: tuple[str, ...]


class _Record(Struct):
    """One record: its cells (None when it is broken), and the physical line it begins on."""

    line: int
    cells: list[str] | None


class _TooLongError(Exception):
    """A record is longer than the limit."""


def read_header(path: Path, problems: list[Problem], *, cell_limit: int = CELL_LIMIT) -> Table:
    """Read the header of a table; no columns when it has none.

    Raises:
        ReadError: the file cannot be opened.
    """
    tally = Tally(problems)
    with open_regular(path) as stream:
        record = next(_records(stream, tally, cell_limit), None)
    tally.close()
    return Table(tuple(record.cells or ()) if record else ())


def read_csv(
    path: Path, problems: list[Problem], *, chunk_rows: int = 4096, cell_limit: int = CELL_LIMIT
) -> Iterator[Chunk]:
    """Yield the rows of a table with a header, in chunks of consecutive data rows.

    Rows with too few or too many cells are left out and told.

    Args:
        path: where it is.
        problems: where problems go; complete once the iterator is exhausted or closed.
        chunk_rows: most rows in a chunk.
        cell_limit: longest record in bytes; reading ends at a longer one, because its end cannot be known.

    Raises:
        ReadError: the file cannot be opened.
    """
    tally = Tally(problems)
    try:
        with open_regular(path) as stream:
            before = stamp(stream)
            records = _records(stream, tally, cell_limit)
            header = next(records, None)
            if header is not None and header.cells is not None:
                _tell_repeated(header.cells, header.line, tally)
                yield from _rows(header.cells, records, tally, chunk_rows)
            elif before[0] == 0:
                tally.add(Problem("empty, without a header", line=1, kind="truncated"))
            if stamp(stream) != before:
                tally.add(Problem("the file changed while it was read", kind="changed"))
    except OSError as error:
        tally.add(Problem(f"cannot be read further: {error.strerror}", kind="unreadable"))
    finally:
        tally.close()


def read_matrix(path: Path, problems: list[Problem], *, limit: int = CELL_LIMIT) -> tuple[list[str], list[list[str]]]:
    """Read a whole table as header and raw rows; header names may repeat, rows may be ragged.

    Args:
        path: where it is.
        problems: where problems go.
        limit: largest size in bytes that is read; a larger file gives nothing but a problem.

    Raises:
        ReadError: the file cannot be opened.
    """
    tally = Tally(problems)
    with open_regular(path) as stream:
        size = stamp(stream)[0]
        if size > limit:
            tally.add(Problem(f"{size} bytes, more than the {limit} that are read", kind="too-large"))
            return [], []
        records = [record.cells for record in _records(stream, tally, limit) if record.cells is not None]
    tally.close()
    return (records[0], records[1:]) if records else ([], [])


def _rows(columns: list[str], records: Iterator[_Record], tally: Tally, chunk_rows: int) -> Iterator[Chunk]:
    width = len(columns)
    rows: list[Row] = []
    first = 1
    for number, record in enumerate(records, 1):
        whole = record.cells is not None and len(record.cells) == width
        if record.cells is not None and whole:
            if not rows:
                first = number
            rows.append(dict(zip(columns, record.cells, strict=True)))
        elif record.cells is not None:
            message = f"{len(record.cells)} cells under {width} columns"
            tally.add(Problem(message, line=record.line, row=number))
        if rows and (not whole or len(rows) == chunk_rows):
            yield Chunk(first, rows)
            rows = []
    if rows:
        yield Chunk(first, rows)


def _tell_repeated(names: list[str], line: int, tally: Tally) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            tally.add(Problem(f"column {brief(name)} stands twice in the header", line=line, kind="duplicate-key"))
        seen.add(name)


class _Lines:
    """Decoded physical lines for the parser, counted, within the bound of one record."""

    def __init__(self, stream: BinaryIO, tally: Tally, limit: int) -> None:
        self._stream = stream
        self._tally = tally
        self._limit = limit
        self._held = 0
        self.line = 0
        self.first = 1

    def begin_record(self) -> None:
        """The next line begins a record."""
        self._held = 0
        self.first = self.line + 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(self._limit + 1)
        if not line:
            raise StopIteration
        self.line += 1
        self._held += len(line)
        if self._held > self._limit:
            raise _TooLongError
        if self.line == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if b"\0" in line:
            self._tally.add(Problem("holds a NUL byte", line=self.line))
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            self._tally.add(Problem(f"not UTF-8: {error.reason}", line=self.line, kind="encoding"))
            return line.decode("utf-8", "replace")


def _records(stream: BinaryIO, tally: Tally, limit: int) -> Iterator[_Record]:
    wide = wide_encoding(stream.read(4))
    if wide:
        tally.add(Problem(f"{wide}, not UTF-8", line=1, kind="encoding"))
        return
    stream.seek(0)
    if csv.field_size_limit() < limit:
        csv.field_size_limit(limit)  # of the whole process; the bound that counts is that of _Lines
    lines = _Lines(stream, tally, limit)
    reader = csv.reader(lines, strict=True)
    blank: int | None = None
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLongError:
            message = f"the record is longer than {limit} bytes; the rest of the table was not read"
            tally.add(Problem(message, line=lines.first, kind="too-large"))
            return
        except csv.Error as error:
            tally.add(_csv_problem(str(error), lines.first))
            yield _Record(lines.first, None)
            continue
        if not cells:
            blank = blank or lines.first
            continue
        if blank is not None:
            tally.add(Problem("a blank line before the end", line=blank))
            blank = None
        yield _Record(lines.first, cells)


def _csv_problem(reason: str, line: int) -> Problem:
    if reason == "unexpected end of data":
        return Problem("a quote opens here and never closes", line=line, kind="truncated")
    return Problem(f"not CSV: {reason}", line=line)
