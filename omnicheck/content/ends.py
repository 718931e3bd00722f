"""Where a format ends by its own structure, so that bytes appended to it are seen."""

from __future__ import annotations

import re
from math import prod

from omnicheck.content.blob import Blob
from omnicheck.content.formats.data import npy_header
from omnicheck.content.formats.media import end_of_image
from omnicheck.content.formats.weights import end_of_safetensors

_SHAPE = re.compile(rb"'shape'\s*:\s*\(([\d,\s]*)\)")
_DESCR = re.compile(rb"'descr'\s*:\s*'[|<>=]?[a-zA-Z](\d+)'")
_IMAGES = frozenset({"png", "jpeg", "gif", "bmp", "webp", "wav", "avi"})
ENDING = _IMAGES | {"pdf", "npy", "safetensors", "mp4", "mov", "heif", "sqlite"}


def end_of(kind: str, blob: Blob) -> int | None:
    """Return the offset after the last byte that the format accounts for; None when its end cannot be told."""
    if kind in _IMAGES:
        return end_of_image(kind, blob)
    if kind == "pdf":
        at = blob.tail.rfind(b"%%EOF")
        return blob.size - len(blob.tail) + at + 5 if at >= 0 else None
    if kind == "npy":
        return _end_of_npy(blob)
    if kind == "safetensors":
        return end_of_safetensors(blob)
    if kind in ("mp4", "mov", "heif"):
        return _end_of_boxes(blob)
    if kind == "sqlite":
        page = int.from_bytes(blob.head[16:18], "big")
        pages = int.from_bytes(blob.head[28:32], "big")
        return (65536 if page == 1 else page) * pages or None
    return None


def _end_of_npy(blob: Blob) -> int | None:
    header = npy_header(blob.head)
    shape, kind = _SHAPE.search(header), _DESCR.search(header)
    if shape is None or kind is None:
        return None
    start = (12 if blob.head[6] > 1 else 10) + len(header)
    counts = [int(each) for each in shape.group(1).split(b",") if each.strip()]
    width = int(kind.group(1)) * (4 if b"U" in kind.group() else 1)
    return start + prod(counts) * width


def _end_of_boxes(blob: Blob) -> int | None:
    at = 0
    for _ in range(100_000):
        header = blob.read(at, 16)
        if len(header) < 8 or not all(32 <= byte < 127 or byte == 0xA9 for byte in header[4:8]):
            return at or None
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length == 0:
            return blob.size
        if length < 8:
            return at
        at += length
        if at >= blob.size:
            return at
    return None
