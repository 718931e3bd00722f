"""What a window index holds, counted as its records are written; ids are kept as 8 bytes each."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import UnsetType

from omnicheck.contracts.window_index import IndexRecord
from omnicheck.facts.row_index import repeated_hashes
from omnicheck.facts.split_names import row_key


class Tally:
    """Counts records.

    Attributes:
        records: how many.
        samples: records by split.
        episodes: session-qualified episode to its split and the line that named it first.
        mosaic: records with a mosaic video.
        audio: records with audio.
        sensors: records with sensor features.
    """

    def __init__(self) -> None:
        self.records = self.mosaic = self.audio = self.sensors = 0
        self.samples: Counter[str] = Counter()
        self.episodes: dict[str, tuple[str, int]] = {}
        self._ids = array("q")

    def take(self, record: IndexRecord, line: int) -> str | None:
        """Count a record; return what is wrong with its split beside those before it, or None."""
        media = record.modalities.media
        self.records += 1
        self.samples[record.split] += 1
        self.mosaic += media.mosaic_video_path is not None
        self.audio += media.audio_path is not None
        self.sensors += not isinstance(record.modalities.sensor_features, UnsetType)
        self._ids.append(hash(record.id))
        key = row_key(record.episode_id, _text(record.top_level_session), _text(record.episode_path))
        split, first = self.episodes.setdefault(key, (record.split, line))
        if split == record.split:
            return None
        return f"the episode {key!a} is in {record.split}, line {first} has it in {split}"

    def episode_counts(self) -> dict[str, int]:
        """Return the episodes by split, sorted."""
        return dict(sorted(Counter(split for split, _ in self.episodes.values()).items()))

    def repeated(self) -> frozenset[int]:
        """Return the hashes that the ids of several records share; nothing can be counted any more."""
        ids, self._ids = self._ids, array("q")
        return repeated_hashes(ids)


def repeated_ids(rows: Iterable[tuple[int, Any]], hashes: frozenset[int], most: int) -> Iterator[tuple[int, str, int]]:
    """Yield line, id and first line of each row whose id an earlier row has.

    Args:
        rows: lines and ids.
        hashes: those of the ids that may be repeated.
        most: how many are looked for.
    """
    seen: dict[str, int] = {}
    for line, name in rows:
        if isinstance(name, str) and hash(name) in hashes:
            first = seen.setdefault(name, line)
            if first != line:
                yield line, name, first
                most -= 1
                if most == 0:
                    return


def _text(value: str | UnsetType) -> str | None:
    return None if isinstance(value, UnsetType) else value
