"""From a JSON pointer to the line it stands on."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[ \t\r\n]*")


def line_of(data: bytes, pointer: str) -> int | None:
    """Return the 1-based line on which the value at a JSON pointer (RFC 6901) begins.

    Of a repeated key the last value counts, as in a parsed document.

    Args:
        data: the bytes of one JSON document.
        pointer: such as ``/episodes/3/id``; the empty pointer is the whole document.

    Returns:
        None when nothing stands there or the text up to there is not JSON.
    """
    text = data.decode("utf-8", "replace")
    start = _skip(text, 1 if text.startswith("\ufeff") else 0)
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    # Numbers stay text: only their extent matters, and a huge one must not be converted.
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    place: int | None = start
    for part in parts:
        try:
            place = None if place is None else _child(text, place, part, decoder)
        except (ValueError, IndexError, RecursionError):
            return None
    return None if place is None or place >= len(text) else text.count("\n", 0, place) + 1


def _child(text: str, start: int, part: str, decoder: json.JSONDecoder) -> int | None:
    if text[start] == "{":
        return _member(text, start + 1, part, decoder)
    if text[start] == "[" and part.isascii() and part.isdigit():
        return _item(text, start + 1, int(part[:12]), decoder)
    return None


def _member(text: str, start: int, name: str, decoder: json.JSONDecoder) -> int | None:
    found = None
    here = _skip(text, start)
    while text[here] != "}":
        key, here = decoder.raw_decode(text, here)
        here = _skip(text, _skip(text, here) + 1)
        if key == name:
            found = here
        try:
            _, here = decoder.raw_decode(text, here)
        except ValueError:
            if found is not None:
                return found  # the text breaks further on
            raise
        here = _skip(text, here)
        if text[here] == ",":
            here = _skip(text, here + 1)
    return found


def _item(text: str, start: int, index: int, decoder: json.JSONDecoder) -> int | None:
    here = _skip(text, start)
    for _ in range(index):
        if text[here] == "]":
            return None
        _, here = decoder.raw_decode(text, here)
        here = _skip(text, here)
        if text[here] == ",":
            here = _skip(text, here + 1)
    return None if text[here] == "]" else here


def _skip(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start
