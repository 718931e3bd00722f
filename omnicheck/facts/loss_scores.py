"""Stated mean losses and position errors beside those of their single samples."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from omnicheck.facts.documents import RankMetrics
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.losses import LossRecords, PositionErrors
from omnicheck.facts.metric_keys import Measured
from omnicheck.facts.recomputed import Score
from omnicheck.facts.registry import fact
from omnicheck.facts.split_names import split_name
from omnicheck.measures.regression import mean_of, mean_of_shards

_LOSS = re.compile(r"(?:(?P<split>val|validation|test|eval)_)?(?:forward_dynamics_mse|mean_loss|loss)")
_POSITION = re.compile(r"(?:(?P<field>.+)_)?mpjpe")
_SUMMARY: dict[str, Callable[[list[float]], float | None]] = {"mean": mean_of, "min": min, "max": max}


class SampleScore(Score, frozen=True, kw_only=True):
    """A score of losses or positions, which no label gives."""


@fact(absent="no stated loss or position error with the samples behind it")
def sample_scores(
    evaluations: tuple[Evaluation, ...],
    records: tuple[LossRecords, ...] | None,
    ranks: tuple[RankMetrics, ...] | None,
    positions: tuple[PositionErrors, ...] | None,
) -> tuple[SampleScore, ...]:
    """Recompute every mean whose samples are there."""
    found: list[SampleScore] = []
    for each in evaluations:
        folder = each.metrics.file.folder
        found += _losses(
            each,
            [one for one in records or () if one.file.folder == folder],
            [one for one in ranks or () if one.file.folder == folder],
        )
        for one in positions or ():
            if each.predictions is not None and one.file == each.predictions.file:
                found += _positions(each, one)
    return tuple(found)


def _losses(
    evaluation: Evaluation, records: Sequence[LossRecords], ranks: Sequence[RankMetrics]
) -> Iterator[SampleScore]:
    record = evaluation.metrics.record
    own = record.raw("split") or record.raw("eval_split")
    split = split_name(own) if isinstance(own, str) else None
    for key, stated in record.value.items():
        match = _LOSS.fullmatch(key)
        if match is not None and _is_number(stated):
            wanted = split_name({"eval": "test"}.get(match["split"], match["split"])) if match["split"] else split
            values = _means(_shards(records, ranks, wanted), {each.scale for each in records})
            if values:
                yield _score(evaluation, key, stated, values)
    summary = record.raw("loss_summary")
    shards = _shards(records, ranks, split) or _own_losses(record.raw("losses"))
    if isinstance(summary, dict) and shards:
        flat = [loss for shard in shards for loss in shard]
        for name, formula in _SUMMARY.items():
            if _is_number(summary.get(name)):
                values = _means(shards, set()) if name == "mean" else {f"{name}@samples": float(formula(flat) or 0.0)}
                yield _score(evaluation, f"loss_summary/{name}", summary[name], values)


def _shards(records: Sequence[LossRecords], ranks: Sequence[RankMetrics], split: str | None) -> list[tuple[float, ...]]:
    """Return the losses by shard: those of the rank files where they list them, else those of the records."""
    by_rank = [
        shard
        for rank in ranks
        if split is None or _split_of(rank) in (split, None)
        for shard in _own_losses(rank.record.raw("losses"))
    ]
    whole = [losses for one in records for name, losses in one.losses.items() if split is None or name in (split, None)]
    total = sum(map(len, whole))
    return by_rank if by_rank and (not whole or sum(map(len, by_rank)) == total) else whole


def _own_losses(value: Any) -> list[tuple[float, ...]]:
    return [tuple(map(float, value))] if isinstance(value, list) and value and all(map(_is_number, value)) else []


def _split_of(rank: RankMetrics) -> str | None:
    stated = rank.record.raw("split") or rank.record.raw("eval_split")
    return split_name(stated) if isinstance(stated, str) else None


def _means(shards: list[tuple[float, ...]], scales: set[float | None]) -> dict[str, float]:
    """Return the means by name; where records name the scale of their losses, also without it and with it."""
    values = {name: value for name, value in mean_of_shards(shards).items() if math.isfinite(value)}
    (scale,) = scales if len(scales) == 1 else (None,)
    if scale is not None and scale not in (0.0, 1.0) and "mean@samples" in values:
        values["mean@unscaled"] = values["mean@samples"] / scale
        values["mean@scaled"] = values["mean@samples"] * scale
    return values


def _positions(evaluation: Evaluation, found: PositionErrors) -> Iterator[SampleScore]:
    for key, stated in evaluation.metrics.record.value.items():
        match = _POSITION.fullmatch(key)
        if match is None or not _is_number(stated):
            continue
        field = match["field"] if match["field"] in found.errors else None
        if field is None and len(found.errors) == 1:
            field = next(iter(found.errors))
        if field is None or field in found.unequal:
            continue
        rows = found.errors[field]
        points = sum(count for _, count in rows)
        values = {
            "mpjpe@joints": math.fsum(mean * count for mean, count in rows) / points,
            "mpjpe@rows": math.fsum(mean for mean, _ in rows) / len(rows),
        }
        yield _score(evaluation, key, stated, values)


def _score(evaluation: Evaluation, key: str, stated: float, values: dict[str, float]) -> SampleScore:
    return SampleScore(
        evaluation=evaluation, keys=(key,), measured=Measured("mean"), stated=float(stated), values=values
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
