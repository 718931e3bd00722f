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
from omnicheck.readers.gate import inside, open_regular
from omnicheck.readers.json_document import Document, read_json
from omnicheck.readers.problem import Problem
from omnicheck.readers.text import read_text

SAMPLES = frozenset({"dataset_rows", "window_index"})
"""Roles whose rows are samples, not predictions."""


class FileProblem(msgspec.Struct, frozen=True):
    """A problem and the file it is in."""

    file: RunFile
    problem: Problem


class Source:
    """One run as facts see it.

    Attributes:
        run: the run.
        contract: the raw JSON value of the contract in force, or None.
        workspace: absolute path that relative paths of contracts and metadata start from.
        jobs: processes that a pass over a large file may use.
        role_of: the role that a file of some name has by default, without a team's own globs.
        problems: what was unreadable or mistyped so far, in order of discovery.
        observed: paths outside the listing that were looked at.
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
    ) -> None:
        self.run = run
        self.contract = contract
        self.workspace = workspace
        self.jobs = jobs
        self.role_of = role_of
        self.problems: list[FileProblem] = []
        self.observed: set[Observed] = set()
        self._own_keys = OwnKeys(fields or {})
        self._own_sample_keys = OwnKeys(fields or {}, dataset=True)
        self._aliases = all_names(fields or {})
        self._by_name = {file.name: file for file in run.files}
        self._documents: dict[str, Document] = {}
        self._texts: dict[str, str | None] = {}
        self._digests: dict[str, str | None] = {}

    def aliases(self, key: str) -> tuple[str, ...]:
        """Return the names under which a value may stand, the team's own first."""
        return self._aliases.get(key, (key,))

    def known_keys(self) -> frozenset[str]:
        """Return every name that some alias knows, the team's own included."""
        return frozenset(key for names in self._aliases.values() for key in names)

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
                self.note(file, Problem(message=f"cannot be hashed: {error}", kind="unreadable"))
        return self._digests[file.location]

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
        found = place.exists()
        self.observed.add(Observed(str(place), "present" if found else "absent"))
        return found

    def in_run(self, name: str) -> RunFile | None:
        """Return the file of the run that a path from data means: by its whole name, else by its last parts."""
        parts = name.replace("\\", "/").split("/")
        for start in range(len(parts)):
            found = self._by_name.get("/".join(parts[start:]))
            if found is not None:
                return found
        return None
