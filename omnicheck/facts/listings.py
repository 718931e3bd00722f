"""Every list of episodes of a run: manifests and selections alike."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.episodes import EpisodeManifest, Selection
from omnicheck.facts.registry import fact

COMPLETENESS = frozenset(
    {"has_annotation", "has_any_video", "has_all_videos", "has_all_six_videos", "frame_count", "missing_required_files"}
)
"""Keys by which an episode record says whether the episode is complete."""


class Listings(Struct, frozen=True):
    """The lists whose episodes say whether they are complete; manifests first."""

    lists: tuple[EpisodeManifest, ...]


@fact(absent="no episode manifest or selection that records completeness")
def listings(
    manifests: tuple[EpisodeManifest, ...] | None, selections: tuple[Selection, ...] | None
) -> Listings | None:
    """Gather the lists of episodes."""
    found = tuple(each for each in (*(manifests or ()), *(selections or ())) if _judgeable(each))
    return Listings(found) if found else None


def _judgeable(listing: EpisodeManifest) -> bool:
    return any(not COMPLETENESS.isdisjoint(episode.record.value) for episode in listing.episodes)
