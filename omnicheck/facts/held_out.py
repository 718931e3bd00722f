"""Held-out counts that a run claims, with the rows they could be derived from."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.documents import Metrics, RankMetrics, VerifiedSummary
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.ledger import inner
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.facts.row_counts import RowCounts
from omnicheck.model.run import RunFile


class HeldOutClaim(Struct, frozen=True):
    """A stated number of held-out episodes.

    Attributes:
        file: where it stands.
        pointer: JSON pointer in that file.
        value: how many episodes.
        source: the rows it should follow from; None when the run has none.
        rows: number of those rows.
        named: how many of them name their episode.
    """

    file: RunFile
    pointer: str
    value: int
    source: RunFile | None
    rows: int
    named: int


@fact(absent="no held-out episode count is stated")
def held_out_claims(
    evaluations: tuple[Evaluation, ...] | None,
    summaries: tuple[VerifiedSummary, ...] | None,
    losses: tuple[RowCounts, ...] | None,
    ranks: tuple[RankMetrics, ...] | None,
) -> tuple[HeldOutClaim, ...]:
    """Collect every claim; a package summary that repeats the count of its metrics is not a claim of its own."""
    claims = []
    for evaluation in evaluations or ():
        record = evaluation.metrics.record
        value = record.count("held_out_episode_count")
        if value is not None:
            source, rows, named = _rows(evaluation, losses or (), ranks or ())
            claims.append(
                HeldOutClaim(record.file, record.pointer("held_out_episode_count"), value, source, rows, named)
            )
    if claims:
        return tuple(claims)
    for summary in summaries or ():
        part = inner(summary.record, "eval")
        value = part.count("held_out_episode_count") if part else None
        if part is not None and value is not None:
            source, rows, named = _loose((evaluations or ()), losses or (), ranks or ())
            claims.append(HeldOutClaim(part.file, part.pointer("held_out_episode_count"), value, source, rows, named))
    return tuple(claims)


def _rows(
    evaluation: Evaluation, losses: tuple[RowCounts, ...], ranks: tuple[RankMetrics, ...]
) -> tuple[RunFile | None, int, int]:
    found = evaluation.predictions
    if found is not None:
        return found.file, len(found), sum(1 for episode in found.episodes if episode is not None)
    return _examples(evaluation.metrics.record, evaluation.metrics) or _loose((), losses, ranks)


def _loose(
    evaluations: tuple[Evaluation, ...], losses: tuple[RowCounts, ...], ranks: tuple[RankMetrics, ...]
) -> tuple[RunFile | None, int, int]:
    for evaluation in evaluations:
        return _rows(evaluation, losses, ranks)
    records = [each for each in losses if each.file.role == "loss_records"]
    per_rank = [found for each in ranks if (found := _examples(each.record, each)) is not None]
    if per_rank:
        return per_rank[0][0], sum(each[1] for each in per_rank), sum(each[2] for each in per_rank)
    if records:
        return records[0].file, records[0].rows, records[0].rows - records[0].without_episode
    return None, 0, 0


def _examples(record: Record, holder: Metrics | RankMetrics) -> tuple[RunFile | None, int, int] | None:
    """Return the examples that a metrics file carries, when it carries one for each sample."""
    found = record.raw("examples")
    if not isinstance(found, list) or len(found) != record.count("num_samples"):
        return None
    keys = record.names("episode")
    named = sum(1 for item in found if isinstance(item, dict) and any(item.get(key) is not None for key in keys))
    return holder.file, len(found), named
