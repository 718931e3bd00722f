"""Pairs of context and future windows beside what the run declares about them."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.documents import DatasetManifest
from omnicheck.facts.episodes import EpisodeManifest
from omnicheck.facts.future_pairs import FuturePair, FuturePairs
from omnicheck.facts.registry import fact
from omnicheck.facts.split_names import split_name
from omnicheck.model.run import RunFile


class PairPlan(Struct, frozen=True):
    """The pairs of one file and their plan.

    Attributes:
        file: the file.
        pairs: its pairs.
        horizon: windows from context to future that the dataset manifest declares; None when it declares none.
        stride: frames between neighbouring windows, if declared.
        frames: frames in a window, if declared.
        other_split: records that lie in another split than the pairs' contexts, by the episode manifest.
    """

    file: RunFile
    pairs: tuple[FuturePair, ...]
    horizon: int | None
    stride: int | None
    frames: int | None
    other_split: frozenset[str]


@fact(absent="no pairs of context and future windows")
def pair_plans(
    found: tuple[FuturePairs, ...], manifests: tuple[DatasetManifest, ...], episodes: tuple[EpisodeManifest, ...]
) -> tuple[PairPlan, ...]:
    """Bring pairs and declarations together."""
    splits = {episode.key: split_name(episode.split) for manifest in episodes for episode in manifest.episodes}
    horizons = {manifest.record.count("horizon_windows") for manifest in manifests} - {None}
    policies = [manifest.record.object("clip_policy") for manifest in manifests]
    strides = {policy.count("stride_frames") for policy in policies} - {None}
    frames = {policy.count("window_frames") for policy in policies} - {None}
    return tuple(
        PairPlan(
            each.file,
            each.pairs,
            horizons.copy().pop() if len(horizons) == 1 else None,
            strides.copy().pop() if len(strides) == 1 else None,
            frames.copy().pop() if len(frames) == 1 else None,
            frozenset(pair.future for pair in each.pairs if _crosses(pair, splits)),
        )
        for each in found
    )


def _crosses(pair: FuturePair, splits: dict[str, str | None]) -> bool:
    if pair.episodes is None:
        return False
    here, there = (splits.get(episode) for episode in pair.episodes)
    return here is not None and there is not None and here != there
