"""Where a bundle is written before it exists: a private directory beside the target, renamed at the end.

A process that is killed leaves at most such a directory, whose name begins with a dot; the next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omnicheck.model.errors import UsageError

_MARK = ".omnicheck-part-"


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Yield a new private directory beside ``target``; whatever is still in it at the end is removed.

    Raises:
        UsageError: the target exists, its parent does not, or nothing can be written there.
    """
    if os.path.lexists(target):
        raise UsageError("the target exists", path=str(target), hint="remove it, or give another --out")
    parent = target.parent
    if not parent.is_dir():
        raise UsageError("no such directory", path=str(parent), hint="make it first")
    part = parent / f".{target.name}{_MARK}{os.getpid()}"
    try:
        _sweep(parent, f".{target.name}{_MARK}")
        part.mkdir(mode=0o700)
    except OSError as error:
        raise UsageError(f"cannot write here: {error.strerror}", path=str(parent)) from error
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(descriptor)


def write_new(root: Path, name: str, data: bytes) -> None:
    """Write a file that does not exist yet, mode 0644, below the staging directory, and have it on the disk.

    Args:
        root: the staging directory.
        name: relative posix path that passed the name gate.
        data: its bytes.
    """
    place = root.joinpath(*name.split("/"))
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def publish(part: Path, target: Path) -> None:
    """Give a finished directory or file its name in one step.

    Raises:
        UsageError: the target came into being meanwhile, or the system refuses.
    """
    if part.is_dir():
        for folder, _folders, _files in os.walk(part):
            Path(folder).chmod(0o755)
            _sync(Path(folder))
    try:
        if os.path.lexists(target):
            raise UsageError("the target came into being meanwhile", path=str(target), hint="give another --out")
        part.rename(target)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", path=str(target)) from error
    _sync(target.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what killed processes left; a directory that another process still writes is locked and stays."""
    for entry in sorted(os.scandir(parent), key=lambda each: each.name):
        if not entry.name.startswith(prefix) or not stat.S_ISDIR(entry.stat(follow_symlinks=False).st_mode):
            continue
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(entry.path, ignore_errors=True)
        finally:
            os.close(descriptor)
