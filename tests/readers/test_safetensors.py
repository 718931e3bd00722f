"""The header reader against the reference library, and on bytes that nobody should have written."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from omnicheck.readers.safetensors import Header, parse_header

TENSORS = {
    "a.lora_A.weight": np.ones((4, 6), np.float32),
    "a.lora_B.weight": np.zeros((3, 4), np.float16),
    "scale": np.array(2, np.float32),
    "empty": np.zeros((0, 7), np.int8),
}


def pack(header: Any, data: bytes = b"", *, raw: str | None = None) -> bytes:
    text = (raw if raw is not None else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + data


def read(data: bytes) -> Header:
    return parse_header(io.BytesIO(data), len(data))


def test_it_reads_what_the_reference_library_writes() -> None:
    header = read(save(TENSORS, metadata={"format": "pt"}))
    assert header.faults == ()
    assert header.metadata == {"format": "pt"}
    assert {each.name: each.shape for each in header.tensors} == {name: array.shape for name, array in TENSORS.items()}
    data = save(TENSORS)
    by_name = {each.name: each for each in read(data).tensors}
    begin, end = by_name["a.lora_A.weight"].begin, by_name["a.lora_A.weight"].end
    assert data[begin:end] == TENSORS["a.lora_A.weight"].tobytes()


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BAD: dict[str, tuple[bytes, str]] = {
    "short": (b"\x00" * 9, "too few"),
    "longer than the file": (struct.pack("<Q", 1 << 40) + b"{}" + b" " * 20, "bytes of header"),
    "leading space": (pack(None, raw=" {}"), "does not begin"),
    "no json": (pack(None, raw="{x}"), "no JSON"),
    "too deep": (pack(None, raw='{"a":' + "[" * 100_000), "no JSON"),
    "not finite": (pack(None, raw='{"__metadata__": NaN}'), "NaN"),
    "a list": (pack(None, raw='{"a": {"dtype": "F32"}, "b": []}'), "no valid shape"),
    "twice": (pack(None, b"\0" * 8, raw=f'{{"a": {json.dumps(ONE)}, "a": {json.dumps(ONE)}}}'), "twice"),
    "metadata twice": (pack(None, raw='{"__metadata__": {"k": "1", "k": "2"}}'), "'k' twice"),
    "metadata no string": (pack({"__metadata__": {"k": 1}}), "no string"),
    "control": (pack({"a\nb": ONE}, b"\0" * 8), "control characters"),
    "unknown field": (pack({"a": {**ONE, "x": 1}}, b"\0" * 8), "does not know"),
    "unknown type": (pack({"a": {**ONE, "dtype": "F99"}}, b"\0" * 8), "F99"),
    "boolean shape": (pack({"a": {**ONE, "shape": [True]}}, b"\0" * 8), "no valid shape"),
    "reversed": (pack({"a": {**ONE, "data_offsets": [8, 0]}}, b"\0" * 8), "no valid shape"),
    "wrong size": (pack({"a": {**ONE, "shape": [3]}}, b"\0" * 8), "needs 12 bytes and has 8"),
    "past the end": (pack({"a": {**ONE, "data_offsets": [8, 16]}}, b"\0" * 8), "ends at byte"),
    "gap": (pack({"a": {**ONE, "data_offsets": [4, 12]}}, b"\0" * 12), "4 bytes before"),
    "trailing": (pack({"a": ONE}, b"\0" * 9), "1 bytes after the last"),
    "overlap": (pack({"a": ONE, "b": {**ONE, "data_offsets": [4, 12]}}, b"\0" * 12), "share bytes"),
    "huge": (pack({"a": {**ONE, "shape": [0, 1 << 61]}}, b"\0" * 8), "needs 0 bytes"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told(case: str) -> None:
    data, says = BAD[case]
    assert any(says in fault.message for fault in read(data).faults), read(data).faults


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    read(data)


@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 40))
def test_whatever_the_reference_library_refuses_has_a_fault(place: int, value: int, cut: int) -> None:
    data = bytearray(save(TENSORS))
    data[place % len(data)] = value
    changed = bytes(data[: len(data) - cut])
    try:
        safetensors.deserialize(changed)
    except (safetensors.SafetensorError, UnicodeDecodeError, OverflowError):
        assert read(changed).faults != ()


def test_a_file_on_disk(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(save(TENSORS))
    with (tmp_path / "a.safetensors").open("rb") as stream:
        assert len(parse_header(stream, (tmp_path / "a.safetensors").stat().st_size).tensors) == len(TENSORS)
