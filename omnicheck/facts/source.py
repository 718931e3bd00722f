"""What facts are made from: one run, its contract, and files that are each read once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from omnicheck.facts.own_keys import OwnKeys, all_names
from omnicheck.model.errors import EscapeError, ReadError
from omnicheck.model.run import Observed, Run, RunFile
from omnicheck.readers.beside import files_below, tree_state
from omnicheck.readers.gate import inside, open_regular, state_of
from omnicheck.readers.json_document import Document, read_json
from omnicheck.readers.problem import Problem
from omnicheck.readers.text import read_text

SAMPLES = frozenset({"dataset_rows", "window_index"})
"""Roles whose rows are samples, not predictions."""


class FileProblem(msgspec.Struct, frozen=True):
    """A problem and the file it is in."""

    file: RunFile
    problem: Problem


def cause(error: Exception) -> str:
    """Return what an error says of a file, without the place and the advice that a finding tells elsewhere."""
    if isinstance(error, ReadError):
        return error.message
    return error.strerror or "an error of the system" if isinstance(error, OSError) else str(error)


class Source:
    """One run as facts see it.

    Attributes:
        run: the run.
        contract: the raw JSON value of the contract in force, or None.
        workspace: absolute path that relative paths of contracts and metadata start from.
        profile: ``lint`` or ``publish``.
        jobs: processes that a pass over a large file may use.
        role_of: the role that a file of some name has by default, without a team's own globs.
        problems: what was unreadable or mistyped so far, in order of discovery.
        observed: paths outside the listing that were looked at.
        matrices: location to the header and rows of a small table that was read whole; None when it cannot be.
        params: parameters of the selected rules, by id, for facts that depend on a policy.
        secrets: texts of credentials met so far; no finding may quote them.
    """

    def __init__(
        self,
        run: Run,
        *,
        contract: Mapping[str, Any] | None,
        workspace: Path,
        fields: Mapping[str, tuple[str, ...]] | None = None,
        jobs: int = 1,
        role_of: Callable[[str], str | None] = lambda _name: None,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        profile: str = "lint",
    ) -> None:
        self.run = run
        self.contract = contract
        self.workspace = workspace
        self.jobs = jobs
        self.role_of = role_of
        self._own_keys = OwnKeys(fields or {})
        self._own_sample_keys = OwnKeys(fields or {}, dataset=True)
        self._aliases = all_names(fields or {})
        self._by_name = {file.name: file for file in run.files}
        self.params = params or {}
        self.secrets: set[bytes] = set()
        self.profile = profile
        self.problems: list[FileProblem] = []
        self.observed: set[Observed] = set()
        self.matrices: dict[str, tuple[list[str], list[list[str]]] | None] = {}
        self._documents: dict[str, Document] = {}
        self._texts: dict[str, str | None] = {}
        self._digests: dict[str, str | None] = {}
        self._trees: dict[str, tuple[RunFile, ...]] = {}

    def aliases(self, key: str) -> tuple[str, ...]:
        """Return the names under which a value may stand, the team's own first."""
        return self._aliases.get(key, (key,))

    def known_keys(self) -> frozenset[str]:
        """Return every name that some alias knows, the team's own included."""
        return frozenset(key for names in self._aliases.values() for key in names)

    def meaning(self, key: str) -> str:
        """Return the built-in name of a key that stands in a file."""
        return self._own_keys.meaning(key)

    def translated(self, file: RunFile, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Return rows of a file under built-in names where the team has names of its own."""
        return (self._own_sample_keys if file.role in SAMPLES else self._own_keys).translate(rows)

    def json(self, file: RunFile) -> Document:
        """Return a JSON file's value, read once; problems are noted."""
        if file.location not in self._documents:
            try:
                document = read_json(file.disk)
            except ReadError as error:
                problem = Problem(message=error.message, kind="unreadable")
                document = Document(value=None, problems=(problem,), readable=False)
            self._documents[file.location] = document
            self.problems.extend(FileProblem(file, problem) for problem in document.problems)
        return self._documents[file.location]

    def yaml(self, file: RunFile) -> Document:
        """Return a YAML file's value, read once; problems are noted."""
        from omnicheck.readers.yaml_document import read_yaml  # noqa: PLC0415 - yaml is loaded where it is used

        if file.location not in self._documents:
            try:
                document = read_yaml(file.disk)
            except ReadError as error:
                document = Document(
                    value=None, problems=(Problem(message=error.message, kind="unreadable"),), readable=False
                )
            self._documents[file.location] = document
            self.problems.extend(FileProblem(file, problem) for problem in document.problems)
        return self._documents[file.location]

    def text(self, file: RunFile) -> str | None:
        """Return a text file, read once; None when it cannot be read."""
        if file.location not in self._texts:
            problems: list[Problem] = []
            try:
                self._texts[file.location] = read_text(file.disk, problems)
            except ReadError as error:
                self._texts[file.location] = None
                problems.append(Problem(message=error.message, kind="unreadable"))
            self.problems.extend(FileProblem(file, problem) for problem in problems)
        return self._texts[file.location]

    def sha256(self, file: RunFile) -> str | None:
        """Return a file's SHA-256 digest, hex; None when it cannot be read. Asked for only where a file records one."""
        if file.location not in self._digests:
            try:
                digest = hashlib.sha256()
                with open_regular(file.disk) as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
                self._digests[file.location] = digest.hexdigest()
            except (ReadError, OSError) as error:
                self._digests[file.location] = None
                self.note(file, Problem(message=f"cannot be hashed: {cause(error)}", kind="unreadable"))
        return self._digests[file.location]

    def line_ended(self, file: RunFile) -> bool:
        """Whether the last byte of a file is a line end; an empty or unreadable file counts as ended."""
        try:
            with open_regular(file.disk) as stream:
                stream.seek(max(file.size - 1, 0))
                return stream.read(1) in (b"\n", b"")
        except (ReadError, OSError):
            return True

    def note(self, file: RunFile, problem: Problem) -> None:
        """Note that a value of a file is not of the type its role asks for."""
        entry = FileProblem(file, problem)
        if entry not in self.problems:
            self.problems.append(entry)

    def exists(self, root: Path, name: str) -> bool | None:
        """Whether a path that came from data exists below ``root``; None when it leads out of it."""
        try:
            place = inside(root, name)
        except EscapeError:
            return None
        state = state_of(place)
        self.observed.add(Observed(str(place), state))
        return state == "present"

    def below(self, file: RunFile) -> tuple[RunFile, ...]:
        """Return every regular file in the directory of a file of the run, those of nested runs included.

        Their names are relative to that directory, their kinds unknown.
        """
        folder = file.disk.parent
        if str(folder) not in self._trees:
            found = files_below(folder)
            self.observed.add(Observed(str(folder), tree_state(found)))
            shown = file.path.rpartition("/")[0]
            self._trees[str(folder)] = tuple(
                RunFile(
                    path=f"{shown}/{seen.name}" if shown else seen.name,
                    name=seen.name,
                    location=seen.location,
                    kind="",
                    size=seen.size,
                    mtime_ns=seen.mtime_ns,
                    ctime_ns=seen.ctime_ns,
                    inode=seen.inode,
                )
                for seen in found
            )
        return self._trees[str(folder)]

    def in_run(self, name: str) -> RunFile | None:
        """Return the file of the run that a path from data means: by its whole name, else by its last parts."""
        parts = name.replace("\\", "/").split("/")
        for start in range(len(parts)):
            found = self._by_name.get("/".join(parts[start:]))
            if found is not None:
                return found
        return None
