"""Finds contracts by exact id: raw JSON only, no model is built here."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from omnicheck.model.errors import ContractError, ReadError
from omnicheck.readers.gate import open_regular
from omnicheck.readers.json_document import parse_json

LIMIT = 4 << 20
BUILTIN = Path(__file__).resolve().parent / "builtin"


class Entry(Struct, frozen=True):
    """A contract file.

    Attributes:
        id: exact id.
        path: where it lies.
        origin: ``user`` or ``builtin``.
        digest: SHA-256 of its bytes, hex.
        value: the decoded object.
    """

    id: str
    path: Path
    origin: Literal["user", "builtin"]
    digest: str
    value: dict[str, Any]


class Registry(Struct, frozen=True):
    """Contracts by id.

    Attributes:
        entries: the contracts in force.
        conflicts: ids to the files that all claim them.
        shadowed: built-in contracts that a user's contract of the same id replaces.
        ignored: JSON files that are no contract, and unreadable ones, with the reason.
    """

    entries: dict[str, Entry]
    conflicts: dict[str, tuple[Path, ...]]
    shadowed: tuple[Entry, ...]
    ignored: tuple[tuple[Path, str], ...]

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Registry:
        """Read every contract below the given files and directories; the built-in ones come last."""
        ignored: list[tuple[Path, str]] = []
        by_id: dict[str, list[Entry]] = {}
        for path in _files(paths):
            entry = _entry(path, "user", ignored)
            if entry is not None:
                by_id.setdefault(entry.id, []).append(entry)
        shadowed = []
        for path in _files([BUILTIN]):
            entry = _entry(path, "builtin", ignored)
            if entry is None:
                continue
            if entry.id in by_id:
                shadowed.append(entry)
            else:
                by_id[entry.id] = [entry]
        conflicts = {name: tuple(entry.path for entry in found) for name, found in by_id.items() if len(found) > 1}
        return cls({name: found[0] for name, found in sorted(by_id.items())}, conflicts, tuple(shadowed), tuple(ignored))

    def ids(self) -> tuple[str, ...]:
        """Return the known ids, sorted."""
        return tuple(sorted(self.entries))

    def get(self, name: str) -> Entry:
        """Return the contract with exactly this id.

        Raises:
            ContractError: it is unknown, or two files claim it.
        """
        if name in self.conflicts:
            files = ", ".join(str(path) for path in self.conflicts[name])
            raise ContractError(f"{len(self.conflicts[name])} files claim the id {name!r}: {files}", hint="give each contract an id of its own")
        if name not in self.entries:
            near = difflib.get_close_matches(name, self.ids(), n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ContractError(f"no contract is called {name!r}", hint=f"{hint}known: {', '.join(self.ids()) or 'none'}")
        return self.entries[name]


def _files(paths: Sequence[Path]) -> list[Path]:
    found: dict[str, Path] = {}
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path] if path.is_file() else []:
            found.setdefault(str(file.resolve()), file)
    return list(found.values())


def _entry(path: Path, origin: Literal["user", "builtin"], ignored: list[tuple[Path, str]]) -> Entry | None:
    try:
        with open_regular(path, LIMIT) as stream:
            data = stream.read(LIMIT + 1)
    except (ReadError, OSError) as error:
        ignored.append((path, str(error)))
        return None
    document = parse_json(data)
    if not document.readable or not isinstance(document.value, dict):
        ignored.append((path, document.problems[0].message if document.problems else "not a JSON object"))
        return None
    name = document.value.get("id")
    if not isinstance(name, str) or not name or not ({"artifact_contract", "dataset_contract", "primary_metrics"} & set(document.value)):
        ignored.append((path, "not a backbone contract: no id with artifact_contract, dataset_contract or primary_metrics"))
        return None
    return Entry(name, path, origin, hashlib.sha256(data).hexdigest(), document.value)
