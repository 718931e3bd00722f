"""F1 of predicted sets, such as the objects seen in a window."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import fsum

from msgspec import Struct

Sets = Sequence[Collection[str]]


class SetCounts(Struct, frozen=True):
    """Members counted over all rows.

    Attributes:
        true_positive: members both true and predicted.
        predicted: members predicted.
        support: members true.
    """

    true_positive: int
    predicted: int
    support: int

    @property
    def f1(self) -> float | None:
        """Micro F1; None when no row has a true or a predicted member."""
        whole = self.predicted + self.support
        return 2 * self.true_positive / whole if whole else None


def set_counts(true: Sets, predicted: Sets, *, casefold: bool = False) -> SetCounts:
    """Count the members of true and predicted sets.

    Args:
        true: the true members of each row; repeats within a row count once.
        predicted: the predicted members of each row.
        casefold: compare members without case and surrounding space.

    Raises:
        ValueError: the sequences differ in length.
    """
    hit = guessed = support = 0
    for wanted, given in zip(true, predicted, strict=True):
        left, right = _members(wanted, casefold=casefold), _members(given, casefold=casefold)
        hit += len(left & right)
        guessed += len(right)
        support += len(left)
    return SetCounts(hit, guessed, support)


def set_micro_f1(true: Sets, predicted: Sets, *, casefold: bool = False) -> float | None:
    """F1 of the membership counts summed over all rows; None when nothing is true or predicted."""
    return set_counts(true, predicted, casefold=casefold).f1


def set_sample_f1(true: Sets, predicted: Sets) -> float | None:
    """Mean over rows of the F1 of each row's set, 0.0 for a row where both are empty; None for no rows."""
    scores = [set_micro_f1([wanted], [given]) or 0.0 for wanted, given in zip(true, predicted, strict=True)]
    return fsum(scores) / len(scores) if scores else None


def evaluate_sets(true: Sets, predicted: Sets, *, metric: str = "object_micro_f1") -> dict[str, float]:
    """Value of each definition of a set F1, by name.

    ``@exact`` compares members as they stand, ``@casefold`` without case and surrounding space,
    ``@samples`` averages the F1 of the rows. Each has a percent twin ``*100``.
    """
    values = {
        f"{metric}@exact": set_micro_f1(true, predicted),
        f"{metric}@casefold": set_micro_f1(true, predicted, casefold=True),
        f"{metric}@samples": set_sample_f1(true, predicted),
    }
    plain = {name: value for name, value in values.items() if value is not None}
    return plain | {f"{name}*100": value * 100 for name, value in plain.items()}


def _members(values: Collection[str], *, casefold: bool) -> set[str]:
    return {value.strip().casefold() for value in values} if casefold else set(values)
