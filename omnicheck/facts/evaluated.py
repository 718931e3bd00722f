"""Evaluated episodes and samples beside the manifests and rows that should know them."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct

from omnicheck.facts.documents import DatasetManifest
from omnicheck.facts.episodes import EpisodeManifest, Selection
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fact
from omnicheck.facts.row_splits import RowSplits
from omnicheck.facts.split_names import comparable, split_name
from omnicheck.facts.windows import without_twins
from omnicheck.model.run import RunFile

COUNTS = ("included_episode_count", "num_episodes", "episode_count", "selected_episode_count", "total_episodes")


class Evaluated(Struct, frozen=True):
    """The episodes of one prediction file.

    Attributes:
        file: the predictions.
        episodes: episode to its rows, of rows that do not say themselves that they are training rows.
        first: episode to the line or data row that names it first.
    """

    file: RunFile
    episodes: dict[str, int]
    first: dict[str, int]


class Roll(Struct, frozen=True):
    """Episodes that one place knows.

    Attributes:
        file: the manifest or row file.
        splits: episode to the splits it is in there; ids that several sessions share are left out.
        complete: how the place claims to be complete, or None when it does not.
    """

    file: RunFile
    splits: dict[str, frozenset[str]]
    complete: str | None


class EvaluatedEpisodes(Struct, frozen=True):
    """Predictions and the rolls to compare them with."""

    evaluated: tuple[Evaluated, ...]
    rolls: tuple[Roll, ...]


class CompleteRolls(Struct, frozen=True):
    """Predictions and the rolls that claim to be complete."""

    evaluated: tuple[Evaluated, ...]
    rolls: tuple[Roll, ...]


@fact(absent="no predictions with episodes beside a manifest or rows with splits")
def evaluated_episodes(
    predictions: tuple[Predictions, ...],
    manifests: tuple[EpisodeManifest, ...],
    selections: tuple[Selection, ...],
    exports: tuple[DatasetManifest, ...],
    rows: RowSplits | None,
) -> EvaluatedEpisodes | None:
    """Bring predictions and every list of episodes together."""
    found = [_evaluated(each) for each in without_twins(predictions)]
    rolls = [_roll(each, exports) for each in manifests] + [_roll(each, ()) for each in selections]
    if rows is not None:
        rolls.extend(_row_roll(rows))
    evaluated = tuple(each for each in found if each.episodes)
    return EvaluatedEpisodes(evaluated, tuple(rolls)) if evaluated and rolls else None


@fact(absent="no predictions with episodes beside a manifest that claims to be complete")
def complete_rolls(judged: EvaluatedEpisodes) -> CompleteRolls | None:
    """Keep the rolls whose stated count of episodes is the number that they list."""
    whole = tuple(roll for roll in judged.rolls if roll.complete is not None)
    return CompleteRolls(judged.evaluated, whole) if whole else None


def _evaluated(rows: Predictions) -> Evaluated:
    episodes: dict[str, int] = {}
    first: dict[str, int] = {}
    for episode, split, line in zip(rows.episodes, rows.splits, rows.lines, strict=True):
        if episode is not None and split_name(split) != "train":
            episodes[episode] = episodes.get(episode, 0) + 1
            first.setdefault(episode, line)
    return Evaluated(rows.file, episodes, first)


def _roll(manifest: EpisodeManifest, exports: tuple[DatasetManifest, ...]) -> Roll:
    keys: defaultdict[str, set[str]] = defaultdict(set)
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for episode in manifest.episodes:
        for name in {episode.id, episode.key}:
            keys[name].add(episode.key)
            split = split_name(episode.split)
            splits[name].update([split] if split is not None else [])
    # A bare id that a session qualifies means that session's episode only.
    known = {
        name: frozenset(splits[name])
        for name, meant in keys.items()
        if len(meant) == 1 and (name in meant or comparable(name))
    }
    listed = len({episode.key for episode in manifest.episodes})
    records = [manifest.record, manifest.record.object("summary"), *(export.record for export in exports)]
    stated = next(
        (
            f"{name} {listed:,}"
            for record in records
            for name in COUNTS
            if record.has(name) and record.raw(name) == listed
        ),
        None,
    )
    return Roll(manifest.file, known, stated)


def _row_roll(rows: RowSplits) -> list[Roll]:
    found = []
    for index in rows.indexes:
        splits: defaultdict[str, set[str]] = defaultdict(set)
        for group in index.groups:
            if group.key is not None and comparable(group.key):
                splits[group.key].update([group.split] if group.split is not None else [])
        if splits:
            found.append(Roll(index.file, {key: frozenset(names) for key, names in splits.items()}, None))
    return found
