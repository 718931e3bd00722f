"""What the numbers of an adapter are: finite or not, zero or not, and how large each update is."""

from __future__ import annotations

import math
import mmap
from typing import Any

from msgspec import Struct

from omnicheck.facts.adapter import Adapter, Module, Part, WeightsHeader
from omnicheck.facts.registry import fact
from omnicheck.readers.gate import open_regular
from omnicheck.readers.safetensors import Tensor

CHUNK = 1 << 22
"""Elements looked at together: small enough for the cache."""

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
        array = _floats(maps[part.file.location], part.tensor)
        if array is not None:
            states[part.tensor.name] = TensorState(part, *_state(array))
    norms = [
        UpdateNorm(module, norm)
        for module in adapter.modules
        if (norm := _norm(adapter, module, states, maps)) is not None
    ]
    return AdapterPayload(adapter, tuple(states.values()), tuple(norms))


def _floats(data: mmap.mmap, tensor: Tensor) -> Any:
    """Return the numbers as an array over the map, without a copy; BF16 as its bits. None for other types."""
    import numpy as np  # noqa: PLC0415 - loaded only where there are weights

    kind = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "BF16": np.uint16}.get(tensor.dtype)
    if kind is None:
        return None
    return np.frombuffer(data, kind, tensor.elements, tensor.begin)


def _state(array: Any) -> tuple[int, bool]:
    import numpy as np  # noqa: PLC0415 - as above

    wrong, zero = 0, True
    for start in range(0, len(array), CHUNK):
        chunk = array[start : start + CHUNK]
        if chunk.dtype == np.uint16:
            magnitude = chunk & 0x7FFF
            top = magnitude.max()
            zero = zero and top == 0
            wrong += int(np.count_nonzero(magnitude >= 0x7F80)) if top >= 0x7F80 else 0
        else:
            zero = zero and not chunk.any()
            finite = np.isfinite(chunk)
            wrong += 0 if finite.all() else int(len(chunk) - np.count_nonzero(finite))
    return wrong, zero


def _norm(adapter: Adapter, module: Module, states: dict[str, TensorState], maps: dict[str, mmap.mmap]) -> float | None:
    """Return the norm of scale·BA through two Gram matrices of the rank's size: ‖BA‖² = tr(AAᵀ BᵀB)."""
    import numpy as np  # noqa: PLC0415 - as above

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
    left, right = _matrix(maps[a.file.location], a.tensor), _matrix(maps[b.file.location], b.tensor)
    squared = float(np.sum((left @ left.T) * (right.T @ right).T))
    scale = _scale(adapter, module, rank)
    return None if scale is None or not math.isfinite(squared) else abs(scale) * math.sqrt(max(squared, 0.0))


def _matrix(data: mmap.mmap, tensor: Tensor) -> Any:
    import numpy as np  # noqa: PLC0415 - as above

    array = _floats(data, tensor)
    if tensor.dtype == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    elif tensor.dtype != "F32":
        array = array.astype(np.float32)
    return array.reshape(tensor.shape)


def _scale(adapter: Adapter, module: Module, rank: int) -> float | None:
    spec = adapter.spec
    alpha = spec.alpha_of(module.path) if spec is not None else None
    if alpha is None:
        return 1.0  # peers share it, so it does not matter which
    return alpha / (math.sqrt(rank) if spec is not None and spec.flags.get("use_rslora") else rank)
