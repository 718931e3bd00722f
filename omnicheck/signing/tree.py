"""A directory as a verifier sees it: every entry, no link followed, each file hashed as it was listed."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from omnicheck.model.errors import ReadError, UsageError
from omnicheck.readers.gate import open_descriptor

if TYPE_CHECKING:
    from io import RawIOBase

MAX_ENTRIES = 1_000_000
MAX_DEPTH = 64
BLOCK = 1 << 18

EntryKind = Literal["file", "directory", "link", "special"]


class Entry(Struct, frozen=True, kw_only=True):
    """What lies in a directory.

    Attributes:
        name: posix path relative to the root.
        kind: a regular file, a directory, a symbolic link, or something else.
        mode: permission bits.
        size: bytes.
        mtime_ns: modification time, to notice changes only.
        device: with ``inode``, what the entry was when it was listed.
        inode: as above.
    """

    name: str
    kind: EntryKind
    mode: int
    size: int
    mtime_ns: int
    device: int
    inode: int


def list_tree(root: Path) -> tuple[Entry, ...]:
    """Return all entries below a directory, sorted by name; nothing is left out and no link is followed.

    Raises:
        UsageError: the root is no directory, a directory cannot be listed, or the tree is too large or too deep.
    """
    if not root.is_dir():
        raise UsageError("no such directory", path=root.name or str(root))
    entries: list[Entry] = []
    stack = [(root, "", 0)]
    while stack:
        folder, prefix, depth = stack.pop()
        try:
            found = list(os.scandir(folder))
        except OSError as error:
            raise UsageError(f"cannot be listed: {error.strerror}", path=prefix or root.name) from error
        for each in found:
            entry = _entry(each, prefix)
            entries.append(entry)
            if entry.kind == "directory":
                if depth == MAX_DEPTH:
                    raise UsageError(f"nests deeper than {MAX_DEPTH} directories", path=entry.name)
                stack.append((Path(each.path), entry.name + "/", depth + 1))
        if len(entries) > MAX_ENTRIES:
            raise UsageError("holds over a million entries", path=root.name)
    return tuple(sorted(entries, key=lambda entry: entry.name))


def hash_entry(root: Path, entry: Entry) -> str:
    """Return the SHA-256 of a listed file, hex.

    Raises:
        ReadError: it cannot be read, is another file than the one listed, or changed while it was read.
    """
    descriptor, status = open_descriptor(f"{root}/{entry.name}")
    # Unbuffered: a buffer in between would copy every byte once more.
    with open(descriptor, "rb", buffering=0) as stream:  # noqa: PTH123 - a descriptor has no path
        listed = (entry.device, entry.inode, entry.size, entry.mtime_ns)
        try:
            digest = hash_stream(stream, entry.size) if _state(status) == listed else None
        except OSError as error:
            raise ReadError(f"cannot be read: {error.strerror}", path=shown(entry.name)) from error
        if digest is None or _state(os.fstat(descriptor)) != listed:
            raise ReadError(
                "changed while it was read", path=shown(entry.name), hint="leave the tree alone and start anew"
            )
    return digest


def hash_stream(stream: RawIOBase, size: int) -> str | None:
    """Return the SHA-256 of what a stream holds, hex; None when that is not ``size`` bytes."""
    digest = hashlib.sha256()
    # One byte more than is expected, so that a file that grew is seen by the same read.
    buffer = bytearray(min(BLOCK, size + 1))
    view = memoryview(buffer)
    total = 0
    while total <= size and (count := stream.readinto(buffer)):
        digest.update(view[:count])
        total += count
    return digest.hexdigest() if total == size else None


def shown(name: str) -> str:
    """Return a name as reports show it: bytes that are not UTF-8 escaped."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _state(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _entry(each: os.DirEntry[str], prefix: str) -> Entry:
    status = each.stat(follow_symlinks=False)
    kind: EntryKind = "special"
    if stat.S_ISLNK(status.st_mode):
        kind = "link"
    elif stat.S_ISDIR(status.st_mode):
        kind = "directory"
    elif stat.S_ISREG(status.st_mode):
        kind = "file"
    return Entry(
        name=prefix + each.name,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        device=status.st_dev,
        inode=status.st_ino,
    )
