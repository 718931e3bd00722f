"""What a run shows as evidence: files required of it, its listing, its audits, quality that it states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from omnicheck.facts.contract import Contract
from omnicheck.facts.documents import Metrics, VerifiedSummary
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.facts.row_counts import RowCounts
from omnicheck.facts.source import Source
from omnicheck.facts.stages import CheckpointFolder, Stages, is_weights
from omnicheck.model.run import RunFile

QUALITY = re.compile(
    r"(?:^|_)(?:accuracy|acc|f1|precision|recall|auc|auroc|map|mrr|hit|bleu|rouge|mpjpe|mse|mae|rmse|r2|iou|wer|cer"
    r"|success_rate|exact_match|perplexity|psnr|ssim|fid|top_?k|validity_rate|recall_at_\d+|top\d|error)(?:_|$)"
)
NOT_HELD_OUT = re.compile(r"(?:^|_)(?:train|training|baseline|majority|chance|count|num|error_type|errors)(?:_|$)")
LOSSES = re.compile(r"(?:^|_)(?:loss|losses|mse|mae|rmse)(?:_|$)")
REPORTED = re.compile(
    r"^\s*(?:[-*|]\s*)*\**(?P<name>[A-Za-z][A-Za-z0-9 @_-]{1,40}?)\**\s*[:=|]\s*\**`?(?P<value>\d+(?:\.\d+)?%?)`?",
    re.MULTILINE,
)
SPLITS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test"})
STATED_IN_PROSE = ("report", "summary_card", "card")


class Missing(Struct, frozen=True):
    """Required files of one stage.

    Attributes:
        path: display path of the run.
        contract: id of the contract.
        wanted: what was asked for.
        lacking: what no file fits.
        spared: weights, which are not asked of a package.
    """

    path: str
    contract: str
    wanted: tuple[str, ...]
    lacking: tuple[str, ...]
    spared: tuple[str, ...] = ()


class MissingTraining(Missing, frozen=True):
    """Required files of the training."""


class MissingEvaluation(Missing, frozen=True):
    """Required files of the evaluation."""


class Listing(Struct, frozen=True):
    """Every file of a run."""

    files: tuple[RunFile, ...]


class PackagedRun(Struct, frozen=True):
    """A package, for comparison with its siblings.

    Attributes:
        path: display path of the run.
        audits: names of its audits.
    """

    path: str
    audits: tuple[str, ...]


class StatedQuality(Struct, frozen=True):
    """A place that states model quality.

    Attributes:
        file: the file.
        pointer: JSON pointer of the first value, or None.
        line: line of the first value in prose, or None.
        metrics: names and values, the first few.
        backed: whether the run holds rows behind it: predictions, or losses where only losses are stated.
        looked: what rows there are instead, in words.
    """

    file: RunFile
    pointer: str | None
    line: int | None
    metrics: tuple[tuple[str, str], ...]
    backed: bool
    looked: str


class StatedSplit(Struct, frozen=True):
    """The split that an evaluation was made on.

    Attributes:
        file: where it stands.
        pointer: JSON pointer in that file.
        split: as stated.
        named: what the evaluation is called: the tag of its file, or the last part of its run's id or directory that
            follows ``eval``.
    """

    file: RunFile
    pointer: str
    split: str
    named: str


@fact(absent="no training in this directory, or no contract that requires files of it")
def missing_training(contract: Contract, stages: Stages, folder: CheckpointFolder | None) -> MissingTraining | None:
    """Hold the training against the contract."""
    spared = tuple(name for name in contract.training_files if stages.packaged and is_weights(name))
    wanted = tuple(name for name in contract.training_files if name not in spared)
    if stages.training is None or not wanted:
        return None
    there = folder.found if folder is not None and not stages.packaged else frozenset()
    lacking = tuple(name for name in stages.lacking("training", wanted) if name not in there)
    return MissingTraining(stages.path, contract.id, wanted, lacking, spared)


@fact(absent="no evaluation in this directory, or no contract that requires files of it")
def missing_evaluation(contract: Contract, stages: Stages) -> MissingEvaluation | None:
    """Hold the evaluation against the contract."""
    wanted = contract.eval_files
    if stages.evaluation is None or not wanted:
        return None
    lacking = stages.lacking("eval", wanted)
    return MissingEvaluation(stages.path, contract.id, wanted, lacking)


@fact(absent="no files")
def listing(source: Source) -> Listing:
    """List the files of the run."""
    return Listing(source.run.files)


@fact(absent="no package")
def packaged_run(source: Source, summaries: tuple[VerifiedSummary, ...]) -> PackagedRun | None:
    """Note whether a package holds its audit."""
    if not summaries:
        return None
    return PackagedRun(source.run.path, tuple(file.base for file in source.run.of("package_audit")))


@fact(absent="no evaluation names its split")
def stated_splits(
    source: Source, metrics: tuple[Metrics, ...] | None, summaries: tuple[VerifiedSummary, ...] | None
) -> tuple[StatedSplit, ...]:
    """Collect the splits of evaluations; a package's summary that repeats its metrics is none of its own."""
    found: list[StatedSplit] = []
    seen: set[object] = set()
    folder = _after_eval(source.run.path)
    for each in metrics or ():
        split = each.record.raw("eval_split")
        key = "eval_split"
        other = each.record.raw("split")
        if split is None and isinstance(other, str) and other in SPLITS:
            split, key = other, "split"  # elsewhere the word says how episodes were divided
        if isinstance(split, str) and str(each.record.value) not in seen:
            seen.add(str(each.record.value))
            named = each.file.tag or _after_eval(str(each.record.raw("run_id") or "")) or folder
            found.append(StatedSplit(each.file, each.record.pointer(key), split, named))
    if found:
        return tuple(found)
    for summary in summaries or ():
        inner = summary.record.raw("eval")
        own = Record(source, summary.file, inner if isinstance(inner, dict) else None, "/eval")
        split = own.raw("eval_split")
        if isinstance(split, str):
            named = _after_eval(str(summary.record.raw("eval_run_id") or "")) or folder
            found.append(StatedSplit(summary.file, own.pointer("eval_split"), split, named))
    return tuple(found)


