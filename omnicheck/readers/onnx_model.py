"""ONNX models read by walking the file in place: the graph is taken, the weights are stepped over."""

from __future__ import annotations

import gc
import mmap
import os
import re
from pathlib import Path

from omnicheck.model.errors import ReadError
from omnicheck.readers.gate import open_regular
from omnicheck.readers.onnx_graph import Walk
from omnicheck.readers.onnx_values import Model
from omnicheck.readers.protobuf import Buffer

IN_MEMORY = 16 << 20
"""Bytes up to which a file is read whole; bytes are faster to step through than a map."""

LARGEST = 2**31 - 1
"""Bytes of the largest message that protobuf libraries take, and with them every runtime."""

_POINTER = b"version https://git-lfs.github.com/spec/"
_PRINTABLE = re.compile(rb"[\t\n\r -~]+")


def read_model(path: Path) -> Model:
    """Read a model without its weights.

    Memory follows the graph: a file of any size is mapped, and of a tensor only the header is looked at, with its
    value when that takes 256 bytes at most.

    Raises:
        ReadError: the file cannot be opened, or is no ONNX model: empty, cut, text, or malformed.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size == 0:
            raise ReadError("empty, no model", hint="export the model again")
        if size <= IN_MEMORY:
            return parse_model(stream.read(size + 1), size)
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            if hasattr(mmap, "MADV_RANDOM"):
                mapped.madvise(mmap.MADV_RANDOM)  # pages around a header are weights, which nobody reads
            return parse_model(mapped, size)


def parse_model(data: Buffer, size: int) -> Model:
    """Return the model that a buffer holds.

    Raises:
        ReadError: it is none.
    """
    head = bytes(data[:64])
    if head.startswith(_POINTER):
        raise ReadError("a Git LFS pointer, not the model", hint="fetch the file with `git lfs pull`")
    if len(data) != size:
        raise ReadError("the file changed while it was read")
    collecting = gc.isenabled()
    gc.disable()  # the walk makes many small values and no cycles
    try:
        walk = Walk(data)
        model = walk.model(size)
    except ReadError as error:
        if _PRINTABLE.fullmatch(head):
            raise ReadError("text, not an ONNX model", hint="export the model again") from error
        raise
    finally:
        if collecting:
            gc.enable()
    if not walk.has_graph:
        raise ReadError("holds no graph, so it is no ONNX model", hint="export the model again")
    return model
