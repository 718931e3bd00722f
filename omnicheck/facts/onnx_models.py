"""ONNX models of a run, each read once without its weights."""

from __future__ import annotations

import posixpath

from msgspec import Struct

from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.onnx_model import read_model
from omnicheck.readers.onnx_values import Model


class OnnxFile(Struct, frozen=True):
    """An ONNX file, readable or not.

    Attributes:
        file: the file.
        model: what it holds, or None.
        fault: why it is no model; empty when it is one.
        hint: what to do about the fault.
    """

    file: RunFile
    model: Model | None
    fault: str = ""
    hint: str | None = None


class OnnxModel(Struct, frozen=True):
    """A model that could be read.

    Attributes:
        file: the file.
        model: what it holds.
    """

    file: RunFile
    model: Model


@fact(absent="no ONNX model")
def onnx_files(source: Source) -> tuple[OnnxFile, ...]:
    """Read every ONNX file."""
    return tuple(_read(file) for file in source.run.of("onnx_model"))


@fact(absent="no ONNX model that can be read")
def onnx_models(files: tuple[OnnxFile, ...]) -> tuple[OnnxModel, ...]:
    """Return the files that are models."""
    return tuple(OnnxModel(each.file, each.model) for each in files if each.model is not None)


def _read(file: RunFile) -> OnnxFile:
    try:
        return OnnxFile(file, read_model(file.disk))
    except ReadError as error:
        return OnnxFile(file, None, error.message, error.hint)


def beside(folder: str, path: str) -> str | None:
    """Return the name in the run of a path that stands in a file of ``folder``; None when it leads out of the run.

    Args:
        folder: directory of the file relative to the run; empty at its root.
        path: a relative posix path from the file.
    """
    if not path or path.startswith("/") or "\\" in path or "\0" in path or path[1:2] == ":":
        return None
    name = posixpath.normpath(posixpath.join(folder, path))
    return None if name == ".." or name.startswith("../") else name
