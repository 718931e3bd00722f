"""Losses and position errors of single samples, summed while their files are read."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import dist
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.registry import fold
from omnicheck.facts.split_names import split_name
from omnicheck.model.run import RunFile


class LossRecords(Struct, frozen=True):
    """The losses of one file of records.

    Attributes:
        file: the file.
        losses: split to its losses in the order of the file; None for records that name no split.
        scale: ``loss_scale``, where all records name the same; else None.
    """

    file: RunFile
    losses: dict[str | None, tuple[float, ...]]
    scale: float | None = None


class PositionErrors(Struct, frozen=True):
    """How far predicted positions are from the true ones.

    Attributes:
        file: the predictions.
        errors: field to the mean distance of each row and the number of its points; rows whose shapes differ are left
            out.
        unequal: fields with such rows.
    """

    file: RunFile
    errors: dict[str, tuple[tuple[float, int], ...]]
    unequal: frozenset[str]


@fold(LossRecords, absent="no records of single losses")
class LossFold:
    """Collects the losses of each split."""

    roles: ClassVar[tuple[str, ...]] = ("loss_records",)
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._losses: dict[str | None, list[float]] = defaultdict(list)
        self._scales: set[float | None] = set()

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - lines do not matter
        """Take rows."""
        for row in rows:
            loss, split = row.get("loss"), row.get("split")
            if isinstance(loss, int | float) and not isinstance(loss, bool):
                self._losses[split_name(split) if isinstance(split, str) else None].append(float(loss))
                scale = row.get("loss_scale")
                self._scales.add(float(scale) if isinstance(scale, int | float) else None)

    def merge(self, other: LossFold) -> None:
        """Append the losses of the later part."""
        for split, losses in other._losses.items():
            self._losses[split] += losses
        self._scales |= other._scales

    def fact(self) -> LossRecords | None:
        """Return the losses; None when no row has one."""
        if not self._losses:
            return None
        (scale,) = self._scales if len(self._scales) == 1 else (None,)
        return LossRecords(self._file, {split: tuple(losses) for split, losses in self._losses.items()}, scale)


@fold(PositionErrors, absent="no predictions with true and predicted positions")
class PositionFold:
    """Measures the distance of each pair of ``true_x`` and ``pred_x`` that hold positions."""

    roles: ClassVar[tuple[str, ...]] = ("policy_predictions", "predictions")
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._errors: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self._unequal: set[str] = set()

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - lines do not matter
        """Take rows."""
        for row in rows:
            for key, true in row.items():
                if not key.startswith("true_") or not isinstance(true, list) or not true:
                    continue
                left, right = _points(true), _points(row.get(f"pred_{key[5:]}"))
                if left is None or right is None:
                    continue
                if [len(point) for point in left] != [len(point) for point in right]:
                    self._unequal.add(key[5:])
                    continue
                distances = [dist(here, there) for here, there in zip(left, right, strict=True)]
                self._errors[key[5:]].append((math.fsum(distances) / len(distances), len(distances)))

    def merge(self, other: PositionFold) -> None:
        """Append the errors of the later part."""
        for field, errors in other._errors.items():
            self._errors[field] += errors
        self._unequal |= other._unequal

    def fact(self) -> PositionErrors | None:
        """Return the errors; None when no row has positions."""
        if not self._errors:
            return None
        errors = {field: tuple(found) for field, found in self._errors.items()}
        return PositionErrors(self._file, errors, frozenset(self._unequal))


def _points(value: Any) -> list[list[float]] | None:
    """Return the points of a nested list of numbers, however deep; None when it is none, or is a plain list."""
    if not isinstance(value, list) or not value or not all(isinstance(each, list) and each for each in value):
        return None
    if all(type(number) in (int, float) for each in value for number in each):
        return value
    found: list[list[float]] = []
    for each in value:
        points = _points(each)
        if points is None:
            return None
        found += points
    return found
