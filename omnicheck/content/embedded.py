"""Formats that begin somewhere inside other bytes: after a picture, in the middle of a text, behind junk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from omnicheck.content.blob import EDGE, Blob
from omnicheck.content.formats.pickles import opcodes
from omnicheck.content.kinds import binary_kinds

WHOLE = 8 << 20
"""Unknown bytes up to this size are searched whole, larger ones at both ends."""

MAX_TRIES = 256


@cache
def _beginnings() -> re.Pattern[bytes]:
    return re.compile(
        rb"(?P<safetensors>[\x00-\xff]{3}\x00{5}\{[\"} ])|\x93NUMPY|\x89HDF\r\n\x1a\n|PK\x03\x04|GGUF[\x01-\x04]\x00"
        rb"|PAR1|RRF[0-9]|SQLite format 3\x00|\x1f\x8b\x08[\x00\x08][\x00-\xff]{4}[\x00\x02\x04][\x00-\x0d\xff]"
        rb"|BZh[1-9]1AY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|7z\xbc\xaf\x27\x1c"
        rb"|Rar!\x1a\x07|\x80[\x02-\x05](?=[\x95cX}\](\x8c\x8aK\)N])|\x1a\x45\xdf\xa3|RIFF|\x01HEF|ARROW1|#ROSBAG V"
        rb"|\x7fELF|%PDF-|\x89PNG\r\n|(?P<boxed>[\x00-\xff]{4}ftyp)|(?P<flat>[\x00-\xff]{4}(?:TFL3|ET\d\d))"
        rb"|c[a-z_][\w.]*\r?\n[\w.]+\r?\n\(",
        re.DOTALL,
    )


def embedded(blob: Blob, start: int = 0) -> int | None:
    """Return where the first known format begins at or after an offset; None when there is none."""
    for at, data in _windows(blob, start):
        for match in islice(_beginnings().finditer(data), MAX_TRIES):
            place = at + match.start()
            kinds = binary_kinds(blob.slice(place))
            # In noise a short pickle can come about by chance, a long one cannot.
            if kinds and (kinds[0] != "pickle" or opcodes(blob.slice(place)) >= 6):
                return place
    return None


def _windows(blob: Blob, start: int) -> Iterator[tuple[int, bytes]]:
    if blob.size - start <= WHOLE:
        yield start, blob.read(start, blob.size - start)
        return
    yield start, blob.read(start, EDGE)
    yield blob.size - EDGE, blob.tail
