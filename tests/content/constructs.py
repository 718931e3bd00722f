"""Builders of small files of many formats, sound and broken."""

from __future__ import annotations

import io
import json
import os
import pickle
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import py7zr
import zstandard

from omnicheck.content.formats.data import masked_crc32c


class Evil:
    """Pickles to a call; only ever dumped here, never loaded."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("true",)


def evil(protocol: int = 2) -> bytes:
    return pickle.dumps(Evil(), protocol)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, compress_type=method)
    return buffer.getvalue()


def tarred(*members: tuple[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def tar_entry(name: str, kind: bytes, target: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return buffer.getvalue()


def flagged(bit: int) -> bytes:
    data = bytearray(zipped(("archive/data.pkl", evil())))
    data[6] |= bit
    data[data.rfind(b"PK\x01\x02") + 8] |= bit
    return bytes(data)


def renamed_locally() -> bytes:
    data = bytearray(zipped(("archive/data.pkl", evil())))
    data[30:34] = b"ARCH"
    return bytes(data)


def bad_crc(name: str = "archive/data.pkl", *others: tuple[str, bytes]) -> bytes:
    data = bytearray(zipped((name, evil() if name.endswith("pkl") else b"hello"), *others))
    data[14:18] = b"\0" * 4
    central = data.find(b"PK\x01\x02")
    data[central + 16 : central + 20] = b"\0" * 4
    return bytes(data)


def duplicate_names() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.pkl", evil())
        archive.writestr("b.pkl", pickle.dumps({"a": 1}))
    return buffer.getvalue().replace(b"b.pkl", b"a.pkl")


def nested(depth: int, core: bytes, name: str = "a.pkl") -> bytes:
    for _ in range(depth):
        core = zipped((name, core))
        name = "in.zip"
    return core


def png(note: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + b"\1\2\3" * 2 + b"\0" + b"\4\5\6" * 2)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tEXt", b"note\0" + note)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def jpeg() -> bytes:
    start = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\0\0\1\0\1\0\0"
    return start + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x12\x34\xff\xd9"


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n"


def safetensors(values: int = 64, metadata: dict[str, str] | None = None) -> bytes:
    header: dict[str, object] = {"w": {"dtype": "F32", "shape": [values], "data_offsets": [0, 4 * values]}}
    if metadata:
        header["__metadata__"] = metadata
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + np.arange(values, dtype="<f4").tobytes()


def mp4() -> bytes:
    return struct.pack(">I", 24) + b"ftypisom\0\0\2\0isomiso2" + struct.pack(">I", 108) + b"mdat" + bytes(range(100))


def mov() -> bytes:
    return struct.pack(">I", 8) + b"wide" + struct.pack(">I", 108) + b"mdat" + bytes(range(100))


def mkv() -> bytes:
    return b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\x82\x88matroska" + bytes(64)


def wav() -> bytes:
    samples = bytes(64)
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def hdf5() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["x"] = np.arange(8)
    return buffer.getvalue()


def npy(array: np.ndarray | None = None) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(6) if array is None else array, allow_pickle=True)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays or {"a": np.arange(6)}))
    return buffer.getvalue()


def parquet() -> bytes:
    return b"PAR1\x15\x04" + bytes(32) + struct.pack("<I", 16) + b"PAR1"


def arrow() -> bytes:
    return b"ARROW1\0\0" + bytes(64) + b"ARROW1"


def gguf() -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(32)


def onnx() -> bytes:
    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    node = field(1, b"x") + field(2, b"y") + field(4, b"Relu")
    graph = field(1, node) + field(2, b"graph")
    return b"\x08\x08" + field(2, b"maker") + field(7, graph) + field(8, b"\x0a\x00\x10\x11")


def sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        connection = sqlite3.connect(path)
        connection.execute("create table t (a)")
        connection.commit()
        connection.close()
        return path.read_bytes()


def tfrecord(data: bytes = b"example" * 5) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))


def torch_zip() -> bytes:
    return zipped(
        ("archive/data.pkl", pickle.dumps({"w": 1}, 2)),
        ("archive/version", b"3\n"),
        ("archive/data/0", bytes(range(64))),
    )


def torch_legacy() -> bytes:
    return b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00." + bytes(32)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def sevenzip(name: str, data: bytes, password: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", password=password) as archive:
        archive.writestr(data, name)
    return buffer.getvalue()


def joblib_dump() -> bytes:
    return b"\x80\x03cjoblib.numpy_pickle\nNumpyArrayWrapper\nq\x00)\x81q\x01." + bytes(16)


JUNK_ZIP = b"JUNK" * 64 + zipped(("a.txt", b"hello"))


def zip_with_descriptors() -> bytes:
    """Write to a stream that cannot seek: sizes stand after the members."""

    class Forward(io.BytesIO):
        def seekable(self) -> bool:
            return False

    buffer = Forward()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "hello " * 50)
        archive.writestr("b.txt", "there")
    return buffer.getvalue()


def zip_with_hidden_member() -> bytes:
    """Leave a member out of the directory, though its local header and bytes are there."""
    shown, hidden = zipped(("a.txt", b"hello")), zipped(("b.pkl", evil()))
    local = hidden[: hidden.find(b"PK\x01\x02")]
    start = shown.find(b"PK\x01\x02")
    end = bytearray(shown[start:])
    at = end.find(b"PK\x05\x06")
    end[at + 16 : at + 20] = struct.pack("<I", start + len(local))
    return shown[:start] + local + bytes(end)


def overlapping() -> bytes:
    """Let two entries of the directory point at one member."""
    data = bytearray(zipped(("a.txt", b"hello"), ("b.txt", b"hello")))
    second = data.rfind(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    return bytes(data)
