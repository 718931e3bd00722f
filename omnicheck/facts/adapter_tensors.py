"""Tensors of adapter weights by their headers alone; the data is never read."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular

MAX_HEADER = 32 << 20


class AdapterTensors(Struct, frozen=True):
    """The header of one safetensors file.

    Attributes:
        file: the file.
        shapes: tensor name to shape.
    """

    file: RunFile
    shapes: dict[str, tuple[int, ...]]


@fact(absent="no adapter weights whose header can be read")
def adapter_tensors(source: Source) -> tuple[AdapterTensors, ...]:
    """Read the header of every adapter file: eight bytes of length, then JSON."""
    found = []
    for file in source.run.of("adapter_weights"):
        shapes = _shapes(file)
        if shapes is not None:
            found.append(AdapterTensors(file, shapes))
    return tuple(found)


def _shapes(file: RunFile) -> dict[str, tuple[int, ...]] | None:
    try:
        with open_regular(file.disk, max(file.size, 8)) as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(MAX_HEADER, file.size):
                return None
            header = msgspec.json.decode(stream.read(length))
    except (ReadError, OSError, ValueError, RecursionError):
        return None
    if not isinstance(header, dict):
        return None
    return {
        name: shape
        for name, each in header.items()
        if name != "__metadata__" and isinstance(each, dict) and (shape := _shape(each.get("shape"))) is not None
    }


def _shape(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, list) and all(type(each) is int for each in value):
        return tuple(value)
    return None
