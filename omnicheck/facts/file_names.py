"""The names of everything in a run: files, and the links and special files that are not read."""

from __future__ import annotations

import os

from msgspec import Struct

from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source


class NamedEntry(Struct, frozen=True):
    """An entry of the run.

    Attributes:
        path: display path.
        name: posix path in the run, as it stands on disk.
        problem: what is wrong with the entry itself: a link, a special file, bytes that are no text; or None.
    """

    path: str
    name: str
    problem: str | None = None


@fact(absent="no files")
def named_entries(source: Source) -> tuple[NamedEntry, ...]:
    """Return the entries of the run, files first."""
    root = source.run.location
    found = [
        NamedEntry(file.path, _below(root, file.location, file.name), _bytes(file.location))
        for file in source.run.files
    ]
    for entry in source.run.unread:
        link = "symbolic link" in entry.reason
        problem = "is a symbolic link; a bundle holds only files" if link else None
        if link or "regular" in entry.reason:
            problem = problem or "is a special file (a pipe, a socket or a device)"
            found.append(NamedEntry(entry.path, _below(root, entry.location, entry.path), problem))
    return tuple(found)


def _below(root: str, location: str, name: str) -> str:
    return location[len(root) + 1 :] if root and location.startswith(root + "/") else name


def _bytes(location: str) -> str | None:
    try:
        os.fsencode(location).decode("utf-8")
    except UnicodeDecodeError:
        return "the name is not UTF-8"
    return None
