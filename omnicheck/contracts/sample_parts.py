"""Parts that the rows of every task share: required keys, frame windows, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from omnicheck.contracts.issue import Issue, pointer_of, shown

Parts = tuple[str | int, ...]


def issue(parts: Parts, message: str, expected: Any = None, actual: Any = None, help_: str = "") -> Issue:
    """Return an issue of rule PRD109 at a place of the row."""
    return Issue("PRD109", pointer_of(parts), message, expected, actual, help_ or "Correct the row's exporter.")


def judge_required(row: Mapping[str, Any], keys: Iterable[str]) -> list[Issue]:
    """Return an issue for each key that a row lacks, or holds as null or as an empty text."""
    return [
        issue((key,), f"the row has no {key}", "a value", row.get(key), f"Write {key} in every row.")
        for key in keys
        if row.get(key) is None or row.get(key) == ""
    ]


def judge_window(window: Any, parts: Parts) -> list[Issue]:
    """Return the issues of a frame window: two whole frame numbers, in order; the end is included."""
    if not isinstance(window, dict):
        return [issue(parts, f"{_name(parts)} is {shown(window)}, not a frame window", "an object", window)]
    issues = [
        issue((*parts, key), f"{key} of {_name(parts)} is {shown(window.get(key))}, not a frame number", ">= 0", found)
        for key in ("start_frame", "end_frame")
        if not is_frame(found := window.get(key))
    ]
    if not issues and window["start_frame"] > window["end_frame"]:
        text = f"{_name(parts)} ends at frame {window['end_frame']}, before its start {window['start_frame']}"
        issues.append(issue(parts, text, "start_frame <= end_frame", window))
    return issues


def is_frame(value: Any) -> bool:
    """Whether a value is a frame number."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def judge_matrix(value: Any, parts: Parts, steps: int | None, dims: int | None) -> list[Issue]:
    """Return the issues of a list of steps, each a list of finite numbers.

    Args:
        value: the matrix.
        parts: where it stands in the row.
        steps: steps it must have, or None.
        dims: numbers that each step must have; None takes the first step's.
    """
    name = _name(parts)
    if not isinstance(value, list) or not value or not all(isinstance(step, list) for step in value):
        return [issue(parts, f"{name} is {shown(value)}, not a list of steps", "numbers[steps][dims]", shown(value))]
    issues = []
    if steps is not None and len(value) != steps:
        issues.append(issue(parts, f"{name} has {len(value)} steps, chunk_size is {steps}", steps, len(value)))
    width = len(value[0]) if dims is None else dims
    ragged = next((index for index, step in enumerate(value) if len(step) != width), None)
    if ragged is not None:
        text = f"step {ragged} of {name} has {len(value[ragged])} numbers, not {width}"
        issues.append(issue((*parts, ragged), text, width, len(value[ragged])))
    bad = [(at, axis, item) for at, step in enumerate(value) for axis, item in enumerate(step) if not is_finite(item)]
    if bad:
        at, axis, item = bad[0]
        more = f", and {len(bad) - 1} more like it" if len(bad) > 1 else ""
        text = f"{name} holds {shown(item)} at step {at}, dimension {axis}{more}: not a finite number"
        issues.append(issue((*parts, at, axis), text, "a finite number", item))
    return issues


def is_finite(value: Any) -> bool:
    """Whether a value is a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _name(parts: Parts) -> str:
    return str(next((part for part in reversed(parts) if isinstance(part, str)), "the row"))
