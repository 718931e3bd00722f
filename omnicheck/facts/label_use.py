"""Which labels rows of each split carry, and which options they are asked to choose from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.registry import fold
from omnicheck.facts.split_names import split_name, split_of_file
from omnicheck.model.run import RunFile

OPTION_KEYS = ("action_options", "label_options")
LABEL_KEYS = ("true_label", "label", "answer_json", "supervision")
MAX_LABELS = 200_000


class LabelUse(Struct, frozen=True):
    """Main labels of one file of rows.

    Attributes:
        file: the file.
        evaluated: whether the rows are predictions.
        by_split: rows by (split, label); split None where rows name none.
        unseen: rows by label, of those that say their label is in no training row (``true_label_seen_in_train`` 0).
        flagged: rows that carry that statement.
        rows: rows with a label.
        options: key of the options in the first row that has some, and the options; None when no row has any.
    """

    file: RunFile
    evaluated: bool
    by_split: dict[tuple[str | None, str], int]
    unseen: dict[str, int]
    flagged: int
    rows: int
    options: tuple[str, frozenset[str]] | None


@fold(LabelUse, absent="no rows with labels")
class LabelUseFold:
    """Counts main labels by split."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows", "window_index", "predictions", "predictions_table")
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._evaluated = self._file.role not in ("dataset_rows", "window_index")
        self._told = split_of_file(self._file.base)
        self._labels: Counter[tuple[str | None, str]] = Counter()
        self._unseen: Counter[str] = Counter()
        self._flagged = 0
        self._options: tuple[str, frozenset[str]] | None = None

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - labels are counted, not placed
        """Take rows."""
        alike = len(set(map(len, rows))) == 1
        if (alike and rows[0].keys().isdisjoint(LABEL_KEYS)) or len(self._labels) > MAX_LABELS:
            return
        if self._options is None:
            self._options = next((found for row in rows if (found := _options(row)) is not None), None)
        for row in rows:
            label = _label(row)
            if label is None:
                continue
            split = row.get("split")
            self._labels[(split_name(split) if isinstance(split, str) else self._told, label)] += 1
            seen = row.get("true_label_seen_in_train")
            if seen is not None:
                self._flagged += 1
                if str(seen).strip().lower() in ("0", "false", "0.0"):
                    self._unseen[label] += 1

    def merge(self, other: LabelUseFold) -> None:
        """Add what the later part held."""
        self._labels.update(other._labels)
        self._unseen.update(other._unseen)
        self._flagged += other._flagged
        self._options = self._options or other._options

    def fact(self) -> LabelUse | None:
        """Return the counts; None for a file without labels."""
        if not self._labels:
            return None
        return LabelUse(
            self._file,
            self._evaluated,
            dict(self._labels),
            dict(self._unseen),
            self._flagged,
            sum(self._labels.values()),
            self._options,
        )


def _options(row: Mapping[str, Any]) -> tuple[str, frozenset[str]] | None:
    for key in OPTION_KEYS:
        found = row.get(key)
        if isinstance(found, list) and found:
            return key, frozenset(item for item in found if isinstance(item, str))
    return None


def _label(row: Mapping[str, Any]) -> str | None:
    for key in ("true_label", "label"):
        if isinstance(row.get(key), str):
            return str(row[key]) or None
    for key in ("answer_json", "supervision"):
        answer = row.get(key)
        if isinstance(answer, dict) and isinstance(answer.get("action"), str):
            return str(answer["action"]) or None
    return None
