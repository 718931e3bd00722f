"""Weights outside a model file: which parts of which files it refers to, and what lies there."""

from __future__ import annotations

import os
import stat
from math import prod

from msgspec import Struct

from omnicheck.facts.onnx_models import OnnxModel, beside
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import EscapeError
from omnicheck.model.run import Observed, RunFile
from omnicheck.readers.gate import inside
from omnicheck.readers.onnx_values import BITS, Tensor, all_tensors

KEYS = frozenset({"location", "offset", "length", "checksum", "basepath"})


class Placed(Struct, frozen=True, gc=False):
    """A tensor outside its model.

    Attributes:
        name: of the tensor, or of what holds it.
        location: as written; empty when there is none.
        offset: first byte; None when it is no whole number.
        length: bytes; -1 when not stated, None when it is no whole number.
        needs: bytes that type and shape ask for; None when they do not tell.
        checksum: SHA-1 of the file, as written; empty when not stated.
        repeated: keys that occur twice.
        unknown: keys that the format does not know.
    """

    name: str
    location: str
    offset: int | None
    length: int | None
    needs: int | None
    checksum: str = ""
    repeated: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Sidecar(Struct, frozen=True):
    """A file that a model refers to.

    Attributes:
        location: as written in the model.
        name: in the run; None when it lies outside.
        size: bytes; None when there is no such file.
        escape: why the location may not be followed; empty when it may.
        link: ``symbolic`` or ``hard``, or empty.
        itself: whether it is the model file.
        file: as the inventory saw it, or None.
    """

    location: str
    name: str | None
    size: int | None
    escape: str = ""
    link: str = ""
    itself: bool = False
    file: RunFile | None = None


class ExternalData(Struct, frozen=True):
    """External data of one model.

    Attributes:
        file: the model.
        tensors: what lies outside, in the order of the file.
        sidecars: the files, by location.
    """

    file: RunFile
    tensors: tuple[Placed, ...]
    sidecars: dict[str, Sidecar]


class WeightFiles(Struct, frozen=True):
    """Files that look like weights of models, and those that models refer to.

    Attributes:
        files: by their names (``model.onnx.data``, ``model.onnx_data``).
        used: names in the run that some model refers to.
        complete: whether every ONNX file could be read.
    """

    files: tuple[RunFile, ...]
    used: frozenset[str]
    complete: bool


@fact(absent="no ONNX model with external data")
def external_data(source: Source, models: tuple[OnnxModel, ...]) -> tuple[ExternalData, ...]:
    """Gather every reference of every model, and look at each file once."""
    by_name = {file.name: file for file in source.run.files}
    found = []
    for onnx in models:
        tensors = tuple(placed(tensor) for tensor in all_tensors(onnx.model) if tensor.external is not None)
        if tensors:
            locations = dict.fromkeys(tensor.location for tensor in tensors)
            sidecars = {each: _sidecar(source, onnx.file, each, by_name) for each in locations if each}
            found.append(ExternalData(onnx.file, tensors, sidecars))
    return tuple(found)


@fact(absent="no weight file beside ONNX models")
def weight_files(
    source: Source, models: tuple[OnnxModel, ...], data: tuple[ExternalData, ...] | None
) -> WeightFiles | None:
    """Gather what looks like a sidecar."""
    files = source.run.of("onnx_data")
    if not files:
        return None
    used = {side.name for each in data or () for side in each.sidecars.values() if side.name is not None}
    return WeightFiles(files, frozenset(used), len(models) == len(source.run.of("onnx_model")))


def placed(tensor: Tensor) -> Placed:
    """Return where a tensor's bytes lie, as far as its entries tell."""
    entries = tensor.external or ()
    values = dict(entries)
    counts = [key for key, _ in entries]
    return Placed(
        name=tensor.name or tensor.where,
        location=values.get("location", ""),
        offset=_whole(values.get("offset", "0")),
        length=_whole(values["length"]) if "length" in values else -1,
        needs=size_of(tensor),
        checksum=values.get("checksum", ""),
        repeated=tuple(sorted({key for key in counts if counts.count(key) > 1})) if len(values) < len(counts) else (),
        unknown=tuple(sorted(set(counts) - KEYS)),
    )


def size_of(tensor: Tensor) -> int | None:
    """Return the bytes that a tensor's type and shape ask for, or None."""
    bits = BITS.get(tensor.dtype, 0)
    if not bits or any(size < 0 for size in tensor.shape):
        return None
    return (prod(tensor.shape) * bits + 7) // 8


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20 else None


def _sidecar(source: Source, model: RunFile, location: str, by_name: dict[str, RunFile]) -> Sidecar:
    name = beside(model.folder, location)
    if ".." in location.split("/"):
        return Sidecar(location, None, None, escape=f"{location!a} leads out of the model's directory")
    try:
        place = inside(model.disk.parent, location)
    except EscapeError as error:
        return Sidecar(location, None, None, escape=error.message)
    try:
        status = os.lstat(place)
    except OSError:
        source.observed.add(Observed(str(place), "absent"))
        return Sidecar(location, name, None)
    link = ""
    if stat.S_ISLNK(status.st_mode):
        source.observed.add(Observed(str(place), "present"))
        link = "symbolic"
        try:
            status = place.stat()
        except OSError:
            return Sidecar(location, name, None, link=link)
    if not stat.S_ISREG(status.st_mode):
        return Sidecar(location, name, None, escape=f"{location!a} is no regular file")
    return Sidecar(
        location=location,
        name=name,
        size=status.st_size,
        link=link or ("hard" if status.st_nlink > 1 else ""),
        itself=name == model.name,
        file=by_name.get(name or ""),
    )
