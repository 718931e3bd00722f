"""Compressed streams, unpacked within bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from omnicheck.content.archives.member import Budget
from omnicheck.content.blob import Blob, blob_of_bytes
from omnicheck.content.part import Anomaly

CHUNK = 64 << 10
STEP = 1 << 20
SUSPICIOUS = 8 << 20
"""A ratio is judged from this many unpacked bytes on: a page of zeros packs well and harms nobody."""

STREAMS = frozenset({"gzip", "zlib", "bzip2", "xz", "lzma", "zstd", "deflate"})


class Unpacked(Struct, frozen=True):
    """Unpacked bytes.

    Attributes:
        blob: the bytes, as far as the bounds allow.
        end: where the packed bytes end in the input; None when they break off.
        anomalies: what was odd.
    """

    blob: Blob
    end: int | None
    anomalies: tuple[Anomaly, ...] = ()


def unpack(kind: str, blob: Blob, budget: Budget) -> Unpacked:
    """Unpack a stream of one of ``STREAMS``; streams that follow each other directly are one, as their tools see it."""
    out = bytearray()
    at = 0
    odd: list[Anomaly] = []
    room = budget.room
    while True:
        end, problem = _one(kind, blob, at, out, room, budget.bounds.ratio)
        if problem is not None:
            odd.append(problem)
        if end is None:
            break
        at = end
        if kind in ("zlib", "deflate", "lzma") or not _again(kind, blob, at):
            break
    budget.spend(len(out))
    return Unpacked(blob_of_bytes(bytes(out)), None if odd else at, tuple(odd))


def _again(kind: str, blob: Blob, at: int) -> bool:
    magic = {"gzip": b"\x1f\x8b\x08", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0", "zstd": b"\x28\xb5\x2f\xfd"}[kind]
    return blob.read(at, len(magic)) == magic


def _one(kind: str, blob: Blob, start: int, out: bytearray, room: int, ratio: int) -> tuple[int | None, Anomaly | None]:
    """Unpack one stream into ``out``; return where it ends, or None with what stopped it."""
    if kind == "zstd":
        return _zstd(blob, start, out, room, ratio)
    machine, failures = _machine(kind)
    at, before = start, len(out)
    pending = b""
    while not machine.eof:
        if not pending and _wants(machine):
            pending = blob.read(at, CHUNK)
            at += len(pending)
            if not pending:
                return None, Anomaly("truncated", f"the {kind} stream breaks off")
        try:
            data = machine.decompress(pending, STEP)
        except failures:
            return None, Anomaly("truncated", f"the {kind} stream is damaged after {len(out) - before:,} bytes")
        pending = getattr(machine, "unconsumed_tail", b"")
        out += data
        stop = _bound(len(out), len(out) - before, at - start - len(pending), room, ratio)
        if stop is not None:
            del out[room:]
            return None, stop
    return at - len(machine.unused_data), None


def _wants(machine: Any) -> bool:
    return bool(getattr(machine, "needs_input", True))


def _bound(total: int, made: int, eaten: int, room: int, ratio: int) -> Anomaly | None:
    if made > SUSPICIOUS and made > ratio * max(1, eaten):
        return Anomaly("ratio", f"unpacks to more than {ratio} times its size; the rest was not looked at")
    if total > room:
        return Anomaly("bytes", f"unpacks to more than {room:,} bytes; the rest was not looked at")
    return None


def _machine(kind: str) -> tuple[Any, tuple[type[Exception], ...]]:
    if kind in ("gzip", "zlib", "deflate"):
        import zlib  # noqa: PLC0415 - unpackers are loaded when something is packed

        return zlib.decompressobj({"gzip": 31, "zlib": 15, "deflate": -15}[kind]), (zlib.error,)
    if kind == "bzip2":
        import bz2  # noqa: PLC0415 - as above

        return bz2.BZ2Decompressor(), (OSError, ValueError, EOFError)
    import lzma  # noqa: PLC0415 - as above

    form = lzma.FORMAT_XZ if kind == "xz" else lzma.FORMAT_ALONE
    return lzma.LZMADecompressor(form, memlimit=512 << 20), (lzma.LZMAError, EOFError, ValueError)


def _zstd(blob: Blob, start: int, out: bytearray, room: int, ratio: int) -> tuple[int | None, Anomaly | None]:
    import zstandard  # noqa: PLC0415 - as above

    machine = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    at, before = start, len(out)
    while not machine.eof:
        # It has no output limit of its own: small bites of input keep the output of each step bounded.
        data = blob.read(at, 4 << 10)
        if not data:
            return None, Anomaly("truncated", "the zstd stream breaks off")
        at += len(data)
        try:
            out += machine.decompress(data)
        except zstandard.ZstdError:
            return None, Anomaly("truncated", f"the zstd stream is damaged after {len(out) - before:,} bytes")
        stop = _bound(len(out), len(out) - before, at - start, room, ratio)
        if stop is not None:
            del out[room:]
            return None, stop
    return at - len(machine.unused_data), None


def decompressor(method: int) -> Callable[[Blob, Budget], Unpacked] | None:
    """Return how to unpack a member of a zip by its method number; None when nobody here can."""
    kind = {8: "deflate", 12: "bzip2", 93: "zstd"}.get(method)
    if kind is not None:
        name = kind
        return lambda blob, budget: unpack(name, blob, budget)
    return _zip_lzma if method == 14 else None


def _zip_lzma(blob: Blob, budget: Budget) -> Unpacked:
    # A zip stores version, length of the properties and the properties; the lone format wants a size after them.
    from omnicheck.content.blob import joined  # noqa: PLC0415 - seldom used

    header = blob.read(4, 5) + b"\xff" * 8
    return unpack("lzma", joined([blob_of_bytes(header), blob.slice(9)]), budget)
