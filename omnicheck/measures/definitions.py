"""Named definitions of the classification metrics that have more than one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from omnicheck.measures.agreement import PERCENT, agrees, matching
from omnicheck.measures.classification import (
    Average,
    Confusion,
    accuracy_of,
    class_rows,
    confusion,
    f1_of,
    mean_recall,
)

__all__ = [
    "DEFINITIONS",
    "UNKNOWN",
    "Definition",
    "agrees",
    "definition",
    "definitions_of",
    "evaluate_all",
    "evaluate_counts",
    "matching",
]

UNKNOWN = frozenset({"", "unknown"})
"""Labels that say nothing, compared without case and surrounding space."""

LabelSpace = tuple[str, ...] | None


class Definition(Struct, frozen=True):
    """One way to compute a metric.

    Attributes:
        name: metric and variant, ``macro_f1@truth``; a percent twin ends in ``*100``.
        metric: base name, ``macro_f1``.
        meaning: one sentence.
        formula: from confusion counts and label space to the value; None when it is not defined for them.
        scale: 1.0, or 100.0 for a percent twin.
    """

    name: str
    metric: str
    meaning: str
    formula: Callable[[Confusion, LabelSpace], float | None]
    scale: float = 1.0

    def value(self, table: Confusion, label_space: Sequence[str] | None = None) -> float | None:
        """Evaluate it on counted rows; None when there are no rows, or no label space where one is needed."""
        space = None if label_space is None else tuple(dict.fromkeys(label_space))
        found = self.formula(table, space)
        return None if found is None else found * self.scale


def definitions_of(metric: str) -> tuple[Definition, ...]:
    """The definitions of a base metric, the usual one first, percent twins last; empty for an unknown metric."""
    return tuple(found for found in DEFINITIONS.values() if found.metric == metric)


def definition(name: str) -> Definition | None:
    """The definition of that name, or None."""
    return DEFINITIONS.get(name)


def evaluate_all(
    metric: str, true: Sequence[str], predicted: Sequence[str], label_space: Sequence[str] | None
) -> dict[str, float]:
    """Value of each definition of a metric that is defined for these rows, by name.

    Args:
        metric: base name: ``accuracy``, ``balanced_accuracy``, ``macro_f1``, ``micro_f1`` or ``weighted_f1``.
        true: true label of each row.
        predicted: predicted label of each row.
        label_space: the labels that the run declares, or None.
    """
    return evaluate_counts(metric, confusion(true, predicted), label_space)


def evaluate_counts(metric: str, table: Confusion, label_space: Sequence[str] | None) -> dict[str, float]:
    """`evaluate_all` for rows that are already counted."""
    values: dict[str, float] = {}
    for found in definitions_of(metric):
        plain = values.get(found.name.removesuffix(PERCENT))
        value = found.value(table, label_space) if plain is None else plain * found.scale
        if value is not None:
            values[found.name] = value
    return values


def _says_nothing(label: str) -> bool:
    return label.strip().casefold() in UNKNOWN


def _known(table: Confusion) -> Confusion:
    return Confusion({pair: count for pair, count in table.counts.items() if not _says_nothing(pair[0])})


def _answered(table: Confusion) -> Confusion:
    return Confusion({pair: count for pair, count in table.counts.items() if not _says_nothing(pair[1])})


def _folded(table: Confusion) -> Confusion:
    counts: dict[tuple[str, str], int] = {}
    for (true, predicted), count in table.counts.items():
        pair = (true.strip().casefold(), predicted.strip().casefold())
        counts[pair] = counts.get(pair, 0) + count
    return Confusion(counts)


def _labels(scope: str, table: Confusion, space: LabelSpace) -> Sequence[str]:
    declared = space or ()
    return {
        "truth": table.truth,
        "predicted": table.predicted,
        "union": table.union,
        "label_space": declared,
        "seen": tuple(sorted(set(declared) & set(table.truth))),
    }[scope]


def _f1(average: Average, scope: str, *, known: bool = False) -> Callable[[Confusion, LabelSpace], float | None]:
    def formula(table: Confusion, space: LabelSpace) -> float | None:
        rows = _known(table) if known else table
        return f1_of(rows, average=average, labels=_labels(scope, rows, space))

    return formula


def _recall(scope: str) -> Callable[[Confusion, LabelSpace], float | None]:
    return lambda table, space: mean_recall(table, _labels(scope, table, space))


def _adjusted_recall(table: Confusion, _: LabelSpace) -> float | None:
    found, classes = mean_recall(table, table.truth), len(table.truth)
    return (found - 1 / classes) / (1 - 1 / classes) if found is not None and classes > 1 else None


def _empty_as_one(table: Confusion, space: LabelSpace) -> float | None:
    found = f1_of(table, average="macro", labels=space or ())
    if found is None or not space:
        return None
    return found + len(set(space).difference(table.union)) / len(space)


def _of_means(scope: str) -> Callable[[Confusion, LabelSpace], float | None]:
    def formula(table: Confusion, space: LabelSpace) -> float | None:
        rows = class_rows(table, _labels(scope, table, space))
        precision, recall = sum(row.precision for row in rows), sum(row.recall for row in rows)
        if not rows:
            return None
        return 2 * precision * recall / (precision + recall) / len(rows) if precision + recall else 0.0

    return formula


_SCOPES = {
    "truth": "the labels that occur as truth",
    "union": "the labels that occur as truth or prediction",
    "label_space": "every label of the declared label space, whether it occurs or not",
    "predicted": "the labels that occur as prediction",
    "seen": "the declared labels that occur as truth",
}


def _plain() -> list[Definition]:
    """The definitions without their percent twins; in each metric the usual one (that of scikit-learn) comes first."""
    found = [
        Definition(
            "accuracy@all",
            "accuracy",
            "Share of all rows whose prediction is the truth.",
            lambda table, _: accuracy_of(table),
        ),
        Definition(
            "accuracy@known",
            "accuracy",
            "Accuracy over the rows whose truth is neither empty nor `unknown`.",
            lambda table, _: accuracy_of(_known(table)),
        ),
        Definition(
            "accuracy@answered",
            "accuracy",
            "Accuracy over the rows whose prediction is neither empty nor `unknown`.",
            lambda table, _: accuracy_of(_answered(table)),
        ),
        Definition(
            "accuracy@casefold",
            "accuracy",
            "Accuracy over all rows, labels compared without case and surrounding space.",
            lambda table, _: accuracy_of(_folded(table)),
        ),
        Definition(
            "balanced_accuracy@truth", "balanced_accuracy", f"Mean recall over {_SCOPES['truth']}.", _recall("truth")
        ),
        Definition(
            "balanced_accuracy@union",
            "balanced_accuracy",
            f"Mean recall over {_SCOPES['union']}; 0 without support.",
            _recall("union"),
        ),
        Definition(
            "balanced_accuracy@label_space",
            "balanced_accuracy",
            f"Mean recall over {_SCOPES['label_space']}; 0 without support.",
            _recall("label_space"),
        ),
        Definition(
            "balanced_accuracy@adjusted",
            "balanced_accuracy",
            "Mean recall over the labels of the truth, rescaled so that chance is 0.",
            _adjusted_recall,
        ),
    ]
    averages: dict[Average, tuple[str, ...]] = {
        "macro": ("union", "truth", "label_space", "predicted", "seen"),
        "micro": ("union", "truth", "label_space", "predicted"),
        "weighted": ("union", "label_space", "predicted"),
    }
    words = {
        "macro": "Unweighted mean of the F1 of",
        "micro": "F1 of the counts summed over",
        "weighted": "Mean, weighted by support, of the F1 of",
    }
    for average, scopes in averages.items():
        metric = f"{average}_f1"
        found += [
            Definition(f"{metric}@{scope}", metric, f"{words[average]} {_SCOPES[scope]}.", _f1(average, scope))
            for scope in scopes
        ]
        known = f"{words[average]} {_SCOPES['union']}, over the rows whose truth is neither empty nor `unknown`."
        found.append(Definition(f"{metric}@known", metric, known, _f1(average, "union", known=True)))
    found += [
        Definition(
            "macro_f1@label_space_empty_as_one",
            "macro_f1",
            "Unweighted mean of the F1 of every declared label, a label that occurs nowhere counting 1.",
            _empty_as_one,
        ),
        Definition(
            "macro_f1@means_union",
            "macro_f1",
            f"Harmonic mean of mean precision and mean recall over {_SCOPES['union']}.",
            _of_means("union"),
        ),
        Definition(
            "macro_f1@means_truth",
            "macro_f1",
            f"Harmonic mean of mean precision and mean recall over {_SCOPES['truth']}.",
            _of_means("truth"),
        ),
    ]
    return found


def _registry() -> dict[str, Definition]:
    plain = _plain()
    twins = [
        Definition(
            f"{one.name}{PERCENT}", one.metric, f"{one.meaning.removesuffix('.')}, in percent.", one.formula, 100.0
        )
        for one in plain
    ]
    return {one.name: one for one in (*plain, *twins)}


DEFINITIONS: dict[str, Definition] = _registry()
"""Every definition by name."""
