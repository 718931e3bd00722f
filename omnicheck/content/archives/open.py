"""Which reader opens which archive."""

from __future__ import annotations

from omnicheck.content.archives.member import Budget, Listing
from omnicheck.content.blob import Blob
from omnicheck.content.groups import words_for
from omnicheck.content.part import Anomaly

_ENDINGS = (".gz", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".z", ".zlib")
_TARS = {".tgz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tzst": ".tar", ".svgz": ".svg"}


def list_members(kind: str, blob: Blob, budget: Budget) -> Listing | None:
    """Return what an archive holds; None when the bytes are none after all.

    Args:
        kind: a kind of the group ``archive``.
        blob: its bytes.
        budget: what may be spent.
    """
    if kind == "zip":
        from omnicheck.content.archives.zips import list_zip  # noqa: PLC0415 - readers are loaded when needed

        return list_zip(blob, budget)
    if kind == "tar":
        from omnicheck.content.archives.tars import list_tar  # noqa: PLC0415 - as above

        return list_tar(blob, budget)
    if kind == "7z":
        from omnicheck.content.archives.sevenzips import list_7z  # noqa: PLC0415 - as above

        return list_7z(blob, budget)
    return Listing((), (Anomaly("method", f"{words_for(kind)} cannot be opened here"),))


def unpacked_name(name: str) -> str:
    """Return how the content of a compressed file is called: its name without the ending of the compression."""
    base = name.rsplit("/", 1)[-1]
    lower = base.lower()
    for ending, other in _TARS.items():
        if lower.endswith(ending):
            return base[: -len(ending)] + other
    for ending in _ENDINGS:
        if lower.endswith(ending) and len(base) > len(ending):
            return base[: -len(ending)]
    return "content"
