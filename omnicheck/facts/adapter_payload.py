"""What the numbers of an adapter are: finite or not, zero or not, and how large each update is."""

from __future__ import annotations

import math
import mmap

from msgspec import Struct

from omnicheck.facts.adapter import Adapter, Module, Part, WeightsHeader
from omnicheck.facts.registry import fact
from omnicheck.measures.tensors import Numbers, is_floating, state_of, update_norm
from omnicheck.readers.gate import open_regular

MAX_GRAM = 4096
"""Largest rank whose update is measured."""


class TensorState(Struct, frozen=True):
    """The numbers of one tensor: how many are not finite, and whether all are zero."""

    part: Part
    not_finite: int
    zero: bool


class UpdateNorm(Struct, frozen=True):
    """The Frobenius norm of one module's update, scale times B times A."""

    module: Module
    norm: float


class AdapterPayload(Struct, frozen=True):
    """The numbers of an adapter.

    Attributes:
        adapter: the adapter.
        tensors: of every tensor of a floating type.
        norms: of every complete pair of matrices with finite numbers.
    """

    adapter: Adapter
    tensors: tuple[TensorState, ...]
    norms: tuple[UpdateNorm, ...]


@fact(absent="no adapter weights whose data can be read")
def adapter_payloads(adapters: tuple[Adapter, ...], headers: tuple[WeightsHeader, ...]) -> tuple[AdapterPayload, ...]:
    """Read the data once, in chunks over a memory map; files whose header is wrong are left out."""
    sound = {each.file.location for each in headers if not each.header.faults}
    return tuple(_payload(each) for each in adapters if all(file.location in sound for file in each.files))


def _payload(adapter: Adapter) -> AdapterPayload:
    maps = {}
    for file in adapter.files:
        with open_regular(file.disk) as stream:
            maps[file.location] = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    states: dict[str, TensorState] = {}
    parts = [part for module in adapter.modules for part in module.parts.values()] + list(adapter.others)
    for part in parts:
        if is_floating(part.tensor.dtype):
            states[part.tensor.name] = TensorState(part, *state_of(_numbers(maps, part)))
    norms = [
        UpdateNorm(module, norm)
        for module in adapter.modules
        if (norm := _norm(adapter, module, states, maps)) is not None
    ]
    return AdapterPayload(adapter, tuple(states.values()), tuple(norms))


def _norm(adapter: Adapter, module: Module, states: dict[str, TensorState], maps: dict[str, mmap.mmap]) -> float | None:
    """Return the norm of scale times B times A; None for parts that are no finite matrices."""
    pair = module.pair()
    if pair is None or module.depth or "experts" in module.path:
        return None
    a, b = pair
    if any(
        len(part.tensor.shape) != 2 or part.tensor.name not in states or states[part.tensor.name].not_finite
        for part in pair
    ):
        return None
    rank = a.tensor.shape[0]
    if rank != b.tensor.shape[1] or not 0 < rank <= MAX_GRAM:
        return None
    norm, scale = update_norm(_numbers(maps, a), _numbers(maps, b)), _scale(adapter, module, rank)
    return abs(scale) * norm if math.isfinite(norm) else None


def _numbers(maps: dict[str, mmap.mmap], part: Part) -> Numbers:
    return Numbers(maps[part.file.location], part.tensor.dtype, part.tensor.shape, part.tensor.begin)


def _scale(adapter: Adapter, module: Module, rank: int) -> float:
    spec = adapter.spec
    alpha = spec.alpha_of(module.path) if spec is not None else None
    if alpha is None:
        return 1.0  # peers share it, so it does not matter which
    return alpha / (math.sqrt(rank) if spec is not None and spec.flags.get("use_rslora") else rank)
