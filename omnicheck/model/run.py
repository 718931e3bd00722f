"""Files on disk, and the runs they make up."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class RunFile(Struct, frozen=True, kw_only=True):
    """A file as the inventory saw it.

    Attributes:
        path: what people and reports see: posix, relative to the working directory where it lies below it,
            else to the scanned root.
        name: posix path relative to the root of its run (``eval/metrics.json``).
        location: absolute path on this machine; never shown.
        kind: what the bytes are (``json``, ``jsonl``, ``csv``, ``text``, ``safetensors``, …; ``empty``;
            ``unknown``).
        size: bytes.
        mtime_ns: modification time, for the cache only; no file time decides a finding.
        ctime_ns: change time, for the cache only.
        inode: for the cache only.
        role: what the file is in its run (``metrics``, ``predictions``, …), or None.
        tag: what sets it apart from others of its role: ``metrics_eval.json`` has ``eval``, ``metrics.json`` has
            the empty tag.
    """

    path: str
    name: str
    location: str
    kind: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    role: str | None = None
    tag: str = ""

    @property
    def base(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def folder(self) -> str:
        """Posix path of its directory relative to the run; empty at the run's root."""
        return self.name.rpartition("/")[0]

    @property
    def disk(self) -> Path:
        """Where to open it."""
        return Path(self.location)


class Unread(Struct, frozen=True):
    """An entry of the tree that is not read: a link, a special file, or what permission hides.

    Attributes:
        path: display path.
        reason: why, in words.
        location: absolute path on this machine; never shown.
    """

    path: str
    reason: str
    location: str = ""


class Run(Struct, frozen=True, kw_only=True):
    """One run: a directory (or linked directories) whose files are bound to roles.

    Attributes:
        path: display path of its root.
        location: absolute path of its root.
        files: every file that belongs to it, sorted by name; files of nested runs belong to those.
        layout: ``flat``, ``packaged`` (``dataset/ training/ eval/ validation/``), ``linked`` (several directories)
            or ``tree`` (files outside every run).
        contract: id of the backbone contract in force, or None.
        contract_source: who named it: ``option``, ``config``, ``metadata`` or ``none``.
        unread: entries below it that are not read.
        linked: absolute paths of the linked directories of a ``linked`` run.
    """

    path: str
    location: str
    files: tuple[RunFile, ...]
    layout: str = "flat"
    contract: str | None = None
    contract_source: str = "none"
    linked: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    def of(self, *roles: str) -> tuple[RunFile, ...]:
        """The files of the given roles, sorted by name."""
        return tuple(file for file in self.files if file.role in roles)


class Observed(Struct, frozen=True):
    """A path outside the run's listing that a fact looked at, and what was seen there (for the cache).

    ``state`` is ``present``, ``absent``, or ``tree:`` with a digest of all files below.
    """

    location: str
    state: str
