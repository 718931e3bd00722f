"""Shapes of adapter weights by their headers alone; the data is never read."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.adapter import WeightsHeader
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile


class AdapterTensors(Struct, frozen=True):
    """The tensors of one safetensors file.

    Attributes:
        file: the file.
        shapes: tensor name to shape.
    """

    file: RunFile
    shapes: dict[str, tuple[int, ...]]


@fact(absent="no adapter weights whose header can be read")
def adapter_tensors(headers: tuple[WeightsHeader, ...]) -> tuple[AdapterTensors, ...]:
    """Return the shapes of every file whose header describes at least one tensor."""
    return tuple(
        AdapterTensors(each.file, {tensor.name: tensor.shape for tensor in each.header.tensors})
        for each in headers
        if each.header.tensors
    )
