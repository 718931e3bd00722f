"""One pass over a file and everything inside it: archives, compressed and encoded content, appended bytes.

How to use it::

    def look(part: Part, blob: Blob) -> Iterable[Span]:
        if "text" in part.groups:
            for piece in blob.pieces():         # whole text, once; one piece up to 16 MiB, else cut at line ends
                yield from spans(piece.data)    # piece.offset and piece.line say where it starts
        elif "safetensors" in part.kinds:
            yield from metadata_spans(blob.read(0, 1 << 20))   # only what is asked for is read

    with open_regular(path) as stream:
        parts = scan_file(stream.fileno(), "model.zip", look)

``look`` is called exactly once for every part, the file itself first, members after it, each with its own bytes;
what it returns stands in ``Part.spans``. Bytes come from a descriptor, from ``bytes`` or from a ``memoryview`` (an
``mmap``), so that whoever hashes and writes a file scans the very same bytes. Nothing is executed and nothing is
written; malformed input gives anomalies, never an exception. Exceptions of ``look`` itself pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from omnicheck.content.archives.member import Budget
from omnicheck.content.blob import Blob, blob_of_bytes, blob_of_descriptor
from omnicheck.content.inside import inside
from omnicheck.content.kinds import kinds_of
from omnicheck.content.part import Anomaly, Bounds, Part

__all__ = ["Blob", "Bounds", "Look", "Part", "scan_blob", "scan_file"]

MAX_NAME = 512

Look = Callable[[Part, Blob], Iterable[Any]]
"""A visitor: called once for each part with its bytes; what it returns is kept in ``Part.spans``."""


def scan_file(
    source: int | bytes | bytearray | memoryview, name: str, look: Look | None = None, bounds: Bounds | None = None
) -> tuple[Part, ...]:
    """Scan one opened file and everything inside it.

    Args:
        source: descriptor of a regular file opened for reading, or its bytes.
        name: its name, from which names of decompressed content are made; it never decides a kind.
        look: a visitor of parts and their bytes.
        bounds: how far to go.

    Returns:
        The file itself first, then its members, depth first.

    Raises:
        OSError: the descriptor cannot be read.
    """
    blob = blob_of_descriptor(source) if isinstance(source, int) else blob_of_bytes(source)
    return scan_blob(blob, name, look, bounds)


def scan_blob(blob: Blob, name: str, look: Look | None = None, bounds: Bounds | None = None) -> tuple[Part, ...]:
    """Scan bytes that are read by offset, such as split parts joined; as ``scan_file``."""
    limits = bounds or Bounds()
    budget = Budget(limits)
    parts: list[Part] = []

    def visit(blob: Blob, name: str, members: tuple[str, ...], given: Sequence[Anomaly]) -> None:
        found = inside(blob, name, kinds_of(blob), budget, deeper=len(members) < limits.depth)
        part = Part(members, found.kinds, blob.size, (*given, *found.anomalies))
        spans = tuple(look(part, blob)) if look is not None else ()
        parts.append(Part(members, part.kinds, part.size, part.anomalies, spans) if spans else part)
        for member in found.members:
            content, odd = member.open()
            # A stored name is data of a stranger: it may hold half a character, and go on for kilobytes.
            shown = member.name[:MAX_NAME].encode("utf-8", "backslashreplace").decode("utf-8")
            visit(content, shown, (*members, shown), (*member.anomalies, *odd))

    visit(blob, name, (), ())
    return tuple(parts)