def _after_eval(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2].rpartition("eval")[2] if "eval" in name else ""


@fact(absent="no model quality is stated")
def stated_quality(
    source: Source,
    metrics: tuple[Metrics, ...] | None,
    summaries: tuple[VerifiedSummary, ...] | None,
    predictions: tuple[Predictions, ...] | None,
    counts: tuple[RowCounts, ...] | None,
) -> tuple[StatedQuality, ...]:
    """Collect the places that state quality: metrics, else the package's summary, else prose."""
    rows = any(len(each) for each in predictions or ())
    losses = any(each.rows for each in counts or () if each.file.role == "loss_records")
    empty = [each.file.base for each in predictions or () if not len(each)]
    looked = f"{empty[0]} has no rows" if empty else "the run holds no predictions"
    found = []
    for each in metrics or ():
        values = list(_quality(each.record.value))
        kept = losses or _per_sample(each.record.value)
        backed = rows or (kept and all(LOSSES.search(name) for name, _ in values))
        if values:
            pointer = f"/{values[0][0]}"
            found.append(StatedQuality(each.file, pointer, None, tuple(values[:3]), backed, looked))
    if found:
        return tuple(found)
    for summary in summaries or ():
        inner = summary.record.object("eval") if isinstance(summary.record.raw("eval"), dict) else None
        stated = inner.raw("primary_metrics") if inner is not None else None
        values = list(_quality(stated)) if isinstance(stated, dict) else []
        if values:
            backed = rows or (losses and all(LOSSES.search(name) for name, _ in values))
            pointer = f"/eval/primary_metrics/{values[0][0]}"
            found.append(StatedQuality(summary.file, pointer, None, tuple(values[:3]), backed, looked))
    if found:
        return tuple(found)
    told = (
        _prose(file, source.text(file) or "", backed=rows, looked=looked) for file in source.run.of(*STATED_IN_PROSE)
    )
    return tuple(each for each in told if each is not None)


def _quality(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, stated in value.items():
        folded = str(name).lower()
        if isinstance(stated, bool) or not isinstance(stated, int | float):
            continue
        if QUALITY.search(folded) and not NOT_HELD_OUT.search(folded):
            yield str(name), f"{stated:.6g}"


def _per_sample(value: Mapping[str, Any]) -> bool:
    """Whether a metrics file carries one value for each sample itself."""
    return any(isinstance(value.get(key), list) and value[key] for key in ("losses", "examples"))


def _prose(file: RunFile, text: str, *, backed: bool, looked: str) -> StatedQuality | None:
    found = []
    line = None
    for match in REPORTED.finditer(text):
        name = re.sub(r"[ -]+", "_", match["name"].strip().lower())
        if QUALITY.search(name) and not NOT_HELD_OUT.search(name):
            line = line or text.count("\n", 0, match.start("name")) + 1
            found.append((match["name"].strip(), match["value"]))
    return StatedQuality(file, None, line, tuple(found[:3]), backed, looked) if found else None
