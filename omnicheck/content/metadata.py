"""The texts that lie in structured files beside their data: what a title, an attribute or a stack trace says.

Bounded and never executing: headers are read, weights are not, and nothing is unpickled.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

from omnicheck.content.image_location import png_chunks
from omnicheck.content.notebook import notebook_texts
from omnicheck.content.onnx_texts import onnx_texts
from omnicheck.content.tensor_texts import hdf5_texts, npy_texts, npz_texts, safetensors_texts

Text = tuple[str, bytes]
"""Where a text stands, and the text."""

MAX_TEXT = 1 << 24


def texts_of(kind: str, data: Any) -> Iterator[Text]:
    """Yield place and text of everything that a structured file says in words.

    Args:
        kind: ``safetensors``, ``onnx``, ``hdf5``, ``npz``, ``npy``, ``notebook``, ``png``, ``jpeg``, ``webp``; nothing
            is yielded for any other.
        data: the bytes, or anything that slices like them (a memory map).
    """
    reader = {
        "safetensors": safetensors_texts,
        "onnx": onnx_texts,
        "hdf5": hdf5_texts,
        "npz": npz_texts,
        "npy": npy_texts,
        "notebook": notebook_texts,
        "png": png_texts,
        "jpeg": jpeg_texts,
        "webp": webp_texts,
    }.get(kind)
    if reader is not None:
        yield from reader(data)


def png_texts(data: Any) -> Iterator[Text]:
    """Yield the text chunks of a PNG."""
    for kind, content in png_chunks(data):
        key, _, rest = content.partition(b"\0")
        place = f"text chunk {_shown(key)}"
        if kind == b"tEXt":
            yield place, rest
        elif kind == b"zTXt":
            yield place, _inflated(rest[1:])
        elif kind == b"iTXt":
            text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            yield place, _inflated(text) if rest[:1] == b"\1" else text


def jpeg_texts(data: Any) -> Iterator[Text]:
    """Yield comments, EXIF and XMP of a JPEG; their numbers are bytes that hold no text."""
    at = 2
    for _ in range(4096):
        head = bytes(data[at : at + 4])
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):
            return
        size = int.from_bytes(head[2:4], "big")
        place = {0xFE: "comment", 0xE1: "EXIF or XMP", 0xED: "IPTC"}.get(head[1])
        if place:
            yield place, _printable(bytes(data[at + 4 : at + 2 + size]))
        at += 2 + max(size, 2)


def webp_texts(data: Any) -> Iterator[Text]:
    """Yield EXIF and XMP of a WebP."""
    at = 12
    for _ in range(4096):
        head = bytes(data[at : at + 8])
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        if head[:4] in (b"EXIF", b"XMP "):
            yield head[:4].decode().strip(), _printable(bytes(data[at + 8 : at + 8 + min(size, MAX_TEXT)]))
        at += 8 + size + size % 2


def _printable(data: bytes) -> bytes:
    # Binary tags between the texts would glue them together.
    return b"\n".join(re.findall(rb"[\t\n\r\x20-\x7e]{6,}", data))


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT)
    except zlib.error:
        return b""


def _shown(key: bytes) -> str:
    text = key.decode("latin-1")
    return text if text.isprintable() and len(text) <= 40 else "with an odd name"


__all__ = ["Text", "texts_of"]
