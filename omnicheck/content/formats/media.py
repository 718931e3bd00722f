"""Video, audio and images, by magic and structure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omnicheck.content.blob import Blob

_BOXES = frozenset({b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot", b"moof", b"styp", b"sidx", b"uuid", b"ftyp"})
_STILL = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"hevc", b"heim", b"heis")
_RIFF = {b"WAVE": "wav", b"AVI ": "avi", b"WEBP": "webp"}
_MAGICS = (
    (b"fLaC\0\0\0", "flac"),
    (b"OggS\0", "ogg"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"),
)
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")


def media(blob: Blob) -> Iterator[str]:
    """Yield the kinds of video and audio that the bytes are."""
    head = blob.head
    if head[4:8] in _BOXES:
        kind = _boxed(blob)
        if kind:
            yield kind
    first = head[:4]
    if first in (b"RIFF", b"RF64", b"RIFX") and head[8:12] in _RIFF:
        yield _RIFF[head[8:12]]
    if first == b"\x1a\x45\xdf\xa3" and (b"matroska" in head[:4096] or b"webm" in head[:4096]):
        yield "mkv"
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            yield kind
    if (head[:3] == b"ID3" and head[3:4] < b"\x08" and blob.size > 32) or _is_mp3(head):
        yield "mp3"
    if _is_mpeg(head):
        yield "mpeg"


def _boxed(blob: Blob) -> str | None:
    """Tell MP4, QuickTime and HEIF by the first two boxes."""
    head = blob.head
    length = int.from_bytes(head[:4], "big")
    if head[4:8] == b"ftyp":
        if length < 8 or not head[8:12].isascii():
            return None
        brand = head[8:12]
        return "heif" if brand in _STILL else "mov" if brand == b"qt  " else "mp4"
    if length == 1:
        length = int.from_bytes(head[8:16], "big")
    second = blob.read(length + 4, 4) if length >= 8 else b""
    return "mov" if second in _BOXES or (head[4:8] == b"moov" and head[12:16] == b"mvhd") else None


def _is_mp3(head: bytes) -> bool:
    at = 0
    for _ in range(3):
        if len(head) < at + 4 or head[at] != 0xFF or head[at + 1] & 0xE6 != 0xE2:
            return False
        rate, sampling = head[at + 2] >> 4, head[at + 2] >> 2 & 3
        if rate in (0, 15) or sampling == 3:
            return False
        one = head[at + 1] & 0x18 == 0x18
        table = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
        low = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
        kilobits = (table if one else low)[rate - 1]
        hertz = (44100, 48000, 32000)[sampling] // (1 if one else 2 if head[at + 1] & 0x10 else 4)
        at += (144 if one else 72) * kilobits * 1000 // hertz + (head[at + 2] >> 1 & 1)
    return True


def _is_mpeg(head: bytes) -> bool:
    if len(head) > 564 and all(head[at] == 0x47 for at in (0, 188, 376, 564)) and not head[:564].isascii():
        return True
    if head[:4] in (b"\0\0\x01\xba", b"\0\0\x01\xb3") and len(head) > 12:
        return True
    # A bare H.264 stream begins with a sequence parameter set of a known profile.
    return head[:4] == b"\0\0\0\x01" and len(head) > 8 and head[4] in (0x67, 0x27) and head[5] in (66, 77, 88, 100)


def images(blob: Blob) -> Iterator[str]:
    """Yield the kinds of images that the bytes are."""
    head, size = blob.head, blob.size
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        yield "png"
    if head[:3] == b"\xff\xd8\xff":
        yield "jpeg"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        yield "gif"
    if (
        head[:2] == b"BM"
        and int.from_bytes(head[6:10], "little") == 0
        and 12 <= int.from_bytes(head[14:18], "little") < 256
    ):
        yield "bmp"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and size > 8:
        yield "tiff"
    if head[:4] == b"\0\0\x01\0" and 0 < int.from_bytes(head[4:6], "little") < 64 and head[9:10] == b"\0":
        yield "ico"


def end_of_image(kind: str, blob: Blob) -> int | None:
    """Return where a PNG, JPEG, GIF, BMP or RIFF file ends by its own structure; None when it does not end."""
    if kind == "png":
        return _end_of_png(blob)
    if kind == "jpeg":
        return _end_of_jpeg(blob)
    if kind == "gif":
        return _end_of_gif(blob)
    if kind == "bmp":
        stated = int.from_bytes(blob.head[2:6], "little")
        return stated if stated >= 26 else None
    if kind in ("wav", "avi", "webp") and blob.head[:4] == b"RIFF":
        stated = int.from_bytes(blob.head[4:8], "little")
        return None if stated in (0, 0xFFFFFFFF) else 8 + stated + (stated & 1)
    return None


def _end_of_png(blob: Blob) -> int | None:
    at = 8
    for _ in range(100_000):
        header = blob.read(at, 8)
        if len(header) < 8:
            return None
        at += 12 + int.from_bytes(header[:4], "big")
        if header[4:] == b"IEND":
            return at
    return None


def _end_of_jpeg(blob: Blob) -> int | None:
    at = 2
    for _ in range(10_000):
        header = blob.read(at, 4)
        if len(header) < 2 or header[0] != 0xFF:
            return None
        marker = header[1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 1:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(header[2:4], "big")
        if marker == 0xDA:
            found = _next_marker(blob, at)
            if found is None:
                return None
            at = found
    return None


def _next_marker(blob: Blob, at: int) -> int | None:
    while at < blob.size:
        window = blob.read(at, 1 << 20)
        match = _MARKER.search(window)
        if match:
            return at + match.end() - 2
        if len(window) < 2:
            return None
        at += len(window) - 1
    return None


def _end_of_gif(blob: Blob) -> int | None:
    head = blob.head
    if len(head) < 13:
        return None
    at = 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0)
    for _ in range(100_000):
        block = blob.read(at, 11)
        if not block:
            return None
        if block[0] == 0x3B:
            return at + 1
        if block[0] == 0x21:
            at += 2
        elif block[0] == 0x2C and len(block) > 9:
            at += 11 + (3 << (block[9] & 7) + 1 if block[9] & 0x80 else 0)
        else:
            return None
        while (length := blob.read(at, 1)) and length[0]:
            at += 1 + length[0]
        at += 1
    return None
