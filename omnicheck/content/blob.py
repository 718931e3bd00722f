"""Bytes that are read by offset: an open file, a buffer, a slice of another blob, or several of them joined."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from msgspec import Struct

EDGE = 64 << 10
"""Bytes of head and tail that every blob is judged by."""

WHOLE = 1 << 20
"""Files up to this size are read in one go."""

PIECE = 16 << 20
"""Texts up to this size are handed out in one piece."""

SHARE = 2 << 20
"""Length of the pieces of a longer text: small, so that memory stays bounded."""


class Piece(Struct, frozen=True):
    """Consecutive bytes of a text.

    Attributes:
        data: the bytes; a piece ends at a line end where there is one, so that no line is cut.
        offset: where they start in the part.
        line: 1-based number of the first line.
    """

    data: bytes
    offset: int
    line: int


class Blob:
    """Bytes of known size, read where they are asked for. Reading never raises; a file that shrank gives fewer bytes.

    Attributes:
        size: bytes.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read = read
        self.size = size

    def read(self, at: int, length: int) -> bytes:
        """Return up to ``length`` bytes from an offset; fewer at the end, none outside."""
        if at < 0 or at >= self.size or length <= 0:
            return b""
        return self._read(at, min(length, self.size - at))

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB."""
        return self.read(0, EDGE)

    @cached_property
    def tail(self) -> bytes:
        """The last 64 KiB."""
        return self.head if self.size <= EDGE else self.read(self.size - EDGE, EDGE)

    def slice(self, start: int, end: int | None = None) -> Blob:
        """Return a part of the blob; nothing is copied."""
        start = max(0, min(start, self.size))
        stop = self.size if end is None else max(start, min(end, self.size))
        return Blob(lambda at, length: self.read(start + at, length), stop - start)

    def pieces(self, length: int | None = None) -> Iterator[Piece]:
        """Yield the whole text in pieces: one for files up to 16 MiB, pieces of 2 MiB for larger ones."""
        length = length or (PIECE if self.size <= PIECE else SHARE)
        at, line = 0, 1
        while at < self.size:
            data = self.read(at, length)
            if not data:
                return
            if at + len(data) < self.size:
                cut = data.rfind(b"\n") + 1
                data = data[:cut] if cut else data
            yield Piece(data, at, line)
            at += len(data)
            line += data.count(b"\n") if at < self.size else 0


def blob_of_bytes(data: bytes | bytearray | memoryview) -> Blob:
    """Return a blob over a buffer, such as an ``mmap`` seen through ``memoryview``."""
    if isinstance(data, bytes):
        return Blob(lambda at, length: data if not at and length == len(data) else data[at : at + length], len(data))
    view = memoryview(data).cast("B")
    return Blob(lambda at, length: bytes(view[at : at + length]), len(view))


def blob_of_descriptor(descriptor: int, size: int | None = None) -> Blob:
    """Return a blob over an open regular file, which must stay open; small files are read at once.

    Args:
        descriptor: of a file opened for reading.
        size: its size in bytes when the caller knows it.

    Raises:
        OSError: the size cannot be asked for, or a small file cannot be read.
    """
    total = os.fstat(descriptor).st_size if size is None else size
    if total <= WHOLE:
        return blob_of_bytes(_read_fully(descriptor, 0, total))

    def read(at: int, length: int) -> bytes:
        try:
            return _read_fully(descriptor, at, length)
        except OSError:
            return b""

    return Blob(read, total)


def joined(parts: Sequence[Blob]) -> Blob:
    """Return several blobs as one, in order."""
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + part.size)

    def read(at: int, length: int) -> bytes:
        found = []
        for part, start in zip(parts, starts, strict=False):
            data = part.read(max(0, at - start), min(length, at + length - start)) if start < at + length else b""
            if at < start + part.size and data:
                found.append(data)
        return b"".join(found)[:length]

    return Blob(read, starts[-1])


def _read_fully(descriptor: int, at: int, length: int) -> bytes:
    data = os.pread(descriptor, length, at)
    if len(data) == length or not data:
        return data
    blocks = [data]
    have = len(data)
    while have < length and (data := os.pread(descriptor, length - have, at + have)):
        blocks.append(data)
        have += len(data)
    return b"".join(blocks)
