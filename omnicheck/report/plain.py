"""Values from hostile data made safe to encode and to show."""

from __future__ import annotations

import math
from typing import Any

import msgspec

DEEPEST = 64
"""Levels of nesting that a report shows of a value."""


def printable(text: str) -> str:
    r"""Return the text with every character that is not printable written as an escape (``\x1b``, ``\n``, ``\u202e``).

    Terminal sequences, line breaks, direction overrides and lone surrogates all fall to this: a file name or a value
    cannot draw on the screen of the reader.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def plain(value: Any, depth: int = 0) -> Any:
    """Return the value as plain data that every JSON encoder takes, in an order of its own.

    Structs keep the order of their fields, dictionaries are sorted; a number that is not finite becomes its name,
    a lone surrogate its escape, anything unknown its text.
    """
    if depth >= DEEPEST and isinstance(value, msgspec.Struct | dict | list | tuple | set | frozenset):
        return "…"
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name), depth + 1) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {encodable(str(key)): plain(value[key], depth + 1) for key in sorted(value, key=str)}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return _scalar(value)


def encodable(text: str) -> str:
    """Return the text with lone surrogates, which UTF-8 cannot carry, written as escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def compact(value: Any, limit: int = 240) -> str:
    """Return a value on one printable line, as JSON, cut at ``limit`` characters."""
    text = printable(msgspec.json.format(msgspec.json.encode(plain(value)), indent=0).decode())
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def _scalar(value: Any) -> bool | int | float | str | None:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return encodable(str(value))
