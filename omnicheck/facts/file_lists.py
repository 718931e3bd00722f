"""Lists of the files of a directory, and what stands there instead: manifests, upload lists, signatures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from omnicheck.facts.documents import VerifiedSummary
from omnicheck.facts.registry import fact
from omnicheck.facts.signature import SignedTree
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile
from omnicheck.readers.beside import MAX_FILES

DIGEST = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
BESIDE = re.compile(
    r"(?:^|/)(?:[^/]*\.(?:sig|asc|minisig|sigstore|sigstore\.json)|\.gitattributes|\.gitignore|\.DS_Store)$"
    r"|^(?:MANIFEST(?:\.sha256)?|SHA256SUMS(?:\.txt)?|sha256sums\.txt|upload_manifest\.json)$"
)
"""Signatures, other lists and what hosts add: no list names them."""
PACKAGERS = re.compile(
    r"^(?:verified_result_summary\.json|PUBLIC_RESULT_SUMMARY\.md|package_audit[^/]*\.json|audit_[^/]*\.json"
    r"|README(?:\.md)?|LICEN[CS]E[^/]*|NOTICE[^/]*|omnicheck\.report\.json|sbom\.cdx\.json)$"
)
"""What a packager writes beside the files it includes."""


class Claimed(Struct, frozen=True):
    """One entry of a list.

    Attributes:
        name: relative to the directory of the list.
        digest: SHA-256 in lower case hex, or None.
        size: bytes, or None.
        line: 1-based line of the list, or None.
        pointer: JSON pointer in the list, or None.
    """

    name: str
    digest: str | None = None
    size: int | None = None
    line: int | None = None
    pointer: str | None = None


class FileList(Struct, frozen=True):
    """A list of the files of its directory.

    Attributes:
        file: the list.
        pointer: JSON pointer of the list in it, or None.
        entries: in its order.
        bad: (line, reason) of lines that are no entry.
        whole: whether it means to list all files of its directory.
    """

    file: RunFile
    pointer: str | None
    entries: tuple[Claimed, ...]
    bad: tuple[tuple[int, str], ...] = ()
    whole: bool = True


class Differs(Struct, frozen=True):
    """A listed file that is another one: what was listed and what is there."""

    entry: Claimed
    file: RunFile
    what: str
    expected: str | int
    actual: str | int


class Compared(Struct, frozen=True):
    """A list against its directory.

    Attributes:
        list: the list.
        missing: entries without a file.
        differing: entries whose file is another one.
        doubled: entries whose name stands there before with another digest.
        outside: entries whose name leads out of the directory.
        unread: entries whose file cannot be hashed.
        unlisted: files without an entry; empty when the list does not mean to be whole.
    """

    list: FileList
    missing: tuple[Claimed, ...]
    differing: tuple[Differs, ...]
    doubled: tuple[Claimed, ...]
    outside: tuple[Claimed, ...]
    unread: tuple[Claimed, ...]
    unlisted: tuple[RunFile, ...]


class ListsOfFiles(Struct, frozen=True):
    """Every list of the run."""

    lists: tuple[FileList, ...]


class ComparedLists(Struct, frozen=True):
    """Every list of the run against its directory."""

    lists: tuple[Compared, ...]


@fact(absent="no manifest, upload list, list of included files or signature of the files here")
def lists_of_files(
    source: Source, summaries: tuple[VerifiedSummary, ...] | None, signed: tuple[SignedTree, ...] | None
) -> ListsOfFiles | None:
    """Read every list of files."""
    found = [*_manifests(source), *_uploads(source)]
    for summary in summaries or ():
        names = summary.record.raw("included_files")
        entries = tuple(_included(names)) if isinstance(names, list) else ()
        if entries:
            found.append(FileList(summary.file, "/included_files", entries))
    for tree in signed or ():
        if tree.digests:
            entries = tuple(Claimed(name, digest) for name, digest in tree.digests.items())
            found.append(FileList(tree.file, None, entries, whole=False))
    found = [each for each in found if _is_about(each, source.below(each.file))]
    return ListsOfFiles(tuple(found)) if found else None


@fact(absent="no manifest, upload list, list of included files or signature of the files here")
def compared_lists(source: Source, lists: ListsOfFiles) -> ComparedLists:
    """Hold every list against its directory; a file that differs is told for the first list that says so."""
    told: set[str] = set()
    return ComparedLists(tuple(_compared(source, each, told) for each in lists.lists))


def _is_about(list_: FileList, here: Sequence[RunFile]) -> bool:
    """Whether a list is about its directory: a summary that was copied elsewhere alone lists nothing of that place."""
    if len(here) >= MAX_FILES:
        return False
    names = {file.name for file in here}
    return list_.pointer is None or any(_plain(entry.name) in names for entry in list_.entries)


def _compared(source: Source, list_: FileList, told: set[str]) -> Compared:
    here = {file.name: file for file in source.below(list_.file)}
    names = {entry: _plain(entry.name) for entry in list_.entries}
    missing, differing, doubled, outside, unread = [], [], [], [], []
    seen: dict[str, str | None] = {}
    for entry, name in names.items():
        if name is None:
            outside.append(entry)
            continue
        if name in seen and seen[name] != entry.digest:
            doubled.append(entry)
            continue
        seen.setdefault(name, entry.digest)
        file = here.get(name)
        if file is None:
            missing.append(entry)
            continue
        if file.location in told:
            continue
        found = _differs(source, entry, file)
        if found is not None:
            told.add(file.location)
            differing.append(found)
        elif entry.digest is not None and source.sha256(file) is None:
            unread.append(entry)
    listed = set(names.values())
    unlisted = [file for file in here.values() if _counts(file, list_) and file.name not in listed]
    return Compared(
        list_,
        tuple(missing),
        tuple(differing),
        tuple(doubled),
        tuple(outside),
        tuple(unread),
        tuple(unlisted) if list_.whole else (),
    )


def _differs(source: Source, entry: Claimed, file: RunFile) -> Differs | None:
    if entry.size is not None and entry.size != file.size:
        return Differs(entry, file, "size", entry.size, file.size)
    if entry.digest is None:
        return None
    digest = source.sha256(file)
    if digest is None or digest == entry.digest:
        return None
    return Differs(entry, file, "SHA-256", entry.digest, digest)


def _counts(file: RunFile, list_: FileList) -> bool:
    if file.location == list_.file.location or BESIDE.search(file.name):
        return False
    return not (list_.pointer == "/included_files" and PACKAGERS.match(file.name))


def _plain(name: str) -> str | None:
    """Return a listed name without ``./`` and doubled slashes; None when it leads out of the directory."""
    if name.startswith("/") or "\\" in name or "\0" in name or re.match(r"[A-Za-z]:", name):
        return None
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or None


def _manifests(source: Source) -> Iterator[FileList]:
    for file in source.run.of("file_manifest"):
        from omnicheck.signing.manifest import parse_manifest  # noqa: PLC0415 - most runs hold no manifest

        text = source.text(file)
        manifest = parse_manifest(text) if text is not None else None
        # Other tools write other things into files of this name: one good line makes it a list of digests.
        if manifest is not None and manifest.listed:
            entries = tuple(Claimed(each.name, each.digest, line=each.line) for each in manifest.listed)
            yield FileList(file, None, entries, tuple((bad.line, bad.reason) for bad in manifest.bad))


def _uploads(source: Source) -> Iterator[FileList]:
    for file in source.run.of("upload_manifest"):
        value = source.json(file).value
        rows = value.get("files") if isinstance(value, dict) else None
        base = value.get("output_dir") if isinstance(value, dict) else None
        entries = tuple(_uploaded(rows, base if isinstance(base, str) else "")) if isinstance(rows, list) else ()
        if entries:
            yield FileList(file, "/files", entries)


def _uploaded(rows: Sequence[Any], base: str) -> Iterator[Claimed]:
    for index, row in enumerate(rows):
        pointer = f"/files/{index}"
        if isinstance(row, str) and row:
            yield Claimed(row, pointer=pointer)
        elif isinstance(row, dict):
            name = _first(row, ("path", "name", "file", "filename"), str)
            if name:
                digest = DIGEST.fullmatch(_first(row, ("sha256", "digest"), str) or "")
                size = _first(row, ("bytes", "size", "size_bytes"), int)
                if base and name.startswith(base.rstrip("/") + "/"):
                    name = name[len(base.rstrip("/")) + 1 :]
                yield Claimed(name, digest[1].lower() if digest else None, size, pointer=pointer)


def _included(names: Sequence[Any]) -> Iterator[Claimed]:
    for index, name in enumerate(names):
        if isinstance(name, str) and name:
            yield Claimed(name, pointer=f"/included_files/{index}")


def _first(row: Mapping[str, Any], keys: tuple[str, ...], kind: type) -> Any:
    return next((row[key] for key in keys if type(row.get(key)) is kind), None)
