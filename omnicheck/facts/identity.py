"""Which run every file of a run says it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from omnicheck.facts.described_rows import foreign
from omnicheck.facts.documents import (
    CheckpointManifest,
    DatasetManifest,
    Metrics,
    ModelConfig,
    TrainingMetadata,
    Validation,
    VerifiedSummary,
)
from omnicheck.facts.episodes import EpisodeManifest
from omnicheck.facts.ledger import inner
from omnicheck.facts.progress import ProgressLog
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.facts.row_counts import RowCounts
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

Part = Literal["dataset", "train", "eval"]
PARTS: tuple[Part, ...] = ("dataset", "train", "eval")
SUFFIX = re.compile(r"_(?:dataset|export|lora|eval)$")
"""What a part adds to the id of its run by convention; ids are compared without it."""

REPORT_LINE = re.compile(r"^[-*]\s*(Run id|Training run|Dataset run)\s*:\s*`([^`\n]+)`", re.IGNORECASE | re.MULTILINE)


class Identity(Struct, frozen=True):
    """A file that says which run it is an artifact of.

    Attributes:
        file: the file.
        part: which part of the work the run id names; one package legitimately has three.
        run_id: as stated.
        pointer: JSON pointer, or None.
        line: 1-based line in a log or a report, or None.
        stated: whether the file states the id itself; otherwise its content shows it.
    """

    file: RunFile
    part: Part
    run_id: str
    pointer: str | None = None
    line: int | None = None
    stated: bool = True

    @property
    def stem(self) -> str:
        """The id without what the part adds to it."""
        return SUFFIX.sub("", self.run_id)


class IdPair(Struct, frozen=True):
    """Two files of one run that should state the same run id; ``other`` is judged by ``owner``."""

    owner: Identity
    other: Identity


class DirectoryIds(Struct, frozen=True):
    """The artifacts of one part in one directory: display path of the directory, part, and what its files say."""

    folder: str
    part: Part
    identities: tuple[Identity, ...]


@fact(absent="no file states its run id")
def directory_ids(
    source: Source,
    training: tuple[TrainingMetadata, ...] | None,
    datasets: tuple[DatasetManifest, ...] | None,
    manifests: tuple[EpisodeManifest, ...] | None,
    rows: tuple[RowCounts, ...] | None,
) -> tuple[DirectoryIds, ...]:
    """Group what the files say by directory and part.

    Evaluations are left out: one directory may hold several of one model. So are logs, model configurations and
    checkpoint manifests, which are compared with their metadata one by one.
    """
    found: list[Identity] = []
    for document in training or ():
        found.extend(_stated(document.record, "train"))
    for file in source.run.of("run_config"):
        value = source.yaml(file).value if file.base.endswith((".yaml", ".yml")) else source.json(file).value
        stated = Record(source, file, value if isinstance(value, dict) else None)
        if isinstance(stated.raw("run_id"), str):
            found.append(Identity(file, "train", stated.raw("run_id"), stated.pointer("run_id")))
    for dataset in datasets or ():
        found.extend(_stated(dataset.record, "dataset"))
    for listing in manifests or ():
        found.extend(_stated(listing.record, "dataset"))
    for each in rows or ():
        near = [manifest for manifest in datasets or () if _folder(manifest.file) == _folder(each.file)]
        if len(near) == 1 and each.file.role == "dataset_rows" and foreign(near[0], each):
            found.append(Identity(each.file, "dataset", min(each.exports), stated=False))
    for file in source.run.of("report"):
        found.extend(_reported(source, file, found))
    grouped: dict[tuple[str, Part], list[Identity]] = {}
    for identity in found:
        grouped.setdefault((_folder(identity.file), identity.part), []).append(identity)
    return tuple(
        DirectoryIds(identities[0].file.path.rpartition("/")[0] or ".", part, tuple(identities))
        for (_, part), identities in sorted(grouped.items())
    )


@fact(absent="no two files that should state one run id")
def id_pairs(
    training: tuple[TrainingMetadata, ...] | None,
    logs: tuple[ProgressLog, ...] | None,
    checkpoints: tuple[CheckpointManifest, ...] | None,
    models: tuple[ModelConfig, ...] | None,
    summaries: tuple[VerifiedSummary, ...] | None,
    datasets: tuple[DatasetManifest, ...] | None,
    metrics: tuple[Metrics, ...] | None,
    validations: tuple[Validation, ...] | None,
) -> tuple[IdPair, ...]:
    """Pair the statements that must agree: metadata with its log and companions, a summary with what it sums up."""
    pairs: list[IdPair] = []
    own: dict[Part, list[Identity]] = {
        "train": [each for document in training or () for each in _stated(document.record, "train")],
        "dataset": [each for document in datasets or () for each in _stated(document.record, "dataset")],
        "eval": [each for document in metrics or () for each in _stated(document.record, "eval")],
    }
    for metadata in own["train"]:
        for log in logs or ():
            if _folder(log.file) == _folder(metadata.file) and log.file.tag == metadata.file.tag:
                pairs.extend(IdPair(metadata, other) for other in _strangers(log, metadata))
        for companion in (*(checkpoints or ()), *(models or ())):
            if _folder(companion.file) == _folder(metadata.file) and len(own["train"]) == 1:
                pairs.extend(IdPair(metadata, other) for other in _stated(companion.record, "train"))
    for summary in summaries or ():
        named = {part: _named(summary.record, part) for part in PARTS}
        for part, identity in named.items():
            if identity is not None and len(own[part]) == 1 and not _owned(own[part][0], part, named):
                pairs.append(IdPair(own[part][0], identity))
        for validation in validations or ():
            pairs.extend(_validated(validation, named))
    return tuple(pairs)


def _owned(identity: Identity, part: Part, named: dict[Part, Identity | None]) -> bool:
    """Whether metrics state the id of the training that they evaluate instead of their own."""
    train = named["train"]
    return part == "eval" and train is not None and train.stem == identity.stem


def _validated(validation: Validation, named: dict[Part, Identity | None]) -> Iterator[IdPair]:
    part = inner(validation.record, "summary")
    if part is None:
        return
    # A validation of the training names the evaluation it expects, not the one that was made.
    for name in PARTS if part.raw("required_stage") == "eval" else PARTS[:2]:
        owner, other = named[name], _named(part, name)
        if owner is not None and other is not None:
            yield IdPair(owner, other)


def _strangers(log: ProgressLog, metadata: Identity) -> list[Identity]:
    """Return the log's id: the metadata's where it occurs at all, else the first one."""
    found = [event for event in log.events if event.run_id is not None]
    event = next((each for each in found if each.run_id == metadata.run_id), found[0] if found else None)
    return [Identity(log.file, "train", event.run_id or "", None, event.line)] if event else []


def _stated(record: Record, part: Part) -> Iterator[Identity]:
    run_id = record.raw("run_id")
    if isinstance(run_id, str) and run_id:
        yield Identity(record.file, part, run_id, record.pointer("run_id"))


def _named(record: Record, part: Part) -> Identity | None:
    run_id = record.raw(f"{part}_run_id")
    if not isinstance(run_id, str) or not run_id:
        return None
    return Identity(record.file, part, run_id, record.pointer(f"{part}_run_id"))


def _reported(source: Source, file: RunFile, others: list[Identity]) -> Iterator[Identity]:
    """Yield the runs that a report names; only beside artifacts of the same part, since reports lie anywhere."""
    text = source.text(file) or ""
    for match in REPORT_LINE.finditer(text):
        part: Part = "dataset" if match[1].lower().startswith("dataset") else "train"
        if any(each.part == part and _folder(each.file) == _folder(file) for each in others):
            yield Identity(file, part, match[2], None, text.count("\n", 0, match.start()) + 1)


def _folder(file: RunFile) -> str:
    return file.location.rpartition("/")[0]
