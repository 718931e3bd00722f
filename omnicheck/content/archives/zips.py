"""Zip archives: the central directory held against the local headers, and members read even where flags lie."""

from __future__ import annotations

import re
import stat
import zlib
from collections.abc import Sequence

from omnicheck.content.archives.member import Budget, Listing, Member, Opened, name_anomalies
from omnicheck.content.archives.streams import decompressor
from omnicheck.content.archives.zip_records import (
    LOCAL,
    Header,
    central_entries,
    find_directory,
    local_header,
)
from omnicheck.content.blob import Blob, blob_of_bytes
from omnicheck.content.part import Anomaly

ENCRYPTED = 0x2041
"""Bits that say a member is encrypted: plainly, strongly, or with masked headers."""

_DESCRIPTOR = 24
Extent = tuple[int, int, str]


def list_zip(blob: Blob, budget: Budget) -> Listing | None:
    """Return the members of a zip that starts, ends or lies somewhere in the bytes; None when there is none.

    Everything on which two readers could disagree is an anomaly: names, flags and sizes of local headers that differ
    from the central directory, members listed twice, overlapping or hidden between others, bytes before and after.
    """
    directory = find_directory(blob, everywhere=blob.head[:2] == b"PK")
    if directory is None:
        return _undirected(blob, budget) if blob.head[:4] == LOCAL else None
    entries = list(central_entries(blob, directory, budget.entries + 1))
    odd: list[Anomaly] = []
    if len(entries) != directory.stated and len(entries) <= budget.entries:
        odd.append(Anomaly("malformed", f"states {directory.stated:,} members and lists {len(entries):,}"))
    members: list[Member] = []
    extents: list[Extent] = []
    names: dict[str, int] = {}
    for entry in entries:
        member, extent = _member(blob, entry, directory.shift, budget, names)
        if extent is not None:
            extents.append(extent)
        if not entry.raw.endswith(b"/") or entry.size:
            members.append(member)
    first = min((extent[0] for extent in extents), default=directory.start)
    hidden, more = _between(blob, sorted(extents), directory.start, budget)
    kept, beyond = budget.take(members + hidden)
    return Listing(tuple(kept), (*odd, *more, *beyond), first, directory.end)


def _member(
    blob: Blob, entry: Header, shift: int, budget: Budget, names: dict[str, int]
) -> tuple[Member, Extent | None]:
    name = entry.name
    odd = [*name_anomalies(name)]
    names[name] = names.get(name, 0) + 1
    if names[name] > 1:
        odd.append(Anomaly("duplicate", "the archive holds this name more than once; most readers show the last only"))
    if stat.S_ISLNK(entry.mode):
        odd.append(Anomaly("link", "a symbolic link"))
    elif stat.S_IFMT(entry.mode) in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO):
        odd.append(Anomaly("device", "a device or pipe"))
    at = shift + entry.offset
    local = local_header(blob, at)
    if local is None:
        odd.append(Anomaly("malformed", "no local header stands where the central directory points"))
        return Member(name, lambda: (blob.slice(0, 0), ()), tuple(odd)), None
    odd += _differences(entry, local)
    end = local.offset + entry.packed
    if end > blob.size:
        odd.append(Anomaly("truncated", "the archive ends before the member does"))
    packed = blob.slice(local.offset, end)
    tail = _descriptor(blob, end) if (entry.flags | local.flags) & 8 else 0
    return Member(name, _Open(packed, entry, local, budget), tuple(odd)), (at, end + tail, name)


def _differences(entry: Header, local: Header) -> list[Anomaly]:
    odd = []
    if entry.raw != local.raw:
        odd.append(Anomaly("names", f"called {local.name[:200]!r} by its local header"))
    if (entry.flags ^ local.flags) & ~0x0800:
        odd.append(Anomaly("flags", f"flags {entry.flags:#x} in the directory, {local.flags:#x} in its local header"))
    if entry.method != local.method:
        odd.append(Anomaly("flags", f"method {entry.method} in the directory, {local.method} in its local header"))
    if not local.flags & 8:
        if local.crc != entry.crc:
            odd.append(Anomaly("crc", "two checksums: directory and local header differ"))
        if (local.packed, local.size) != (entry.packed, entry.size):
            odd.append(Anomaly("sizes", "two sizes: directory and local header differ"))
    return odd


