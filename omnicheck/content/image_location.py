"""Where a picture or a film was taken, when it says so: EXIF, XMP and QuickTime, read by structure and bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

GPS_IFD = 0x8825
MAX_BOXES = 4096
_XMP = re.compile(rb"(?:exif:)?GPS(?:Latitude|Longitude)\s*(?:=|>)\s*[\"']?\s*[0-9+-]")
_ISO6709 = re.compile(rb"[+-][0-9]{1,2}\.[0-9]+[+-][0-9]{1,3}\.[0-9]+")
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\x00"


def location_in(data: Any) -> str | None:
    """Return in what part of an image or video a place on Earth is recorded, or None.

    Args:
        data: bytes, or anything that slices like them (a memory map). Nothing of the place itself is returned.
    """
    for part, kind, content in _parts(data):
        if kind == "exif" and _has_gps(content):
            return part
        if kind == "xmp" and _XMP.search(content):
            return part
        if kind == "place" and _ISO6709.search(content):
            return part
    return None


def _parts(data: Any) -> Iterator[tuple[str, str, bytes]]:
    head = bytes(data[:16])
    if head.startswith(b"\xff\xd8\xff"):
        yield from _jpeg(data)
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from _png(data)
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        yield from _webp(data)
    elif head[4:8] == b"ftyp":
        yield from _boxes(data, 0, len(data), 0)
        if head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"hevc"):
            yield from _heic(data)
    elif head[:4] in (b"II*\x00", b"MM\x00*"):
        yield "EXIF", "exif", bytes(data[: 1 << 20])


def _jpeg(data: Any) -> Iterator[tuple[str, str, bytes]]:
    at = 2
    for _ in range(MAX_BOXES):
        marker = bytes(data[at : at + 4])
        if len(marker) < 4 or marker[0] != 0xFF or marker[1] in (0xD9, 0xDA):
            return
        size = int.from_bytes(marker[2:4], "big")
        if marker[1] == 0xE1:
            content = bytes(data[at + 4 : at + 2 + size])
            if content.startswith(b"Exif\x00\x00"):
                yield "EXIF", "exif", content[6:]
            elif content.startswith(_XMP_NAME):
                yield "XMP", "xmp", content
        at += 2 + max(size, 2)


def _png(data: Any) -> Iterator[tuple[str, str, bytes]]:
    for kind, content in png_chunks(data):
        if kind == b"eXIf":
            yield "eXIf", "exif", content
        elif kind == b"iTXt" and b"adobe.xmp" in content[:32]:
            yield "XMP", "xmp", content


def png_chunks(data: Any) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of the chunks of a PNG that hold text or EXIF."""
    at = 8
    for _ in range(MAX_BOXES):
        head = bytes(data[at : at + 8])
        if len(head) < 8:
            return
        size = int.from_bytes(head[:4], "big")
        if head[4:] in (b"tEXt", b"iTXt", b"zTXt", b"eXIf") and size <= 1 << 24:
            yield head[4:], bytes(data[at + 8 : at + 8 + size])
        at += 12 + size


def _webp(data: Any) -> Iterator[tuple[str, str, bytes]]:
    at = 12
    for _ in range(MAX_BOXES):
        head = bytes(data[at : at + 8])
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        if head[:4] in (b"EXIF", b"XMP "):
            content = bytes(data[at + 8 : at + 8 + min(size, 1 << 24)])
            kind = "exif" if head[:4] == b"EXIF" else "xmp"
            yield kind.upper(), kind, content.removeprefix(b"Exif\x00\x00")
        at += 8 + size + size % 2


def _heic(data: Any) -> Iterator[tuple[str, str, bytes]]:
    # The EXIF item lies anywhere in the file: four bytes that say how far the TIFF header is, mostly "Exif\0\0" first.
    head = bytes(data[: 4 << 20])
    for found in re.finditer(rb"Exif\x00\x00(?=II\*\x00|MM\x00\*)", head):
        yield "EXIF", "exif", head[found.end() : found.end() + (1 << 16)]
    for found in re.finditer(rb"<x:xmpmeta", head):
        yield "XMP", "xmp", head[found.start() : found.start() + (1 << 16)]


_HOLDERS = {b"moov", b"udta", b"meta", b"trak", b"ilst", b"mdia"}


def _boxes(data: Any, at: int, end: int, depth: int) -> Iterator[tuple[str, str, bytes]]:
    for _ in range(MAX_BOXES):
        head = bytes(data[at : at + 16])
        if len(head) < 8 or at + 8 > end:
            return
        size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        stop = end if size == 0 else min(at + size, end)
        if stop <= at:
            return
        if kind in (b"\xa9xyz", b"loci"):
            yield "QuickTime location", "place", bytes(data[body : min(stop, body + 512)])
        elif kind == b"ilst" or (kind == b"meta" and depth):
            yield "QuickTime metadata", "place", bytes(data[body : min(stop, body + (1 << 16))])
        elif kind == b"uuid":
            yield "XMP", "xmp", bytes(data[body : min(stop, body + (1 << 20))])
        if kind in _HOLDERS and depth < 6:
            yield from _boxes(
                data, body + (4 if kind == b"meta" and data[body : body + 4] == b"\0\0\0\0" else 0), stop, depth + 1
            )
        at = stop


def _has_gps(tiff: bytes) -> bool:
    """Whether the first directory of a TIFF block points at a GPS directory that holds a position."""
    order = {b"II": "little", b"MM": "big"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return False

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if order == "little" else "big")

    def tags(at: int) -> Iterator[tuple[int, int]]:
        for i in range(min(number(at, 2), 512)):
            yield number(at + 2 + 12 * i, 2), number(at + 10 + 12 * i, 4)

    gps = next((value for tag, value in tags(number(4, 4)) if tag == GPS_IFD), None)
    # Latitude is 2 and longitude 4; a directory with the version alone says nothing.
    return gps is not None and 0 < gps < len(tiff) and bool({2, 4} & {tag for tag, _ in tags(gps)})
