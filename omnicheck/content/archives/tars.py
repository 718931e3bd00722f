"""Tar archives, header by header: names, links, devices and what follows the end."""

from __future__ import annotations

from omnicheck.content.archives.member import Budget, Listing, Member, Opened, name_anomalies
from omnicheck.content.blob import Blob
from omnicheck.content.formats.packed import is_tar_header
from omnicheck.content.part import Anomaly

BLOCK = 512
MAX_NAME = 64 << 10
_SPECIAL = {"3": "a character device", "4": "a block device", "6": "a named pipe"}


def list_tar(blob: Blob, budget: Budget) -> Listing:
    """Return the members of a tar archive; links, devices and names that climb out are anomalies."""
    members: list[Member] = []
    odd: list[Anomaly] = []
    seen: set[str] = set()
    given: dict[str, str] = {}
    at = 0
    while at < blob.size:
        block = blob.read(at, BLOCK)
        if len(block) == BLOCK and not any(block):
            return _done(members, odd, budget, _padding(blob, at))
        if not is_tar_header(block):
            odd.append(Anomaly("truncated", f"the tar breaks off or is damaged at byte {at:,}"))
            return _done(members, odd, budget, None)
        stated = given.pop("size", "")
        size = int(stated[:18]) if stated.isdigit() and stated.isascii() else _number(block[124:136])
        kind = chr(block[156]) if block[156] else "0"
        start = at + BLOCK
        at = start + -(-size // BLOCK) * BLOCK
        if kind in "LKxg":
            text = blob.read(start, min(size, MAX_NAME))
            given |= _names(kind, text) if kind != "g" else {}
            continue
        name = given.pop("path", "") or _name(block)
        target = given.pop("linkpath", "") or _text(block[157:257])
        if len(members) >= budget.entries:
            members.append(Member(name, lambda: (blob.slice(0, 0), ())))
            return _done(members, odd, budget, None)
        if kind == "5":
            odd += name_anomalies(name)
            continue
        flaws = _flaws(name, kind, target, repeated=name in seen)
        seen.add(name)
        if start + size > blob.size:
            flaws.append(Anomaly("truncated", "the archive ends before the member does"))
        members.append(Member(name, _opener(blob, start, 0 if kind in "12346" else size), tuple(flaws)))
    return _done(members, odd, budget, at)


def _flaws(name: str, kind: str, target: str, *, repeated: bool) -> list[Anomaly]:
    flaws = list(name_anomalies(name))
    if repeated:
        flaws.append(Anomaly("duplicate", "the archive holds this name more than once"))
    if kind in "12":
        what = "a hard link" if kind == "1" else "a symbolic link"
        flaws.append(Anomaly("link", f"{what} to {target[:200]!r}"))
    elif kind in _SPECIAL:
        flaws.append(Anomaly("device", _SPECIAL[kind]))
    return flaws


def _opener(blob: Blob, start: int, size: int) -> _Open:
    return _Open(blob.slice(start, start + size))


class _Open:
    def __init__(self, blob: Blob) -> None:
        self._blob = blob

    def __call__(self) -> Opened:
        return self._blob, ()


def _done(members: list[Member], odd: list[Anomaly], budget: Budget, end: int | None) -> Listing:
    kept, more = budget.take(members)
    return Listing(tuple(kept), (*odd, *more), 0, end)


def _padding(blob: Blob, at: int) -> int:
    """Return where the zero blocks of the end stop: writers pad to a record of 10 KiB or more."""
    while at < blob.size:
        window = blob.read(at, 1 << 16)
        kept = window.lstrip(b"\0")
        at += len(window) - len(kept)
        if kept or not window:
            break
    return at


def _number(field: bytes) -> int:
    if field[:1] >= b"\x80":
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        return max(0, int(field.strip(b" \0") or b"0", 8))
    except ValueError:
        return 0


def _name(block: bytes) -> str:
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _names(kind: str, text: bytes) -> dict[str, str]:
    if kind in "LK":
        return {"path" if kind == "L" else "linkpath": _text(text)}
    found = {}
    while text:
        stated, _, rest = text.partition(b" ")
        if not stated.isdigit() or not 0 < int(stated[:9]) <= len(text) or not rest:
            break
        record = text[len(stated) + 1 : int(stated)]
        text = text[int(stated) :]
        key, _, value = record.rstrip(b"\n").partition(b"=")
        if key in (b"path", b"linkpath", b"size"):
            found[key.decode()] = value.decode("utf-8", "backslashreplace")
    return found


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
