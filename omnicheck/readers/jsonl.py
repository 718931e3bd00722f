"""JSON Lines in bounded memory: one decode per line, repeated keys noticed by counting."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from omnicheck.readers.gate import open_regular, stamp
from omnicheck.readers.json_document import DEPTH, parse_json, wide_encoding
from omnicheck.readers.json_scan import INT_DIGITS, count_keys, has_long_number, may_repeat_keys, outline
from omnicheck.readers.problem import Problem, Tally

Row = dict[str, Any]

BLOCK = 512 << 10
LINE_LIMIT = 16 << 20

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Chunk(Struct):
    """Rows of consecutive lines.

    Attributes:
        first: 1-based line of ``rows[0]`` (in a table: its data row).
        rows: the decoded rows.
    """

    first: int
    rows: list[Row]


class _Body(Struct):
    """Whole lines as they came from the file: ``data`` is ``lines`` with their line ends."""

    first: int
    data: bytes
    lines: list[bytes]
    ended: bool


class _Blanks(Struct):
    """Blank lines that are allowed as long as nothing follows them."""

    lines: list[int] = []
    more: int = 0


def read_jsonl(
    path: Path,
    problems: list[Problem],
    *,
    start: int = 0,
    stop: int | None = None,
    first_line: int = 1,
    chunk_rows: int = 4096,
    line_limit: int = LINE_LIMIT,
    guard: bool = True,
) -> Iterator[Chunk]:
    """Yield the rows of a JSON Lines file in chunks of consecutive lines.

    Lines that cannot be read are left out and told; at most 20 problems are told one by one.

    Args:
        path: where it is.
        problems: where problems go; complete once the iterator is exhausted or closed.
        start: byte offset of a line's beginning.
        stop: byte offset after a line's end; None reads to the end of the file.
        first_line: 1-based number of the line at ``start``.
        chunk_rows: most rows in a chunk.
        line_limit: longest line in bytes that is read.
        guard: look for repeated keys; a second pass over a file need not.

    Raises:
        ReadError: the file cannot be opened.
    """
    tally = Tally(problems)
    blanks = _Blanks([])
    try:
        with open_regular(path) as stream:
            before = stamp(stream)
            for body in _bodies(stream, tally, (start, stop), first_line, line_limit):
                rows = None if len(body.data) > line_limit else _decode_body(body, guard=guard)
                if rows is None:
                    yield from _decode_singly(body, tally, blanks, line_limit, chunk_rows)
                    continue
                _tell_blanks(blanks, tally)
                for offset in range(0, len(rows), chunk_rows):
                    yield Chunk(body.first + offset, rows[offset : offset + chunk_rows])
            if blanks.lines and stop is not None and _text_follows(stream):
                _tell_blanks(blanks, tally)
            if stamp(stream) != before:
                tally.add(Problem("the file changed while it was read", kind="changed"))
    except OSError as error:
        tally.add(Problem(f"cannot be read further: {error.strerror}", kind="unreadable"))
    finally:
        tally.close()


def split_ranges(path: Path, parts: int) -> list[tuple[int, int, int]]:
    """Return about ``parts`` byte ranges on line boundaries, each as start, stop and number of its first line.

    Args:
        path: a file of lines.
        parts: how many ranges are wanted; fewer come back when there are fewer lines.

    Raises:
        ReadError: the file cannot be opened.
    """
    with open_regular(path) as stream:
        size = stamp(stream)[0]
        targets = [size * part // max(parts, 1) for part in range(1, parts)]
        cuts = sorted({_line_start(stream, target, size) for target in targets} - {0, size})
        ranges = []
        line = 1
        for start, stop in zip([0, *cuts], [*cuts, size], strict=True):
            ranges.append((start, stop, line))
            if stop < size:
                line += _count_lines(stream, start, stop)
    return ranges


def _bodies(
    stream: BinaryIO, tally: Tally, extent: tuple[int, int | None], line: int, line_limit: int
) -> Iterator[_Body]:
    start, stop = extent
    stream.seek(start)
    carry = b""
    skipping = False
    fresh = start == 0
    while block := stream.read(BLOCK if stop is None else min(BLOCK, stop - stream.tell())):
        if fresh:
            wide = wide_encoding(block)
            if wide:
                tally.add(Problem(f"{wide}, not UTF-8", line=1, kind="encoding"))
                return
            block = _without_mark(block, tally)
            fresh = False
        if skipping:
            end = block.find(b"\n")
            if end < 0:
                continue
            block = block[end + 1 :]
            line += 1
            skipping = False
        carry += block
        end = carry.rfind(b"\n")
        if end >= 0:
            data = carry[: end + 1]
            lines = data[:-1].split(b"\n")
            yield _Body(line, data, lines, ended=True)
            line += len(lines)
            carry = carry[end + 1 :]
        if len(carry) > line_limit:
            tally.add(_too_long(line, line_limit))
            carry = b""
            skipping = True
    if carry:
        yield _Body(line, carry, [carry], ended=False)


def _without_mark(block: bytes, tally: Tally) -> bytes:
    if block.startswith(codecs.BOM_UTF8):
        tally.add(Problem("begins with a byte order mark", line=1, kind="encoding"))
        return block[len(codecs.BOM_UTF8) :]
    return block


def _decode_body(body: _Body, *, guard: bool) -> list[Row] | None:
    """Decode all lines at once; None when a line needs a closer look."""
    lines, data = body.lines, body.data
    try:
        rows = list(map(_decode_object, lines))
    except (ValueError, RecursionError):
        return None
    shape = outline(data)
    braces = shape.count(b"{")
    openers = braces + shape.count(b"[")
    if openers > len(rows) + DEPTH and any(line.count(b"{") + line.count(b"[") > DEPTH for line in lines):
        return None
    if len(data) > INT_DIGITS and max(map(len, lines)) > INT_DIGITS and has_long_number(data):
        return None
    if not guard:
        return rows
    # As many braces as rows: no object nests, and the keys are those of the rows.
    keys = sum(map(len, rows)) if braces == len(rows) else count_keys(rows)
    return None if may_repeat_keys(data, shape.count(b":"), keys) else rows


def _decode_singly(body: _Body, tally: Tally, blanks: _Blanks, line_limit: int, chunk_rows: int) -> Iterator[Chunk]:
    rows: list[Row] = []
    first = body.first
    for number, line in enumerate(body.lines, body.first):
        row = _decode_line(number, line, tally, blanks, line_limit, ended=body.ended)
        if row is not None:
            if not rows:
                first = number
            rows.append(row)
        if rows and (row is None or len(rows) == chunk_rows):
            yield Chunk(first, rows)
            rows = []
    if rows:
        yield Chunk(first, rows)


def _decode_line(
    number: int, line: bytes, tally: Tally, blanks: _Blanks, line_limit: int, *, ended: bool
) -> Row | None:
    if not line.strip(b" \t\r"):
        if len(blanks.lines) < 100:
            blanks.lines.append(number)
        else:
            blanks.more += 1
        return None
    _tell_blanks(blanks, tally)
    if len(line) > line_limit:
        tally.add(_too_long(number, line_limit))
        return None
    document = parse_json(line)
    for problem in document.problems:
        kind = problem.kind
        if not document.readable and kind in ("syntax", "truncated"):
            kind = "syntax" if ended else "truncated"
        tally.add(Problem(problem.message, line=number, pointer=problem.pointer, kind=kind))
    if document.readable and not isinstance(document.value, dict):
        tally.add(Problem(f"a row is an object, not {_named(document.value)}", line=number, kind="type"))
    return document.value if isinstance(document.value, dict) else None


def _tell_blanks(blanks: _Blanks, tally: Tally) -> None:
    for number in blanks.lines:
        tally.add(Problem("a blank line before the end", line=number))
    if blanks.more:
        tally.add(Problem(f"{blanks.more} more blank lines before the end", line=blanks.lines[-1] + 1))
    blanks.lines = []
    blanks.more = 0


def _named(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _too_long(line: int, limit: int) -> Problem:
    return Problem(f"the line is longer than {limit} bytes; it was skipped", line=line, kind="too-large")


def _text_follows(stream: BinaryIO) -> bool:
    while block := stream.read(BLOCK):
        if block.strip(b" \t\r\n"):
            return True
    return False


def _line_start(stream: BinaryIO, offset: int, size: int) -> int:
    """Return where the first line begins that starts at or after ``offset``."""
    if offset == 0:
        return 0
    stream.seek(offset - 1)
    here = offset - 1
    while block := stream.read(BLOCK):
        end = block.find(b"\n")
        if end >= 0:
            return min(here + end + 1, size)
        here += len(block)
    return size


def _count_lines(stream: BinaryIO, start: int, stop: int) -> int:
    stream.seek(start)
    total = 0
    while block := stream.read(min(BLOCK, stop - stream.tell())):
        total += block.count(b"\n")
    return total
