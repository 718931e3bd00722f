"""The one gate for paths that came from data, and the one way to open a file."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Literal

from omnicheck.model.errors import EscapeError, ReadError

MAX_NAME = 255
MAX_PATH = 4096

_DRIVE = re.compile(r"[A-Za-z]:")
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_REASONS: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("no such file", "the file may have been moved or deleted"),
    errno.ENOTDIR: ("no such file", "a part of its path is not a directory"),
    errno.EACCES: ("no permission to read it", "give the current user read permission"),
    errno.EPERM: ("no permission to read it", "give the current user read permission"),
    errno.ELOOP: ("a symbolic link; links are not followed", "put the file itself in its place"),
    errno.ENXIO: ("not a regular file", "only regular files are read"),
}


def inside(root: Path, name: str) -> Path:
    """Return the path that ``name`` means below ``root``; it need not exist.

    Args:
        root: the directory that must hold it.
        name: a relative posix path that came from data.

    Raises:
        EscapeError: the name is empty, absolute, has a drive letter, a backslash or a NUL, climbs out of the root, is
            longer than a file system allows, or passes a symbolic link that leads out.
    """
    if not name:
        raise EscapeError("an empty path", hint="name a file relative to its root")
    reason = _forbidden(name)
    parts: list[str] = []
    for part in name.split("/") if reason is None else ():
        if part == "..":
            if not parts:
                reason = "leads out of its root"
                break
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if reason is not None:
        raise EscapeError(f"path {_shown(name)} {reason}", hint="use a relative path with forward slashes")
    place = root.joinpath(*parts)
    try:
        real, base = Path(os.path.realpath(place)), Path(os.path.realpath(root))
    except (OSError, ValueError) as error:
        raise EscapeError(f"path {_shown(name)} cannot be resolved") from error
    if len(os.fsencode(place)) >= MAX_PATH:
        raise EscapeError(f"path {_shown(name)} is too long")
    if not real.is_relative_to(base):
        raise EscapeError(
            f"path {_shown(name)} leads out of its root through a link", hint="copy the file into the root"
        )
    return place


def open_regular(path: Path, limit: int | None = None) -> BinaryIO:
    """Open a regular file for reading; links, pipes, devices and directories are refused.

    Args:
        path: where it is.
        limit: largest size in bytes, or None.

    Raises:
        ReadError: it is missing, unreadable, not a regular file, or larger than ``limit``.
    """
    descriptor, _ = open_descriptor(str(path), limit)
    return os.fdopen(descriptor, "rb")


def open_descriptor(path: str, limit: int | None = None) -> tuple[int, os.stat_result]:
    """Open a regular file as ``open_regular`` does, and return the descriptor with what the system says of it.

    Args:
        path: where it is.
        limit: largest size in bytes, or None.

    Raises:
        ReadError: it is missing, unreadable, not a regular file, or larger than ``limit``.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        message, hint = _REASONS.get(error.errno or 0, (f"cannot be opened: {error.strerror}", "look at the file"))
        raise ReadError(message, path=_shown_name(path), hint=hint) from error
    except ValueError as error:
        raise ReadError("its name cannot be a path", path=_shown_name(path)) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        what = "a directory, not a file" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise ReadError(what, path=_shown_name(path), hint="only regular files are read")
    if limit is not None and status.st_size > limit:
        os.close(descriptor)
        raise ReadError(f"{status.st_size} bytes, more than the {limit} that are read", path=_shown_name(path))
    return descriptor, status


def state_of(path: Path) -> Literal["present", "absent"]:
    """Return whether something lies at a path; what cannot be looked at is absent."""
    try:
        return "present" if path.exists() else "absent"
    except OSError:  # no permission on the way, or a name that is too long
        return "absent"


def stamp(stream: BinaryIO) -> tuple[int, int]:
    """Return size and modification time (ns) of an open file, to notice that it changed while it was read."""
    status = os.fstat(stream.fileno())
    return status.st_size, status.st_mtime_ns


def _forbidden(name: str) -> str | None:
    try:
        encoded = [os.fsencode(part) for part in name.split("/")]
    except UnicodeEncodeError:
        return "is not text that a file system can hold"
    checks = (
        ("\0" in name, "holds a NUL"),
        ("\\" in name, "holds a backslash"),
        (name.startswith("/"), "is absolute"),
        (_DRIVE.match(name) is not None, "names a drive"),
        (max(map(len, encoded)) > MAX_NAME or len(name) >= MAX_PATH, "is too long"),
    )
    return next((reason for wrong, reason in checks if wrong), None)


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 80 else name[:77] + "...")


def _shown_name(path: str) -> str:
    # Only the last part: an absolute path of this machine does not belong in a report.
    return path.rpartition("/")[2].encode("utf-8", "backslashreplace").decode("utf-8")
