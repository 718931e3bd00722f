"""What the events of a log mean: where one run ends and the next begins, and how each ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from omnicheck.facts.progress import Event

Outcome = Literal["complete", "failed", "unfinished"]

STARTS = frozenset({"start", "setup_start", "run_start", "train_start", "watch_start", "launch_start"})
"""Events that open a run."""

OPENERS = frozenset({"setup_done", *STARTS})
"""Events that occur once in a run; the second one opens another."""

TOGETHER = 5.0
"""Seconds within which several processes of one run, writing into one log, each report their start."""

FINAL = re.compile(
    r"(?:(?:run|train|training|eval|evaluation|rank|shard|merge|export|watch)_)?(?:complete|completed|finished|done)$"
)
"""Events that close a run in order; ``setup_done`` and its like do not."""

FAILED = re.compile(r"(?:^|_)(?:fail(?:ed|ure)?|error|fatal|exception|crash(?:ed)?|oom|traceback|timeout|timed_out)$")
"""Events that close a run in failure; an error of one sample is none."""

BAD_STATUSES = frozenset({"fail", "failed", "error"})
"""Statuses by which a final event, or a gate, reports a failure."""

INTERRUPTED = re.compile(
    r"(?:^|_)(?:preempt\w*|interrupt\w*|cancel\w*|abort\w*|killed|sigterm|sigint)(?:_|$)", re.IGNORECASE
)
"""Events and statuses by which a run reports that it was stopped from outside."""

LEARNING = re.compile(r"(?:train_step|train_loop_\w+|epoch_end|save_\w+|adapter_built|adapter_saved|checkpoint_saved)$")
"""Events of a training."""


def is_failure(event: Event) -> bool:
    """Whether an event says that the run failed."""
    if FINAL.match(event.name):
        return str(event.row.get("status", "")).lower() in BAD_STATUSES
    return event.name != "sample_error" and FAILED.search(event.name) is not None


def is_final(event: Event) -> bool:
    """Whether an event closes a run in order."""
    return FINAL.match(event.name) is not None and not is_failure(event)


def outcome(events: Sequence[Event]) -> Outcome:
    """Return how a run ended by its events: in order when a final event occurs after the last failure."""
    for event in reversed(events):
        if is_final(event):
            return "complete"
        if is_failure(event):
            return "failed"
    return "unfinished"


def segments(events: Sequence[Event]) -> list[list[Event]]:
    """Split a log into the runs that were appended to it.

    A new run begins at an opening event that the current one has had already, after a final or failing event, or
    when the run id changes. Events of several ranks written into one log do not begin runs.
    """
    found: list[list[Event]] = []
    names: set[str] = set()
    run_id: str | None = None
    for event in events:
        if event.row.get("rank") not in (None, 0) or event.row.get("process_index") not in (None, 0):
            opens = False
        else:
            opens = _opens(event, found[-1] if found else [], names)
            opens = opens or (event.run_id is not None and run_id is not None and event.run_id != run_id)
        if opens or not found:
            found.append([])
            names = set()
            run_id = None
        found[-1].append(event)
        names.add(event.name)
        run_id = event.run_id or run_id
    return found


def _opens(event: Event, current: Sequence[Event], names: set[str]) -> bool:
    """Whether an event begins another run after the events of the current one."""
    if event.name not in OPENERS or not current:
        return False
    last = current[-1]
    if event.name in STARTS and (is_final(last) or is_failure(last)):
        return True
    if event.name not in names:
        return False
    first = current[0].time
    close = event.time is not None and first is not None and abs(event.time - first) < TOGETHER
    return not close or any(LEARNING.match(each.name) for each in current)
