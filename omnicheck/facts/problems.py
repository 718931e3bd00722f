"""What could not be read: every file of a known role is read for it, most of them already for other facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.registry import fact, fold
from omnicheck.facts.source import FileProblem, Source
from omnicheck.model.run import RunFile

ROW_ROLES = (
    "dataset_rows",
    "window_index",
    "progress_log",
    "gate_log",
    "predictions",
    "partial_predictions",
    "future_predictions",
    "policy_predictions",
    "predictions_table",
    "retrieval_rankings",
    "temporal_table",
    "trajectory_table",
    "per_class",
    "loss_records",
    "shard_predictions",
    "shard_partial_predictions",
)
"""Roles whose files are read row by row."""


class RowsRead(Struct, frozen=True):
    """A row file that was read to its end.

    Attributes:
        file: the file.
        rows: rows that parsed.
    """

    file: RunFile
    rows: int


@fold(RowsRead, absent="no file with rows")
class RowsReadFold:
    """Counts rows, and makes sure that a pass over every row file happens."""

    roles: ClassVar[tuple[str, ...]] = ROW_ROLES
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._rows = 0

    def idle(self) -> bool:
        """Never: reading is the point."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - the fold protocol's shape
        """Count rows."""
        self._rows += len(rows)

    def merge(self, other: RowsReadFold) -> None:
        """Add the rows of the later part."""
        self._rows += other._rows

    def fact(self) -> RowsRead:
        """Return the count."""
        return RowsRead(self._file, self._rows)


class Reading(Struct, frozen=True):
    """How reading the files of known roles went.

    Attributes:
        files: how many were read.
        problems: what was wrong, in order of path.
    """

    files: int
    problems: tuple[FileProblem, ...]


@fact(absent="no file of a known role")
def reading(source: Source, rows: tuple[RowsRead, ...]) -> Reading | None:
    """Read what no other fact has read, and gather the problems of all."""
    del rows  # asked for so that every row file is read
    files = [file for file in source.run.files if file.role is not None]
    if not files:
        return None
    for file in files:
        if file.size == 0:
            continue  # EVD107 tells of empty files
        if file.base.endswith(".json"):
            source.json(file)
        elif file.base.endswith((".yaml", ".yml")):
            source.yaml(file)
        elif file.base.endswith(".md"):
            source.text(file)
    ordered = sorted(
        _once(source.problems),
        key=lambda entry: (
            entry.file.path,
            entry.problem.line or 0,
            entry.problem.pointer or "",
            entry.problem.message,
        ),
    )
    return Reading(len(files), tuple(ordered))


def _once(problems: Sequence[FileProblem]) -> set[FileProblem]:
    """Return the problems with one reason, the shortest, for each file that cannot be read as a whole."""
    whole: dict[str, FileProblem] = {}
    others = set()
    for entry in problems:
        if entry.problem.kind != "unreadable" or entry.problem.line is not None or entry.problem.pointer is not None:
            others.add(entry)
            continue
        known = whole.setdefault(entry.file.location, entry)
        whole[entry.file.location] = min(
            known, entry, key=lambda each: (len(each.problem.message), each.problem.message)
        )
    return others | set(whole.values())
