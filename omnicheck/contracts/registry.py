"""Finds contracts by exact id: raw JSON only, no model is built here."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from omnicheck.model.errors import ContractError, ReadError
from omnicheck.readers.gate import open_regular
from omnicheck.readers.json_document import Document, parse_json

LIMIT = 4 << 20
BUILTIN = Path(__file__).resolve().parent / "builtin"
_MARKS = frozenset(
    {
        "artifact_contract",
        "dataset_contract",
        "entrypoints",
        "model_family",
        "primary_metrics",
        "split_policy",
        "training_objective",
    }
)


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


class Unusable(Struct, frozen=True):
    """A file that cannot serve as a contract although it should.

    Attributes:
        path: where it lies.
        message: one sentence.
        line: 1-based line, if known.
        id: the id it claims, if it can be read.
    """

    path: Path
    message: str
    line: int | None = None
    id: str | None = None


class Registry(Struct, frozen=True):
    """Contracts by id.

    Attributes:
        entries: the contracts in force.
        conflicts: ids to the user's files that all claim them.
        shadowed: built-in contracts that a user's contract of the same id replaces.
        ignored: JSON files that are no backbone contract, with the reason.
        unusable: files that cannot be read, or whose content is ambiguous (repeated keys) or lacks an id.
    """

    entries: dict[str, Entry]
    conflicts: dict[str, tuple[Path, ...]]
    shadowed: tuple[Entry, ...]
    ignored: tuple[tuple[Path, str], ...]
    unusable: tuple[Unusable, ...] = ()

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Registry:
        """Read every contract below the given files and directories; the built-in ones come last.

        A path that does not exist holds no contract; nothing that a file holds raises.
        """
        by_id: dict[str, list[Entry]] = {}
        ignored: list[tuple[Path, str]] = []
        unusable: list[Unusable] = []
        for path in _files(paths, unusable):
            found = _take(path, "user")
            if isinstance(found, Entry):
                by_id.setdefault(found.id, []).append(found)
            elif isinstance(found, Unusable):
                unusable.append(found)
            else:
                ignored.append((path, found))
        # An ambiguous file still claims its id: the built-in contract must not judge in its stead.
        claimed = {each.id or each.path.stem for each in unusable}
        shadowed = []
        for path in _files([BUILTIN], unusable):
            builtin = _take(path, "builtin")
            if not isinstance(builtin, Entry):
                continue
            if builtin.id in by_id or builtin.id in claimed:
                shadowed.append(builtin)
            else:
                by_id[builtin.id] = [builtin]
        conflicts = {name: tuple(each.path for each in found) for name, found in by_id.items() if len(found) > 1}
        entries = {name: found[0] for name, found in sorted(by_id.items())}
        return cls(entries, conflicts, tuple(shadowed), tuple(ignored), tuple(unusable))

    def ids(self) -> tuple[str, ...]:
        """Return the known ids, sorted; those that ``get`` refuses are among them."""
        claimed = {each.id for each in self.unusable if each.id is not None}
        return tuple(sorted({*self.entries, *claimed}))

    def broken(self, name: str) -> Unusable | None:
        """Return the file that claims an id and cannot be used; None when there is none.

        A file in which no id can be read claims that of its name, where no other file does.
        """
        claiming = [each for each in self.unusable if each.id == name]
        if not claiming and name not in self.entries:
            claiming = [each for each in self.unusable if each.id is None and each.path.stem == name]
        return claiming[0] if claiming else None

    def get(self, name: str) -> Entry:
        """Return the contract with exactly this id.

        Raises:
            ContractError: it is unknown, ambiguous, or two files claim it.
        """
        broken = self.broken(name)
        if broken is not None:
            raise ContractError(
                f"the contract {name!r} cannot be used: {broken.message}",
                path=broken.path.name,
                line=broken.line,
                hint="mend the file; until then nothing can be judged by it",
            )
        if name in self.conflicts:
            paths = self.conflicts[name]
            raise ContractError(
                f"{len(paths)} files claim the id {name!r}: {', '.join(str(path) for path in paths)}",
                hint="give each contract an id of its own",
            )
        if name not in self.entries:
            near = difflib.get_close_matches(name, self.ids(), n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            known = ", ".join(self.ids()) or "none"
            raise ContractError(f"no contract is called {name!r}", hint=f"{hint}known: {known}{self.nameless()}")
        return self.entries[name]

    def nameless(self) -> str:
        """Return in words which files could not be read so far that their id is known; empty when there is none."""
        broken = [f"{each.path.name}: {each.message}" for each in self.unusable if each.id is None]
        return f"; not readable: {', '.join(broken)}" if broken else ""

    def digest(self) -> str:
        """Return a SHA-256 over ids and bytes of all contracts in force, hex."""
        whole = hashlib.sha256()
        for name, entry in sorted(self.entries.items()):
            whole.update(f"{name}\0{entry.digest}\n".encode("utf-8", "surrogatepass"))
        return whole.hexdigest()


def _files(paths: Iterable[Path], unusable: list[Unusable]) -> list[Path]:
    found: dict[Path, Path] = {}
    for path in paths:
        try:
            names = sorted(path.glob("*.json")) if path.is_dir() else [path] if path.is_file() else []
            for file in names:
                found.setdefault(file.resolve(), file)
        except (OSError, RuntimeError) as error:
            unusable.append(Unusable(path, f"cannot be read: {error}"))
    return list(found.values())


def _take(path: Path, origin: Literal["user", "builtin"]) -> Entry | Unusable | str:
    """Return the contract of a file, what is wrong with it, or why it is none of ours."""
    try:
        with open_regular(path, LIMIT) as stream:
            data = stream.read(LIMIT + 1)
    except ReadError as error:
        return Unusable(path, error.message)
    except OSError as error:
        return Unusable(path, f"cannot be read: {error.strerror}")
    document = parse_json(data)
    if not document.readable:
        return _unusable(path, document, None)
    value = document.value
    if not isinstance(value, dict):
        return "not a JSON object"
    name = value.get("id")
    marks = len(_MARKS & value.keys())
    if marks < 2 and not (marks and isinstance(name, str)):
        return "not a backbone contract: no id beside artifact_contract, split_policy and the like"
    if not isinstance(name, str) or not name:
        return Unusable(path, "a backbone contract without an id")
    if document.problems:
        return _unusable(path, document, name)
    return Entry(name, path, origin, hashlib.sha256(data).hexdigest(), value)


def _unusable(path: Path, document: Document, name: str | None) -> Unusable:
    problem = document.problems[0] if document.problems else None
    if problem is None:
        return Unusable(path, "cannot be read as JSON", None, name)
    where = f" at {problem.pointer}" if problem.pointer else ""
    return Unusable(path, f"{problem.message}{where}", problem.line, name)
