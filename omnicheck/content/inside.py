"""What bytes hold besides themselves: members of archives, encoded runs, what stands before and after a format."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from omnicheck.content.archives.member import Budget, Listing, Member, held
from omnicheck.content.archives.open import list_members, unpacked_name
from omnicheck.content.archives.streams import STREAMS, unpack
from omnicheck.content.blob import EDGE, Blob
from omnicheck.content.embedded import embedded
from omnicheck.content.encoded import encoded
from omnicheck.content.ends import ENDING, end_of
from omnicheck.content.groups import group_of
from omnicheck.content.kinds import kinds_of
from omnicheck.content.part import Anomaly
from omnicheck.content.texts import first_binary, is_utf16

_PADDING = b"\0 \t\r\n"


class Inside(Struct, frozen=True):
    """What a part turned out to be and to hold.

    Attributes:
        kinds: its kinds, refined by what it holds.
        members: what lies inside, to be scanned in turn.
        anomalies: what is odd about it.
    """

    kinds: tuple[str, ...]
    members: tuple[Member, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()


def inside(blob: Blob, name: str, kinds: tuple[str, ...], budget: Budget, *, deeper: bool) -> Inside:
    """Look into bytes of given kinds.

    Args:
        blob: the bytes.
        name: their name, from which that of decompressed content is made.
        kinds: what they are by themselves.
        budget: what may be spent.
        deeper: whether archives may still be opened; when not, an archive is an anomaly of its own.
    """
    if group_of(kinds[0]) == "text" and len(kinds) == 1:
        found = _in_text(blob, kinds)
    elif kinds == ("empty",):
        return Inside(kinds)
    elif not deeper and any(group_of(kind) == "archive" for kind in kinds):
        return Inside(kinds, (), (_too_deep(budget),))
    else:
        found = _in_bytes(blob, name, kinds, budget)
    if found.members and not deeper:
        return Inside(found.kinds, (), (*found.anomalies, _too_deep(budget)))
    return found


def _too_deep(budget: Budget) -> Anomaly:
    return Anomaly("depth", f"nested more than {budget.bounds.depth} deep; what it holds was not looked at")


def _in_text(blob: Blob, kinds: tuple[str, ...]) -> Inside:
    if is_utf16(blob.head):
        return Inside(kinds)
    members: list[Member] = []
    for piece in blob.pieces():
        bad = first_binary(piece.data)
        if bad is not None:
            return _impure(blob, kinds, piece.offset + bad, members)
        members += [held(f"base64@{piece.offset + at}", content) for at, content in encoded(piece.data)]
    return Inside(kinds, tuple(members))


def _impure(blob: Blob, kinds: tuple[str, ...], bad: int, members: list[Member]) -> Inside:
    """Judge bytes that begin as text and go on as something else."""
    found = embedded(blob, max(0, bad - 64))
    if found is None:
        return Inside(
            ("unknown", *kinds),
            tuple(members),
            (Anomaly("suffix", f"begins as text, but is binary from byte {bad:,} on"),),
        )
    odd = Anomaly("suffix", f"{blob.size - found:,} bytes of another format follow the text")
    return Inside(kinds, (*members, held(f"appended@{found}", blob.slice(found))), (odd,))


def _in_bytes(blob: Blob, name: str, kinds: tuple[str, ...], budget: Budget) -> Inside:
    members: list[Member] = []
    odd: list[Anomaly] = []
    archives = [kind for kind in kinds if group_of(kind) == "archive"]
    start, end = 0, 0
    # A zip is read from its end, whatever stands before it; only in a tar it may end the bytes as a member.
    for kind in archives if {"zip", "tar"} & {*archives} else [*archives, "zip"]:
        if kind in STREAMS:
            listing: Listing | None
            listing, tarred = _stream(kind, blob, name, budget)
            kinds = (*kinds, "tar") if tarred and "tar" not in kinds else kinds
        else:
            listing = list_members(kind, blob, budget)
        if listing is None:
            if kind in kinds:
                odd.append(Anomaly("truncated", "begins as a zip, but holds no directory and no member"))
            continue
        kinds = _refined(kinds, kind, [member.name for member in listing.members])
        members += listing.members
        odd += listing.anomalies
        start, end = max(start, listing.start), max(end, listing.end or 0)
    if start:
        odd.append(Anomaly("prefix", f"{start:,} bytes stand before the archive"))
        members.append(held("prefix@0", blob.slice(0, start)))
    for kind in kinds if not end else ():
        end = (end_of(kind, blob) or 0) if kind in ENDING and not end else end
    members += _after(blob, end, odd) if end else _without_end(blob, kinds, odd)
    return Inside(kinds, tuple(members), tuple(odd))


def _stream(kind: str, blob: Blob, name: str, budget: Budget) -> tuple[Listing, bool]:
    """Unpack a stream; the members of a tar in it stand in its own place."""
    unpacked = unpack(kind, blob, budget)
    if "tar" not in kinds_of(unpacked.blob):
        member = held(unpacked_name(name), unpacked.blob, unpacked.anomalies)
        return Listing((member,), (), 0, unpacked.end), False
    listing = list_members("tar", unpacked.blob, budget) or Listing(())
    odd = [*unpacked.anomalies, *listing.anomalies]
    more = _after(unpacked.blob, listing.end or 0, odd) if listing.end else []
    return Listing((*listing.members, *more), tuple(odd), 0, unpacked.end), True


def _after(blob: Blob, end: int, odd: list[Anomaly]) -> list[Member]:
    """Return what follows the end of a format, unless it is padding."""
    rest = blob.slice(end)
    if not rest.size or (rest.size <= EDGE and not rest.head.strip(_PADDING)):
        return []
    odd.append(Anomaly("suffix", f"{rest.size:,} bytes follow the end"))
    skipped = (embedded(rest) or 0) if kinds_of(rest) == ("unknown",) else 0
    return [held(f"appended@{end + skipped}", rest.slice(skipped))]


def _without_end(blob: Blob, kinds: Sequence[str], odd: list[Anomaly]) -> list[Member]:
    """Search bytes of no known format, and pictures that do not end, for a format that begins in them."""
    if kinds[0] != "unknown" and group_of(kinds[0]) not in ("image", "document"):
        return []
    found = embedded(blob, 1)
    if found is None:
        return []
    odd.append(Anomaly("prefix", f"{found:,} bytes stand before another format"))
    return [held(f"appended@{found}", blob.slice(found))]


def _refined(kinds: tuple[str, ...], kind: str, names: Sequence[str]) -> tuple[str, ...]:
    """Name a zip by what it holds: a checkpoint, arrays, a document."""
    special = zip_kind(names) if kind == "zip" else None
    others = tuple(each for each in kinds if each not in ("unknown", kind))
    return (special or kind, *others)


def zip_kind(names: Sequence[str]) -> str | None:
    """Return what a zip is by the names of its members; the members are judged by their own bytes all the same."""
    bases = {name.rsplit("/", 1)[-1] for name in names}
    if "data.pkl" in bases:
        return "torch_script" if "constants.pkl" in bases else "torch_zip"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    if "config.json" in bases and any(base.endswith(".weights.h5") for base in bases):
        return "keras"
    if any(".mlpackage/" in name or "com.apple.CoreML/" in name for name in names):
        return "mlpackage"
    if "manifest.ocdbt" in bases or "_CHECKPOINT_METADATA" in bases:
        return "orbax"
    return "office" if "[Content_Types].xml" in bases else None
