"""A member of an archive, and the budget that a scan may spend on unpacking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from omnicheck.content.blob import Blob
from omnicheck.content.part import Anomaly, Bounds

Opened = tuple[Blob, tuple[Anomaly, ...]]


class Member(Struct, frozen=True):
    """A member as its archive lists it; its bytes are unpacked when asked for.

    Attributes:
        name: as stored.
        open: returns the bytes and what was odd while they were unpacked.
        anomalies: what is odd about its entry.
    """

    name: str
    open: Callable[[], Opened]
    anomalies: tuple[Anomaly, ...] = ()


class Listing(Struct, frozen=True):
    """What an archive holds.

    Attributes:
        members: in the order of the archive.
        anomalies: what is odd about the archive itself.
        start: where it starts in the bytes; more than 0 when something stands before it.
        end: where it ends; None when that cannot be told.
    """

    members: tuple[Member, ...]
    anomalies: tuple[Anomaly, ...] = ()
    start: int = 0
    end: int | None = None


def held(name: str, blob: Blob, anomalies: tuple[Anomaly, ...] = ()) -> Member:
    """Return a member whose bytes are at hand."""
    return Member(name, lambda: (blob, ()), anomalies)


class Budget:
    """What is left of the bounds while one file is scanned.

    Attributes:
        bounds: the bounds.
        entries: members that may still be listed.
        total: bytes that may still be unpacked.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.entries = bounds.entries
        self.total = bounds.total

    @property
    def room(self) -> int:
        """Bytes that the next member may unpack to."""
        return min(self.bounds.member, self.total)

    def spend(self, count: int) -> None:
        """Note that bytes were unpacked."""
        self.total = max(0, self.total - count)

    def take(self, found: list[Any]) -> tuple[list[Any], tuple[Anomaly, ...]]:
        """Return as many members as may be listed, and an anomaly when that is not all."""
        kept = found[: self.entries]
        self.entries -= len(kept)
        if len(kept) == len(found):
            return kept, ()
        return kept, (Anomaly("entries", f"more than {self.bounds.entries:,} members; the rest was not looked at"),)


def name_anomalies(name: str) -> tuple[Anomaly, ...]:
    """Return what is dangerous about a member's name: it climbs out, is absolute, or names a drive."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts:
        return (Anomaly("escape", "its name climbs out of the directory it is unpacked in"),)
    if name.startswith(("/", "\\")) or (len(parts[0]) == 2 and parts[0][1] == ":"):
        return (Anomaly("escape", "its name is absolute"),)
    return ()
