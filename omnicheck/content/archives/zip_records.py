"""The records of a zip: end of central directory, its entries, and local headers, decoded from bytes."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.content.blob import Blob

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
END64 = b"PK\x06\x06"
WINDOW = 1 << 20
MAX_TRIES = 64


class Header(Struct, frozen=True):
    """What a central entry or a local header says of a member.

    Attributes:
        raw: name as bytes.
        flags: general purpose bits.
        method: compression method.
        crc: CRC-32 of the unpacked bytes.
        packed: packed size.
        size: unpacked size.
        offset: of the local header (central), or of the data (local).
        mode: Unix mode, 0 where there is none.
    """

    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int = 0

    @property
    def name(self) -> str:
        """The name as text: UTF-8 where it is, else code page 437."""
        try:
            return self.raw.decode("utf-8")
        except UnicodeDecodeError:
            return self.raw.decode("cp437")


class Directory(Struct, frozen=True):
    """Where the central directory lies.

    Attributes:
        start: its offset in the bytes.
        size: its length.
        shift: what stands before the archive, in bytes: offsets inside it count from there.
        end: where the archive ends, comment included.
        stated: entries it says it has.
    """

    start: int
    size: int
    shift: int
    end: int
    stated: int


def find_directory(blob: Blob, *, everywhere: bool) -> Directory | None:
    """Return the last central directory; beyond the last 64 KiB only when asked for."""
    stop = blob.size
    tries = 0
    while stop > 0:
        start = max(0, stop - (WINDOW if everywhere else 1 << 16))
        window = blob.read(start, min(stop + 22, blob.size) - start)
        at = window.rfind(END)
        while at >= 0 and tries < MAX_TRIES:
            found = _directory(blob, start + at)
            if found is not None:
                return found
            tries += 1
            at = window.rfind(END, 0, at + 3)
        if not everywhere or tries >= MAX_TRIES:
            return None
        stop = start
    return None


def _directory(blob: Blob, at: int) -> Directory | None:
    record = blob.read(at, 22)
    if len(record) < 22:
        return None
    stated, size, offset = _int(record, 10, 2), _int(record, 12, 4), _int(record, 16, 4)
    before = at
    if 0xFFFFFFFF in (size, offset) or stated == 0xFFFF:
        wide = blob.read(at - 76, 56)
        if wide[:4] == END64:
            stated, size, offset = _int(wide, 32, 8), _int(wide, 40, 8), _int(wide, 48, 8)
            before = at - 76
    start = before - size
    if start < 0 or (size and blob.read(start, 4) != CENTRAL) or start < offset:
        # A directory that does not touch its end may still stand where the record says.
        if size and offset < at and blob.read(offset, 4) == CENTRAL:
            return Directory(offset, size, 0, at + 22 + _int(record, 20, 2), stated)
        return None
    return Directory(start, size, start - offset, min(blob.size, at + 22 + _int(record, 20, 2)), stated)


def central_entries(blob: Blob, directory: Directory, limit: int) -> Iterator[Header]:
    """Yield the entries of the central directory, at most ``limit``."""
    data = blob.read(directory.start, min(directory.size, limit * 400))
    at = 0
    for _ in range(limit):
        if data[at : at + 4] != CENTRAL or at + 46 > len(data):
            return
        lengths = _int(data, at + 28, 2), _int(data, at + 30, 2), _int(data, at + 32, 2)
        raw = data[at + 46 : at + 46 + lengths[0]]
        extra = data[at + 46 + lengths[0] : at + 46 + lengths[0] + lengths[1]]
        packed, size, offset = _int(data, at + 20, 4), _int(data, at + 24, 4), _int(data, at + 42, 4)
        size, packed, offset = _widened(extra, size, packed, offset)
        mode = _int(data, at + 38, 4) >> 16 if data[at + 5] == 3 else 0
        flags, method, crc = _int(data, at + 8, 2), _int(data, at + 10, 2), _int(data, at + 16, 4)
        yield Header(raw, flags, method, crc, packed, size, offset, mode)
        at += 46 + sum(lengths)


def local_header(blob: Blob, at: int) -> Header | None:
    """Return the local header at an offset, its ``offset`` being that of the data; None when there is none."""
    data = blob.read(at, 30)
    if len(data) < 30 or data[:4] != LOCAL:
        return None
    names, extras = _int(data, 26, 2), _int(data, 28, 2)
    rest = blob.read(at + 30, names + extras)
    size, packed, _ = _widened(rest[names:], _int(data, 22, 4), _int(data, 18, 4), 0)
    start = at + 30 + names + extras
    return Header(rest[:names], _int(data, 6, 2), _int(data, 8, 2), _int(data, 14, 4), packed, size, start)


def _widened(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    at = 0
    while at + 4 <= len(extra):
        tag, length = _int(extra, at, 2), _int(extra, at + 2, 2)
        if tag == 1:
            values = iter(range(at + 4, at + 4 + length - 7, 8))
            wide = [_int(extra, next(values, len(extra)), 8) if v == 0xFFFFFFFF else v for v in (size, packed, offset)]
            return wide[0], wide[1], wide[2]
        at += 4 + length
    return size, packed, offset


def _int(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little")
