"""7z archives, through py7zr and within bounds."""

from __future__ import annotations

import io
from typing import Any

from omnicheck.content.archives.member import Budget, Listing, Member, Opened, name_anomalies
from omnicheck.content.blob import Blob, blob_of_bytes
from omnicheck.content.part import Anomaly


class BlobStream(io.RawIOBase):
    """A blob as a seekable file."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be sought in."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset."""
        self._at = max(0, offset + (0, self._at, self._blob.size)[whence])
        return self._at

    def tell(self) -> int:
        """Return the offset."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        data = self._blob.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def list_7z(blob: Blob, budget: Budget) -> Listing:
    """Return the members of a 7z archive; what cannot be opened is an anomaly."""
    try:
        import py7zr  # noqa: PLC0415 - loaded when there is a 7z
    except ImportError:
        return Listing((), (Anomaly("library", "py7zr is not installed, so the 7z archive was not opened"),))
    try:
        return _listed(py7zr, blob, budget)
    except Exception as error:  # noqa: BLE001 - damaged input makes the library raise nearly anything
        return Listing((), (Anomaly("truncated", f"the 7z archive cannot be read ({type(error).__name__})"),))


def _listed(py7zr: Any, blob: Blob, budget: Budget) -> Listing:
    with py7zr.SevenZipFile(io.BufferedReader(BlobStream(blob)), "r") as archive:
        if archive.needs_password():
            return Listing((), (Anomaly("encrypted", "is encrypted"),))
        entries = [entry for entry in archive.list() if not entry.is_directory]
        total = sum(entry.uncompressed for entry in entries)
        odd: list[Anomaly] = []
        if total > budget.room:
            return Listing((), (Anomaly("bytes", f"unpacks to {total:,} bytes; it was not opened"),))
        if total > max(1 << 20, budget.bounds.ratio * blob.size):
            return Listing((), (Anomaly("ratio", f"unpacks to more than {budget.bounds.ratio} times its size"),))
        factory = _factory(budget.room)
        archive.extractall(factory=factory)
        budget.spend(total)
        members = [Member(name, _opener(data), name_anomalies(name)) for name, data in factory.contents()]
    kept, more = budget.take(members)
    return Listing(tuple(kept), (*odd, *more))


def _opener(data: bytes) -> Any:
    def open_() -> Opened:
        return blob_of_bytes(data), ()

    return open_


def _factory(room: int) -> Any:
    from omnicheck.content.archives.sevenzip_memory import Factory  # noqa: PLC0415 - imports py7zr

    return Factory(room)
