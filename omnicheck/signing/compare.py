"""A signed statement against a tree: what differs, what nobody signed, what no signature covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from omnicheck.model.errors import ReadError
from omnicheck.signing.names import collisions, name_fault
from omnicheck.signing.oms import Statement
from omnicheck.signing.tree import Entry, hash_entry, shown

Kind = Literal["signature", "mismatch", "unlisted", "not-covered"]

EXECUTABLE = 0o111
OBEYED = frozenset({".git", ".github", ".gitlab", ".hg", ".circleci"})
"""Directories whose content tools obey."""

WORLD_WRITABLE = 0o002
SET_ID = 0o6000


class Problem(Struct, frozen=True, kw_only=True):
    """One reason not to trust a tree, or, of kind ``not-covered``, one thing that the signature says nothing about.

    Attributes:
        kind: ``signature`` (it does not hold), ``mismatch`` (a signed file differs or is missing), ``unlisted``
            (something nobody signed), ``not-covered``.
        name: posix path in the tree; empty for the tree itself.
        message: the rest of the sentence that begins with the name.
        expected: plain data.
        actual: plain data.
    """

    kind: Kind
    name: str
    message: str
    expected: Any = None
    actual: Any = None


class Uncovered(Struct, frozen=True):
    """What the signature does not cover: what sort of thing, and which.

    Attributes:
        what: one phrase, such as "permission bits".
        why: one sentence.
        names: the names it concerns here, with what is found there; empty when it concerns the whole tree.
    """

    what: str
    why: str
    names: tuple[str, ...] = ()


def uncovered(statement: Statement, entries: Sequence[Entry], signature: str | None) -> Iterator[Uncovered]:
    """Yield everything that the signature does not cover.

    Args:
        statement: what was signed.
        entries: the tree.
        signature: name of the signature file in the tree, or None when it lies elsewhere.
    """
    files = [entry for entry in entries if entry.kind == "file"]
    size = next((entry.size for entry in files if entry.name == signature), None)
    own = (f"{signature}: {size} bytes",) if size is not None else ()
    yield Uncovered("the signature file", "It cannot sign itself; only the statement in it is signed.", own)
    extra = tuple(
        f"{shown(entry.name)}: {entry.kind}, {entry.size} bytes"
        for entry in entries
        if entry.kind != "directory" and entry.name not in statement.digests and entry.name != signature
    )
    if extra:
        yield Uncovered("entries that nobody signed", "Their content and their existence are not signed.", extra)
    if statement.ignored:
        here = {entry.name for entry in entries}
        yield Uncovered(
            "paths that the signer ignored",
            "Whatever stands under these names, with all below them, is not signed.",
            tuple(f"{name}: {'present' if name in here else 'absent'}" for name in sorted(statement.ignored)),
        )
    modes = tuple(f"{shown(entry.name)}: {entry.mode:04o}" for entry in files)
    yield Uncovered("permission bits of files", "Anybody may make a file executable and the signature holds.", modes)
    folders = [entry for entry in entries if entry.kind == "directory"]
    yield Uncovered(
        "directories",
        "They are known only from the names of files: their permission bits are not signed.",
        tuple(f"{shown(entry.name)}/: {entry.mode:04o}" for entry in folders),
    )
    empty = _empty(entries)
    if empty:
        yield Uncovered("empty directories", "No signed file lies in them.", tuple(f"{shown(name)}/" for name in empty))
    yield Uncovered("times, owners and extended attributes", "None of them is signed.")
    yield Uncovered("the name of the directory itself", f"It was signed as {statement.subject!a}, informative only.")
    if statement.allow_symlinks:
        yield Uncovered("symbolic links", "The signer followed them: a signed file may have been a link there.")


def unsafe_names(entries: Sequence[Entry]) -> Iterator[Problem]:
    """Yield names that no bundle may hold, and names that are one file on some system."""
    for entry in entries:
        fault = name_fault(entry.name)
        if fault is not None:
            yield Problem(kind="unlisted", name=shown(entry.name), message=f"is no name for a bundle: it {fault}")
    for name, earlier, why in collisions(entry.name for entry in entries if entry.kind != "directory"):
        yield Problem(kind="unlisted", name=shown(name), message=f"collides with {shown(earlier)!r}: one {why}")


def differing(root: Path, statement: Statement, entries: Sequence[Entry], digests: dict[str, str]) -> Iterator[Problem]:
    """Yield signed files that are missing or differ; the digests of those that could be hashed go to ``digests``."""
    here = {entry.name: entry for entry in entries}
    for name, digest in statement.digests.items():
        entry = here.get(name)
        if entry is None:
            yield Problem(kind="mismatch", name=name, message="is signed, but missing", expected=digest)
        elif entry.kind == "directory":
            yield Problem(kind="mismatch", name=name, message="was signed as a file and is a directory")
        elif entry.kind == "file":
            try:
                found = hash_entry(root, entry)
            except ReadError as error:
                yield Problem(kind="mismatch", name=name, message=f"cannot be hashed: {error.message}", expected=digest)
                continue
            digests[name] = found
            if found != digest:
                message = "is not the file that was signed: its SHA-256 differs"
                yield Problem(kind="mismatch", name=name, message=message, expected=digest, actual=found)


def unlisted(
    statement: Statement, entries: Sequence[Entry], signature: str | None, *, allow_ignored: bool
) -> Iterator[Problem]:
    """Yield entries that nobody signed."""
    ignored = set(statement.ignored) - {signature}
    for entry in entries:
        name = shown(entry.name)
        if entry.kind == "link":
            yield Problem(kind="unlisted", name=name, message="is a symbolic link; a bundle holds regular files only")
        elif entry.kind == "special":
            yield Problem(kind="unlisted", name=name, message="is not a regular file; a bundle holds no other")
        elif entry.kind == "file" and entry.name not in statement.digests and entry.name != signature:
            if entry.name not in ignored:
                yield Problem(kind="unlisted", name=name, message="is not signed")
            elif allow_ignored:
                yield Problem(kind="not-covered", name=name, message="was left out by the signer, and is allowed")
            else:
                message = "was left out by the signer: its content is not signed (--allow-ignored accepts it)"
                yield Problem(kind="unlisted", name=name, message=message)


def empty_directories(entries: Sequence[Entry], statement: Statement) -> Iterator[Problem]:
    """Yield directories that hold no file: harmless, unless tools obey what lies in such a place."""
    covered = {folder for name in statement.digests for folder in _above(name)}
    for name in _empty(entries):
        if name in statement.digests:
            continue
        if OBEYED & {part.casefold() for part in name.split("/")} and name not in covered:
            yield Problem(kind="unlisted", name=shown(name), message="is a directory that tools obey, and not signed")
        else:
            yield Problem(kind="not-covered", name=shown(name), message="is a directory without any signed file")


def permissions(entries: Sequence[Entry]) -> Iterator[Problem]:
    """Yield one problem for each sort of permission bits that matter, as no signature covers them."""
    for bits, what in ((EXECUTABLE, "executable"), (WORLD_WRITABLE, "writable by everybody"), (SET_ID, "set-id")):
        found = [shown(entry.name) for entry in entries if entry.kind == "file" and entry.mode & bits]
        if found:
            few = ", ".join(found[:3]) + (f" and {len(found) - 3:,} more" if len(found) > 3 else "")
            which = "1 file is" if len(found) == 1 else f"{len(found):,} files are"
            message = f"{which} {what} ({few}), and the signature does not cover permission bits"
            yield Problem(kind="not-covered", name="", message=message, actual=found[:20])


def _empty(entries: Sequence[Entry]) -> list[str]:
    filled = {folder for entry in entries if entry.kind != "directory" for folder in _above(entry.name)}
    return [entry.name for entry in entries if entry.kind == "directory" and entry.name not in filled]


def _above(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
