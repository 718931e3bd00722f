"""Python literals in text columns, such as ``{'start_frame': 0}``."""

from __future__ import annotations

import ast
import math
import re
import warnings
from typing import Any

import msgspec

from omnicheck.readers.json_scan import too_deep

LENGTH = 10_000
DEPTH = 50
INT_LIMIT = 10**308

_BEGINS = re.compile(r"[\[({'\"+\-.0-9]|[rRuUbB]['\"]")
_NOT_JSON = re.compile(r"[\"\\]|true|false|null|Infinity|NaN")


def parse_literal(text: str) -> Any | None:
    """Return the value that a Python literal writes, or None when the text is none.

    Only dicts, lists, tuples, numbers and strings are known, with None, True and False inside them.
    Nothing is evaluated.

    Args:
        text: at most 10,000 characters, nested at most 50 levels.
    """
    text = text.strip()
    if len(text) > LENGTH or not _BEGINS.match(text):
        return None
    if _NOT_JSON.search(text) is None:
        # Most such columns are JSON but for the kind of quotes, and JSON is read twenty times faster.
        try:
            value = msgspec.json.decode(text.replace("'", '"'))
        except (ValueError, RecursionError):
            pass
        else:
            return value if _is_plain(value, DEPTH) else None
    if too_deep(text.replace("(", "[").replace(")", "]").encode("utf-8", "replace"), DEPTH):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if _is_plain(value, DEPTH) else None


def _is_plain(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_is_plain(each, depth - 1) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple):
        return depth > 0 and all(_is_plain(each, depth - 1) for each in value)
    if isinstance(value, str):
        return value.isascii() or value == value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -INT_LIMIT < value < INT_LIMIT
    return value is None
