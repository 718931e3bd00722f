"""Metrics of merged rows, counted row by row, each under a named definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from omnicheck.facts.aliases import ALIASES
from omnicheck.measures.classification import Confusion
from omnicheck.measures.definitions import evaluate_counts
from omnicheck.measures.sets import set_counts

LABELS = {
    "subtask": "subtask_accuracy",
    "transition": "transition_accuracy",
    "next_action": "next_action_accuracy",
    "contact": "contact_accuracy",
}
"""Fields of an answer with one value, and the metric of each; further fields get ``<field>_accuracy``."""

SETS = {"objects": "object_micro_f1"}
MAIN = "action"


class Counts:
    """What the metrics are computed from; keeps counts, no rows.

    Args:
        trained: labels of the training split, or None when they are not known.
    """

    def __init__(self, trained: frozenset[str] | None) -> None:
        self._trained = trained
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._fields: dict[str, Counter[tuple[str, str]]] = {}
        self._sets: dict[str, list[int]] = {}
        self._answers = self._complete = 0
        self.rows = 0

    def add(self, row: Mapping[str, Any], label: str | None) -> None:
        """Count a row; ``label`` is the dataset's, and the row's own stands in where the dataset has none."""
        self.rows += 1
        true = label if label is not None else _first(row, "true_label")
        if isinstance(true, str):
            predicted = _first(row, "predicted_label")
            self._pairs[true, predicted if isinstance(predicted, str) else ""] += 1
        truth, answer = _first(row, "true_answer"), _first(row, "predicted_answer")
        if any(key in row for key in ALIASES["predicted_answer"]) and isinstance(truth, dict):
            given = answer if isinstance(answer, dict) else {}
            self._answers += 1
            self._complete += truth.keys() <= given.keys() and bool(given)
            for name, value in truth.items():
                self._field(name, value, given.get(name))

    def _field(self, name: str, true: Any, predicted: Any) -> None:
        if isinstance(true, str):
            pair = (true, predicted if isinstance(predicted, str) else "")
            self._fields.setdefault(name, Counter())[pair] += 1
        elif isinstance(true, list):
            found = set_counts([_members(true)], [_members(predicted)])
            totals = self._sets.setdefault(name, [0, 0])
            totals[0] += 2 * found.true_positive
            totals[1] += found.predicted + found.support

    @property
    def labelled(self) -> Confusion:
        """Rows by true and predicted label."""
        return Confusion(dict(self._pairs))

    def metrics(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the metrics by name, and the name of the definition of each."""
        values: dict[str, Any] = {}
        definitions: dict[str, str] = {}

        def put(name: str, table: Confusion, definition: str) -> None:
            found = evaluate_counts(definition.partition("@")[0], table, None).get(definition)
            if found is not None:
                values[name], definitions[name] = found, definition

        table = self.labelled
        put("accuracy", table, "accuracy@all")
        put("balanced_accuracy", table, "balanced_accuracy@truth")
        put("macro_f1", table, "macro_f1@union")
        put("weighted_f1", table, "weighted_f1@union")
        if self._trained is not None and table.counts:
            seen = Confusion({pair: n for pair, n in table.counts.items() if pair[0] in self._trained})
            unseen = Confusion({pair: n for pair, n in table.counts.items() if pair[0] not in self._trained})
            values["unseen_eval_labels"] = list(unseen.truth)
            values["num_unseen_label_samples"] = unseen.rows
            put("seen_label_accuracy", seen, "accuracy@all")
            put("unseen_label_accuracy", unseen, "accuracy@all")
        if self._answers:
            values["json_validity_rate"] = self._complete / self._answers
            definitions["json_validity_rate"] = "json_validity@keys"
        if MAIN in self._fields and "macro_f1" in values:
            put("action_macro_f1", Confusion(dict(self._fields[MAIN])), "macro_f1@union")
        for name, pairs in self._fields.items():
            if name != MAIN:
                put(LABELS.get(name, f"{name}_accuracy"), Confusion(dict(pairs)), "accuracy@known")
        for name, (twice, whole) in self._sets.items():
            metric = SETS.get(name, f"{name}_micro_f1")
            if whole:
                values[metric], definitions[metric] = twice / whole, f"{metric}@exact"
        return values, definitions


def _members(value: Any) -> list[str]:
    items = value if isinstance(value, list) else []
    return [item if isinstance(item, str) else repr(item) for item in items]


def _first(row: Mapping[str, Any], name: str) -> Any:
    return next((row[key] for key in ALIASES[name] if key in row), None)
