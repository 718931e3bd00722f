"""First pass over dataset rows: episodes, sessions and splits counted, ids as hashes; 8 bytes a row are kept."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.predictions import window_of
from omnicheck.facts.registry import fold
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import row_key, split_name, split_of_file
from omnicheck.model.run import RunFile

NAMES = ("episode", "session", "split", "episode_path")
MAX_GROUPS = 3_000_000
"""Distinct combinations of episode, session and split that are kept of one file."""

MAX_REPEATED = 100_000
"""Hashes of repeated ids that are looked at again."""

SORT_IN_NUMPY = 100_000
"""Ids from which on sorting in numpy pays for its import."""

Layout = tuple[str | None, ...]


class RowGroup(Struct, frozen=True):
    """Rows of one file with the same episode, session and split.

    Attributes:
        episode: as stated; None when the rows name none.
        key: session-qualified id; None without an episode.
        session: as stated; None when absent.
        split: the split that is meant; None when the rows name none.
        stated: the split as it stands there.
        rows: how many.
    """

    episode: str | None
    key: str | None
    session: str | None
    split: str | None
    stated: str | None
    rows: int


class RowIndex(Struct, frozen=True):
    """What the first pass over a file of rows found.

    Attributes:
        file: the file.
        rows: how many rows parsed.
        groups: rows by episode, session and split.
        repeated: hashes that the ids of several rows share; ids have yet to be compared.
        with_id: rows that have an id.
        windowed: whether rows state frames.
        crowded: whether there were more groups than are kept.
    """

    file: RunFile
    rows: int
    groups: tuple[RowGroup, ...]
    repeated: frozenset[int]
    with_id: int
    windowed: bool
    crowded: bool


class RowKeys:
    """Finds episode, session, split, path and id in rows by the names that a file uses."""

    def __init__(self, source: Source) -> None:
        self._names = tuple(source.aliases(name) for name in NAMES)
        self._ids = source.aliases("sample_id")

    def layout(self, row: Mapping[str, Any]) -> Layout:
        """Return the keys under which a row states each of ``NAMES``."""
        return tuple(next((key for key in names if key in row), None) for names in self._names)

    def id_key(self, row: Mapping[str, Any]) -> str | None:
        """Return the key under which a row states its id."""
        return next((key for key in self._ids if key in row), None)

    def values(self, row: Mapping[str, Any]) -> tuple[str | None, ...]:
        """Return what a row states for each of ``NAMES``."""
        return tuple(None if key is None else text_of(row[key]) for key in self.layout(row))


def text_of(value: Any) -> str | None:
    """Return an id as text: ``7`` and ``"7"`` are the same id."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def ids_of(rows: Sequence[dict[str, Any]], keys: RowKeys) -> list[str | None]:
    """Return the ids of rows as text."""
    key = keys.id_key(rows[0])
    if key is not None:
        try:
            found = list(map(itemgetter(key), rows))
        except KeyError:
            pass
        else:
            return found if set(map(type, found)) == {str} else [text_of(value) for value in found]
    return [text_of(row.get(keys.id_key(row) or "")) for row in rows]


@fold(RowIndex, absent="no dataset rows")
class RowIndexFold:
    """Counts episodes by split and hashes ids; ``hash`` is the same in forked processes."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows", "window_index")
    needs: ClassVar[tuple[type, ...]] = (Source,)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._keys = RowKeys(given[Source])
        self._groups: dict[Layout, Counter[Any]] = {}
        self._ids = array("q")
        self._rows = 0
        self._windowed = False
        self._crowded = False

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - lines are the second pass's
        """Take rows."""
        self._rows += len(rows)
        self._windowed = self._windowed or any(window_of(row) is not None for row in rows[:8])
        ids = ids_of(rows, self._keys)
        self._ids.extend(map(hash, filter(None, ids)))
        if self._crowded:
            return
        layout, counted = self._counted(rows)
        self._groups.setdefault(layout, Counter()).update(counted)
        self._crowded = sum(map(len, self._groups.values())) > MAX_GROUPS

    def _counted(self, rows: Sequence[dict[str, Any]]) -> tuple[Layout, Counter[Any]]:
        """Count a chunk by the columns of its first row, or row by row where rows differ."""
        layout = self._keys.layout(rows[0])
        present = [key for key in layout if key is not None]
        if len(present) > 1 and len(set(map(len, rows))) == 1:
            try:
                return layout, Counter(map(itemgetter(*present), rows))
            except (KeyError, TypeError):
                pass
        return (), Counter(map(self._keys.values, rows))

    def merge(self, other: RowIndexFold) -> None:
        """Add what the later part held."""
        self._rows += other._rows
        self._ids.extend(other._ids)
        self._windowed = self._windowed or other._windowed
        self._crowded = self._crowded or other._crowded
        for layout, groups in other._groups.items():
            self._groups.setdefault(layout, Counter()).update(groups)

    def fact(self) -> RowIndex:
        """Return the index; the fold cannot be fed any more."""
        with_id = len(self._ids)
        repeated = repeated_hashes(self._ids)
        self._ids = array("q")
        told = split_of_file(self._file.base)
        groups = tuple(
            _group(
                dict(zip((name for name, key in zip(NAMES, layout or NAMES, strict=True) if key), values, strict=True)),
                told,
                rows,
            )
            for layout, counter in self._groups.items()
            for values, rows in counter.items()
        )
        self._groups = {}
        return RowIndex(self._file, self._rows, groups, repeated, with_id, self._windowed, self._crowded)


def _group(values: dict[str, Any], told: str | None, rows: int) -> RowGroup:
    episode, session = text_of(values.get("episode")), text_of(values.get("session"))
    stated = values.get("split")
    stated = stated if isinstance(stated, str) else None
    key = None if episode is None else row_key(episode, session, text_of(values.get("episode_path")))
    return RowGroup(episode, key, session, split_name(stated) if stated is not None else told, stated, rows)


def repeated_hashes(ids: array[int]) -> frozenset[int]:
    """Return the values that stand more than once; the array may be sorted in place."""
    if len(ids) < SORT_IN_NUMPY:
        return frozenset(value for value, count in Counter(ids).items() if count > 1)
    import numpy as np  # noqa: PLC0415 - only for many rows

    view = np.frombuffer(ids, dtype=np.int64)
    view.sort()
    again = view[1:][view[1:] == view[:-1]]
    return frozenset(np.unique(again)[:MAX_REPEATED].tolist())
