"""Raw data, tables, arrays, databases, documents and programs, by magic and structure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omnicheck.content.blob import Blob

_HDF5 = b"\x89HDF\r\n\x1a\n"
_OBJECTS = re.compile(rb"['\"][|<>=]?O\d*['\"]")
_MAGICS = (
    (b"Obj\x01", "avro"),
    (b"SQLite format 3\0", "sqlite"),
    (b"#ROSBAG V", "rosbag"),
    (b"\x89MCAP0\r\n", "mcap"),
)
_RERUN = frozenset({b"RRF0", b"RRF1", b"RRF2", b"RRF3", b"RRIO"})
_PROGRAMS = ((b"\x7fELF", "elf"), (b"\0asm", "wasm"), (b"\xcf\xfa\xed\xfe", "macho"), (b"\xce\xfa\xed\xfe", "macho"))


def data(blob: Blob) -> Iterator[str]:
    """Yield the kinds of data that the bytes are."""
    head = blob.head
    if _is_hdf5(blob):
        if b"keras_version" in head or b"model_weights" in head or b"_layer_checkpoint_dependencies" in head:
            yield "keras_hdf5"
        yield "hdf5"
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            yield kind
    yield from _tables(blob)
    if head[:4] in _RERUN and b"\0" in head[4:12]:
        yield "rrd"
    if head[8:12] == b"DUCK" and head[14:20] == b"\0" * 6:
        yield "duckdb"
    if head[:10] == b"MATLAB 5.0" and head[126:128] in (b"IM", b"MI"):
        yield "matlab"
    if _is_tfrecord(head, blob.size):
        yield "tfrecord"


def _tables(blob: Blob) -> Iterator[str]:
    head, first = blob.head, blob.head[:4]
    if first in (b"PAR1", b"PARE") and blob.size > 8 and (blob.tail[-4:] == first or head[4] < 0x20):
        yield "parquet"
    if head[:6] == b"ARROW1" or first == b"FEA1" or _is_arrow_stream(head, blob.size):
        yield "arrow"
    if head[:3] == b"ORC" and blob.tail[-4:-1] == b"ORC":
        yield "orc"


def arrays(blob: Blob) -> Iterator[str]:
    """Yield ``npy``; an array of Python objects is a ``pickle`` too."""
    head = blob.head
    if head[:6] != b"\x93NUMPY" or len(head) < 10:
        return
    header = npy_header(head)
    if _OBJECTS.search(header):
        yield "pickle"
    yield "npy"


def npy_header(head: bytes) -> bytes:
    """Return the text of a npy header."""
    wide = head[6] > 1
    length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
    start = 12 if wide else 10
    return head[start : start + length]


def documents(blob: Blob) -> Iterator[str]:
    """Yield documents and programs."""
    head = blob.head
    if b"%PDF-" in head[:1024] and b"obj" in head and b"%%EOF" in blob.tail:
        yield "pdf"
    if head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        yield "office"
    for magic, kind in _PROGRAMS:
        if head.startswith(magic):
            yield kind
    if head[:2] == b"MZ" and blob.read(int.from_bytes(head[60:64], "little"), 4) == b"PE\0\0":
        yield "pe"
    if head[:4] == b"\xca\xfe\xba\xbe" and 44 < int.from_bytes(head[6:8], "big") < 128:
        yield "class"
    if (
        head[2:4] == b"\r\n"
        and head[4:8] in (b"\0\0\0\0", b"\1\0\0\0", b"\3\0\0\0")
        and head[16:17] in (b"\xe3", b"\x63")
    ):
        yield "pyc"


def _is_hdf5(blob: Blob) -> bool:
    head = blob.head
    if head.startswith(_HDF5):
        return True
    if blob.size < 520:
        return False
    at = 512
    while at + 8 <= blob.size:
        if (head[at : at + 8] if at + 8 <= len(head) else blob.read(at, 8)) == _HDF5:
            return True
        at *= 2
    return False


def _is_arrow_stream(head: bytes, size: int) -> bool:
    if head[:4] != b"\xff\xff\xff\xff":
        return False
    length = int.from_bytes(head[4:8], "little")
    root = int.from_bytes(head[8:12], "little")
    return 16 <= length <= size and length % 8 == 0 and 4 <= root < length


def _is_tfrecord(head: bytes, size: int) -> bool:
    length = int.from_bytes(head[:8], "little")
    return len(head) >= 12 and length <= size and masked_crc32c(head[:8]) == int.from_bytes(head[8:12], "little")


def masked_crc32c(text: bytes) -> int:
    """Return the CRC-32C of a few bytes, masked as TFRecord masks it."""
    crc = 0xFFFFFFFF
    for byte in text:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
