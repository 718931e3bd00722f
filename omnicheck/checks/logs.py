"""RUN101 to RUN104, RUN111: what the logs of a run show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.clock import shown_span, shown_time
from omnicheck.facts.interruption import Interruption, Presentation
from omnicheck.facts.progress import Event, GateLog, ProgressLog
from omnicheck.facts.timeline import FAILED, FINAL, is_failure, outcome, segments
from omnicheck.facts.training_times import HeldOutStart
from omnicheck.model.finding import Finding

RANK = re.compile(r"rank_?\d+$")
LOADED = {"model_load_done": "model_load_start", "model_ready": "model_load_start", "server_ready": "server_start"}
"""Events that say a model is in memory, with the event that began its loading."""

STEPS = ("global_step", "step")


class NotComplete(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of RUN101: further names of events that close a log in order."""

    final: tuple[str, ...] = ()


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


@check("logs.not_complete")
def not_complete(
    logs: tuple[ProgressLog, ...], interruptions: tuple[Interruption, ...] | None, params: NotComplete
) -> Iterator[Finding]:
    """Yield a finding for each log that does not end in a final event."""
    final = FINAL | set(params.final)
    folders = {log.file.folder for log in logs if not RANK.search(log.file.tag)}
    for log in logs:
        if RANK.search(log.file.tag) and log.file.folder in folders:
            continue
        if log.last is None:
            yield Finding(path=log.file.path, message="the log holds no event", expected="complete")
        elif log.last.name not in final:
            yield _unfinished(log, log.last, final, interruptions or ())


def _unfinished(log: ProgressLog, last: Event, final: frozenset[str], interruptions: Sequence[Interruption]) -> Finding:
    closed = [event for event in segments(log.events)[-1] if event.name in final]
    variant = None
    if closed and not is_failure(last):
        variant = "followed"
        message = f"the last event is {last.name}, written after {closed[-1].name} (line {closed[-1].line:,})"
        advice = (
            "Write a new `complete` event after work on the finished run, so that the log says what state it is in."
        )
    else:
        message = f"the log ends in {last.name or 'an event without a name'} and never reports complete"
        advice = None
        if interruptions and not is_failure(last):
            variant = "interrupted"
            message += f"; {interruptions[0].file.base} reports the interruption ({interruptions[0].words})"
            advice = "Keep the run as the interrupted one it is, or resume it; do not report results from it."
    return Finding(
        path=log.file.path,
        line=last.line,
        row=last.line,
        message=message,
        expected="complete",
        actual=last.name,
        variant=variant,
        help=advice,
        key="last",
    )


@check("logs.failed_gate")
def failed_gate(logs: tuple[GateLog, ...], presented: tuple[Presentation, ...]) -> Iterator[Finding]:
    """Yield a finding for each gate whose last word is a failure although the run is presented as verified."""
    claim = presented[0]
    for log in logs:
        latest: dict[str, Event] = {}
        for event in log.events:
            latest[_gate(event)] = event
        for gate, event in latest.items():
            failure = _failure(event)
            if failure:
                yield Finding(
                    path=log.file.path,
                    line=event.line,
                    row=event.line,
                    message=f"the gate {gate} {failure}, yet {claim.file.base} says {claim.status!r}",
                    expected=0,
                    actual=event.row.get("returncode", event.name),
                    key=gate,
                )


def _gate(event: Event) -> str:
    name = str(event.row.get("phase") or "") if event.name == "phase" else event.name
    return re.sub(r"_(?:start|exit|done|complete|failed|failure|error|timeout|skipped)$", "", name) or name


def _failure(event: Event) -> str:
    """Return how a gate failed, or an empty string."""
    code = event.row.get("returncode", event.row.get("exit_code"))
    if isinstance(code, int) and not isinstance(code, bool) and code != 0:
        signal = -code if code < 0 else code - 128 if 128 < code < 192 else 0
        return f"was ended by signal {signal}" if signal else f"ended with return code {code}"
    status = event.row.get("status")
    phase = event.row.get("phase")
    if isinstance(phase, str) and FAILED.search(phase):
        return f"ended in {phase}"
    if is_failure(event) or (isinstance(status, str) and status.lower() in ("fail", "failed", "error")):
        return f"ended in {event.name}"
    return ""


@check("logs.synthetic")
def synthetic(logs: tuple[ProgressLog, ...], params: SyntheticLog) -> Iterator[Finding]:
    """Yield one finding for each log whose times cannot have been measured."""
    for log in logs:
        tick = _tick(log.events)
        signs: list[tuple[Event, str]] = []
        for part in segments(log.events):
            timed = [event for event in part if event.time is not None]
            signs.extend(_instant_load(timed, tick, params))
            signs.extend(_instant_steps(timed, tick, params))
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


def _step(event: Event) -> int | None:
    if event.name != "train_step":
        return None
    return next((row for key in STEPS if isinstance(row := event.row.get(key), int)), None)


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


@check("logs.appended")
def appended(logs: tuple[ProgressLog, ...]) -> Iterator[Finding]:
    """Yield a finding for each log that holds several runs with different outcomes."""
    for log in logs:
        parts = segments(log.events)
        ends = Counter(outcome(part) for part in parts)
        if len(ends) > 1:
            shown = "; ".join(f"line {part[0].line:,}: {outcome(part)}" for part in parts[:5])
            yield Finding(
                path=log.file.path,
                line=parts[1][0].line,
                row=parts[1][0].line,
                message=f"{len(parts):,} runs with different outcomes lie in one log ({shown})",
                actual=dict(sorted(ends.items())),
                key="appended",
            )


@check("logs.evaluated_early")
def evaluated_early(starts: tuple[HeldOutStart, ...]) -> Iterator[Finding]:
    """Yield a finding for each held-out evaluation that began before the training was over."""
    for start in starts:
        if start.began < start.trained - 1:
            yield Finding(
                path=start.file.path,
                line=start.line,
                row=start.line,
                pointer=start.pointer,
                message=(
                    f"the held-out evaluation began at {shown_time(start.began)}, "
                    f"{shown_span(start.trained - start.began)} before the training ended "
                    f"({start.training.base}, {shown_time(start.trained)})"
                ),
                expected=start.trained,
                actual=start.began,
            )
