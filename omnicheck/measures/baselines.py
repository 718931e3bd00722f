"""What the best constant predictor and pure chance score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from msgspec import Struct


class ConstantSet(Struct, frozen=True):
    """The best constant prediction of a set.

    Attributes:
        members: what is predicted for each row, sorted.
        score: its micro F1.
    """

    members: tuple[str, ...]
    score: float


def constant_accuracy(true: Sequence[str]) -> tuple[str, float] | None:
    """The label whose constant prediction is most accurate, and its accuracy; the first in sort order on a tie."""
    if not true:
        return None
    label, support = min(Counter(true).items(), key=lambda item: (-item[1], item[0]))
    return label, support / len(true)


def constant_macro_f1(true: Sequence[str], labels: Sequence[str]) -> tuple[str, float] | None:
    """The label whose constant prediction has the best macro F1 over ``labels``, and that score.

    Args:
        true: true label of each row.
        labels: the labels averaged over; only they are predicted.

    Returns:
        None without rows or labels; the first label in sort order on a tie.
    """
    counts, space = Counter(true), sorted(set(labels))
    if not true or not space:
        return None
    label = min(space, key=lambda one: (-counts[one], one))
    return label, 2 * counts[label] / (counts[label] + len(true)) / len(space)


def constant_balanced_accuracy(true: Sequence[str]) -> float | None:
    """Balanced accuracy of any constant prediction of a true label: one over their number."""
    classes = len(set(true))
    return 1 / classes if classes else None


def chance_accuracy(classes: int) -> float:
    """Expected accuracy of a uniform guess among ``classes``; 0.0 when there is none."""
    return 1 / classes if classes > 0 else 0.0


def stratified_accuracy(true: Sequence[str]) -> float | None:
    """Expected accuracy of a guess drawn from the label frequencies; None for no rows."""
    counts = Counter(true)
    return sum(count * count for count in counts.values()) / len(true) ** 2 if counts else None


def constant_set_f1(true: Sequence[Collection[str]]) -> ConstantSet | None:
    """The set whose constant prediction has the best micro F1; None when no row has a member.

    For a given size the most frequent members are best, so only as many sets as members are tried.
    """
    counts = Counter(member for row in true for member in set(row))
    support, hits = counts.total(), 0
    best: tuple[float, int] = (0.0, 0)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for size, (_, count) in enumerate(ranked, start=1):
        hits += count
        score = 2 * hits / (size * len(true) + support)
        if score > best[0]:
            best = (score, size)
    return ConstantSet(tuple(sorted(member for member, _ in ranked[: best[1]])), best[0]) if ranked else None
