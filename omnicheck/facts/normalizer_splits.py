"""Normalisation statistics beside the splits of the run."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.documents import DatasetManifest
from omnicheck.facts.episodes import EpisodeManifest
from omnicheck.facts.feature_files import ArchivedMoments
from omnicheck.facts.normalizer import FeatureMoments, Fit, Moments, moments, side
from omnicheck.facts.registry import fact
from omnicheck.facts.row_splits import RowSplits
from omnicheck.facts.split_names import comparable, split_name


class Recomputed(Struct, frozen=True):
    """One feature over the training rows and over all rows; None for a side without rows."""

    name: str
    train: Moments | None
    every: Moments | None


class FittedSplits(Struct, frozen=True):
    """Statistics with what they can be held against.

    Attributes:
        fit: the statistics and their provenance as stated.
        splits: episode to the splits it is in, by manifest and rows; empty when nothing says.
        recomputed: features over the run's own rows; empty when the run does not carry all of them.
    """

    fit: Fit
    splits: dict[str, frozenset[str]]
    recomputed: tuple[Recomputed, ...]


@fact(absent="no normalisation statistics")
def fitted_splits(
    fits: tuple[Fit, ...],
    manifests: tuple[EpisodeManifest, ...],
    exports: tuple[DatasetManifest, ...],
    rows: RowSplits | None,
    features: tuple[FeatureMoments, ...],
    archived: tuple[ArchivedMoments, ...],
) -> tuple[FittedSplits, ...]:
    """Bring statistics, manifests and rows together; rows count only when they are as many as the export states."""
    splits: dict[str, set[str]] = {}
    for manifest in manifests:
        ids = [episode.id for episode in manifest.episodes]
        for episode in manifest.episodes:
            names = {episode.key} | ({episode.id} if ids.count(episode.id) == 1 else set())
            for name in names:
                split = split_name(episode.split)
                splits.setdefault(name, set()).update([split] if split is not None else [])
    for index in rows.indexes if rows is not None else ():
        for group in index.groups:
            if group.key is not None and comparable(group.key) and group.split is not None:
                splits.setdefault(group.key, set()).add(group.split)
    stated = {export.record.count("num_samples") for export in exports} - {None}
    whole = rows is not None and (not stated or stated == {sum(index.rows for index in rows.indexes)})
    recomputed = _recomputed(features or archived) if whole else ()
    known = {name: frozenset(found) for name, found in splits.items() if found}
    return tuple(FittedSplits(fit, known, recomputed) for fit in fits)


def _recomputed(features: tuple[FeatureMoments, ...]) -> tuple[Recomputed, ...]:
    joined: dict[str, dict[str | None, Moments]] = {}
    for each in features:
        for name, by_split in each.features.items():
            mine = joined.setdefault(name, {})
            for split, found in by_split.items():
                if split not in mine:
                    mine[split] = moments(found.origin)  # a sum of its own: facts stay what they are
                if len(mine[split].origin) == len(found.origin):
                    mine[split].join(found)
    return tuple(
        Recomputed(name, side(by_split, train=True), side(by_split, train=False)) for name, by_split in joined.items()
    )
