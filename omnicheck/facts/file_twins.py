"""Files of a run that are the same byte for byte."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct

from omnicheck.content.blob import blob_of_descriptor
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular

EDGE = 4096


class Twins(Struct, frozen=True):
    """Groups of identical files.

    Attributes:
        groups: size in bytes and display paths, sorted; empty files are left out.
    """

    groups: tuple[tuple[int, tuple[str, ...]], ...]


@fact(absent="no files")
def twins(source: Source) -> Twins:
    """Compare files of equal size by both ends first; only those that agree there are hashed."""
    sizes: dict[int, list[RunFile]] = defaultdict(list)
    for file in source.run.files:
        if file.size:
            sizes[file.size].append(file)
    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    for size, files in sizes.items():
        ends: dict[bytes, list[RunFile]] = defaultdict(list)
        for file in files if len(files) > 1 else ():
            found = _ends(file)
            if found is not None:
                ends[found].append(file)
        for alike in ends.values():
            for file in alike if len(alike) > 1 else ():
                digest = source.sha256(file)
                if digest is not None:
                    groups[size, digest].append(file.path)
    same = [(size, tuple(sorted(paths))) for (size, _), paths in groups.items() if len(paths) > 1]
    return Twins(tuple(sorted(same, key=lambda group: group[1])))


def _ends(file: RunFile) -> bytes | None:
    try:
        with open_regular(file.disk) as stream:
            blob = blob_of_descriptor(stream.fileno())
            return blob.read(0, EDGE) + blob.read(max(0, blob.size - EDGE), EDGE)
    except (ReadError, OSError):
        return None
