"""Model weights and programs, by magic and structure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omnicheck.content.blob import Blob

_FLAX = re.compile(rb"[\xc7-\xc9][\x00-\xff]{1,4}\x01\x93", re.DOTALL)
_GGML = frozenset({b"tjgg", b"lmgg", b"algg", b"fmgg", b"ggjt", b"ggml", b"ggla", b"ggmf"})
_OCDBT = frozenset({b"\x0c\xdb\x3a\x2a", b"\x0c\xdb\x20\xde", b"\x0c\xdb\x12\x34"})
MAX_HEADER = 100 << 20


def weights(blob: Blob) -> Iterator[str]:
    """Yield the kinds of weights that the bytes are."""
    if is_safetensors(blob):
        yield "safetensors"
    yield from _language_models(blob)
    yield from _device_models(blob)
    yield from _checkpoints(blob)


def _language_models(blob: Blob) -> Iterator[str]:
    head = blob.head
    if head[:4] == b"GGUF" and (int.from_bytes(head[4:8], "little") < 16 or int.from_bytes(head[4:8], "big") < 16):
        yield "gguf"
    if head[:4] in _GGML and int.from_bytes(head[4:8], "little") < 1 << 20 and blob.size >= 32:
        yield "ggml"


def _device_models(blob: Blob) -> Iterator[str]:
    head = blob.head
    rooted = int.from_bytes(head[:4], "little") < blob.size
    if head[4:8] == b"TFL3" and rooted:
        yield "tflite"
    if head[4:6] == b"ET" and head[6:8].isdigit() and rooted:
        yield "pte"
    if head[:4] == b"\x01HEF":
        yield "hef"
    if head[64:68] == b"\xef\xbe\xad\xde" and head[4:8] == b"\x02\0\0\0":
        yield "coreml_weights"


def _checkpoints(blob: Blob) -> Iterator[str]:
    head = blob.head
    if head[:4] in _OCDBT and 8 < int.from_bytes(head[4:12], "little") <= blob.size:
        yield "orbax"
    if head[:2] == b"\0\0" and blob.size > 48 and blob.tail[-8:] == b"\x57\xfb\x80\x8b\x24\x75\x47\xdb":
        yield "tf_checkpoint"
    # A Flax file is a MessagePack map of names to arrays (extension type 1, a triple).
    if head and (0x80 < head[0] < 0x90 or head[0] in (0xDE, 0xDF)) and _FLAX.search(head[:4096]):
        yield "flax_msgpack"


def is_safetensors(blob: Blob) -> bool:
    """Whether a header length, a JSON object of that length and tensor entries stand at the start.

    A file that breaks off (the first part of a split) is one all the same.
    """
    head = blob.head
    length = int.from_bytes(head[:8], "little")
    if len(head) < 10 or not 2 <= length <= MAX_HEADER or head[8:9] != b"{":
        return False
    text = head[8 : 8 + length]
    if b'"data_offsets"' in text and b'"dtype"' in text:
        return True
    # No tensors, or so long a metadata block that they stand after the first 64 KiB.
    whole = blob.size >= 8 + length
    return whole and (text.strip() == b"{}" or (b'"__metadata__"' in text[:64] and blob.read(7 + length, 1) in b"} "))


def end_of_safetensors(blob: Blob) -> int | None:
    """Return where the last tensor ends, or None when the header cannot be read."""
    length = int.from_bytes(blob.head[:8], "little")
    text = blob.read(8, length) if length <= 1 << 24 else b""
    ends = [int(each) for each in re.findall(rb'"data_offsets"\s*:\s*\[\s*\d{1,19}\s*,\s*(\d{1,19})\s*\]', text)]
    return 8 + length + max(ends, default=0) if text else None
