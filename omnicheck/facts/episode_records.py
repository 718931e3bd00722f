"""Whether the records of an episode manifest say what must be known of an episode, and when the manifest was made."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.clock import seconds
from omnicheck.facts.documents import TrainingMetadata
from omnicheck.facts.episodes import EpisodeManifest
from omnicheck.facts.progress import ProgressLog
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.facts.timeline import LEARNING
from omnicheck.model.run import RunFile

ASKED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("id", ("episode_id", "id", "source_episode_id")),
    ("path", ("path", "episode_path", "source_path", "annotation", "uri")),
    ("split", ("split",)),
    ("size", ("total_bytes", "size_bytes", "bytes", "size", "train_minimal_bytes", "num_bytes")),
    (
        "missing modalities",
        (
            "missing_modalities",
            "modalities_missing",
            "missing",
            "missing_required_files",
            "hdf5_modalities",
            "modalities",
            "available_modalities",
        ),
    ),
)
"""What a record must say, and the keys under which it stands."""

MADE = ("generated_at_utc", "generated_at", "created_at_utc", "created_at", "generated_at_unix", "timestamp", "time")


class ManifestRecords(Struct, frozen=True):
    """The records of one manifest.

    Attributes:
        file: the manifest.
        records: how many.
        lacking: what is missing, to how many records lack it.
        first: JSON pointer of the first record that lacks anything, or None.
    """

    file: RunFile
    records: int
    lacking: dict[str, int]
    first: str | None


class ManifestTime(Struct, frozen=True):
    """When a manifest was made, beside the beginning of the training.

    Attributes:
        file: the manifest.
        pointer: where its time stands.
        made: as stated.
        later: seconds from the beginning of the training to the manifest; negative when the manifest came first.
        training: the file that records the beginning.
    """

    file: RunFile
    pointer: str
    made: str
    later: float
    training: RunFile


@fact(absent="no episode manifest with records")
def manifest_records(manifests: tuple[EpisodeManifest, ...]) -> tuple[ManifestRecords, ...]:
    """Look through every record."""
    found = []
    for manifest in manifests:
        records = manifest.record.objects("episodes")
        lacking: dict[str, int] = {}
        first = None
        for each in records:
            gaps = [what for what, keys in ASKED if not any(_said(each, key) for key in keys)]
            for name in gaps:
                lacking[name] = lacking.get(name, 0) + 1
            if gaps and first is None:
                first = each.at
        if records:
            found.append(ManifestRecords(manifest.file, len(records), lacking, first))
    return tuple(found)


def _said(record: Record, key: str) -> bool:
    # An empty list of missing modalities says that none is missing.
    return any(record.value.get(name) not in (None, "") for name in record.names(key))


@fact(absent="no recorded time of both an episode manifest and a training")
def manifest_times(
    manifests: tuple[EpisodeManifest, ...],
    training: tuple[TrainingMetadata, ...] | None,
    logs: tuple[ProgressLog, ...] | None,
) -> tuple[ManifestTime, ...]:
    """Compare when manifests were made with when the training began."""
    begun = [
        (time, each.file) for each in training or () if (time := seconds(each.record.raw("started_at"))) is not None
    ]
    for log in logs or ():
        if any(LEARNING.match(event.name) for event in log.events):
            begun += [(event.time, log.file) for event in log.events if event.time is not None][:1]
    if not begun:
        return ()
    start, holder = min(begun, key=lambda pair: (pair[0], pair[1].name))
    found = []
    for manifest in manifests:
        summary = manifest.record.raw("summary")
        for at, value in (("", manifest.record.value), ("/summary", summary if isinstance(summary, dict) else {})):
            keys = (name for each in MADE for name in manifest.record.names(each))
            key = next((each for each in keys if seconds(value.get(each)) is not None), None)
            if key is not None:
                made = seconds(value[key]) or 0.0
                found.append(ManifestTime(manifest.file, f"{at}/{key}", str(value[key]), made - start, holder))
                break
    return tuple(found)
