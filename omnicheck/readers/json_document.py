"""JSON documents, read strictly: what parsers disagree about is told, not guessed."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from omnicheck.readers.gate import open_regular, stamp
from omnicheck.readers.json_pointer import line_of
from omnicheck.readers.json_scan import (
    INT_DIGITS,
    count_key_tokens,
    count_keys,
    find_faults,
    has_long_number,
    is_finite,
    may_repeat_keys,
    too_deep,
)
from omnicheck.readers.problem import Problem, Tally

__all__ = ["Document", "line_of", "parse_json", "read_json", "wide_encoding"]

LIMIT = 256 << 20
DEPTH = 200

_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Document(Struct, frozen=True):
    """A parsed file.

    Attributes:
        value: plain data; None when unreadable, and in the place of each number that is not finite.
        problems: what is wrong with it, in order.
        readable: whether ``value`` stands for the file.
    """

    value: Any
    problems: tuple[Problem, ...] = ()
    readable: bool = True


def read_json(path: Path, *, limit: int = LIMIT, depth: int = DEPTH) -> Document:
    """Read a JSON file.

    Args:
        path: where it is.
        limit: largest size in bytes that is read.
        depth: deepest nesting that is parsed.

    Raises:
        ReadError: the file cannot be opened.
    """
    with open_regular(path) as stream:
        before = stamp(stream)
        if before[0] > limit:
            return _unreadable(Problem(f"{before[0]} bytes, more than the {limit} that are read", kind="too-large"))
        try:
            data = stream.read(limit + 1)
        except OSError as error:
            return _unreadable(Problem(f"cannot be read: {error.strerror}", kind="unreadable"))
        after = stamp(stream)
    if after != before or len(data) != before[0]:
        return _unreadable(Problem("the file changed while it was read", kind="changed"))
    return parse_json(data, depth=depth)


def parse_json(data: bytes, *, depth: int = DEPTH) -> Document:
    """Parse JSON strictly, without ever raising.

    Repeated keys keep the last value, numbers that are not finite become None, halves of surrogate pairs become
    U+FFFD; each of them is a problem with pointer and line.

    Args:
        data: the bytes of one document.
        depth: deepest nesting that is parsed.
    """
    problems: list[Problem] = []
    wide = wide_encoding(data)
    if wide:
        return _unreadable(Problem(f"{wide}, not UTF-8", line=1, kind="encoding"))
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
        problems.append(Problem("begins with a byte order mark", line=1, kind="encoding"))
    if too_deep(data, depth):
        return _unreadable(*problems, Problem(f"nests deeper than {depth} levels", kind="too-deep"))
    try:
        value = _decode(data)
    except (ValueError, RecursionError):  # msgspec's errors and UnicodeDecodeError are ValueErrors
        return _parse_leniently(data, problems)
    keys = count_keys(value)
    if may_repeat_keys(data, data.count(b":"), keys) and count_key_tokens(data) != keys:
        _add_faults(data, problems)
    return Document(value, tuple(problems))


def wide_encoding(data: bytes) -> str | None:
    """Return the name of the UTF-16 or UTF-32 that a byte order mark announces, or None."""
    return next((name for mark, name in _WIDE if data.startswith(mark)), None)


def _decode(data: bytes) -> Any:
    if has_long_number(data):
        raise ValueError("a number may not fit a double")
    return msgspec.json.decode(data)


def _parse_leniently(data: bytes, problems: list[Problem]) -> Document:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _unreadable(*problems, Problem(f"not UTF-8: {error.reason}", line=line, kind="encoding"))
    if not text.strip(" \t\r\n"):
        return _unreadable(*problems, Problem("empty, without a JSON value", line=1, kind="truncated"))
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_float=_finite_float, parse_int=_finite_int)
    except json.JSONDecodeError as error:
        return _unreadable(*problems, _syntax_problem(text, error))
    except RecursionError:
        return _unreadable(*problems, Problem("nests deeper than the parser can follow", kind="too-deep"))
    _add_faults(data, problems)
    if any(problem.kind == "encoding" for problem in problems):
        value = _without_surrogates(value)
    return Document(value, tuple(problems))


def _add_faults(data: bytes, problems: list[Problem]) -> None:
    tally = Tally(problems)
    for problem in find_faults(data):
        tally.add(problem)
    tally.close()


def _syntax_problem(text: str, error: json.JSONDecodeError) -> Problem:
    rest = text[error.pos : error.pos + 16].rstrip(" \t\r\n")
    unfinished = any(word.startswith(rest) for word in ("true", "false", "null", "-"))
    if error.msg.startswith("Unterminated string") or (unfinished and error.pos + 16 > len(text)):
        return Problem("ends in the middle of a value", line=error.lineno, kind="truncated")
    if error.msg == "Extra data":
        return Problem(f"data after the end of the value (column {error.colno})", line=error.lineno)
    return Problem(f"not JSON: {error.msg.lower()} (column {error.colno})", line=error.lineno)


def _finite_float(literal: str) -> float | None:
    return float(literal) if is_finite(literal) else None


def _finite_int(literal: str) -> int | None:
    return int(literal) if len(literal) <= INT_DIGITS or (len(literal) < 320 and is_finite(literal)) else None


def _without_surrogates(value: Any) -> Any:
    # The scan bounds the nesting before any value is built, so that recursion is safe here.
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    return value


def _unreadable(*problems: Problem) -> Document:
    return Document(None, problems, readable=False)
