"""What a file is, from its first bytes."""

from __future__ import annotations

import codecs
import re

import msgspec

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x93NUMPY", "npy"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"GGUF", "gguf"),
    (0, b"\x1a\x45\xdf\xa3", "mkv"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (512, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (1024, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (2048, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (0, b"PAR1", "parquet"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (4, b"ftyp", "mp4"),
    (0, b"%PDF-", "pdf"),
    (257, b"ustar", "tar"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
# Control characters that text does not hold; tab, line ends, form feed and escape (colours in logs) do stand in it.
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_SENTENCE = re.compile(r"[.!?] |, ")
_SPACE = b" \t\r\n"


def sniff(head: bytes, size: int) -> str:
    """Return the kind of a file.

    Args:
        head: its first bytes, up to 4096.
        size: its whole size in bytes.

    Returns:
        ``empty``, ``json``, ``jsonl``, ``csv``, ``text``, ``safetensors``, ``npz``, ``npy``, ``zip``, ``gzip``,
        ``xz``, ``zstd``, ``7z``, ``tar``, ``gguf``, ``mkv``, ``hdf5``, ``pickle``,
        ``sqlite``, ``parquet``, ``png``, ``jpeg``, ``mp4``, ``pdf`` or ``unknown``.
    """
    if size == 0 or not head:
        return "empty"
    return _binary_kind(head, size) or text_kind(head, size)


def _binary_kind(head: bytes, size: int) -> str | None:
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    if head.startswith(_ZIP):
        name_length = int.from_bytes(head[26:28], "little")
        return "npz" if head[30 : 30 + name_length].endswith(b".npy") else "zip"
    if _is_safetensors(head, size):
        return "safetensors"
    return "pickle" if _PICKLE.match(head) and size > 2 else None


def _is_safetensors(head: bytes, size: int) -> bool:
    # Eight bytes of header length, little endian, then a JSON object of that length.
    length = int.from_bytes(head[:8], "little")
    return size >= 10 and 2 <= length <= size - 8 and head[8:9] == b"{" and head[9:10] in (b'"', b"}", b" ")


def text_kind(head: bytes, size: int) -> str:
    """Return the kind of text that begins so: ``json``, ``jsonl``, ``csv``, ``text``, or ``unknown`` for bytes."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text" if len(head) > 2 else "unknown"
    data = head.removeprefix(codecs.BOM_UTF8)
    if len(data) != len(data.translate(None, _CONTROL)) or not _is_text(data, whole=size <= len(head)):
        return "unknown"
    stripped = data.lstrip(_SPACE)
    if stripped.startswith((b"{", b"[")):
        return _json_kind(stripped, whole=size <= len(head))
    return "csv" if _is_table(data.decode("utf-8", "replace")) else "text"


def _is_text(data: bytes, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        # Another 8-bit encoding is text all the same when it is mostly ASCII.
        return sum(byte > 127 for byte in data) * 10 < len(data)
    return True


def _json_kind(data: bytes, *, whole: bool) -> str:
    line, end, rest = data.partition(b"\n")
    if not _parses(line):
        # A first line longer than the head, or a document over many lines, or one that is broken.
        return "jsonl" if rest.lstrip(_SPACE).startswith(b"{") and line.rstrip(_SPACE).endswith(b"}") else "json"
    follows = rest.lstrip(_SPACE)
    if follows:
        return "jsonl" if line.startswith(b"{") or _parses(follows.partition(b"\n")[0]) else "json"
    return "json" if whole or not end else "jsonl"


def _parses(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(text: str) -> bool:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    first = lines[0]
    if "," not in first or first.startswith(("#", "- ", "* ", ">", "|", "<", "//")):
        return False
    if '"' in first:
        return first.startswith('"') or ',"' in first
    # Prose puts a space after its commas; a header does not, and its next row has as many.
    if _SENTENCE.search(first):
        return False
    second = lines[1] if len(lines) > 2 else ""
    return not second or '"' in second or second.count(",") >= first.count(",")
