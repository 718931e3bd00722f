"""CLM106, CLM107, CLM109: what documents and summaries call a run, against what its records show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omnicheck.checks.declare import check
from omnicheck.facts.claims import NEGATION, ClaimText, TuningMode, quoted
from omnicheck.facts.documents import JsonFact, PackerSummary, RunSummaryFile, TrainingMetadata
from omnicheck.facts.progress import ProgressLog
from omnicheck.facts.record import Record
from omnicheck.model.finding import Finding

_TUNED = re.compile(r"\bfine[- ]?tun(?:ed|ing)\b", re.IGNORECASE)
_ABOUT = re.compile(
    r"\b(?:readiness|plans?|planned|audit|contract|guide|requirements?|status|probe|check|dry[- ]run|future|next|before"
    r"|towards?|how to|proposal|base|data(?:set)?|pre-?flight|ready)\b",
    re.IGNORECASE,
)
_LORA = re.compile(r"\bq?lora\b", re.IGNORECASE)
_FULL = re.compile(r"\bfull[- ]?(?:param(?:eter)?s?|fine[- ]?tun(?:ed|ing)|weights?)\b", re.IGNORECASE)
_PASSED = frozenset({"pass", "passed", "ok", "success", "verified"})
_STEP = re.compile(r"train_step|train_loop_\w+|epoch_end")
_NEVER = re.compile(r"(?:.*_)?not_(?:loaded|run|ran|started|executed)", re.IGNORECASE)
_FLAG = re.compile(r"(?:(?:pipeline|model|stage|step|job)_)?(?:loaded|executed|ran|started)", re.IGNORECASE)


@check("claims.no_training")
def no_training(
    texts: tuple[ClaimText, ...], training: tuple[TrainingMetadata, ...], logs: tuple[ProgressLog, ...] | None
) -> Iterator[Finding]:
    """Yield each heading that calls a run fine-tuning although its records show that nothing was updated."""
    reasons = [_untouched(each.record) for each in training]
    if None in reasons or any(_STEP.match(event.name) for log in logs or () for event in log.events):
        return
    first = training[0]
    for text in texts:
        if text.file.role not in ("report", "summary_card", "card"):
            continue
        for heading in text.headings:
            if heading.level == 1 and _TUNED.search(heading.text) and not _qualified(heading.text):
                yield Finding(
                    path=text.file.path,
                    line=heading.line,
                    message=f"the title says '{quoted(heading.text)}', but no update of any weight is recorded: "
                    f"{first.file.path} has {reasons[0]}",
                    actual=heading.text,
                    key="title",
                )


def _untouched(record: Record) -> str | None:
    """Return how a training record shows that no weight was updated; None when it does not."""
    history = record.raw("history")
    entries = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else None
    if any(entry.get("train_loss") is not None or entry.get("loss") is not None for entry in entries or ()):
        return None
    updated = record.raw("weights_updated")
    if updated is False:
        return "weights_updated false"
    if updated is not None or entries is None or len(entries) != len(history or ()):
        return None
    if not entries:
        return "an empty history"
    if not all("train_loss" in entry for entry in entries):
        return None
    notes = [entry["note"] for entry in entries if isinstance(entry.get("note"), str)]
    return "no training loss in its history" + (f", noted '{quoted(notes[0])}'" if notes else "")


def _qualified(text: str) -> bool:
    return bool(NEGATION.search(text) or _ABOUT.search(text))


@check("claims.mode_mismatch")
def mode_mismatch(texts: tuple[ClaimText, ...], mode: TuningMode) -> Iterator[Finding]:
    """Yield each report whose title names another way of training than the metadata does."""
    wrong, right = (_LORA, _FULL) if mode.full else (_FULL, _LORA)
    for text in texts:
        if text.file.role not in ("report", "summary_card", "card"):
            continue
        for heading in text.headings:
            plain = heading.text
            if heading.level == 1 and wrong.search(plain) and not right.search(plain) and not NEGATION.search(plain):
                yield Finding(
                    path=text.file.path,
                    line=heading.line,
                    message=f"the title says '{quoted(plain)}', but {mode.file.path} has {mode.key} '{mode.stated}'"
                    + (
                        " (and a lora block that training in full does not use)"
                        if mode.full and mode.lora_block
                        else ""
                    ),
                    expected=mode.stated,
                    actual=plain,
                    key="title",
                )


@check("claims.pass_without_run")
def pass_without_run(
    packed: tuple[PackerSummary, ...] | None, summaries: tuple[RunSummaryFile, ...] | None
) -> Iterator[Finding]:
    """Yield each summary with the status of a success and a stage that was never run."""
    found: list[JsonFact] = [*(packed or ()), *(summaries or ())]
    for each in found:
        status = each.record.value.get("status")
        if not isinstance(status, str) or status.lower() not in _PASSED:
            continue
        for pointer, said in _never_run(each.record.value):
            yield Finding(
                path=each.file.path,
                pointer="/status",
                message=f"status is '{status}', but {pointer} is {said}: that stage was never run",
                actual=status,
                key="status",
            )
            break


def _never_run(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what says that a stage was not run, at the top and one level below."""
    parts = [("", value), *((f"/{key}", part) for key, part in value.items() if isinstance(part, dict))]
    for at, part in parts:
        status = part.get("status")
        if at and isinstance(status, str) and _NEVER.fullmatch(status):
            yield f"{at}/status", f"'{quoted(status)}'"
        for key, flag in part.items():
            if flag is False and _FLAG.fullmatch(key):
                yield f"{at}/{key}", "false"
