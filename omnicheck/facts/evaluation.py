"""An evaluation: the metrics of a run with the predictions, tables and report that belong to them."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.documents import Metrics
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class Evaluation(Struct, frozen=True):
    """Files of one evaluation, grouped by directory and tag (``metrics_eval.json`` with ``predictions_eval.jsonl``).

    Attributes:
        metrics: the stated metrics.
        predictions: the rows behind them, JSONL before CSV; None when there are none.
        table: the CSV twin of the predictions, when both are there.
        per_class: per-class table.
        confusion: confusion matrix.
        report: report in prose.
    """

    metrics: Metrics
    predictions: Predictions | None
    table: Predictions | None
    per_class: RunFile | None
    confusion: RunFile | None
    report: RunFile | None

    @property
    def label_space(self) -> tuple[str, ...] | None:
        """The labels that the metrics file lists, or None."""
        return self.metrics.record.strings("labels") if self.metrics.record.has("labels") else None


@fact(absent="no metrics")
def evaluations(
    source: Source, metrics: tuple[Metrics, ...], predictions: tuple[Predictions, ...]
) -> tuple[Evaluation, ...]:
    """Group the files of each evaluation."""
    rows = [each for each in predictions if each.file.role not in ("predictions_table", "shard_predictions")]
    tables = [each for each in predictions if each.file.role == "predictions_table"]
    found = []
    for each in metrics:
        own, table = _match(each, rows), _match(each, tables)
        found.append(
            Evaluation(
                metrics=each,
                predictions=own or table,
                table=table if own else None,
                per_class=_file(source, each.file, "per_class"),
                confusion=_file(source, each.file, "confusion"),
                report=_file(source, each.file, "report"),
            )
        )
    return tuple(found)


def _match(metrics: Metrics, candidates: list[Predictions]) -> Predictions | None:
    near = [each for each in candidates if each.file.folder == metrics.file.folder]
    exact = [each for each in near if each.file.tag == metrics.file.tag]
    if exact:
        return exact[0]
    if len(near) == 1 and (not metrics.file.tag or not near[0].file.tag):
        stated = metrics.record.count("num_samples")
        return near[0] if stated is None or stated == len(near[0]) else None
    return None


def _file(source: Source, metrics: RunFile, role: str) -> RunFile | None:
    near = [file for file in source.run.of(role) if file.folder == metrics.folder]
    exact = [file for file in near if file.tag == metrics.tag]
    if exact:
        return exact[0]
    return near[0] if len(near) == 1 and (not metrics.tag or not near[0].tag) else None
