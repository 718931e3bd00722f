"""RUN103: times in a log that cannot have been measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.clock import shown_span
from omnicheck.facts.progress import Event, ProgressLog
from omnicheck.facts.timeline import segments
from omnicheck.model.finding import Finding

LOADED = {"model_load_done": "model_load_start", "model_ready": "model_load_start", "server_ready": "server_start"}
"""Events that say a model is in memory, with the event that began its loading."""

STEPS = ("global_step", "step")
MAX_STEPS = 1 << 53
"""Larger numbers are no steps."""


class SyntheticLog(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of RUN103.

    Attributes:
        load_seconds: a model is not in memory, nor a server ready, within less.
        steps_per_second: no trainer logs more steps in a second.
        least_steps: fewer steps are not judged.
        jitter_seconds: how far clocks may step back.
    """

    load_seconds: float = 0.005
    steps_per_second: float = 50_000.0
    least_steps: int = 10
    jitter_seconds: float = 2.0


@check("logs_synthetic.impossible_times")
def impossible_times(logs: tuple[ProgressLog, ...], params: SyntheticLog) -> Iterator[Finding]:
    """Yield one finding for each log whose times cannot have been measured."""
    for log in logs:
        tick = _tick(log.events)
        signs: list[tuple[Event, str]] = []
        for part in segments(log.events):
            timed = [event for event in part if event.time is not None]
            signs.extend(_instant_load(timed, tick, params))
            signs.extend(_instant_steps(timed, tick, params))
            signs.extend(_instant_evaluation(timed, tick, params))
            signs.extend(_backwards(timed, params))
        if signs:
            first = signs[0][0]
            more = f" (and {len(signs) - 3:,} more)" if len(signs) > 3 else ""
            yield Finding(
                path=log.file.path,
                line=first.line,
                row=first.line,
                message="times that no real run leaves: " + "; ".join(text for _, text in signs[:3]) + more,
                actual=[event.name for event, _ in signs[:10]],
                key="synthetic",
            )


def _tick(events: Sequence[Event]) -> float:
    """Return the resolution of a log's clock in seconds: what its finest time stamp shows."""
    tick = 1.0
    for event in events[:200]:
        if event.time is not None:
            fraction = f"{event.time % 1:.7f}".rstrip("0").rpartition(".")[2]
            tick = min(tick, 10.0 ** -len(fraction))
    return tick


def _instant_load(timed: Sequence[Event], tick: float, params: SyntheticLog) -> Iterator[tuple[Event, str]]:
    for event in timed:
        opener = LOADED.get(event.name)
        if opener is None or event is timed[0]:
            continue
        start = next((each for each in timed if each.name == opener and each.line < event.line), timed[0])
        span = (event.time or 0.0) - (start.time or 0.0)
        if span >= 0 and span + tick < params.load_seconds:
            yield event, f"{event.name} comes {shown_span(span)} after {start.name}"


def _instant_steps(timed: Sequence[Event], tick: float, params: SyntheticLog) -> Iterator[tuple[Event, str]]:
    steps = [(event, value) for event in timed if (value := _step(event)) is not None]
    if len(steps) < 2:
        return
    (first, low), (last, high) = steps[0], steps[-1]
    span = max((last.time or 0.0) - (first.time or 0.0), 0.0)
    if high - low >= params.least_steps and (high - low) / (span + tick) > params.steps_per_second:
        yield last, f"{high - low:,} steps within {shown_span(span)}"


def _instant_evaluation(timed: Sequence[Event], tick: float, params: SyntheticLog) -> Iterator[tuple[Event, str]]:
    start: Event | None = None
    for event in timed:
        if event.name == "eval_start":
            start = event
        elif start is not None and event.name in ("eval_done", "eval_complete", "complete"):
            samples = start.row.get("num_eval_samples")
            done = start.row.get("completed_before_start")
            span = max((event.time or 0.0) - (start.time or 0.0), 0.0)
            start = None
            if not isinstance(samples, int) or samples > MAX_STEPS or done:
                continue
            if samples >= params.least_steps and samples / (span + tick) > params.steps_per_second:
                yield event, f"{samples:,} samples evaluated within {shown_span(span)}"


def _step(event: Event) -> int | None:
    if event.name != "train_step":
        return None
    return next((step for key in STEPS if isinstance(step := event.row.get(key), int) and abs(step) < MAX_STEPS), None)


def _backwards(timed: Sequence[Event], params: SyntheticLog) -> Iterator[tuple[Event, str]]:
    latest: dict[object, Event] = {}
    for event in timed:
        writer = str(event.row.get("rank", event.row.get("process_index", "")))
        before = latest.get(writer)
        if before is not None and before.time is not None and event.time is not None:
            back = before.time - event.time
            if back > params.jitter_seconds:
                yield (
                    event,
                    f"{event.name} (line {event.line:,}) is {shown_span(back)} earlier than the event before it",
                )
        latest[writer] = event
