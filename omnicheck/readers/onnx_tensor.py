"""Tensors, types and ports of an ONNX file, by their headers."""

from __future__ import annotations

import struct

from omnicheck.model.errors import ReadError
from omnicheck.readers.onnx_values import KEPT, Dimension, Port, Shape, Tensor, dtype_name
from omnicheck.readers.protobuf import BYTES, VARINT, Buffer, fields, numbers, signed, text, varint

_RAW = 9
_KINDS = {1: "tensor", 4: "sequence", 5: "map", 7: "opaque", 8: "sparse_tensor", 9: "optional"}
_PACKED = {"int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "bool": "B", "float16": "H"}
_PACKED |= {"bfloat16": "H", "int64": "q", "uint32": "I", "uint64": "Q"}
MAX_RANK = 1024
MAX_TYPE_DEPTH = 32


def read_tensor(data: Buffer, at: int, end: int, where: str) -> Tensor:  # noqa: C901 - one branch for each field
    """Return a tensor by its header; weights are stepped over, values up to 256 bytes are kept."""
    name, dtype, shape, typed, external = "", 0, [], 0, []
    raw: tuple[int, int] | None = None
    elsewhere = False
    parts: list[tuple[int, int, int, int]] = []
    for field in fields(data, at, end):
        number, wire, start, stop = field
        if number == 1:
            shape += numbers(data, wire, start, stop)
            if len(shape) > MAX_RANK:
                raise ReadError(f"a tensor of more than {MAX_RANK} dimensions at byte {at}")
        elif number == 2 and wire == VARINT:
            dtype = start
        elif number == 8 and wire == BYTES:
            name = text(data, start, stop)
        elif number == _RAW and wire == BYTES:
            raw = start, stop
        elif number == 13 and wire == BYTES:
            external.append(read_entry(data, start, stop))
        elif number == 14 and wire == VARINT:
            elsewhere = start == 1
        elif number in (4, 5, 6, 7, 10, 11):
            typed += stop - start if wire != VARINT else 1
            if typed <= KEPT:
                parts.append(field)
    kept = None
    if raw is not None and raw[1] - raw[0] <= KEPT:
        kept = data[raw[0] : raw[1]]
    elif raw is None and 0 < typed <= KEPT:
        kept = _typed_value(data, parts, dtype_name(dtype))
    return Tensor(
        name=name,
        dtype=dtype_name(dtype),
        shape=tuple(shape),
        where=where,
        raw=None if raw is None else raw[1] - raw[0],
        typed=typed,
        external=tuple(external) if elsewhere or external else None,
        value=kept,
    )


def read_sparse(data: Buffer, at: int, end: int, where: str) -> list[Tensor]:
    """Return the values (with the name of the whole, and its shape) and the indices of a sparse tensor."""
    shape: list[int] = []
    found: list[Tensor] = []
    for number, wire, start, stop in fields(data, at, end):
        if number in (1, 2) and wire == BYTES:
            found.append(read_tensor(data, start, stop, where))
        elif number == 3:
            shape += numbers(data, wire, start, stop)
    return found


def read_port(data: Buffer, at: int, end: int) -> Port:
    """Return an input or output."""
    name = ""
    kind, dtype, shape = "", "", None
    for number, wire, start, stop in fields(data, at, end):
        if wire == BYTES and number == 1:
            name = text(data, start, stop)
        elif wire == BYTES and number == 2:
            kind, dtype, shape = read_type(data, start, stop)
    return Port(name, kind, dtype, shape)


def read_type(data: Buffer, at: int, end: int, depth: int = 0) -> tuple[str, str, Shape | None]:
    """Return kind, element type and shape of a type; sequences and optionals keep those of their element."""
    if depth > MAX_TYPE_DEPTH:
        raise ReadError("a type nests too deep")
    found: tuple[str, str, Shape | None] = ("", "", None)
    for number, wire, start, stop in fields(data, at, end):
        if wire != BYTES or number not in _KINDS:
            continue
        dtype, shape = "", None
        for inner, inner_wire, first, last in fields(data, start, stop):
            if inner == 1 and inner_wire == VARINT:
                dtype = dtype_name(first)
            elif inner == 1 and inner_wire == BYTES and number in (4, 9):
                _, dtype, shape = read_type(data, first, last, depth + 1)
            elif inner == 2 and inner_wire == BYTES and number in (1, 8):
                shape = _shape(data, first, last)
        found = _KINDS[number], dtype, shape
    return found


def read_entry(data: Buffer, at: int, end: int) -> tuple[str, str]:
    """Return key and value of a string pair; a value longer than a name can be is cut."""
    key = value = ""
    for number, wire, start, stop in fields(data, at, end):
        if wire == BYTES and number == 1:
            key = text(data, start, stop)
        elif wire == BYTES and number == 2:
            value = text(data, start, min(stop, start + (1 << 15)))
    return key, value


def _shape(data: Buffer, at: int, end: int) -> Shape:
    shape: list[Dimension] = []
    for number, wire, start, stop in fields(data, at, end):
        if number != 1 or wire != BYTES:
            continue
        size: Dimension = None
        for inner, inner_wire, first, last in fields(data, start, stop):
            if inner == 1 and inner_wire == VARINT:
                size = signed(first)
            elif inner == 2 and inner_wire == BYTES:
                size = text(data, first, last) or None
        shape.append(size)
        if len(shape) > MAX_RANK:
            raise ReadError(f"a shape of more than {MAX_RANK} dimensions at byte {at}")
    return tuple(shape)


def _typed_value(data: Buffer, parts: list[tuple[int, int, int, int]], dtype: str) -> bytes | None:
    """Return the typed fields of a small tensor as little-endian bytes; None for strings."""
    packed: list[bytes] = []
    for number, wire, start, stop in parts:
        if number in (4, 10):
            packed.append(data[start:stop])
        elif number in (5, 7, 11) and dtype in _PACKED:
            code = _PACKED[dtype]
            bits = struct.calcsize(code) * 8
            values = [start] if wire == VARINT else []
            while wire == BYTES and start < stop:
                value, start = varint(data, start, stop)  # noqa: PLW2901 - steps through the packed numbers
                values.append(value)
            for value in values:
                low = value & ((1 << bits) - 1)
                packed.append(low.to_bytes(bits // 8, "little"))
        else:
            return None
    return b"".join(packed)
