"""What every file of a run is and holds: one scan of each, shared by all rules about content."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from typing import Any

import msgspec

from omnicheck.content.blob import blob_of_descriptor, joined
from omnicheck.content.part import Part
from omnicheck.content.scan import scan_blob, scan_file
from omnicheck.content.splits import Split, find_splits
from omnicheck.facts.leaks import visitor
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular


class ScannedFile(msgspec.Struct, frozen=True):
    """A file, what it is, and everything inside it.

    Attributes:
        file: the file.
        parts: the file itself first, then its members; of parts that make one file, the first also has the parts of
            the whole, below the name of the whole.
        error: why it could not be read, or None.
        split: name of the file that it is a part of, or None.
    """

    file: RunFile
    parts: tuple[Part, ...]
    error: str | None = None
    split: str | None = None


@fact(absent="no files")
def scanned_files(source: Source) -> tuple[ScannedFile, ...]:
    """Scan every file of the unit once; each is opened once."""
    found = {file.location: _scanned(source, file) for file in source.run.files}
    folders: dict[str, dict[str, RunFile]] = defaultdict(dict)
    for file in source.run.files:
        folders[file.location.rpartition("/")[0]][file.base] = file
    for named in folders.values():
        for split in find_splits(named):
            _join(source, split, [named[name] for name in split.parts], found)
    return tuple(found[file.location] for file in source.run.files)


def _scanned(source: Source, file: RunFile) -> ScannedFile:
    try:
        with open_regular(file.disk) as stream:
            return ScannedFile(file, scan_file(stream.fileno(), file.base, visitor(source, file)))
    except ReadError as error:
        return ScannedFile(file, (), error.message)
    except OSError as error:
        return ScannedFile(file, (), f"cannot be read: {error.strerror}")


def _join(source: Source, split: Split, files: list[RunFile], found: dict[str, ScannedFile]) -> None:
    """Scan the parts of a split file as one, and note what they are part of when the whole is something."""
    with ExitStack() as stack:
        try:
            streams = [stack.enter_context(open_regular(file.disk)) for file in files]
            whole = joined([blob_of_descriptor(stream.fileno()) for stream in streams])
        except (ReadError, OSError):
            return  # told for the part itself
        parts = scan_blob(whole, split.name, visitor(source, files[0]))
    if parts[0].groups <= {"unknown", "text"} and len(parts) == 1:
        return  # texts are judged one by one
    changes: dict[str, Any] = {"split": split.name}
    for place, file in enumerate(files):
        here = found[file.location]
        below = tuple(msgspec.structs.replace(each, members=(split.name, *each.members)) for each in parts)
        changes["parts"] = (*here.parts[:1], *below) if not place else here.parts[:1]
        found[file.location] = msgspec.structs.replace(here, **changes)
