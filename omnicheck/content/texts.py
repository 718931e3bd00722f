"""Whether bytes that begin as text are text to the end."""

from __future__ import annotations

import codecs

_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x08\x1b\x07"))


def is_utf16(head: bytes) -> bool:
    """Whether the bytes begin with the mark of UTF-16."""
    return head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def first_binary(data: bytes) -> int | None:
    """Return the offset of the first byte that text cannot hold, or None.

    Text of another 8-bit encoding is text when it holds no control characters and is mostly ASCII.
    """
    bad = data.find(b"\0")
    if bad >= 0:
        return bad
    if data.isascii():
        return None
    try:
        codecs.utf_8_decode(data, "strict", False)  # noqa: FBT003 - the last character may be cut by the piece
    except UnicodeDecodeError as error:
        rest = data[error.start : error.start + (1 << 16)]
        high = len(rest) - len(rest.translate(None, bytes(range(128, 256))))
        if len(rest) != len(rest.translate(None, _CONTROL)) or high * 10 > len(rest):
            return error.start
    return None
