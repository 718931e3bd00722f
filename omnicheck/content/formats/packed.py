"""Archives and compressed streams, by magic and structure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from omnicheck.content.blob import Blob

_MAGICS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x01\x02", "zip"),
    (b"PK\x07\x08", "zip"),
    *((bytes([byte]) + b"\x2a\x4d\x18", "zstd") for byte in range(0x50, 0x60)),  # skippable frames
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"!<arch>\n", "ar"),
)
_PATTERNS = tuple(
    (re.compile(text), kind)
    for text, kind in (
        (rb"\x1f\x9d[\x80-\x90]", "compress"),
        (rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)", "bzip2"),
        (rb"\x5d\x00\x00[\x00-\xff]{2}\xff{8}\x00", "lzma"),
        (rb"07070[12][0-9A-Fa-f]{104}|070707[0-7]{70}", "cpio"),
    )
)


def packed(blob: Blob) -> Iterator[str]:
    """Yield the kinds of archives and compressed streams that begin the bytes."""
    head = blob.head
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            yield kind
    if head[:3] == b"\x1f\x8b\x08" and head[3:4] < b"\x20":
        yield "gzip"
    for pattern, kind in _PATTERNS:
        if pattern.match(head):
            yield kind
    if head[:4] == b"hsqs" and head[28:32] == b"\4\0\0\0":
        yield "squashfs"
    if is_tar_header(head[:512]):
        yield "tar"
    if _is_zlib(head, blob.size):
        yield "zlib"


def is_tar_header(block: bytes) -> bool:
    """Whether a 512-byte block is a tar header: its checksum holds."""
    if len(block) < 512 or (block[0] == 0 and block[257:262] != b"ustar"):
        return False
    stated = block[148:156].strip(b" \0")
    if not stated or not stated.isdigit():
        return False
    try:
        return int(stated, 8) == sum(block) - sum(block[148:156]) + 8 * 32
    except ValueError:
        return False


def _is_zlib(head: bytes, size: int) -> bool:
    """Whether a zlib stream really unpacks: text can begin with the two bytes of its header."""
    if len(head) < 8 or head[0] & 0x0F != 8 or head[0] >> 4 > 7 or (head[0] << 8 | head[1]) % 31 or head[1] & 0x20:
        return False
    machine = zlib.decompressobj()
    try:
        out = machine.decompress(head, 1 << 16)
    except zlib.error:
        return False
    return machine.eof or (len(out) >= 1024 and (size > len(head) or len(out) >= 1 << 16))
