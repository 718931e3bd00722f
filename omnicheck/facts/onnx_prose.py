"""Free text inside ONNX models: doc strings and metadata, searched for paths of the machine that exported them."""

from __future__ import annotations

import re

from msgspec import Struct

from omnicheck.facts.onnx_models import OnnxModel
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular
from omnicheck.readers.onnx_values import Span

LONGEST = 1 << 20
"""Bytes of one text that are searched."""

# A home, or a place that only one machine has. `/usr` and `/opt` are the same everywhere and name nobody.
_LOCAL = re.compile(
    rb"(?<![\w.:/~-])(?:/(?:home|Users)/[\w.@-]+|/root(?=/)|/(?:mnt|media|Volumes|scratch|workspace|data\d*)/[\w.@-]+)"
    rb"(?:/[\w.@+ -]*[\w.@+-])*|(?<![\w/])[A-Za-z]:\\{1,2}(?:Users|Documents and Settings)\\{1,2}[\w.@ -]+|file:///[\w./@-]+"
)


class OnnxProse(Struct, frozen=True):
    """What the free text of a model names.

    Attributes:
        file: the model.
        texts: how many texts there are.
        local: what holds a local path, and the path; each path once.
    """

    file: RunFile
    texts: int
    local: tuple[tuple[str, str], ...]


@fact(absent="no free text inside ONNX models")
def onnx_prose(models: tuple[OnnxModel, ...]) -> tuple[OnnxProse, ...]:
    """Search the texts of every model."""
    return tuple(
        OnnxProse(each.file, len(each.model.prose), _local(each.file, each.model.prose))
        for each in models
        if each.model.prose
    )


def _local(file: RunFile, spans: tuple[Span, ...]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    with open_regular(file.disk) as stream:
        for span in spans:
            stream.seek(span.start)
            data = stream.read(min(span.stop - span.start, LONGEST))
            for match in _LOCAL.finditer(data):
                found.setdefault(match[0].decode("utf-8", "replace"), span.where)
    return tuple((where, path) for path, where in found.items())