class _Open:
    """Unpacks one member when it is asked for."""

    def __init__(self, packed: Blob, entry: Header, local: Header | None, budget: Budget) -> None:
        self._packed = packed
        self._entry = entry
        self._local = local
        self._budget = budget

    def __call__(self) -> Opened:
        entry = self._entry
        methods = [entry.method] if self._local is None else list(dict.fromkeys([entry.method, self._local.method]))
        found = [self._by(method) for method in methods]
        blob, odd = min(found, key=lambda each: len(each[1]))
        flags = entry.flags | (self._local.flags if self._local else 0)
        damaged = any(each.code in ("crc", "truncated") for each in odd)
        if flags & ENCRYPTED:
            # The flag may lie, and loaders that ignore it read on: bytes that unpack as they should are not hidden.
            if entry.method == 99 or damaged:
                return blob, (Anomaly("encrypted", "is encrypted"),)
            return blob, (*odd, Anomaly("flags", "is marked as encrypted, but is not"))
        if flags & 0x20:
            odd = (*odd, Anomaly("flags", "is marked as a patch"))
        return blob, odd

    def _by(self, method: int) -> Opened:
        if method == 0:
            return self._checked(self._packed, ())
        opener = decompressor(method)
        if opener is None:
            return self._packed, (Anomaly("method", f"is packed by method {method}, which cannot be unpacked here"),)
        unpacked = opener(self._packed, self._budget)
        return self._checked(unpacked.blob, unpacked.anomalies)

    def _checked(self, blob: Blob, odd: tuple[Anomaly, ...]) -> Opened:
        if odd or blob.size > self._budget.bounds.member or (blob.size > 1 << 20 and self._entry.method == 0):
            return blob, odd
        data = blob.read(0, blob.size)
        if blob.size != self._entry.size:
            odd = (*odd, Anomaly("sizes", f"states {self._entry.size:,} bytes and holds {blob.size:,}"))
        if zlib.crc32(data) != self._entry.crc:
            odd = (*odd, Anomaly("crc", "its checksum is wrong"))
        return blob_of_bytes(data), odd


def _descriptor(blob: Blob, at: int) -> int:
    """Return the length of the data descriptor after a member: with or without signature, 32 or 64 bits wide."""
    data = blob.read(at, _DESCRIPTOR + 4)
    signed = data[:4] == b"PK\x07\x08"
    for length in (16, 24) if signed else (12, 20):
        if data[length : length + 4] in (LOCAL, b"PK\x01\x02", b"PK\x06\x08"):
            return length
    return 16 if signed else 12


def _between(
    blob: Blob, extents: Sequence[Extent], stop: int, budget: Budget
) -> tuple[list[Member], tuple[Anomaly, ...]]:
    """Return what lies between the members although the directory does not list it, and members that overlap."""
    hidden: list[Member] = []
    odd: list[Anomaly] = []
    reached = extents[0][0] if extents else stop
    last = ""
    for start, end, name in [*extents, (stop, stop, "")]:
        if start < reached and name:
            odd.append(Anomaly("overlap", f"the members {last[:100]!r} and {name[:100]!r} share bytes"))
        elif start > reached:
            gap = blob.slice(reached, start)
            if blob.read(reached, 4) == LOCAL:
                hidden += _locals(blob, reached, start, budget)
            elif gap.read(0, 4096).strip(b"\0") or gap.size > 1 << 16:
                odd.append(Anomaly("gap", f"{gap.size:,} bytes at {reached:,} belong to no member"))
                hidden.append(Member(f"gap@{reached}", lambda gap=gap: (gap, ())))  # type: ignore[misc]
        last, reached = name, max(reached, end)
    return hidden, tuple(odd)


def _undirected(blob: Blob, budget: Budget) -> Listing:
    members, more = budget.take(_locals(blob, 0, blob.size, budget))
    odd = Anomaly("truncated", "the zip has no central directory; its local headers were followed")
    return Listing(tuple(members), (odd, *more), 0, None)


def _locals(blob: Blob, start: int, stop: int, budget: Budget) -> list[Member]:
    """Follow local headers that no directory lists."""
    members: list[Member] = []
    at = start
    listed = () if not start else (Anomaly("gap", "is not listed in the central directory"),)
    while at < stop and len(members) <= budget.entries:
        local = local_header(blob, at)
        if local is None:
            break
        end = local.offset + local.packed
        if local.flags & 8 and not local.packed:
            end = _next_header(blob, local.offset, stop)
        entry = Header(local.raw, local.flags, local.method, local.crc, end - local.offset, local.size, at)
        members.append(Member(local.name, _Open(blob.slice(local.offset, end), entry, None, budget), listed))
        at = max(end, at + 30)
        if local.flags & 8:
            at = _next_header(blob, at, stop)
    return members


_SIGNATURES = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x07\x08\S{0,12}PK\x03\x04)", re.DOTALL)


def _next_header(blob: Blob, at: int, stop: int) -> int:
    while at < stop:
        window = blob.read(at, min(1 << 20, stop - at))
        match = _SIGNATURES.search(window)
        if match:
            return at + match.start()
        if len(window) < 32:
            break
        at += len(window) - 16
    return stop
