"""What a scan finds: parts, their kinds, what is odd about them, and the bounds of the scan."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Anomaly(Struct, frozen=True):
    """Something about a part that keeps it from being trusted or read.

    Attributes:
        code: ``duplicate``, ``overlap``, ``gap``, ``prefix``, ``suffix``, ``names``, ``flags``, ``crc``, ``sizes``,
            ``ratio``, ``link``, ``escape``, ``device``, ``malformed`` (an archive that contradicts itself or would harm
            whoever unpacks it), or ``encrypted``, ``depth``, ``entries``, ``bytes``, ``truncated``, ``method``,
            ``library`` (bytes that nobody could look at).
        detail: what was found, in plain words.
    """

    code: str
    detail: str

    @property
    def unscannable(self) -> bool:
        """Whether it hides bytes from the scan."""
        return self.code in UNSCANNABLE


UNSCANNABLE = frozenset({"encrypted", "depth", "entries", "bytes", "truncated", "method", "library"})


class Bounds(Struct, frozen=True):
    """How far a scan goes; crossing a bound is an anomaly. No clock: the same input gives the same answer.

    Attributes:
        depth: archives inside archives.
        entries: members of all archives of one file together.
        ratio: unpacked bytes for each packed byte.
        member: unpacked bytes of one member.
        total: unpacked bytes of one file in all.
    """

    depth: int = 8
    entries: int = 10_000
    ratio: int = 250
    member: int = 32 << 20
    total: int = 512 << 20


class Part(Struct, frozen=True):
    """A file, or a member of one at any depth.

    Attributes:
        members: path inside the file, outermost first; empty for the file itself. Bytes that follow or precede
            another format are called ``appended@OFFSET`` and ``prefix@0``, encoded ones ``base64@OFFSET``.
        kinds: everything that the bytes are, the most telling first; never empty (``empty``, ``unknown``).
        size: bytes, unpacked.
        anomalies: what is odd about it.
        spans: what the visitor returned for its bytes.
    """

    members: tuple[str, ...]
    kinds: tuple[str, ...]
    size: int
    anomalies: tuple[Anomaly, ...] = ()
    spans: tuple[Any, ...] = ()

    @property
    def kind(self) -> str:
        """The most telling kind."""
        return self.kinds[0]

    @property
    def groups(self) -> frozenset[str]:
        """The groups of its kinds: ``weights``, ``pickle``, ``raw_data``, ``archive``, ``array``, ``image``, …."""
        from omnicheck.content.groups import group_of  # noqa: PLC0415 - parts are also read where nothing is sniffed

        return frozenset(group_of(kind) for kind in self.kinds)
