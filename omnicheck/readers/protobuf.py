"""The wire form of protobuf, walked in place: every length is checked before anything is taken."""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap

from omnicheck.model.errors import ReadError

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

LONGEST_NAME = 1 << 16
"""Bytes of a name that is decoded; names of real models are far below."""

Buffer = bytes | mmap
Field = tuple[int, int, int, int]
"""Number, wire type, and the value of a varint (twice), else where the payload starts and stops."""


def varint(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """Return the varint that starts at ``at``, and where it stops.

    Raises:
        ReadError: it is cut, or longer than ten bytes.
    """
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift > 63:
            raise ReadError(f"malformed protobuf: a varint of more than ten bytes at byte {at}")
    raise ReadError(f"malformed protobuf: cut in the middle of a number at byte {at}")


def signed(value: int) -> int:
    """Return a varint's value as the signed 64-bit number that it stands for."""
    return value - (1 << 64) if value >> 63 else value


def fields(data: Buffer, at: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message that lies in ``data[at:end]``.

    Raises:
        ReadError: a field is cut, leads out of its message, or has a wire type that no writer uses any more.
    """
    while at < end:
        tag, at = varint(data, at, end)
        wire = tag & 7
        number = tag >> 3
        if number == 0:
            raise ReadError(f"malformed protobuf: field number 0 at byte {at}")
        if wire == BYTES:
            size, at = varint(data, at, end)
        elif wire == VARINT:
            value, at = varint(data, at, end)
            yield number, wire, value, value
            continue
        elif wire == FIXED32:
            size = 4
        elif wire == FIXED64:
            size = 8
        else:
            raise ReadError(f"malformed protobuf: wire type {wire} at byte {at}")
        stop = at + size
        if stop > end:
            raise ReadError(
                f"malformed protobuf: field {number} claims {size:,} bytes at byte {at}, "
                f"{stop - end:,} more than its message holds"
            )
        yield number, wire, at, stop
        at = stop


def text(data: Buffer, at: int, stop: int) -> str:
    """Return a string field; bytes that are not UTF-8 are escaped.

    Raises:
        ReadError: it is longer than a name can be.
    """
    if stop - at > LONGEST_NAME:
        raise ReadError(f"a name of {stop - at:,} bytes at byte {at}")
    return data[at:stop].decode("utf-8", "backslashreplace")


def numbers(data: Buffer, wire: int, at: int, stop: int) -> list[int]:
    """Return the signed integers of a repeated field, packed or single."""
    if wire == VARINT:
        return [signed(at)]
    found: list[int] = []
    if wire == BYTES:
        while at < stop:
            value, at = varint(data, at, stop)
            found.append(signed(value))
    return found
