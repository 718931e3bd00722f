"""Statements about how many rows a file has, each with what counting gives."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.described_rows import DescribedRows
from omnicheck.facts.documents import DatasetManifest, Metrics, TrainingMetadata, VerifiedSummary
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.ledger import inner
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.record import Record, record
from omnicheck.facts.registry import fact
from omnicheck.facts.row_counts import RowCounts
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

LIMITS = (
    "max_samples",
    "max_eval_samples",
    "sample_limit",
    "limit",
    "subset",
    "num_shards",
    "eval_num_shards",
    "coverage",
)
"""Keys that say why an evaluation or a training used fewer rows than the split has."""


class RowStatement(Struct, frozen=True):
    """A stated number of rows and the number it should be.

    Attributes:
        file: where the statement stands.
        pointer: JSON pointer in that file.
        what: what is counted, in words.
        stated: the statement.
        found: the rows counted, or what the file that was counted from says.
        source: the file with the rows, or with the statement it is compared with.
        counted: whether ``found`` was counted from rows.
    """

    file: RunFile
    pointer: str
    what: str
    stated: int
    found: int
    source: RunFile
    counted: bool = True


class SplitUse(Struct, frozen=True):
    """How many rows of a split a step used.

    Attributes:
        file: where the use is stated.
        pointer: JSON pointer in that file.
        split: the split.
        used: rows used.
        available: rows that the split has.
        manifest: the dataset manifest that says so.
        reason: key that explains a smaller use, or None.
    """

    file: RunFile
    pointer: str
    split: str
    used: int
    available: int
    manifest: RunFile
    reason: str | None


@fact(absent="no stated row count beside the rows it describes")
def row_statements(
    source: Source,
    described: tuple[DescribedRows, ...] | None,
    evaluations: tuple[Evaluation, ...] | None,
    predictions: tuple[Predictions, ...] | None,
    manifests: tuple[DatasetManifest, ...] | None,
    summaries: tuple[VerifiedSummary, ...] | None,
    rows: tuple[RowCounts, ...] | None,
) -> tuple[RowStatement, ...]:
    """Collect every stated number of rows that can be compared."""
    found: list[RowStatement] = []
    for pair in described or ():
        found.extend(_described(pair))
    for evaluation in evaluations or ():
        found.extend(_evaluated(evaluation))
    for summary in summaries or ():
        found.extend(_summary(summary, manifests or (), evaluations or (), predictions or ()))
    for manifest in manifests or ():
        splits = _row_splits(manifest.record)
        found.extend(
            _stated(manifest.record, "num_samples", "rows", sum(splits.values()) if splits else None, manifest.file)
        )
    for file in source.run.of("window_index_manifest"):
        near = [each for each in rows or () if each.file.role == "window_index" and each.file.folder == file.folder]
        if len(near) == 1:
            found.extend(_counted(record(source, file), "num_records", "records", near[0].rows, near[0].file))
    return tuple(found)


def _row_splits(manifest: Record) -> dict[str, int]:
    """Return the rows per split; empty when there are none, or when the counts are of episodes."""
    splits = manifest.counts("split_counts") if isinstance(manifest.raw("split_counts"), dict) else {}
    total, episodes = sum(splits.values()), manifest.raw("num_episodes")
    return {} if total == episodes and total != manifest.raw("num_samples") else splits


def _described(pair: DescribedRows) -> Iterator[RowStatement]:
    whole, rows = pair.manifest.record, pair.rows
    yield from _counted(whole, "num_samples", "rows", rows.rows, rows.file)
    splits = inner(whole, "split_counts")
    if (
        splits is None
        or not _row_splits(whole)
        or not rows.by_split
        or whole.count("num_samples") not in (None, rows.rows)
    ):
        return
    for split in splits.value:
        yield from _counted(splits, split, f"{split} rows", rows.by_split.get(split, 0), rows.file)


def _evaluated(evaluation: Evaluation) -> Iterator[RowStatement]:
    rows, whole = evaluation.predictions, evaluation.metrics.record
    if rows is not None:
        wanted = whole.raw("eval_split")
        mixed = isinstance(wanted, str) and wanted in rows.splits
        number = sum(1 for split in rows.splits if split == wanted) if mixed else len(rows)
        yield from _counted(whole, "num_samples", "evaluated samples", number, rows.file)


def _summary(
    summary: VerifiedSummary,
    manifests: tuple[DatasetManifest, ...],
    evaluations: tuple[Evaluation, ...],
    predictions: tuple[Predictions, ...],
) -> Iterator[RowStatement]:
    dataset, evaluated = inner(summary.record, "dataset"), inner(summary.record, "eval")
    if dataset is not None and len(manifests) == 1:
        stated = manifests[0].record.count("num_samples")
        yield from _stated(dataset, "num_samples", "dataset rows", stated, manifests[0].file)
    if evaluated is None:
        return
    if len(evaluations) == 1:
        metrics = evaluations[0].metrics
        yield from _stated(
            evaluated, "num_samples", "evaluated samples", metrics.record.count("num_samples"), metrics.file
        )
    named = evaluated.raw("prediction_file")
    rows = [each for each in predictions if each.file.base == named]
    if len(rows) == 1:
        yield from _counted(evaluated, "prediction_rows", "predictions", len(rows[0]), rows[0].file)


def _counted(part: Record, name: str, what: str, found: int, source: RunFile) -> Iterator[RowStatement]:
    stated = part.count(name)
    if stated is not None:
        yield RowStatement(part.file, part.pointer(name), what, stated, found, source)


def _stated(part: Record, name: str, what: str, found: int | None, source: RunFile) -> Iterator[RowStatement]:
    stated = part.count(name)
    if stated is not None and found is not None:
        yield RowStatement(part.file, part.pointer(name), what, stated, found, source, counted=False)


@fact(absent="no split counts beside a training or an evaluation of that dataset")
def split_uses(
    manifests: tuple[DatasetManifest, ...],
    training: tuple[TrainingMetadata, ...] | None,
    metrics: tuple[Metrics, ...] | None,
) -> tuple[SplitUse, ...]:
    """Set the rows that training and evaluation used beside the rows of the splits."""
    if len(manifests) != 1:
        return ()
    manifest = manifests[0]
    splits = _row_splits(manifest.record)
    found: list[SplitUse] = []
    for each in training or ():
        if _same_dataset(each.record, manifest.record):
            for split, name in (("train", "num_train_samples"), ("val", "num_val_samples")):
                found.extend(_use(each.record, name, split, splits, manifest, (f"max_{split}_samples", *LIMITS)))
    for evaluated in metrics or ():
        split = evaluated.record.raw("eval_split")
        if isinstance(split, str) and _same_dataset(evaluated.record, manifest.record):
            found.extend(_use(evaluated.record, "num_samples", split, splits, manifest, LIMITS))
    return tuple(found)


def _use(
    part: Record, name: str, split: str, splits: dict[str, int], manifest: DatasetManifest, limits: tuple[str, ...]
) -> Iterator[SplitUse]:
    used = part.count(name)
    if used is None or split not in splits:
        return
    reason = next((key for key in limits if part.raw(key) is not None), None)
    stride = part.raw("sample_stride")
    if isinstance(stride, int) and stride > 1:
        reason = "sample_stride"
    yield SplitUse(part.file, part.pointer(name), split, used, splits[split], manifest.file, reason)


def _same_dataset(part: Record, manifest: Record) -> bool:
    """Whether both name the same dataset directory, as far as they name one."""
    one, other = part.raw("dataset_path"), manifest.raw("dataset_path")
    if not isinstance(one, str) or not isinstance(other, str):
        return True
    return one.replace("\\", "/").split("/")[-2:] == other.replace("\\", "/").split("/")[-2:]
