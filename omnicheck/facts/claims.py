"""What the documents of a run say of it, line by line: headings and sentences, without code blocks."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from msgspec import Struct

from omnicheck.facts.documents import TrainingMetadata
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile
from omnicheck.readers.markdown import Heading, headings

LONGEST = 160
"""Characters of a sentence that a message quotes."""

NEGATION = re.compile(r"\b(?:no|not|never|neither|nor|without|cannot|none)\b|n['\u2019]t\b", re.IGNORECASE)
CONDITION = re.compile(
    r"\b(?:if|when|whether|until|once|unless|should|would|could|may|might|must|will|to be|after|before)\b",
    re.IGNORECASE,
)
_FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})")
_OWN_BLOCK = re.compile(r"\s*(?:[-*+]\s|\d{1,9}[.)]\s|#|>|\||$)")
_MODE_KEYS = ("tuning_mode", "finetuning_type", "finetune_mode", "training_mode")
_FULL_MODE = re.compile(r"full(?:[-_ ]?(?:param(?:eter)?s?|fine[-_ ]?tun(?:e|ing)|ft))?", re.IGNORECASE)
_LORA_MODE = re.compile(r"(?:peft[-_ ])?q?lora", re.IGNORECASE)
_END = re.compile(r"(?<=[.!?:;])\s+(?=[A-Z0-9`*])")


class Sentence(Struct, frozen=True):
    """A sentence of prose; ``line`` is the 1-based line on which it begins."""

    text: str
    line: int


class ClaimText(Struct, frozen=True):
    """A document that speaks of a run.

    Attributes:
        file: the document.
        text: the whole of it.
        headings: its headings.
        sentences: its sentences outside tables and code blocks.
    """

    file: RunFile
    text: str
    headings: tuple[Heading, ...]
    sentences: tuple[Sentence, ...]


class TuningMode(Struct, frozen=True):
    """The way of training that the metadata of a run names.

    Attributes:
        file: the metadata.
        key: where it names it.
        stated: the mode as it stands there.
        full: whether all parameters are trained, otherwise LoRA matrices.
        lora_block: whether the metadata holds LoRA settings too.
    """

    file: RunFile
    key: str
    stated: str
    full: bool
    lora_block: bool


@fact(absent="no training metadata that names one mode, full or LoRA")
def tuning_mode(training: tuple[TrainingMetadata, ...]) -> TuningMode | None:
    """Read the mode; None when a record names none, or two records name different ones."""
    modes = [_mode(each) for each in training]
    known = [mode for mode in modes if mode is not None]
    return known[0] if len(known) == len(modes) and len({mode.full for mode in known}) == 1 else None


def _mode(training: TrainingMetadata) -> TuningMode | None:
    value = training.record.value
    for key in _MODE_KEYS:
        stated = value.get(key)
        if isinstance(stated, str) and (_FULL_MODE.fullmatch(stated) or _LORA_MODE.fullmatch(stated)):
            full = _FULL_MODE.fullmatch(stated) is not None
            return TuningMode(training.file, key, stated, full, isinstance(value.get("lora"), dict))
    return None


@fact(absent="no report, card or other document")
def claim_texts(source: Source) -> tuple[ClaimText, ...]:
    """Read every Markdown document of the run."""
    found = []
    for file in source.run.of("report", "summary_card", "card", "document"):
        text = source.text(file) if file.base.lower().endswith(".md") else None
        if text is not None:
            found.append(ClaimText(file, text, tuple(headings(text)), sentences(text)))
    return tuple(found)


def sentences(text: str) -> tuple[Sentence, ...]:
    """Split prose into sentences; a bullet, a heading and an empty line end what came before."""
    blocks: list[list[tuple[int, str]]] = [[]]
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
            blocks.append([])
            continue
        if fenced:
            continue
        if _OWN_BLOCK.match(line):
            blocks.append([])
        if line.strip() and not line.lstrip().startswith(("#", "|")):
            blocks[-1].append((number, line))
    return tuple(sentence for block in blocks if block for sentence in _of_block(block))


def _of_block(block: list[tuple[int, str]]) -> list[Sentence]:
    parts = [line.strip() + " " for _, line in block]
    starts = [0, *accumulate(len(part) for part in parts)][:-1]
    joined = "".join(parts)
    found: list[Sentence] = []
    at = 0
    for part in _END.split(joined):
        at = joined.index(part, at)
        first = block[bisect_right(starts, at) - 1][0]
        if part.strip():
            found.append(Sentence(part.strip(), first))
        at += len(part)
    return found


def quoted(text: str) -> str:
    """Return a sentence as a message quotes it."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
