"""How many numbers a step of a predicted action has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile

KEYS = ("pred_action", "predicted_action", "pred_actions", "predicted_actions", "pred_trajectory", "pred_action_chunk")


class PolicyVectors(Struct, frozen=True):
    """Predicted action vectors of a policy.

    Attributes:
        file: the predictions.
        dims: numbers per step, to the rows that have them.
        first: numbers per step, to the line of the first row.
    """

    file: RunFile
    dims: dict[int, int]
    first: dict[int, int]


@fold(PolicyVectors, absent="no predicted action vectors")
class PolicyVectorFold:
    """Measures predicted action vectors."""

    roles: ClassVar[tuple[str, ...]] = ("policy_predictions",)
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._dims: Counter[int] = Counter()
        self._first: dict[int, int] = {}

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take rows."""
        for line, row in enumerate(rows, first):
            value = next((row[key] for key in KEYS if isinstance(row.get(key), list)), None)
            for dim in _dims(value):
                self._dims[dim] += 1
                self._first.setdefault(dim, line)

    def merge(self, other: PolicyVectorFold) -> None:
        """Add the later part."""
        self._dims += other._dims
        self._first = {**other._first, **self._first}

    def fact(self) -> PolicyVectors | None:
        """Return the sizes; None when no row predicts a vector."""
        return PolicyVectors(self._file, dict(self._dims), self._first) if self._dims else None


def _dims(value: Any) -> set[int]:
    if not isinstance(value, list) or not value:
        return set()
    if all(isinstance(step, list) for step in value):
        return {len(step) for step in value}
    return {len(value)} if all(isinstance(each, int | float) for each in value) else set()
