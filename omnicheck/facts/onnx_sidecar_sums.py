"""SHA-1 of weight files, where a model records one; the format knows no stronger digest."""

from __future__ import annotations

import hashlib

from msgspec import Struct

from omnicheck.facts.onnx_external import ExternalData
from omnicheck.facts.registry import fact
from omnicheck.readers.gate import open_regular


class SidecarSums(Struct, frozen=True):
    """The digest of a weight file.

    Attributes:
        model: name of the model in the run.
        location: of the file, as the model spells it.
        sha1: hex.
    """

    model: str
    location: str
    sha1: str


@fact(absent="no checksum of external data")
def sidecar_sums(data: tuple[ExternalData, ...]) -> tuple[SidecarSums, ...]:
    """Hash the files that a checksum is recorded of."""
    found = []
    for each in data:
        for location in dict.fromkeys(tensor.location for tensor in each.tensors if tensor.checksum):
            side = each.sidecars.get(location)
            if side is not None and side.file is not None:
                digest = hashlib.sha1(usedforsecurity=False)
                with open_regular(side.file.disk) as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
                found.append(SidecarSums(each.file.name, location, digest.hexdigest()))
    return tuple(found)
