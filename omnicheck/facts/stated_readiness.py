"""Statements that an experiment is ready or not, beside statements of the same run's documents that it is done."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.claims import CONDITION, NEGATION, ClaimText
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

_SIZE = r"(?P<size>\d+)-(?P<unit>[A-Za-z]+) (?P<noun>[A-Za-z]+)"
_READY = re.compile(
    rf"\s*(?:[-*+]\s+)?[*_]*Ready (?:for|to run)(?: the| an?)? {_SIZE}"
    r"[*_]*:[*_]*\s*`?(?P<ready>true|false|yes|no)`?\s*",
    re.IGNORECASE,
)
_DONE = re.compile(
    rf"\b{_SIZE}(?: \w+)? (?:is|was|has|has been)(?: now| already)?(?: an?)?"
    r" (?:completed?|finished|verified|produced)\b",
    re.IGNORECASE,
)


class Done(Struct, frozen=True):
    """A sentence that says an experiment is done.

    Attributes:
        file: the document.
        line: 1-based line on which the sentence begins.
        text: the sentence.
        size: the experiment's number, 128 in "128-episode pilot".
    """

    file: RunFile
    line: int
    text: str
    size: int


class StatedReadiness(Struct, frozen=True):
    """A line that says whether an experiment is ready, such as ``Ready for 32-episode pilot: False``.

    Attributes:
        file: the document.
        line: 1-based.
        text: the line.
        size: the experiment's number.
        ready: what the line says.
        done: sentences of other documents that a same experiment is done, one for each document.
    """

    file: RunFile
    line: int
    text: str
    size: int
    ready: bool
    done: tuple[Done, ...]


@fact(absent="no document that states whether an experiment is ready")
def stated_readiness(texts: tuple[ClaimText, ...]) -> tuple[StatedReadiness, ...]:
    """Find the statements of readiness, with what other documents say of the same experiment."""
    found = []
    done = [each for text in texts for each in _done(text)]
    for text in texts:
        for number, line in enumerate(text.text.splitlines(), 1):
            match = _READY.fullmatch(line)
            if match is None:
                continue
            kind = _kind(match)
            first: dict[str, Done] = {}
            for other, each in done:
                if other == kind and each.file != text.file:
                    first.setdefault(each.file.path, each)
            found.append(
                StatedReadiness(
                    file=text.file,
                    line=number,
                    text=line.strip(),
                    size=int(match["size"]),
                    ready=match["ready"].lower() in ("true", "yes"),
                    done=tuple(first.values()),
                )
            )
    return tuple(found)


def _done(text: ClaimText) -> Iterator[tuple[tuple[str, str], Done]]:
    for sentence in text.sentences:
        match = _DONE.search(sentence.text)
        before = sentence.text[: match.start()] if match else ""
        if match is not None and not NEGATION.search(before) and not CONDITION.search(before):
            yield _kind(match), Done(text.file, sentence.line, sentence.text, int(match["size"]))


def _kind(match: re.Match[str]) -> tuple[str, str]:
    return match["unit"].lower().removesuffix("s"), match["noun"].lower().removesuffix("s")
