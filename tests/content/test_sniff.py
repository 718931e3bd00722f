from __future__ import annotations

import gzip
import io
import json
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.content.sniff import sniff


def kind(data: bytes) -> str:
    return sniff(data[:4096], len(data))


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"x")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return buffer.getvalue()


def arrays() -> tuple[bytes, bytes]:
    one, many = io.BytesIO(), io.BytesIO()
    np.save(one, np.zeros(3))
    np.savez(many, a=np.zeros(3))
    return one.getvalue(), many.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * 4


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b'{"a": 1}', "json"),
        (b'{"a": 1}\n', "json"),
        (b'\xef\xbb\xbf{\n "a": 1}\n', "json"),
        (b"[1, 2]\n", "json"),
        (b"[\n1\n]", "json"),
        (b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        (b'{"a": 1}\r\n\r\n{"a"', "jsonl"),
        (b'{"a": NaN}\n{"a": 2}\n', "jsonl"),
        (b'{"a": ' + b"[1," * 3000, "json"),
        (b'{"a": "' + b"x" * 3000 + b'"}\n{"a": "' + b"x" * 3000 + b'"}\n', "jsonl"),
        (b"id,label,score\n1,a,0.5\n", "csv"),
        (b'"{""a"": 1, ""b"": 2}",x\r\n1,2\r\n', "csv"),
        (b"Hello, world. This is prose, mostly.\n", "text"),
        (b"# Title\n\n- a: b, c\n", "text"),
        (b"a: 1\nb: 2\n", "text"),
        ("naïve text\n".encode("latin-1"), "text"),
        ("x".encode("utf-16"), "text"),
        (b"step 1\n\x1b[32mok\x1b[0m\n", "text"),
        (b"\x00\x01\x02\x03", "unknown"),
        (bytes(range(128, 256)), "unknown"),
        (b'{"a": "\x00"}', "unknown"),
        (zipped("a.txt"), "zip"),
        (zipped("a.npy"), "npz"),
        (arrays()[0], "npy"),
        (arrays()[1], "npz"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (tarred(), "tar"),
        (safetensors(), "safetensors"),
        (pickle.dumps({"a": 1}), "pickle"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 8, "hdf5"),
        (b"PAR1" + b"\0" * 8, "parquet"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"\0\0\0\x18ftypisom", "mp4"),
        (b"%PDF-1.7\n", "pdf"),
    ],
)
def test_kinds(data: bytes, expected: str) -> None:
    assert kind(data) == expected


def test_a_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("create table a (b)")
    connection.close()
    assert kind(path.read_bytes()) == "sqlite"


def test_a_character_cut_by_the_head_is_text() -> None:
    assert kind(("x" * 4095 + "é").encode()) == "text"


@given(st.binary(max_size=200), st.integers(0, 10**6))
def test_any_bytes_have_a_kind(head: bytes, more: int) -> None:
    assert isinstance(sniff(head, len(head) + more), str)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers(), max_size=3), min_size=2, max_size=5))
def test_lines_of_objects_are_jsonl_and_an_indented_document_is_json(rows: list[dict[str, int]]) -> None:
    assert kind("".join(json.dumps(row) + "\n" for row in rows).encode()) == "jsonl"
    assert kind(json.dumps(rows, indent=1).encode()) == "json"
