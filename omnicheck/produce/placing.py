"""A finished directory put in its place in one step, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omnicheck.model.errors import UsageError


def refuse_taken(out: Path, *, overwrite: bool) -> None:
    """Refuse a target that is no directory, or one that holds something.

    Raises:
        UsageError: the target is taken.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError("not a directory", path=out.name, hint="--out names a new directory")
    if out.is_dir() and not overwrite and any(out.iterdir()):
        raise UsageError("the directory is not empty", path=out.name, hint="choose another --out, or add --overwrite")


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a temporary directory beside the target; whatever is left of it at the end is removed.

    Raises:
        UsageError: the directory cannot be made.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent))
        folder.chmod(0o755)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", path=out.name) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(folder: Path, out: Path) -> None:
    """Rename a finished directory to its target; what stood there is removed once the new one is in place.

    Raises:
        UsageError: it cannot be renamed; the target is as it was.
    """
    old: Path | None = None
    try:
        _sync(folder)
        if out.is_dir() and any(out.iterdir()):
            old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".old", dir=out.parent))
            out.rename(old / "previous")
        try:
            folder.rename(out)
        except OSError:
            if old is not None:
                (old / "previous").rename(out)
            raise
        _sync(out.parent)
    except OSError as error:
        raise UsageError(f"cannot be put in place: {error.strerror}", path=out.name) from error
    finally:
        if old is not None and out.exists():
            shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make a directory's entries durable, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
