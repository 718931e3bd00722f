"""What bytes are: every plausible format is tried, the first match never wins."""

from __future__ import annotations

from omnicheck.content.blob import Blob
from omnicheck.content.formats.data import arrays, data, documents
from omnicheck.content.formats.media import images, media
from omnicheck.content.formats.packed import packed
from omnicheck.content.formats.pickles import pickles
from omnicheck.content.formats.protobuf import protobufs
from omnicheck.content.formats.weights import weights
from omnicheck.content.sniff import text_kind

_RECOGNISERS = (weights, protobufs, data, media, pickles, packed, arrays, documents, images)
_LFS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")


def kinds_of(blob: Blob) -> tuple[str, ...]:
    """Return everything that the bytes are by structure, the gravest kind first; ``empty`` or ``unknown`` if nothing.

    Head (64 KiB), tail and what a structure points to are read, never all of a large file.
    """
    if not blob.size:
        return ("empty",)
    if not blob.head:
        return ("unreadable",)
    found = binary_kinds(blob)
    if found:
        return found
    return (kind_of_text(blob.head, blob.size),)


def binary_kinds(blob: Blob) -> tuple[str, ...]:
    """Return the kinds that are not plain text; empty when there is none."""
    if not blob.head:
        return ()
    return tuple(dict.fromkeys(kind for recognise in _RECOGNISERS for kind in recognise(blob)))


def kind_of_text(head: bytes, size: int) -> str:
    """Return the kind of text that begins so, or ``unknown`` when it is none."""
    short = head[:4096]
    kind = text_kind(short, size)
    if kind == "text" and short.startswith(_LFS):
        return "lfs_pointer"
    if kind == "text" and b"<svg" in short:
        return "svg"
    if kind == "json" and b'"cell_type"' in head and b'"cells"' in head:
        return "notebook"
    return kind
