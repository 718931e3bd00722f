"""Linear scans over JSON bytes: nesting, counts of keys, places of faults. Nothing here recurses."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from omnicheck.readers.problem import Problem

INT_DIGITS = 308
"""An integer of more digits may not fit a double, and above 4300 Python itself refuses it."""

# Possessive: no backtracking state is kept, so that a string of any length costs no memory.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_STRINGS = re.compile(rb'(?:[^"]*+"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)){1,4096}+|[^"]++', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|[^\s{}\[\]:,"]++', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_OPENERS = b"{["
_OUTLINE = bytes(set(range(256)) - set(b"{[:"))
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_STEP = tuple(1 if byte in b"{[" else -1 for byte in range(256))
_ZEROED = bytes(0x30 if 0x31 <= byte <= 0x39 else byte for byte in range(256))
_LONG_NUMBER = b"0" * (INT_DIGITS + 1)


def too_deep(data: bytes, depth: int) -> bool:
    """Whether arrays and objects nest deeper than ``depth``."""
    if data.count(b"{") + data.count(b"[") <= depth:
        return False
    brackets = b"".join(part.translate(None, _NOT_BRACKETS) for part in _unquoted(data))
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > depth


def has_long_number(data: bytes) -> bool:
    """Whether a run of digits is long enough that the number may not fit a double."""
    return len(data) > INT_DIGITS and _LONG_NUMBER in data.translate(_ZEROED)


def outline(data: bytes) -> bytes:
    """Return the opening brackets and colons of ``data``, those inside strings included."""
    return data.translate(None, _OUTLINE)


def may_repeat_keys(data: bytes, colons: int, keys: int) -> bool:
    """Whether a key may stand twice in an object: cheap, never wrong when it answers no.

    Each key of the text is followed by a colon. A decoder keeps one of a repeated key, so the text has repeated keys
    exactly when it has more keys than the decoded value. Any bound from above on the keys of the text that
    equals the keys of the value proves that there is none.

    Args:
        data: valid JSON values.
        colons: how many colons ``data`` holds.
        keys: how many keys the decoded values hold in all.
    """
    if colons == keys:
        return False
    if b" :" in data or b"\t:" in data or b"\r:" in data or b"\n:" in data:
        return True
    bound = data.count(b'":')
    if bound != keys and b'\\\\"' not in data:  # then \": stands inside a string
        bound -= data.count(b'\\":')
    return bound != keys


def count_key_tokens(data: bytes) -> int:
    """Return how many keys the text of valid JSON holds, repeated ones counted each time."""
    return sum(part.count(b":") for part in _unquoted(data))


def _unquoted(data: bytes) -> Iterator[bytes]:
    # In parts of some thousand strings: a substitution keeps a piece per match, which would outgrow the document.
    for match in _STRINGS.finditer(data):
        yield _STRING.sub(b"", match[0])


def count_keys(value: Any) -> int:
    """Return how many keys a decoded value holds, nested ones included."""
    total = 0
    stack = [value]
    while stack:
        here = stack.pop()
        if type(here) is dict:
            total += len(here)
            stack.extend(each for each in here.values() if type(each) is dict or type(each) is list)
        elif type(here) is list:
            stack.extend(each for each in here if type(each) is dict or type(each) is list)
    return total


def find_faults(data: bytes) -> Iterator[Problem]:
    """Yield repeated keys, numbers that are not finite and lone surrogates, with pointer and line.

    Args:
        data: JSON that a lenient parser accepts.
    """
    frames: list[_Frame] = []
    line, seen_to = 1, 0
    for match in _TOKEN.finditer(data):
        token = match[0]
        found: tuple[Any, str] | None = None
        first = token[:1]
        frame = frames[-1] if frames else None
        if first == b'"':
            found = _string_fault(token, frame)
        elif first in (b"{", b"["):
            frames.append(_Frame(is_object=first == b"{"))
        elif first in (b"}", b"]"):
            frames.pop()
        elif first == b",":
            if frame is not None:
                frame.advance()
        elif first != b":":
            found = _number_fault(token)
        if found is not None:
            kind, message = found
            line += data.count(b"\n", seen_to, match.start())
            seen_to = match.start()
            pointer = "".join("/" + _escape(each.place) for each in frames)
            yield Problem(message, line=line, pointer=pointer, kind=kind)


class _Frame:
    __slots__ = ("expects_key", "is_object", "place", "seen")

    def __init__(self, *, is_object: bool) -> None:
        self.is_object = is_object
        self.expects_key = is_object
        self.place: str | int = "" if is_object else 0
        self.seen: set[str] = set()

    def advance(self) -> None:
        if isinstance(self.place, int):
            self.place += 1
        else:
            self.expects_key = True


def _string_fault(token: bytes, frame: _Frame | None) -> tuple[Any, str] | None:
    is_key = frame is not None and frame.expects_key
    if not is_key and b"\\u" not in token:
        return None
    text: str = json.loads(token)
    lone = _SURROGATE.search(text) is not None
    if frame is not None and is_key:
        text = _SURROGATE.sub("\ufffd", text)
        repeated = text in frame.seen
        frame.seen.add(text)
        frame.place = text
        frame.expects_key = False
        if repeated:
            return "duplicate-key", f"key {brief(text)} stands twice in one object; readers disagree which one counts"
    return ("encoding", "a string holds half a surrogate pair, which is no text") if lone else None


def _number_fault(token: bytes) -> tuple[Any, str] | None:
    if token in (b"NaN", b"Infinity", b"-Infinity"):
        return "not-finite", f"{token.decode()} is not JSON"
    if token[:1] in b"tfn" or is_finite(token.decode("ascii", "replace")):
        return None
    return "not-finite", f"the number {brief(token.decode('ascii', 'replace'))} does not fit a double"


def is_finite(literal: str) -> bool:
    """Whether a number's text fits a double."""
    try:
        return math.isfinite(float(literal))
    except ValueError:
        return False


def brief(text: str) -> str:
    """Return a quoted form of text from data, short enough for a message."""
    return json.dumps(text if len(text) <= 60 else text[:57] + "...", ensure_ascii=False)


def _escape(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
