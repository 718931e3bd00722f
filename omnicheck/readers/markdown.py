"""Facts and headings that a Markdown report states."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

KEY_LENGTH = 120

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_BULLET = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+(\S.*)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:\s+(.*))?$")
_RULE_CELL = re.compile(r":?-+:?")
_PIPE = re.compile(r"(?<!\\)\|")


class Bullet(Struct, frozen=True):
    """A stated fact: ``- Final train loss: 0.12`` or a row of a two column table.

    Attributes:
        key: what it is about, without emphasis.
        value: the rest, without emphasis or code quotes around the whole.
        line: 1-based.
    """

    key: str
    value: str
    line: int


class Heading(Struct, frozen=True):
    """A heading; ``level`` is 1 to 6, ``line`` 1-based."""

    level: int
    text: str
    line: int


def facts(text: str) -> list[Bullet]:
    """Return the facts that bullets and two column tables state, in order; code blocks are left out."""
    found: list[Bullet] = []
    header: Bullet | None = None  # a table's first row is no fact, told by the rule under it
    for number, line in _prose(text):
        cells = _cells(line)
        if cells is not None and len(cells) == 2:
            if all(_RULE_CELL.fullmatch(cell) for cell in cells):
                if header is not None and found and found[-1] is header:
                    found.pop()
                continue
            fact = Bullet(_bare(cells[0]), _bare(cells[1]), number)
            header = fact if header is None else header
            if fact.key:
                found.append(fact)
            continue
        if cells is None:
            header = None
            bullet = _BULLET.fullmatch(line)
            pair = _pair(bullet[1]) if bullet else None
            if pair:
                found.append(Bullet(*pair, number))
    return found


def headings(text: str) -> list[Heading]:
    """Return the headings written with ``#``, in order; code blocks are left out."""
    found = []
    for number, line in _prose(text):
        match = _HEADING.fullmatch(line)
        if match:
            title = (match[2] or "").strip()
            stripped = title.rstrip("#")
            if stripped != title and (not stripped or stripped[-1] in " \t"):
                title = stripped.rstrip()
            found.append(Heading(len(match[1]), _bare(title), number))
    return found


def _prose(text: str) -> Iterator[tuple[int, str]]:
    fence = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        match = _FENCE.match(line)
        if fence:
            if match and match[1][0] == fence[0] and len(match[1]) >= len(fence) and not line[match.end() :].strip():
                fence = ""
            continue
        if match:
            fence = match[1]
            continue
        yield number, line


def _cells(line: str) -> list[str] | None:
    stripped = line.strip()
    if not stripped.startswith("|") or len(stripped) < 2:
        return None
    inner = stripped[1:-1] if stripped.endswith("|") and not stripped.endswith("\\|") else stripped[1:]
    return [cell.strip().replace("\\|", "|") for cell in _PIPE.split(inner)]


def _pair(text: str) -> tuple[str, str] | None:
    # "**Key:** value" holds the colon inside the emphasis, "**Key**: value" after it.
    plain = text.replace("**", "").replace("__", "").strip() if text.startswith(("**", "__")) else text.strip()
    key, colon, value = plain.partition(": ")
    if not colon:
        if not plain.endswith(":"):
            return None
        key, value = plain[:-1], ""
    key = _bare(key)
    return (key, _bare(value)) if key and len(key) <= KEY_LENGTH else None


def _bare(text: str) -> str:
    text = text.strip()
    for mark in ("**", "__", "`", "*"):
        inner = text[len(mark) : -len(mark)]
        if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark) and mark not in inner:
            text = inner.strip()
    return text
