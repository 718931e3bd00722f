"""The JSON documents of a run, one fact class per role: a record to read by canonical keys."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

from omnicheck.facts.record import Record, record
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class JsonFact(Struct, frozen=True):
    """A JSON object of a run.

    Attributes:
        file: the file.
        record: its object, read by canonical keys.
    """

    file: RunFile
    record: Record


class Metrics(JsonFact, frozen=True):
    """Stated metrics of an evaluation."""


class RankMetrics(JsonFact, frozen=True):
    """Stated metrics of one rank of a distributed evaluation."""


class TrainingMetadata(JsonFact, frozen=True):
    """What a training run says of itself."""


class DatasetManifest(JsonFact, frozen=True):
    """What an export says of its dataset."""


class VerifiedSummary(JsonFact, frozen=True):
    """The summary that a packager wrote."""


class PackageAudit(JsonFact, frozen=True):
    """An audit of a package."""


class Validation(JsonFact, frozen=True):
    """A stored validation, with a status that is never trusted."""


class CheckpointManifest(JsonFact, frozen=True):
    """What a checkpoint consists of."""


class ModelConfig(JsonFact, frozen=True):
    """The configuration of a model."""


class ActionSpace(JsonFact, frozen=True):
    """The action space of a policy."""


class Normalization(JsonFact, frozen=True):
    """Normalisation statistics and what they were fitted on."""


class ShapeCheck(JsonFact, frozen=True):
    """A stored summary of adapter tensors."""


class PackerSummary(JsonFact, frozen=True):
    """What an action batch packer says of one batch."""


class RunSummaryFile(JsonFact, frozen=True):
    """Another summary or audit of a run."""


T = TypeVar("T", bound=JsonFact)


def _of(source: Source, made: type[T], role: str) -> tuple[T, ...]:
    return tuple(
        made(file, record(source, file)) for file in source.run.of(role) if isinstance(source.json(file).value, dict)
    )


@fact(absent="no metrics")
def metrics(source: Source) -> tuple[Metrics, ...]:
    """Read every metrics file."""
    return _of(source, Metrics, "metrics")


@fact(absent="no metrics of single ranks")
def rank_metrics(source: Source) -> tuple[RankMetrics, ...]:
    """Read every rank's metrics."""
    return _of(source, RankMetrics, "rank_metrics")


@fact(absent="no training metadata")
def training_metadata(source: Source) -> tuple[TrainingMetadata, ...]:
    """Read every training metadata file."""
    return _of(source, TrainingMetadata, "training_metadata")


@fact(absent="no dataset manifest")
def dataset_manifest(source: Source) -> tuple[DatasetManifest, ...]:
    """Read every dataset manifest."""
    return _of(source, DatasetManifest, "dataset_manifest")


@fact(absent="no package summary")
def verified_summary(source: Source) -> tuple[VerifiedSummary, ...]:
    """Read the packager's summary."""
    return _of(source, VerifiedSummary, "verified_summary")


@fact(absent="no package audit")
def package_audit(source: Source) -> tuple[PackageAudit, ...]:
    """Read every audit."""
    return _of(source, PackageAudit, "package_audit")


@fact(absent="no validation file")
def validation(source: Source) -> tuple[Validation, ...]:
    """Read every stored validation."""
    return _of(source, Validation, "validation")


@fact(absent="no checkpoint manifest")
def checkpoint_manifest(source: Source) -> tuple[CheckpointManifest, ...]:
    """Read every checkpoint manifest."""
    return _of(source, CheckpointManifest, "checkpoint_manifest")


@fact(absent="no model config")
def model_config(source: Source) -> tuple[ModelConfig, ...]:
    """Read every model configuration."""
    return _of(source, ModelConfig, "model_config")


@fact(absent="no action space")
def action_space(source: Source) -> tuple[ActionSpace, ...]:
    """Read the action space."""
    return _of(source, ActionSpace, "action_space")


@fact(absent="no normalisation statistics")
def normalization(source: Source) -> tuple[Normalization, ...]:
    """Read the normalisation statistics."""
    return _of(source, Normalization, "normalization")


@fact(absent="no shape check")
def shape_check(source: Source) -> tuple[ShapeCheck, ...]:
    """Read stored shape summaries."""
    return _of(source, ShapeCheck, "shape_check")


@fact(absent="no packer summary")
def packer_summary(source: Source) -> tuple[PackerSummary, ...]:
    """Read the packer's summary."""
    return _of(source, PackerSummary, "packer_summary")


@fact(absent="no further summary")
def run_summary(source: Source) -> tuple[RunSummaryFile, ...]:
    """Read other summaries."""
    return _of(source, RunSummaryFile, "run_summary")
