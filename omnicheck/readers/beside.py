"""What lies at a place that is not in a run's listing, and whether it is still the same later on."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from msgspec import Struct

from omnicheck.readers.gate import state_of

SKIPPED = frozenset({".git", ".hg", ".svn", "__pycache__", ".venv", "node_modules"})
MAX_FILES = 200_000


class Seen(Struct, frozen=True):
    """A regular file below a directory.

    Attributes:
        name: posix path relative to that directory; bytes that are not UTF-8 escaped.
        location: absolute path.
        size: bytes.
        mtime_ns: modification time, for the cache only.
        ctime_ns: change time, for the cache only.
        inode: for the cache only.
    """

    name: str
    location: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def files_below(root: Path) -> tuple[Seen, ...]:
    """Return the regular files below a directory, sorted by name; no link is followed.

    Directories of version control and of caches are left out, as the inventory leaves them out. Directories that
    cannot be listed hold nothing; after ``MAX_FILES`` files the walk ends.
    """
    found: list[Seen] = []
    stack = [(str(root), "")]
    while stack and len(found) < MAX_FILES:
        folder, prefix = stack.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                if entry.name not in SKIPPED:
                    stack.append((entry.path, f"{prefix}{entry.name}/"))
            elif stat.S_ISREG(status.st_mode):
                name = (prefix + entry.name).encode("utf-8", "backslashreplace").decode("utf-8")
                times = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
                found.append(Seen(name, entry.path, status.st_size, *times))
    return tuple(sorted(found, key=lambda seen: seen.name))


def state_again(location: str, asked: str) -> str:
    """Return what is seen at a place in the words in which it was asked.

    Args:
        location: absolute path.
        asked: an earlier state: ``tree:…`` compares all files below, anything else presence.
    """
    if asked.startswith("tree:"):
        return tree_state(files_below(Path(location)))
    return state_of(Path(location))


def tree_state(files: tuple[Seen, ...]) -> str:
    """Return a digest of names, sizes, times and inodes."""
    text = "\0".join(f"{seen.name}\0{seen.size}\0{seen.mtime_ns}\0{seen.ctime_ns}\0{seen.inode}" for seen in files)
    return f"tree:{hashlib.sha256(text.encode()).hexdigest()}"
