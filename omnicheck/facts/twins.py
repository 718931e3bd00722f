"""A prediction file in two formats: the JSONL and the CSV, cell by cell, each value in one spelling."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.registry import fact, fold
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile
from omnicheck.readers.literal import parse_literal

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
LONGEST = 160
WORDS = {"": "", "none": "", "null": "", "nan": "", "true": "1", "false": "0"}
"""Cells that spell a value other than themselves."""


class TwinFiles(Struct, frozen=True):
    """Pairs of a JSONL prediction file and the CSV of the same directory and tag."""

    pairs: tuple[tuple[RunFile, RunFile], ...]


class Cells(Struct, frozen=True):
    """One of two twin files.

    Attributes:
        file: the file.
        ids: row ids, None where a row has none.
        columns: column name to one text per row.
    """

    file: RunFile
    ids: tuple[str | None, ...]
    columns: dict[str, tuple[str, ...]]


class Twins(Struct, frozen=True):
    """The two files of a pair."""

    rows: Cells
    table: Cells


@fact(absent="no predictions in both JSONL and CSV")
def twin_files(source: Source) -> TwinFiles | None:
    """Pair the files by directory and tag."""
    pairs = tuple(
        (rows, table)
        for rows in source.run.of("predictions", "future_predictions", "policy_predictions")
        for table in source.run.of("predictions_table")
        if rows.folder == table.folder and rows.tag == table.tag
    )
    return TwinFiles(pairs) if pairs else None


@fold(Cells, absent="no predictions in both JSONL and CSV")
class CellFold:
    """Reads every cell of a file that has a twin."""

    roles: ClassVar[tuple[str, ...]] = ("predictions", "future_predictions", "policy_predictions", "predictions_table")
    needs: ClassVar[tuple[type, ...]] = (TwinFiles,)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        twins = given.get(TwinFiles)
        places = {each.location for pair in twins.pairs for each in pair} if isinstance(twins, TwinFiles) else set()
        self._idle = self._file.location not in places
        self._rows = 0
        self._ids: list[str | None] = []
        self._columns: dict[str, list[str]] = {}
        self._interned: dict[str, str] = {}

    def idle(self) -> bool:
        """When the file has no twin."""
        return self._idle

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - rows are told by id
        """Take rows."""
        for row in rows:
            self._ids.append(next((str(row[key]) for key in ALIASES["sample_id"] if row.get(key) is not None), None))
            for key, value in row.items():
                column = self._columns.setdefault(key, [])
                column.extend([""] * (self._rows - len(column)))
                text = spelled(value)
                column.append(self._interned.setdefault(text, text))
            self._rows += 1

    def merge(self, other: CellFold) -> None:
        """Append the rows of the later part."""
        for key, more in other._columns.items():
            column = self._columns.setdefault(key, [])
            column.extend([""] * (self._rows - len(column)))
            column.extend(more)
        self._ids.extend(other._ids)
        self._rows += other._rows

    def fact(self) -> Cells | None:
        """Return the cells; None for a file without a twin."""
        if self._idle:
            return None
        columns = {key: (*column, *([""] * (self._rows - len(column)))) for key, column in self._columns.items()}
        return Cells(self._file, tuple(self._ids), columns)


@fact(absent="no predictions in both JSONL and CSV")
def twins(files: TwinFiles, cells: tuple[Cells, ...]) -> tuple[Twins, ...]:
    """Put the two files of each pair together."""
    by_place = {each.file.location: each for each in cells}
    return tuple(
        Twins(by_place[rows.location], by_place[table.location])
        for rows, table in files.pairs
        if rows.location in by_place and table.location in by_place
    )


def spelled(value: Any) -> str:
    """Return one spelling of a value, however a JSONL row or a CSV cell writes it.

    Numbers, booleans, nulls, objects (as JSON or as a Python literal) and line ends compare by value.
    """
    text = _spelled(value)
    if len(text) > LONGEST:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return f"{text[:60]}… ({len(text):,} characters, {digest})"
    return text


def _spelled(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return _number(value)
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    text = value.replace("\r\n", "\n").strip()
    folded = text.lower()
    if folded in WORDS:
        return WORDS[folded]
    if len(text) < 40 and NUMBER.fullmatch(text):
        return _number(float(text))
    if text[0] in "{[(":
        found = _object(text)
        if found is not None:
            return json.dumps(found, sort_keys=True, ensure_ascii=False, default=str)
    return text


def _number(value: float) -> str:
    try:
        return format(float(value), ".12g") if math.isfinite(value) else ""
    except OverflowError:
        return str(value)


def _object(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return parse_literal(text)
