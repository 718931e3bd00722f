"""How many rows a file really holds: per split, and how many episodes they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile

ORIGIN_ROWS = 5_000
"""Rows whose paths are looked at for the export they come from."""

EXPORT_PARTS = frozenset({"media", "sensor_features", "shards", "features", "clips", "frames"})
"""Directories inside an export; the directory above the first of them is the export itself."""

PATH_KEYS = ("sensor_feature_path", "feature_path", "mosaic_video_path", "video_path", "audio_path")


class RowCounts(Struct, frozen=True):
    """What counting the rows of a file gives.

    Attributes:
        file: the file.
        rows: number of rows.
        by_split: rows per split, as stated in the rows; empty when no row names one.
        episodes: episodes per split (key "" for rows without one).
        without_episode: rows that name no episode.
        exports: names of the export directories that the rows' media and feature paths lead into.
    """

    file: RunFile
    rows: int
    by_split: dict[str, int]
    episodes: dict[str, frozenset[str]]
    without_episode: int
    exports: frozenset[str]

    @property
    def num_episodes(self) -> int:
        """Distinct episodes over all splits."""
        return len(frozenset().union(*self.episodes.values()))


@fold(RowCounts, absent="no dataset rows")
class RowCountFold:
    """Counts rows, splits and episodes."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows", "window_index", "loss_records")
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._rows = 0
        self._without = 0
        self._splits: Counter[str] = Counter()
        self._episodes: dict[str, set[str]] = {}
        self._exports: set[str] = set()

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - the place of a row does not matter
        """Take rows."""
        if self._rows < ORIGIN_ROWS and self._file.role == "dataset_rows":
            for row in rows[: ORIGIN_ROWS - self._rows]:
                self._exports.update(_exports(row))
        self._rows += len(rows)
        for (split, episode), count in Counter(map(_place, rows)).items():
            if split:
                self._splits[split] += count
            if episode is None:
                self._without += count
            else:
                self._episodes.setdefault(split, set()).add(episode)

    def merge(self, other: RowCountFold) -> None:
        """Add the counts of the later part."""
        self._rows += other._rows
        self._without += other._without
        self._splits += other._splits
        for split, episodes in other._episodes.items():
            self._episodes.setdefault(split, set()).update(episodes)
        self._exports |= other._exports

    def fact(self) -> RowCounts:
        """Return the counts."""
        episodes = {split: frozenset(found) for split, found in sorted(self._episodes.items())}
        splits = dict(sorted(self._splits.items()))
        return RowCounts(self._file, self._rows, splits, episodes, self._without, frozenset(self._exports))


def _place(row: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return a row's split (empty without one) and episode."""
    split = row.get("split")
    episode = next((row[key] for key in ALIASES["episode"] if row.get(key) is not None), None)
    return split if isinstance(split, str) else "", None if episode is None else str(episode)


def _exports(row: Mapping[str, Any]) -> set[str]:
    media = row.get("media")
    holders = [row, media] if isinstance(media, dict) else [row]
    found = (holder.get(key) for holder in holders for key in PATH_KEYS)
    return {name for path in found if isinstance(path, str) and (name := export_of(path)) is not None}


def export_of(path: str) -> str | None:
    """Return the export directory that a media or feature path leads into; None when the path does not show it."""
    parts = path.replace("\\", "/").split("/")
    for above, part in pairwise(parts):
        if part in EXPORT_PARTS and above not in ("", ".", ".."):
            return above
    return None
