"""One walk over the scanned paths: every file with its kind, no link followed out of the root."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct, field

from omnicheck.content.masking import mask_credentials
from omnicheck.content.sniff import sniff
from omnicheck.model.errors import ReadError, UsageError
from omnicheck.model.run import RunFile, Unread
from omnicheck.readers.beside import SKIPPED
from omnicheck.readers.gate import open_regular

HEAD = 4096
MAX_FILES = 1_000_000


class Inventory(Struct, frozen=True):
    """What lies below the scanned paths.

    Attributes:
        roots: display paths of the scanned paths.
        files: all regular files, sorted by display path.
        unreadable: links, special files and what permission hides.
        policies: configurations found below a scanned path.
    """

    roots: tuple[str, ...]
    files: tuple[RunFile, ...]
    unreadable: tuple[Unread, ...] = ()
    policies: tuple[str, ...] = field(default=())


def display_path(location: Path, root: Path, cwd: Path) -> str:
    """Return how reports call a location: relative to ``cwd`` below it, else to ``root``.

    Bytes of a name that are not UTF-8 are escaped, and a credential in a name is masked.
    """
    for base in (cwd, root):
        try:
            text = location.relative_to(base).as_posix()
        except ValueError:
            continue
        return _masked(text.encode("utf-8", "backslashreplace").decode("utf-8"))
    return _masked(location.name)


def _masked(path: str) -> str:
    return "/".join(mask_credentials(part) for part in path.split("/"))


def take_inventory(paths: Sequence[Path], cwd: Path, exclude: Sequence[str] = ()) -> Inventory:
    """Walk the paths once.

    Args:
        paths: directories or files; missing ones are a usage error.
        cwd: the working directory, absolute.
        exclude: globs over display paths that are left out.

    Raises:
        UsageError: a path does not exist, or the tree holds over a million files.
    """
    files: dict[str, RunFile] = {}
    unreadable: list[Unread] = []
    roots: list[str] = []
    for given in paths:
        root = Path(os.path.abspath(cwd / given))  # noqa: PTH100 - resolve() would follow links
        if not root.exists():
            raise UsageError("no such file or directory", path=str(given), hint="give the directory of a run")
        roots.append(display_path(root, root, cwd))
        entries = _walk(root, unreadable, root, cwd) if root.is_dir() else iter([root])
        for location in entries:
            shown = display_path(location, root if root.is_dir() else root.parent, cwd)
            if any(fnmatchcase(shown, glob) for glob in exclude):
                continue
            file = _file(location, shown, unreadable)
            if file is not None:
                files.setdefault(file.location, file)
            if len(files) > MAX_FILES:
                raise UsageError("more than a million files", path=str(given), hint="scan a narrower path")
    ordered = sorted(files.values(), key=lambda file: file.path)
    policies = tuple(file.path for file in ordered if _is_policy(file))
    return Inventory(tuple(roots), tuple(ordered), tuple(unreadable), policies)


def _walk(folder: Path, unreadable: list[Unread], root: Path, cwd: Path) -> Iterator[Path]:
    stack = [folder]
    while stack:
        here = stack.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            unreadable.append(Unread(display_path(here, root, cwd), f"cannot list: {error.strerror}", str(here)))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED:
                    stack.append(Path(entry.path))
            else:
                yield Path(entry.path)


def _file(location: Path, shown: str, unreadable: list[Unread]) -> RunFile | None:
    try:
        status = location.lstat()
    except OSError as error:
        unreadable.append(Unread(shown, f"cannot stat: {error.strerror}", str(location)))
        return None
    if stat.S_ISLNK(status.st_mode):
        unreadable.append(Unread(shown, "a symbolic link; links are not followed", str(location)))
        return None
    if not stat.S_ISREG(status.st_mode):
        unreadable.append(Unread(shown, "not a regular file", str(location)))
        return None
    return RunFile(
        path=shown,
        name=location.name,
        location=str(location),
        kind="",
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
    )


def kind_of(file: RunFile) -> str:
    """Sniff the kind of a file from its first bytes; ``unreadable`` when it cannot be opened."""
    if file.size == 0:
        return "empty"
    try:
        descriptor = os.open(file.location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return "unreadable"
    try:
        head = os.read(descriptor, HEAD)
    except OSError:
        return "unreadable"
    finally:
        os.close(descriptor)
    return sniff(head, file.size)


def _is_policy(file: RunFile) -> bool:
    base = file.path.rsplit("/", 1)[-1]
    if base == "omnicheck.toml":
        return True
    if base != "pyproject.toml":
        return False
    try:
        with open_regular(file.disk) as stream:
            return b"[tool.omnicheck" in stream.read(1_000_000)
    except (OSError, ReadError):
        return False
