"""The user's cache directory: private, never in a scanned tree, and never trusted to be there."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

CACHE_VARIABLE = "OMNICHECK_CACHE_DIR"


def cache_directory() -> Path | None:
    """Return the cache directory (mode 0700), made when missing; None when it cannot be private and ours."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        place = Path(named)
    elif sys.platform == "darwin":
        place = Path.home() / "Library" / "Caches" / "omnicheck"
    else:
        place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "omnicheck"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = place.lstat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o077):
            if status.st_uid != os.getuid():
                return None
            place.chmod(0o700)
    except (OSError, RuntimeError):
        return None
    return place


def write_atomically(path: Path, data: bytes) -> None:
    """Write a cache file so that a reader sees all of it or none; a full disk or missing right is no error."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
