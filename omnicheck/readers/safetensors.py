"""The header of a safetensors file: every tensor's name, type, shape and place; the data is not read.

The format (https://huggingface.co/docs/safetensors): eight bytes of header length, little endian; a JSON object of that
length; the data. The reference library accepts duplicate keys, names with control characters and fields that it does
not know, all of which two readers may read differently, so they are told here.
"""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO

from msgspec import Struct

from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular

MAX_HEADER = 100 << 20
"""Bytes of header that the reference library accepts."""

MAX_TENSORS = 1_000_000

BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "F64": 64,
    "I64": 64,
    "U64": 64,
    "C64": 64,
}
"""Bits of one element, by type."""

_FIELDS = frozenset({"dtype", "shape", "data_offsets"})


class Tensor(Struct, frozen=True):
    """One tensor as the header has it.

    Attributes:
        name: its key.
        dtype: such as ``F32`` or ``BF16``.
        shape: elements along each axis.
        begin: first byte, counted from the beginning of the file.
        end: byte after the last.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


class Fault(Struct, frozen=True):
    """One thing that is wrong with a header; ``tensor`` names the tensor, if it is about one."""

    message: str
    tensor: str | None = None


class Header(Struct, frozen=True):
    """A header as far as it could be read.

    Attributes:
        tensors: in the order of the file; where a key stands twice, both are here.
        metadata: the strings under ``__metadata__``.
        faults: what is wrong.
    """

    tensors: tuple[Tensor, ...] = ()
    metadata: dict[str, str] = {}
    faults: tuple[Fault, ...] = ()


class _Pairs(list[tuple[str, Any]]):
    """The members of an object in order, duplicates included."""


def read_header(file: RunFile) -> Header:
    """Read the header of a safetensors file.

    Raises:
        ReadError: the file cannot be opened.
    """
    with open_regular(file.disk) as stream:
        return parse_header(stream, file.size)


def parse_header(stream: BinaryIO, size: int) -> Header:
    """Read a header from the beginning of a stream of ``size`` bytes; never raises on what it reads."""
    prefix = stream.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or size < 10:
        return Header(faults=(Fault(f"{size} bytes are too few for a header"),))
    if length > min(MAX_HEADER, size - 8):
        return Header(faults=(Fault(f"its first eight bytes say {length:,} bytes of header in a file of {size:,}"),))
    text = stream.read(length)
    if not text.startswith(b"{"):
        return Header(faults=(Fault("the header does not begin with '{'"),))
    try:
        pairs = json.loads(text.decode("utf-8"), object_pairs_hook=_Pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return Header(faults=(Fault(f"the header is no JSON: {str(error)[:120]}"),))
    return _header(pairs, 8 + length, size, padded=not text.rstrip(b" ").endswith(b"}"))


def _header(pairs: Any, start: int, size: int, *, padded: bool) -> Header:
    if not isinstance(pairs, _Pairs):
        return Header(faults=(Fault("the header is no JSON object"),))
    faults = [Fault("bytes other than spaces pad the header")] if padded else []
    tensors: list[Tensor] = []
    metadata: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            faults.append(Fault(f"the key {name!r} stands there twice: readers may take either", name))
        seen.add(name)
        if name == "__metadata__":
            faults += _metadata(value, metadata)
        elif len(tensors) >= MAX_TENSORS:
            faults.append(Fault(f"more than {MAX_TENSORS:,} tensors"))
            break
        else:
            found, wrong = _tensor(name, value, start, size)
            faults += wrong
            tensors += [found] if found is not None else []
    return Header(tuple(tensors), metadata, (*faults, *_layout(tensors, start, size)))


def _tensor(name: str, value: Any, start: int, size: int) -> tuple[Tensor | None, list[Fault]]:
    faults = []
    if not name or any(ord(char) < 32 or ord(char) == 127 for char in name):
        faults.append(Fault(f"the name {name!r} is empty or holds control characters", name))
    if not isinstance(value, _Pairs):
        return None, [*faults, Fault(f"{name!r} is no object", name)]
    fields = dict(value)
    if len(fields) < len(value):
        faults.append(Fault(f"{name!r} names a field twice", name))
    if set(fields) - _FIELDS:
        faults.append(
            Fault(f"{name!r} has fields that the format does not know: {sorted(set(fields) - _FIELDS)}", name)
        )
    dtype, shape, offsets = fields.get("dtype"), _whole(fields.get("shape")), _whole(fields.get("data_offsets"))
    if not isinstance(dtype, str) or dtype not in BITS:
        return None, [*faults, Fault(f"{name!r} has the type {dtype!r}, which the format does not know", name)]
    if shape is None or offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        return None, [*faults, Fault(f"{name!r} has no valid shape and data_offsets", name)]
    tensor = Tensor(name, dtype, tuple(shape), start + offsets[0], start + offsets[1])
    wanted = (tensor.elements * BITS[dtype] + 7) // 8
    if tensor.end - tensor.begin != wanted:
        has = tensor.end - tensor.begin
        faults.append(
            Fault(f"{name!r} of shape {list(shape)} and type {dtype} needs {wanted:,} bytes and has {has:,}", name)
        )
    if tensor.end > size:
        faults.append(Fault(f"{name!r} ends at byte {tensor.end:,} of a file of {size:,}", name))
    return tensor, faults


def _layout(tensors: list[Tensor], start: int, size: int) -> list[Fault]:
    """Tell overlaps, gaps and trailing bytes: the data must be covered exactly once."""
    faults, here = [], start
    last: Tensor | None = None
    for tensor in sorted(tensors, key=lambda each: (each.begin, each.end)):
        if tensor.begin < here and tensor.begin < tensor.end and last is not None:
            faults.append(Fault(f"{tensor.name!r} and {last.name!r} share bytes", tensor.name))
        elif tensor.begin > here:
            faults.append(
                Fault(f"{tensor.begin - here:,} bytes before {tensor.name!r} belong to no tensor", tensor.name)
            )
        if tensor.end >= here:
            here, last = tensor.end, tensor
    if here < size:
        faults.append(Fault(f"{size - here:,} bytes after the last tensor belong to no tensor"))
    return faults


def _metadata(value: Any, into: dict[str, str]) -> list[Fault]:
    if not isinstance(value, _Pairs):
        return [Fault("__metadata__ is no object", "__metadata__")]
    faults = []
    for key, text in value:
        if not isinstance(text, str):
            faults.append(Fault(f"__metadata__ {key!r} is no string", "__metadata__"))
        elif key in into:
            faults.append(Fault(f"__metadata__ has {key!r} twice", "__metadata__"))
        else:
            into[key] = text
    return faults


def _whole(value: Any) -> list[int] | None:
    """Return a list of natural numbers; None for anything else."""
    if not isinstance(value, list) or isinstance(value, _Pairs):
        return None
    return value if all(type(each) is int and 0 <= each < 1 << 62 for each in value) else None


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
