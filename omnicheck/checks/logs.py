"""RUN101, RUN102, RUN104, RUN111: what the logs of a run show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.clock import shown_span, shown_time
from omnicheck.facts.interruption import Interruption, Presentation
from omnicheck.facts.progress import Event, GateLog, ProgressLog
from omnicheck.facts.timeline import BAD_STATUSES, FAILED, is_failure, is_final, outcome, segments
from omnicheck.facts.training_times import HeldOutStart
from omnicheck.model.finding import Finding

RANK = re.compile(r"rank_?\d+$")


class NotComplete(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of RUN101: further names of events that close a log in order."""

    final: tuple[str, ...] = ()


@check("logs.not_complete")
def not_complete(
    logs: tuple[ProgressLog, ...], interruptions: tuple[Interruption, ...] | None, params: NotComplete
) -> Iterator[Finding]:
    """Yield a finding for each log that does not end in a final event."""
    folders = {log.file.folder for log in logs if not RANK.search(log.file.tag)}
    for log in logs:
        if RANK.search(log.file.tag) and log.file.folder in folders:
            continue
        if log.last is None:
            yield Finding(path=log.file.path, message="the log holds no event", expected="complete")
        elif not is_final(log.last) and log.last.name not in params.final:
            yield _unfinished(log, log.last, interruptions or ())


def _unfinished(log: ProgressLog, last: Event, interruptions: Sequence[Interruption]) -> Finding:
    closed = [event for event in segments(log.events)[-1] if is_final(event)]
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
    if is_failure(event) or (isinstance(status, str) and status.lower() in BAD_STATUSES):
        return f"ended in {event.name}"
    return ""


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
