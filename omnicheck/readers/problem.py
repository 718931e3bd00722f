"""What is wrong inside a file that could be opened."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal[
    "syntax",
    "encoding",
    "duplicate-key",
    "not-finite",
    "too-large",
    "too-deep",
    "truncated",
    "type",
    "unreadable",
    "changed",
]

LIMIT = 20
"""Problems told one by one per file; the rest are counted."""


class Problem(Struct, frozen=True):
    """How a reader tells what is wrong without stopping; what cannot be opened is a ``ReadError``.

    Attributes:
        message: one sentence.
        line: 1-based physical line.
        pointer: JSON pointer (RFC 6901).
        row: 1-based data row of a table, the header not counted.
        kind: what sort of problem it is.
    """

    message: str
    line: int | None = None
    pointer: str | None = None
    row: int | None = None
    kind: Kind = "syntax"


class Tally:
    """Append problems to a list up to a limit, and count the rest.

    Args:
        problems: where they go.
        limit: how many are told one by one.
    """

    def __init__(self, problems: list[Problem], limit: int = LIMIT) -> None:
        self._problems = problems
        self._limit = limit
        self._count = 0
        self._last: Problem | None = None

    def add(self, problem: Problem) -> None:
        """Take one problem."""
        self._count += 1
        if self._count <= self._limit:
            self._problems.append(problem)
        else:
            self._last = problem

    def close(self) -> None:
        """Tell how many were left out, if any."""
        if self._last is not None:
            more = self._count - self._limit
            self._problems.append(
                Problem(f"{more} more problems in this file", line=self._last.line, kind=self._last.kind)
            )
            self._last = None
