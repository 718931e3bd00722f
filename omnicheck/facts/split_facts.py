"""What manifests, selections and rows say about splits."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from omnicheck.facts.documents import DatasetManifest
from omnicheck.facts.episodes import EpisodeManifest, Selection
from omnicheck.facts.registry import fact
from omnicheck.facts.row_splits import RowSplits
from omnicheck.facts.split_names import comparable, split_name
from omnicheck.model.run import RunFile


class SplitEpisodes(Struct, frozen=True):
    """Everything of a run that puts comparable episodes into splits.

    Attributes:
        manifests: manifests and selections that name splits.
        rows: rows that name splits and episodes; None when there are none.
    """

    manifests: tuple[EpisodeManifest, ...]
    rows: RowSplits | None


@fact(absent="no manifest or rows that put session-qualified episodes into splits")
def split_episodes(
    manifests: tuple[EpisodeManifest, ...], selections: tuple[Selection, ...], rows: RowSplits | None
) -> SplitEpisodes | None:
    """Gather what can be judged: somewhere episodes must have both a split and an id that means one episode."""
    judged = tuple(
        each
        for each in (*manifests, *selections)
        if any(split_name(episode.split) is not None and comparable(episode.key) for episode in each.episodes)
    )
    named = rows is not None and rows.qualified > 0 and any(name is not None for name in rows.rows)
    return SplitEpisodes(judged, rows if named else None) if judged or named else None


class GroupKeys(Struct, frozen=True):
    """Where sessions would stand: manifests, or rows where there is no manifest."""

    manifests: tuple[EpisodeManifest, ...]
    rows: RowSplits | None


@fact(absent="no episode manifest and no rows with episodes and splits")
def group_keys(manifests: tuple[EpisodeManifest, ...], rows: RowSplits | None) -> GroupKeys | None:
    """Choose manifests before rows."""
    named = tuple(each for each in manifests if any(split_name(episode.split) is not None for episode in each.episodes))
    if named:
        return GroupKeys(named, None)
    return GroupKeys((), rows) if rows is not None and set(rows.rows) - {None} else None


class StatedSplits(Struct, frozen=True):
    """How many episodes or rows each split has.

    Attributes:
        file: the file.
        pointer: where it says so; None for rows.
        unit: ``episodes`` or ``rows``.
        counts: by split as spelt; rows and episodes without a split under ``unspecified``.
    """

    file: RunFile
    pointer: str | None
    unit: str
    counts: dict[str, int]


class SplitCounts(Struct, frozen=True):
    """Every place of a run that counts its splits."""

    stated: tuple[StatedSplits, ...]


@fact(absent="nothing that names splits")
def split_counts(
    manifests: tuple[EpisodeManifest, ...], exports: tuple[DatasetManifest, ...], rows: RowSplits | None
) -> SplitCounts | None:
    """Count splits in manifests; rows count only where no manifest speaks of splits, for a file may hold one split."""
    stated = []
    for each in manifests:
        counts = Counter(episode.split or "unspecified" for episode in each.episodes)
        if set(counts) - {"unspecified"}:
            stated.append(
                StatedSplits(each.file, each.record.pointer("episodes"), "episodes", dict(sorted(counts.items())))
            )
    for export in exports:
        if export.record.has("split_counts"):
            counted = export.record.counts("split_counts")
            stated.append(StatedSplits(export.file, export.record.pointer("split_counts"), "samples", counted))
    if not stated and rows is not None and set(rows.rows) - {None}:
        total: Counter[str] = Counter()
        for index in rows.indexes:
            for group in index.groups:
                total[group.stated or group.split or "unspecified"] += group.rows
        stated.append(StatedSplits(rows.indexes[0].file, None, "rows", dict(sorted(total.items()))))
    return SplitCounts(tuple(stated)) if stated else None
