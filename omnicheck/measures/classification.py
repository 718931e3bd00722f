"""Accuracy, F1 and per-class tables from confusion counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import fsum
from typing import Literal

from msgspec import Struct

Average = Literal["macro", "micro", "weighted"]


class ClassRow(Struct, frozen=True):
    """How one class fared.

    Attributes:
        label: the class.
        support: rows whose truth is the class.
        predicted: rows predicted as the class.
        true_positive: rows that are both.
        precision: true positives over predicted, 0.0 when nothing was predicted.
        recall: true positives over support, 0.0 without support.
        f1: twice the true positives over support plus predicted, 0.0 when both are zero.
    """

    label: str
    support: int
    predicted: int
    true_positive: int
    precision: float
    recall: float
    f1: float


class Confusion(Struct, frozen=True):
    """Rows counted by truth and prediction.

    Attributes:
        counts: number of rows by (true label, predicted label); pairs that never occur are absent.
    """

    counts: dict[tuple[str, str], int]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.counts.values())

    @property
    def correct(self) -> int:
        """Number of rows whose prediction is the truth."""
        return sum(count for (true, predicted), count in self.counts.items() if true == predicted)

    @property
    def truth(self) -> tuple[str, ...]:
        """Labels that occur as truth, sorted."""
        return tuple(sorted({true for true, _ in self.counts}))

    @property
    def predicted(self) -> tuple[str, ...]:
        """Labels that occur as prediction, sorted."""
        return tuple(sorted({predicted for _, predicted in self.counts}))

    @property
    def union(self) -> tuple[str, ...]:
        """Labels that occur as truth or prediction, sorted."""
        return tuple(sorted({label for pair in self.counts for label in pair}))


def confusion(true: Sequence[str], predicted: Sequence[str]) -> Confusion:
    """Count rows by truth and prediction.

    Raises:
        ValueError: the sequences differ in length.
    """
    return Confusion(dict(Counter(zip(true, predicted, strict=True))))


def merged(parts: Iterable[Confusion]) -> Confusion:
    """Add up the confusion counts of several shards."""
    total: Counter[tuple[str, str]] = Counter()
    for part in parts:
        total.update(part.counts)
    return Confusion(dict(total))


def accuracy(true: Sequence[str], predicted: Sequence[str]) -> float | None:
    """Share of rows whose prediction is the truth; None for no rows."""
    return accuracy_of(confusion(true, predicted))


def balanced_accuracy(true: Sequence[str], predicted: Sequence[str]) -> float | None:
    """Mean recall over the labels that occur as truth; None for no rows."""
    table = confusion(true, predicted)
    return mean_recall(table, table.truth)


def per_class(true: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> list[ClassRow]:
    """Return one row per label, in the order given; a division by zero gives 0.0."""
    return class_rows(confusion(true, predicted), labels)


def f1_average(
    true: Sequence[str], predicted: Sequence[str], *, average: Average, labels: Sequence[str]
) -> float | None:
    """Average the F1 of ``labels``; None without rows or labels.

    Args:
        true: true label of each row.
        predicted: predicted label of each row.
        average: ``macro`` (each label counts the same), ``micro`` (from summed counts) or ``weighted`` (by support).
        labels: the labels averaged over; a repeated label counts once.
    """
    return f1_of(confusion(true, predicted), average=average, labels=labels)


def accuracy_of(table: Confusion) -> float | None:
    """Share of the counted rows whose prediction is the truth; None for no rows."""
    return table.correct / table.rows if table.counts else None


def mean_recall(table: Confusion, labels: Sequence[str]) -> float | None:
    """Mean recall over ``labels``, 0.0 for a label without support; None without rows or labels."""
    rows = class_rows(table, tuple(dict.fromkeys(labels)))
    return fsum(row.recall for row in rows) / len(rows) if rows and table.counts else None


def class_rows(table: Confusion, labels: Sequence[str]) -> list[ClassRow]:
    """Return one row per label of already counted rows, in the order given."""
    support: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    for (true, guess), count in table.counts.items():
        support[true] += count
        predicted[guess] += count
    return [
        _class_row(label, support[label], predicted[label], table.counts.get((label, label), 0)) for label in labels
    ]


def f1_of(table: Confusion, *, average: Average, labels: Sequence[str]) -> float | None:
    """Average the F1 of ``labels`` over already counted rows; see `f1_average`."""
    rows = class_rows(table, tuple(dict.fromkeys(labels)))
    if not rows or not table.counts:
        return None
    if average == "macro":
        return fsum(row.f1 for row in rows) / len(rows)
    support = sum(row.support for row in rows)
    if average == "weighted":
        return fsum(row.f1 * row.support for row in rows) / support if support else 0.0
    whole = support + sum(row.predicted for row in rows)
    return 2 * sum(row.true_positive for row in rows) / whole if whole else 0.0


def _class_row(label: str, support: int, predicted: int, true_positive: int) -> ClassRow:
    return ClassRow(
        label=label,
        support=support,
        predicted=predicted,
        true_positive=true_positive,
        precision=true_positive / predicted if predicted else 0.0,
        recall=true_positive / support if support else 0.0,
        f1=2 * true_positive / (support + predicted) if support + predicted else 0.0,
    )
