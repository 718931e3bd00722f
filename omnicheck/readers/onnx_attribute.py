"""Attributes of a node, decoded when somebody asks for one."""

from __future__ import annotations

import struct

from omnicheck.model.errors import ReadError
from omnicheck.readers.onnx_values import BITS, Node, Tensor
from omnicheck.readers.protobuf import BYTES, FIXED32, VARINT, fields, numbers, signed, text

_NAME, _FLOAT, _INT, _STRING, _FLOATS, _INTS, _REFERENCE = 1, 2, 3, 4, 7, 8, 21

Value = int | float | str | tuple[int, ...] | tuple[float, ...] | None


def attribute(node: Node, name: str) -> Value:
    """Return a small plain attribute: a number, a text, or numbers; None when the node has none of that name."""
    wanted = name.encode()
    for raw in node.attributes:
        if wanted in raw:
            try:
                found, value = _decode(raw)
            except ReadError:
                continue  # a reader of the whole file has told of it already
            if found == name:
                return value
    return None


def integer(node: Node, name: str, default: int) -> int:
    """Return an attribute that is a whole number, or the default."""
    value = attribute(node, name)
    return value if isinstance(value, int) else default


def integers(tensor: Tensor) -> tuple[int, ...] | None:
    """Return the numbers of a small integer tensor; None when they are not kept or not whole."""
    code = {"int64": "q", "int32": "i", "bool": "?", "uint8": "B", "int8": "b"}.get(tensor.dtype)
    if code is None or tensor.value is None or len(tensor.value) * 8 % BITS[tensor.dtype]:
        return None
    return tuple(int(value) for (value,) in struct.iter_unpack(f"<{code}", tensor.value))


def is_zero(tensor: Tensor) -> bool:
    """Whether every element of a small tensor is zero; -0.0 counts."""
    if not tensor.value or tensor.dtype == "string":
        return False
    width = BITS.get(tensor.dtype, 8) // 8 or 1
    if not tensor.dtype.startswith(("float", "bfloat")) or tensor.dtype.startswith(("float8", "float4")):
        return not any(tensor.value)
    data = bytearray(tensor.value)
    for last in range(width - 1, len(data), width):
        data[last] &= 127
    return not any(data)


def _decode(raw: bytes) -> tuple[str, Value]:
    name = ""
    value: Value = None
    ints: list[int] = []
    floats: list[float] = []
    for number, wire, at, stop in fields(raw, 0, len(raw)):
        if number == _NAME and wire == BYTES:
            name = text(raw, at, stop)
        elif number == _INT and wire == VARINT:
            value = signed(at)
        elif number == _FLOAT and wire == FIXED32:
            value = struct.unpack("<f", raw[at:stop])[0]
        elif number == _STRING and wire == BYTES:
            value = text(raw, at, stop)
        elif number == _INTS:
            ints += numbers(raw, wire, at, stop)
        elif number == _FLOATS and (stop - at) % 4 == 0:
            floats += [each for (each,) in struct.iter_unpack("<f", raw[at:stop])]
        elif number == _REFERENCE:
            return name, None
    return name, tuple(ints) if ints else tuple(floats) if floats else value
