"""Second pass over dataset rows, only where the first was suspicious: episodes in two splits, repeated ids."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from omnicheck.facts.predictions import frame_of, window_of
from omnicheck.facts.registry import fact, fold
from omnicheck.facts.row_index import SORT_IN_NUMPY, RowIndex, RowKeys, ids_of, text_of
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import TRAIN, comparable, row_key, split_name, split_of_file
from omnicheck.model.run import RunFile
from omnicheck.readers.problem import Problem

WindowRow = tuple[int, int, int, int]
"""First frame, last frame (inclusive), split code (index into ``RowSplits.names``; 0 is train), row."""


class RowSplits(Struct, frozen=True):
    """Episodes and splits over all row files of a run.

    Attributes:
        indexes: one for each file.
        names: splits that occur, train first whether or not it occurs.
        rows: rows by split; key None for rows without one.
        crossing: session-qualified episode to rows by split, for episodes in two splits.
        files: session-qualified episode to the files that hold it, for episodes in two splits.
        raw: those episodes as rows state them.
        bare: episodes whose ids say nothing without a session.
        qualified: episodes that can be compared.
    """

    indexes: tuple[RowIndex, ...]
    names: tuple[str, ...]
    rows: dict[str | None, int]
    crossing: dict[str, dict[str, int]]
    files: dict[str, tuple[RunFile, ...]]
    raw: frozenset[str]
    bare: int
    qualified: int


@fact(absent="no dataset rows")
def row_splits(source: Source, indexes: tuple[RowIndex, ...]) -> RowSplits | None:
    """Join the indexes of all row files."""
    if not indexes:
        return None
    rows: Counter[str | None] = Counter()
    for index in indexes:
        if index.crowded:
            source.note(index.file, Problem("more episodes than are compared; split the file", kind="too-large"))
        for group in index.groups:
            rows[group.split] += group.rows
    names = (TRAIN, *sorted(name for name in rows if name is not None and name != TRAIN))
    masks = _masks(indexes, names)
    bare = sum(not comparable(key) for key in masks)
    suspects = sorted(key for key, mask in masks.items() if mask & (mask - 1) and comparable(key))
    crossing: dict[str, dict[str, int]] = {key: {} for key in suspects}
    files: dict[str, list[RunFile]] = {key: [] for key in suspects}
    raw: set[str] = set()
    for index in indexes if suspects else ():
        for group in index.groups:
            if group.key in crossing and group.split is not None and group.episode is not None:
                counts = crossing[group.key]
                counts[group.split] = counts.get(group.split, 0) + group.rows
                raw.add(group.episode)
                if index.file not in files[group.key]:
                    files[group.key].append(index.file)
    return RowSplits(
        indexes,
        names,
        dict(rows),
        {key: {name: counts[name] for name in names if name in counts} for key, counts in crossing.items()},
        {key: tuple(found) for key, found in files.items()},
        frozenset(raw),
        bare,
        len(masks) - bare,
    )


def _masks(indexes: tuple[RowIndex, ...], names: tuple[str, ...]) -> dict[str, int]:
    """Return, for each episode, one bit for each split that it lies in."""
    bit = {name: 1 << code for code, name in enumerate(names)}
    masks: dict[str, int] = {}
    for index in indexes:
        for group in index.groups:
            if group.key is not None:
                masks[group.key] = masks.get(group.key, 0) | (bit[group.split] if group.split is not None else 0)
    return masks


class Repeat(Struct, frozen=True):
    """An id that several rows of a file have.

    Attributes:
        id: as text.
        lines: the first two of its lines.
        count: how many rows have it.
        conflicting: whether those rows differ.
        mixed: whether it stands once as a number and once as text.
    """

    id: str
    lines: tuple[int, int]
    count: int
    conflicting: bool
    mixed: bool


class SuspectRows(Struct, frozen=True):
    """What the second pass over a file found; the columns have one entry for each row of a suspect episode.

    Attributes:
        file: the file.
        keys: session-qualified episodes.
        episode: index into ``keys``.
        split: index into ``RowSplits.names``.
        start: first frame.
        end: last frame, inclusive.
        line: 1-based line.
        repeats: ids that occur more than once, compared exactly.
    """

    file: RunFile
    keys: tuple[str, ...]
    episode: array[int]
    split: array[int]
    start: array[int]
    end: array[int]
    line: array[int]
    repeats: tuple[Repeat, ...]

    def windows(self) -> Iterator[tuple[str, list[WindowRow]]]:
        """Yield each suspect episode with its windows, one episode at a time; their row is the line."""
        order = _order(self.episode)
        at = 0
        for code, key in enumerate(self.keys):
            upto = at
            while upto < len(order) and self.episode[order[upto]] == code:
                upto += 1
            rows = order[at:upto]
            at = upto
            yield key, [(self.start[row], self.end[row], self.split[row], self.line[row]) for row in rows]


def _order(column: array[int]) -> Sequence[int]:
    if len(column) < SORT_IN_NUMPY:
        return sorted(range(len(column)), key=column.__getitem__)
    import numpy as np  # noqa: PLC0415 - only for many rows

    return array("q", np.argsort(np.frombuffer(column, dtype=np.uint32), kind="stable").tobytes())


@fold(SuspectRows, absent="no dataset rows")
class SuspectFold:
    """Collects windows of episodes that lie in two splits, and rows whose ids seem to repeat."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows", "window_index")
    needs: ClassVar[tuple[type, ...]] = (Source, RowSplits)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._keys = RowKeys(given[Source])
        splits = given[RowSplits]
        found = splits if isinstance(splits, RowSplits) else None
        self._raw = found.raw if found else frozenset()
        self._codes = {key: code for code, key in enumerate(found.crossing if found else ())}
        self._splits = {name: code for code, name in enumerate(found.names if found else ())}
        mine = [index for index in (found.indexes if found else ()) if index.file == self._file]
        self._hashes = mine[0].repeated if mine else frozenset()
        self._told = split_of_file(self._file.base)
        self._columns = (array("I"), array("B"), array("q"), array("q"), array("q"))
        self._seen: dict[str, _Seen] = {}

    def idle(self) -> bool:
        """Whether no episode lies in two splits and no id seems to repeat."""
        return not self._raw and not self._hashes

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take rows."""
        if self._raw:
            self._windows(rows, first)
        if self._hashes:
            ids = ids_of(rows, self._keys)
            if not self._hashes.isdisjoint(map(hash, ids)):
                for line, (sample, row) in enumerate(zip(ids, rows, strict=True), first):
                    if sample is not None and hash(sample) in self._hashes:
                        self._see(sample, row, line)

    def _windows(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        key = self._keys.layout(rows[0])[0]
        if len(set(map(len, rows))) == 1 and key is not None:
            try:
                if self._raw.isdisjoint(map(text_of, [row[key] for row in rows])):
                    return
            except KeyError:
                pass
        for line, row in enumerate(rows, first):
            episode, session, split, path = self._keys.values(row)
            if episode is None or episode not in self._raw:
                continue
            code = self._codes.get(row_key(episode, session, path))
            name = split_name(split) if split is not None else self._told
            window = span_of(row)
            if code is not None and name in self._splits and window is not None:
                for column, value in zip(self._columns, (code, self._splits[name], *window, line), strict=True):
                    column.append(value)

    def _see(self, sample: str, row: dict[str, Any], line: int) -> None:
        content = hash(msgspec.json.encode(row, order="sorted"))
        number = not isinstance(row.get(self._keys.id_key(row) or ""), str)
        seen = self._seen.get(sample)
        if seen is None:
            self._seen[sample] = _Seen(line, 0, 1, content, number)
        else:
            seen.add(_Seen(line, 0, 1, content, number))

    def merge(self, other: SuspectFold) -> None:
        """Append what the later part held."""
        for mine, more in zip(self._columns, other._columns, strict=True):
            mine.extend(more)
        for sample, seen in other._seen.items():
            if sample in self._seen:
                self._seen[sample].add(seen)
            else:
                self._seen[sample] = seen

    def fact(self) -> SuspectRows:
        """Return what was found."""
        repeats = tuple(
            Repeat(sample, (seen.first, seen.second), seen.count, seen.conflicting, seen.mixed)
            for sample, seen in self._seen.items()
            if seen.count > 1
        )
        return SuspectRows(self._file, tuple(self._codes), *self._columns, repeats)


class _Seen(Struct):
    """Rows of one id so far."""

    first: int
    second: int
    count: int
    content: int
    number: bool
    conflicting: bool = False
    mixed: bool = False

    def add(self, later: _Seen) -> None:
        """Take rows that stand further down."""
        self.second = self.second or later.first
        self.count += later.count
        self.conflicting = self.conflicting or later.conflicting or later.content != self.content
        self.mixed = self.mixed or later.mixed or later.number != self.number


def span_of(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the frames that a row shows a model: its window, widened by the context that its media span."""
    window = window_of(row)
    media = row.get("media")
    if window is None or not isinstance(media, dict):
        return window
    start, end = frame_of(media.get("context_start_frame")), frame_of(media.get("context_end_frame"))
    if start is None or end is None or start > end:
        return window
    return min(window[0], start), max(window[1], end)
