"""Base64 inside text: long runs are found by sampling, decoded, and kept when they are of some known kind."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from omnicheck.content.blob import Blob, blob_of_bytes
from omnicheck.content.kinds import kinds_of

SHORT = 160
"""Characters from which a run in a small text is looked at: longer than the longest digest in hex."""

LONG = 512
"""The same in a text over a megabyte."""

SMALL = 1 << 20
STRIDE = 16
MAX_RUNS = 2_000
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_BREAKS = b"\r\n\\"
_IS_SAMPLE = bytes(1 if byte in _ALPHABET + _BREAKS else 0 for byte in range(256))
_STANDARD = bytes.maketrans(b"-_", b"+/")


@cache
def _wrapped() -> re.Pattern[bytes]:
    # Lines of 40 characters and more may be wrapped, by a line end or by its JSON escape.
    return re.compile(rb"(?:[A-Za-z0-9+/]{40,}|[A-Za-z0-9_-]{40,})(?:(?:\\[rn]|[\r\n])+[A-Za-z0-9+/_-]{4,})*={0,2}")


def encoded(data: bytes) -> Iterator[tuple[int, Blob]]:
    """Yield (offset, decoded bytes) for each base64 run that decodes to a known kind.

    Runs that decode to nothing known (digests, tokens of a vocabulary, noise) are left alone.
    """
    least = SHORT if len(data) <= SMALL else LONG
    for start, end in islice(_runs(data, least), MAX_RUNS):
        blob = _decoded(data[start:end])
        kinds = kinds_of(blob) if blob is not None else ("unknown",)
        if blob is not None and kinds != ("unknown",) and _telling(blob, kinds):
            yield start, blob


def _runs(data: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Yield where long runs stand; one over several lines begins with its first long line."""
    wanted = b"\x01" * least
    for low, high in _candidates(data, least):
        marks = data[low:high].translate(_IS_SAMPLE)
        at = marks.find(wanted)
        while at >= 0:
            end = marks.find(b"\0", at + least)
            end = len(marks) if end < 0 else end
            yield from _lines(data, low + at, low + end, least)
            at = marks.find(wanted, end)


def _lines(data: bytes, start: int, end: int, least: int) -> Iterator[tuple[int, int]]:
    run = data[start:end]
    if run.translate(None, _BREAKS) == run:
        yield start, end
        return
    for match in _wrapped().finditer(run):
        if match.end() - match.start() >= least:
            yield start + match.start(), start + match.end()


def _candidates(data: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Yield spans that may hold a run: so many samples in a row are of the alphabet."""
    stride = STRIDE if least >= LONG else STRIDE // 2
    samples = data[::stride].translate(_IS_SAMPLE)
    wanted = b"\x01" * (least // stride - 1)
    at = samples.find(wanted)
    while at >= 0:
        end = samples.find(b"\0", at)
        end = len(samples) if end < 0 else end
        yield max(0, (at - 1) * stride), min(len(data), end * stride + stride)
        at = samples.find(wanted, end)


def _decoded(run: bytes) -> Blob | None:
    text = run.replace(b"\\n", b"").replace(b"\\r", b"").translate(_STANDARD, b"\r\n=")
    # A cut run decodes as far as whole groups reach.
    text = text[: len(text) - len(text) % 4] if len(text) % 4 == 1 else text + b"=" * (-len(text) % 4)
    try:
        return blob_of_bytes(binascii.a2b_base64(text))
    except binascii.Error:
        return None


def _telling(blob: Blob, kinds: tuple[str, ...]) -> bool:
    if kinds[0] in ("text", "csv"):
        return blob.size >= 32 and blob.head.isascii()
    return True
