"""How many elements of which type the weights of a model have: the evidence of a quantisation."""

from __future__ import annotations

from collections import Counter
from math import prod

from msgspec import Struct

from omnicheck.facts.onnx_models import OnnxModel
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile
from omnicheck.readers.onnx_values import all_tensors


class DtypeCensus(Struct, frozen=True):
    """Elements of a model's tensors by type.

    Attributes:
        file: the model.
        dtypes: elements by type; shapes and indices in int64 included.
        elements: all of them.
    """

    file: RunFile
    dtypes: dict[str, int]
    elements: int


@fact(absent="no ONNX model with weights")
def dtype_census(models: tuple[OnnxModel, ...]) -> tuple[DtypeCensus, ...]:
    """Count the elements of every model."""
    found = []
    for onnx in models:
        counts: Counter[str] = Counter()
        for tensor in all_tensors(onnx.model):
            counts[tensor.dtype] += max(prod(tensor.shape), 0)
        if counts:
            found.append(DtypeCensus(onnx.file, dict(counts), sum(counts.values())))
    return tuple(found)
