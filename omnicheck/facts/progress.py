"""Progress logs: what happened, in the order it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.clock import seconds
from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile

MAX_EVENTS = 200_000
"""Events kept of one log; the rest is counted."""


class Event(Struct, frozen=True):
    """One line of a log.

    Attributes:
        line: 1-based.
        name: what happened (``train_step``, ``complete``, …).
        time: seconds since the epoch, or None.
        run_id: the run it speaks of, or None.
        row: the whole line.
    """

    line: int
    name: str
    time: float | None
    run_id: str | None
    row: dict[str, Any]


class ProgressLog(Struct, frozen=True):
    """A progress log.

    Attributes:
        file: the file.
        events: the first ones, at most ``MAX_EVENTS``.
        total: how many there are.
        last: the last one, or None for an empty log.
    """

    file: RunFile
    events: tuple[Event, ...]
    total: int
    last: Event | None


class GateLog(ProgressLog, frozen=True):
    """A log of gates and phases that watched a run."""


@fold(ProgressLog, absent="no progress log")
class ProgressFold:
    """Collects the events of a progress log."""

    roles: ClassVar[tuple[str, ...]] = ("progress_log",)
    needs: ClassVar[tuple[type, ...]] = ()
    made: ClassVar[type[ProgressLog]] = ProgressLog

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._events: list[Event] = []
        self._total = 0
        self._last: Event | None = None

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take lines."""
        for line, row in enumerate(rows, first):
            name = row.get("event")
            stamp = next((row[key] for key in ALIASES["time"] if key in row), None)
            run_id = row.get("run_id")
            event = Event(
                line,
                name if isinstance(name, str) else "",
                seconds(stamp),
                run_id if isinstance(run_id, str) else None,
                row,
            )
            self._last = event
            if len(self._events) < MAX_EVENTS:
                self._events.append(event)
        self._total += len(rows)

    def merge(self, other: ProgressFold) -> None:
        """Append the events of the later part."""
        self._events.extend(other._events[: MAX_EVENTS - len(self._events)])
        self._total += other._total
        self._last = other._last or self._last

    def fact(self) -> ProgressLog:
        """Return the log."""
        return self.made(self._file, tuple(self._events), self._total, self._last)


@fold(GateLog, absent="no gate log")
class GateFold(ProgressFold):
    """Collects the events of a gate log."""

    roles: ClassVar[tuple[str, ...]] = ("gate_log",)
    made: ClassVar[type[ProgressLog]] = GateLog
