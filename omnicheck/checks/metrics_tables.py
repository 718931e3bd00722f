"""MET: confusion matrices and per-class tables against the predictions; numbers outside of what they may be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.numbers import counted, shown
from omnicheck.facts.all_scores import ScoreTables
from omnicheck.facts.documents import Metrics
from omnicheck.facts.score_tables import ClassTable, ConfusionTable
from omnicheck.facts.temporal_tables import TemporalTable
from omnicheck.measures.agreement import agrees
from omnicheck.measures.classification import class_rows
from omnicheck.model.finding import Finding

FEW = 3


@check("metrics_tables.confusion")
def confusion_mismatch(tables: ScoreTables) -> Iterator[Finding]:
    """Yield a finding for each matrix or table that is not the one of the predictions."""
    for matrix in tables.matrices:
        wrong = [] if matrix.malformed else _cells(matrix)
        if matrix.malformed or wrong:
            differ = f"{counted(len(wrong), 'difference')} from the predictions: {'; '.join(wrong[:FEW])}"
            yield Finding(
                path=matrix.file.path,
                message=differ if matrix.malformed is None else f"the matrix is malformed: {matrix.malformed}",
                expected=f"{matrix.actual.rows:,} rows, {matrix.actual.correct:,} on the diagonal",
                actual=f"{shown(sum(matrix.cells.values()))} rows, "
                f"{shown(sum(count for (true, given), count in matrix.cells.items() if true == given))} on the "
                "diagonal",
                key="confusion",
            )
    told = [(table.file, _rows(table)) for table in tables.classes]
    told += [(each.file, _episodes(each)) for each in tables.temporal]
    for file, wrong in told:
        if wrong:
            yield Finding(
                path=file.path,
                message=f"{counted(len(wrong), 'difference')} from the predictions: {'; '.join(wrong[:FEW])}",
                key="table",
            )


def _cells(matrix: ConfusionTable) -> list[str]:
    known = set(matrix.labels)
    counts = matrix.actual.counts
    # A row without a prediction has no column, and an answer outside of the matrix's labels may be left out of it.
    pairs = {pair for pair in counts if pair[0] in known and pair[1] in known} | set(matrix.cells)
    wrong = [pair for pair in sorted(pairs) if matrix.cells.get(pair, 0) != counts.get(pair, 0)]
    said = [
        f"{true!r} answered as {given!r} {shown(matrix.cells.get((true, given), 0))} times, "
        f"the predictions have {counts.get((true, given), 0):,}"
        for true, given in wrong
    ]
    unknown = sorted({true for true, _ in counts if true not in known})
    return said + [f"the label {label!r} is missing" for label in unknown]


def _rows(table: ClassTable) -> list[str]:
    wrong = []
    actual = {row.label: row for row in class_rows(table.actual, sorted(set(table.rows) | set(table.actual.truth)))}
    for label, row in sorted(actual.items()):
        stated = table.rows.get(label)
        if stated is None:
            wrong.append(f"{label!r} is missing")
            continue
        for column, value in stated.items():
            right = float(getattr(row, column))
            if not agrees(value, right):
                wrong.append(f"{column} of {label!r} is {shown(value)}, the predictions give {shown(right)}")
    return wrong


def _episodes(table: TemporalTable) -> list[str]:
    wrong = []
    for episode in sorted(set(table.rows) | set(table.actual)):
        stated, actual = table.rows.get(episode), table.actual.get(episode)
        if stated is None or actual is None:
            wrong.append(f"episode {episode} {'is missing' if stated is None else 'has no predictions'}")
            continue
        for column, value in stated.items():
            right = getattr(actual, column)
            if right is not None and not agrees(value, float(right)):
                wrong.append(f"{column} of {episode} is {shown(value)}, the predictions give {shown(float(right))}")
    return wrong


_SHARE = re.compile(
    r"(?:.*_)?(?:accuracy|acc|f1|precision|recall|mrr|auc|auroc|iou|rate|fraction|share|temporal_consistency)"
    r"(?:_at_\d+|_score)?|(?:.*_)?recall_at_\d+"
)
_SIGNED = re.compile(r"(?:.*_)?(?:correlation|corr|mcc|kappa|cos_sim|cosine_similarity)")
_POSITIVE = re.compile(r"(?:.*_)?(?:mse|rmse|mae|mpjpe|error|perplexity)")
_AT_MOST_ONE = re.compile(r"(?:.*_)?r2(?:_score)?")
_NOT_SHARES = re.compile(r"(?:.*_)?(?:learning|sample|frame|bit|dropout|update)_?rate|.*(?:delta|gain|change|diff).*")
_PERCENT_NAME = re.compile(r".*(?:percent|pct).*")
_WORDS = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity"})


class Ranges(Struct, frozen=True, forbid_unknown_fields=True):
    """Keys that may have any value."""

    free: tuple[str, ...] = ()


@check("metrics_tables.out_of_range")
def out_of_range(metrics: tuple[Metrics, ...], params: Ranges) -> Iterator[Finding]:
    """Yield a finding for each metric that cannot have the value that is stated."""
    for each in metrics:
        value = each.record.value
        percent = _in_percent(value)
        for key, stated in value.items():
            wanted = None if key in params.free else _violated(key, stated, percent=percent)
            if wanted is not None:
                yield Finding(
                    path=each.file.path,
                    pointer=each.record.pointer(key),
                    message=f"{key} is {stated if isinstance(stated, str) else shown(stated)}, which no such metric "
                    "can "
                    f"be: {wanted}",
                    expected=wanted,
                    actual=stated,
                    key=key,
                )


def _in_percent(value: Any) -> bool:
    """Whether the shares of a file are percentages: two of them at least exceed 1, and none lies within 0 and 1."""
    shares = [
        stated
        for key, stated in value.items()
        if isinstance(stated, int | float) and not isinstance(stated, bool) and _is_share(key)
    ]
    return sum(share > 1 for share in shares) > 1 and not any(0 < share < 1 for share in shares)


def _is_share(key: str) -> bool:
    return _SHARE.fullmatch(key) is not None and _NOT_SHARES.fullmatch(key) is None


def _violated(key: str, stated: Any, *, percent: bool) -> str | None:
    kinds = (_SHARE, _SIGNED, _POSITIVE, _AT_MOST_ONE)
    if isinstance(stated, str):
        known = any(kind.fullmatch(key) for kind in kinds) or key.endswith("loss")
        return "a finite number" if known and stated.strip().lower() in _WORDS else None
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not math.isfinite(stated):
        return None
    if _is_share(key):
        top = 100 if percent or _PERCENT_NAME.fullmatch(key) else 1
        return None if 0 <= stated <= top else f"from 0 to {top}"
    if _SIGNED.fullmatch(key):
        return None if -1 <= stated <= 1 else "from -1 to 1"
    if _AT_MOST_ONE.fullmatch(key):
        return None if stated <= 1 else "at most 1"
    if _POSITIVE.fullmatch(key) and _NOT_SHARES.fullmatch(key) is None:
        return None if stated >= 0 else "at least 0"
    return None
