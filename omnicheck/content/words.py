"""Detectors of words that a policy forbids, in any case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from omnicheck.content.detector import Detector, Judge, Window
from omnicheck.content.patterns import Anchor, Match

_GAP = "[ \\t_.-]{0,2}"
# A bare number is a frame, a count, a port: as a model's name it stands after a word that says so.
_MAKER = "(?:rtx|gtx|gpu|gpus|geforce|nvidia|tesla|quadro|radeon|rx|titan)"


def word_detectors(kind: Literal["word", "name"], words: Sequence[str]) -> tuple[Detector, ...]:
    """Return a detector for each word; spaces, hyphens and underscores between its parts are alike."""
    return tuple(_detector(kind, number, word) for number, word in enumerate(words, 1) if word.strip())


def _detector(kind: Literal["word", "name"], number: int, word: str) -> Detector:
    parts = [_any_case(part) for part in re.split(r"[\s_.-]+", word.strip()) if part]
    text = _GAP.join(parts)
    name = f"{kind}-{number}"
    body = f"{_MAKER}{_GAP}({text})" if word.strip().isdigit() else f"({text})"
    first = re.split(r"[\s_.-]+", word.strip())[0]
    start = "(?i:" + "|".join(_MAKER[3:-1].split("|")) + f"){_GAP}{text}" if word.strip().isdigit() else parts[0]
    literals = tuple(_MAKER[3:-1].split("|")) if word.strip().isdigit() else (_ascii_head(first),)
    letters = sum(character.isalnum() for character in word)
    return Detector(
        name,
        kind,
        f"(?i:(?:\\A|\\\\[nrt]|[^A-Za-z0-9]){body}(?:[^A-Za-z0-9]|\\z))",
        (Anchor(f"(?i:{start})", literals, (name,)),),
        _judge(f"{'word' if kind == 'word' else 'name'} {number} of the list ({letters} letters or digits)"),
    )


def _any_case(part: str) -> str:
    """Return a pattern over UTF-8 bytes; letters beyond ASCII in both cases."""
    pattern = ""
    for character in part:
        forms = sorted({character, character.lower(), character.upper()})
        encoded = ["".join(f"\\x{byte:02x}" for byte in form.encode()) for form in forms]
        pattern += re.escape(character) if character.isascii() else f"(?-i:{'|'.join(encoded)})"
    return pattern


def _ascii_head(word: str) -> str:
    """Return the beginning of a word that both engines find without regard to case; empty when there is none."""
    return re.match(r"[\x00-\x7f]*", word).group().lower()  # type: ignore[union-attr]


def _judge(shown: str) -> Judge:
    def judge(_window: Window, match: Match) -> tuple[int, int, str] | None:
        return match.start(1), match.end(1), shown

    return judge
