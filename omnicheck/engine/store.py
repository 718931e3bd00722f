"""The user's cache directory: private, never in a scanned tree, and never trusted to be there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE_VARIABLE = "OMNICHECK_CACHE_DIR"


def cache_directory(scanned: Sequence[Path] = ()) -> Path | None:
    """Return the cache directory (mode 0700), made when missing; None when it cannot be private and ours.

    Args:
        scanned: absolute paths that are checked: a cache that lies below one of them could have come with the tree,
            as a forged pass, and is neither read nor written.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        place = Path(named).absolute()
    elif sys.platform == "darwin":
        place = Path.home() / "Library" / "Caches" / "omnicheck"
    else:
        place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "omnicheck"
    try:
        if any(_below(place, root) for root in scanned):
            return None
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = place.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o077):
            if status.st_uid != os.getuid():
                return None
            place.chmod(0o700)
    except (OSError, RuntimeError):
        return None
    return place


def tool_stamp() -> str:
    """Return what tells apart the code of one version: in a checkout, its modules' sizes and times; else nothing."""
    package = Path(__file__).resolve().parents[1]
    if not (package.parent / "pyproject.toml").is_file():
        return ""
    whole = hashlib.sha256()
    for folder in sorted(entry.path for entry in os.scandir(package) if entry.is_dir()):
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    whole.update(f"{entry.name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a cache file so that a reader sees all of it or none; a full disk or missing right is no error."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _below(place: Path, root: Path) -> bool:
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(root))
