"""Prose and logs."""

from __future__ import annotations

import codecs
from pathlib import Path

from omnicheck.readers.gate import open_regular, stamp
from omnicheck.readers.json_document import wide_encoding
from omnicheck.readers.problem import Problem

LIMIT = 16 << 20


def read_text(path: Path, problems: list[Problem], *, limit: int = LIMIT) -> str:
    """Read a text file; what is not UTF-8 is replaced and told, what is over the limit is cut and told.

    Args:
        path: where it is.
        problems: where problems go.
        limit: most bytes that are read.

    Raises:
        ReadError: the file cannot be opened.
    """
    with open_regular(path) as stream:
        before = stamp(stream)
        try:
            data = stream.read(limit)
        except OSError as error:
            problems.append(Problem(f"cannot be read: {error.strerror}", kind="unreadable"))
            return ""
        if stamp(stream) != before:
            problems.append(Problem("the file changed while it was read", kind="changed"))
    cut = before[0] > limit
    if cut:
        problems.append(Problem(f"{before[0]} bytes; only the first {limit} were read", kind="too-large"))
    wide = wide_encoding(data)
    if wide:
        problems.append(Problem(f"{wide}, not UTF-8", line=1, kind="encoding"))
        return data.decode(wide, "replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    # The limit may cut a character in two; that is no fault of the file.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(data, final=not cut)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem(f"not UTF-8: {error.reason}", line=line, kind="encoding"))
        return data.decode("utf-8", "replace")
