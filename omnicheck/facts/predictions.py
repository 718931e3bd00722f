"""Predictions as columns: ids, labels, answers by field, windows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile
from omnicheck.readers.literal import parse_literal

FRAME = re.compile(r"-?[0-9]+")
FRAME_DIGITS = 20

Value = Any
"""A label, a tuple of labels (a set answer), or None where the row has none."""


class Predictions(Struct, frozen=True):
    """The rows of one prediction file, column by column; all columns have ``len(ids)`` entries.

    Attributes:
        file: the file.
        ids: as text; None where a row has none.
        lines: 1-based line (JSONL) or data row (CSV).
        episodes: as stated, or None.
        splits: as stated, or None.
        true_labels: main label, or None.
        predicted_labels: main label, or None.
        correct: 0 or 1 as stated, or None.
        windows: (start frame, end frame inclusive), or None.
        fields: answer field to (truth column, prediction column): the keys of ``true_json``/``pred_json``, and
            of pairs ``true_x``/``pred_x``. Lists are tuples.
        parsed: whether the row carries a parsed answer (``pred_json``); None where rows have no such key.
        columns: keys seen in any row.
        seen: whether the true label occurs among the training labels, as stated, or None.
        ranks: rank of the true candidate of a retrieval, or None.
        errors: reconstruction error, or None.
        targets: (id of the true, id of the retrieved record), or None.
    """

    file: RunFile
    ids: tuple[str | None, ...]
    lines: tuple[int, ...]
    episodes: tuple[str | None, ...]
    splits: tuple[str | None, ...]
    true_labels: tuple[str | None, ...]
    predicted_labels: tuple[str | None, ...]
    correct: tuple[int | None, ...]
    windows: tuple[tuple[int, int] | None, ...]
    fields: dict[str, tuple[tuple[Value, ...], tuple[Value, ...]]]
    parsed: tuple[bool | None, ...]
    columns: frozenset[str]
    seen: tuple[int | None, ...] = ()
    ranks: tuple[int | None, ...] = ()
    errors: tuple[float | None, ...] = ()
    targets: tuple[tuple[str, str] | None, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)


@fold(Predictions, absent="no predictions")
class PredictionFold:
    """Collects the columns of a prediction file."""

    roles: ClassVar[tuple[str, ...]] = (
        "predictions",
        "future_predictions",
        "policy_predictions",
        "shard_predictions",
        "predictions_table",
    )
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._rows: list[tuple[Any, ...]] = []
        self._fields: dict[str, tuple[list[Value], list[Value]]] = {}
        self._columns: set[str] = set()
        self._interned: dict[Any, Any] = {}

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take rows."""
        for line, row in enumerate(rows, first):
            self._columns.update(row)
            truth, answer = _first(row, "true_answer"), _first(row, "predicted_answer")
            self._rows.append(
                (
                    _text(_first(row, "sample_id"))
                    if any(key in row for key in ALIASES["sample_id"])
                    else _text(row.get("window_index")),
                    line,
                    self._intern(_text(_first(row, "episode"))),
                    self._intern(_text(_first(row, "split"))),
                    self._intern(_text(_first(row, "true_label"))),
                    self._intern(_text(_first(row, "predicted_label"))),
                    _bit(row.get("correct")),
                    window_of(row),
                    (isinstance(answer, dict)) if any(key in row for key in ALIASES["predicted_answer"]) else None,
                    _bit(row.get("true_label_seen_in_train")),
                    frame_of(row.get("rank")),
                    _number(row.get("feature_reconstruction_error")),
                    self._target(row),
                )
            )
            self._answers(row, truth, answer)

    def _answers(self, row: dict[str, Any], truth: Any, answer: Any) -> None:
        index = len(self._rows) - 1
        pairs: dict[str, tuple[Value, Value]] = {}
        if isinstance(truth, dict):
            given = answer if isinstance(answer, dict) else {}
            pairs.update({key: (value, given.get(key)) for key, value in truth.items() if not isinstance(value, dict)})
        for key, value in row.items():
            if key.startswith("true_") and f"pred_{key[5:]}" in row and key != "true_json":
                pairs[key[5:]] = (value, row[f"pred_{key[5:]}"])
        for key, (true, predicted) in pairs.items():
            column = self._fields.setdefault(key, ([], []))
            for side, value in zip(column, (true, predicted), strict=True):
                side.extend([None] * (index - len(side)))
                side.append(self._intern(_value(value)))

    def _target(self, row: dict[str, Any]) -> tuple[str, str] | None:
        true, given = row.get("future_record_id"), row.get("pred_future_record_id")
        return (true, given) if isinstance(true, str) and isinstance(given, str) else None

    def _intern(self, value: Any) -> Any:
        try:
            return self._interned.setdefault(value, value)
        except TypeError:
            return value

    def merge(self, other: PredictionFold) -> None:
        """Append the rows of the later part."""
        offset = len(self._rows)
        self._rows.extend(other._rows)
        self._columns |= other._columns
        for key, columns in other._fields.items():
            mine = self._fields.setdefault(key, ([], []))
            for side, more in zip(mine, columns, strict=True):
                side.extend([None] * (offset - len(side)))
                side.extend(more)

    def fact(self) -> Predictions:
        """Return the columns."""
        columns = tuple(zip(*self._rows, strict=True)) if self._rows else ((),) * 13
        fields = {
            key: (_padded(true, len(self._rows)), _padded(predicted, len(self._rows)))
            for key, (true, predicted) in self._fields.items()
        }
        ids, lines, episodes, splits, true, predicted, correct, windows, parsed, seen, ranks, errors, targets = columns
        return Predictions(
            self._file,
            ids,
            lines,
            episodes,
            splits,
            true,
            predicted,
            correct,
            windows,
            fields,
            parsed,
            frozenset(self._columns),
            seen,
            ranks,
            errors,
            targets,
        )


def window_of(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return a row's window as (start frame, end frame inclusive), however the row spells it; None when it has none."""
    found: Any = _first(row, "window")
    if isinstance(found, str):
        found = parse_literal(found)
    if not isinstance(found, dict):
        found = row
    start, end = frame_of(_first(found, "start_frame")), frame_of(_first(found, "end_frame"))
    return (start, end) if start is not None and end is not None else None


def frame_of(value: Any) -> int | None:
    """Return a frame number, written as a number or as text; None for anything else, and beyond 64 bits."""
    if isinstance(value, str) and len(value) <= FRAME_DIGITS and FRAME.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    return int(value) if whole else None


def _first(row: Mapping[str, Any], name: str) -> Any:
    for key in ALIASES[name]:
        if key in row:
            return row[key]
    return None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else None


def _bit(value: Any) -> int | None:
    text = str(value).strip().lower()
    return 1 if text in ("1", "true", "1.0") else 0 if text in ("0", "false", "0.0") else None


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _value(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(item if isinstance(item, str) else repr(item) for item in value)
    return value if not isinstance(value, dict) else repr(value)


def _padded(column: list[Value], length: int) -> tuple[Value, ...]:
    return (*column, *([None] * (length - len(column))))
