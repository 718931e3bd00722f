"""What a run itself says of its end: that it was interrupted, or that it is verified."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.documents import PackageAudit, RunSummaryFile, TrainingMetadata, Validation, VerifiedSummary
from omnicheck.facts.progress import GateLog, ProgressLog
from omnicheck.facts.registry import fact
from omnicheck.facts.timeline import INTERRUPTED
from omnicheck.model.run import RunFile

PRESENTED = frozenset({"verified", "pass", "passed", "promoted", "accepted"})
"""Statuses that present a run as sound."""


class Interruption(Struct, frozen=True):
    """A place where the run reports that it was stopped from outside: the file, and the event or status."""

    file: RunFile
    words: str


class Presentation(Struct, frozen=True):
    """A place where a run is presented as verified: the file, the pointer and the status."""

    file: RunFile
    pointer: str
    status: str


@fact(absent="the run reports no interruption")
def interruptions(
    logs: tuple[ProgressLog, ...] | None,
    gates: tuple[GateLog, ...] | None,
    training: tuple[TrainingMetadata, ...] | None,
    summaries: tuple[RunSummaryFile, ...] | None,
) -> tuple[Interruption, ...]:
    """Find every event and status that reports an interruption."""
    found = [
        Interruption(log.file, event.name)
        for log in (*(logs or ()), *(gates or ()))
        for event in log.events
        if INTERRUPTED.search(event.name)
    ]
    for document in (*(training or ()), *(summaries or ())):
        for key in ("status", "stop_reason"):
            stated = document.record.raw(key)
            if isinstance(stated, str) and INTERRUPTED.search(stated):
                found.append(Interruption(document.file, stated))
    return tuple(found)


@fact(absent="nothing presents the run as verified")
def presentations(
    summaries: tuple[VerifiedSummary, ...] | None,
    audits: tuple[PackageAudit, ...] | None,
    validations: tuple[Validation, ...] | None,
) -> tuple[Presentation, ...]:
    """Find every status that presents the whole run as sound; a validation of an early stage does not."""
    found = []
    for document in (*(summaries or ()), *(audits or ()), *(validations or ())):
        status = document.record.raw("status")
        inner = document.record.raw("summary")
        stage = inner.get("required_stage") if isinstance(inner, dict) else None
        if isinstance(status, str) and status.lower() in PRESENTED and stage in (None, "eval"):
            found.append(Presentation(document.file, document.record.pointer("status"), status))
    return tuple(found)
