"""Episodes as manifests list them: id, session, split, completeness."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.record import Record, record
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class Episode(Struct, frozen=True):
    """One episode of a manifest.

    Attributes:
        id: as stated; may be bare (``ep1``) and is then only meaningful with its session.
        key: session-qualified id: two episodes are the same exactly when their keys are equal.
        split: as stated; None when absent.
        session: the group it was recorded in; None when unknown.
        task: description of what is done in it; None when absent.
        record: its object, for rules that need more.
    """

    id: str
    key: str
    split: str | None
    session: str | None
    task: str | None
    record: Record


class EpisodeManifest(Struct, frozen=True):
    """The episodes that were selected, and what the manifest says of them.

    Attributes:
        file: the file.
        record: its object.
        episodes: in file order; records without any id are left out.
        selection: whether this is a selection (before export) rather than a manifest.
    """

    file: RunFile
    record: Record
    episodes: tuple[Episode, ...]
    selection: bool = False


@fact(absent="no episode manifest")
def episode_manifest(source: Source) -> tuple[EpisodeManifest, ...]:
    """Read every episode manifest."""
    return tuple(_read(source, file, "episodes", selection=False) for file in source.run.of("episode_manifest"))


class Selection(EpisodeManifest, frozen=True):
    """The episodes chosen before export; its ids are often bare."""


@fact(absent="no episode selection")
def selection(source: Source) -> tuple[Selection, ...]:
    """Read every selection."""
    return tuple(
        Selection(found.file, found.record, found.episodes, selection=True)
        for file in source.run.of("selection")
        for found in [_read(source, file, "selected_episodes", selection=True)]
    )


def _read(source: Source, file: RunFile, key: str, *, selection: bool) -> EpisodeManifest:
    whole = record(source, file)
    found = [episode for item in whole.objects(key) if (episode := _episode(item)) is not None]
    return EpisodeManifest(file, whole, tuple(found), selection)


def _episode(item: Record) -> Episode | None:
    stated = item.text("episode") or item.text("episode_path") or item.text("path")
    if stated is None:
        return None
    session = item.text("session")
    return Episode(
        id=stated,
        key=episode_key(stated, session, item.text("episode_path") or item.text("path")),
        split=item.text("split"),
        session=session or session_of(stated),
        task=item.text("main_task"),
        record=item,
    )


def session_of(episode: str) -> str | None:
    """Return the session part of a qualified id ``<session>__<episode>``; None for a bare id."""
    session, separator, _ = episode.rpartition("__")
    return session if separator and session else None


def episode_key(episode: str, session: str | None, path: str | None) -> str:
    """Return the session-qualified id of an episode.

    A qualified id stands as it is; a bare one (``ep1``) is qualified by its session, else by its path; with
    neither it stands alone, and rules that compare episodes across sessions leave it out.
    """
    if session_of(episode) is not None:
        return episode
    if session:
        return f"{session}__{episode}"
    if path and path.rstrip("/") != episode:
        return path.rstrip("/")
    return episode
