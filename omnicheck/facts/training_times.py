"""When a training ended and when the held-out evaluations of the run began, by recorded times."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.clock import seconds
from omnicheck.facts.documents import Metrics, TrainingMetadata
from omnicheck.facts.progress import Event, GateLog, ProgressLog
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.facts.timeline import LEARNING, segments
from omnicheck.model.run import RunFile

HELD_OUT = frozenset({"test", "held_out", "heldout", "holdout"})
EVALUATING = frozenset({"eval_start", "eval_step", "sample_done"})


class TrainingEnd(Struct, frozen=True):
    """When a training ended.

    Attributes:
        file: the log or the metadata that records it.
        time: seconds since the epoch.
    """

    file: RunFile
    time: float


class HeldOutStart(Struct, frozen=True):
    """When a held-out evaluation began, beside the end of the training.

    Attributes:
        file: where its beginning is recorded.
        line: line in a log; None in a document.
        pointer: JSON pointer in a document; None in a log.
        began: seconds since the epoch.
        training: the file that records the end of the training.
        trained: seconds since the epoch.
    """

    file: RunFile
    line: int | None
    pointer: str | None
    began: float
    training: RunFile
    trained: float


@fact(absent="no recorded end of a training")
def training_end(
    logs: tuple[ProgressLog, ...] | None, training: tuple[TrainingMetadata, ...] | None
) -> TrainingEnd | None:
    """Find when the training ended; None when several trainings were recorded and it is unclear which one counts."""
    ends = []
    for log in logs or ():
        learning = [part for part in segments(log.events) if any(_learns(event) for event in part)]
        times = [event.time for part in learning for event in part if _learns(event) and event.time is not None]
        if len(learning) == 1 and times:
            ends.append(TrainingEnd(log.file, max(times)))
        elif len(learning) > 1:
            return None
    if not ends:
        for each in training or ():
            time = seconds(each.record.raw("finished_at"))
            if time is not None:
                ends.append(TrainingEnd(each.file, time))
    # Two logs of one training (a copy, or one for each rank) agree to within a minute.
    if not ends or max(end.time for end in ends) - min(end.time for end in ends) > 60:
        return None
    return min(ends, key=lambda end: end.time)


def _learns(event: Event) -> bool:
    return LEARNING.match(event.name) is not None


@fact(absent="no recorded beginning of a held-out evaluation")
def held_out_starts(
    end: TrainingEnd,
    logs: tuple[ProgressLog, ...] | None,
    gates: tuple[GateLog, ...] | None,
    metrics: tuple[Metrics, ...] | None,
) -> tuple[HeldOutStart, ...]:
    """Find when each held-out evaluation of the trained model began."""
    found: list[HeldOutStart] = []
    for log in logs or ():
        found.extend(
            HeldOutStart(log.file, each.line, None, each.time or 0.0, end.file, end.time)
            for each in _first_evaluation(log)
        )
    for gate in gates or ():
        starts = [
            event for event in gate.events if event.name in ("eval_full_start", "eval_start") and event.time is not None
        ]
        found.extend(
            HeldOutStart(gate.file, each.line, None, each.time or 0.0, end.file, end.time) for each in starts[:1]
        )
    for each in metrics or ():
        began = seconds(each.record.raw("started_at"))
        if began is not None and _held_out(each.record):
            found.append(HeldOutStart(each.file, None, each.record.pointer("started_at"), began, end.file, end.time))
    return tuple(found)


def _first_evaluation(log: ProgressLog) -> Iterator[Event]:
    """Yield the first event of each held-out evaluation; a log that trains must say which split it evaluates."""
    trains = any(_learns(event) for event in log.events)
    for part in segments(log.events):
        for event in part:
            split = event.row.get("eval_split", event.row.get("split"))
            known = isinstance(split, str) and split in HELD_OUT
            if event.name in EVALUATING and event.time is not None and (known or (split is None and not trains)):
                yield event
                break


def _held_out(record: Record) -> bool:
    split = record.raw("eval_split")
    return isinstance(split, str) and split in HELD_OUT
