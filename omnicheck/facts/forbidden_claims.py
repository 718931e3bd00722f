"""Sentences of a run's documents that use a phrase which its contract forbids, and whether they deny it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.claims import CONDITION, NEGATION, ClaimText
from omnicheck.facts.contract import Contract
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

_CLAUSE = re.compile(
    r"(?:;|:|,? \b(?:but|whereas|however|although|though)\b|,? and (?=(?:it|we|they|this|the)\b))", re.IGNORECASE
)
_DISTANCE = re.compile(
    r"\b(?:avoid|forbidden|claim(?:s|ed|ing)?|than|unlike|below|behind|against|versus|compared|beyond|far from"
    r"|instead of|rather than|lacks?|future|goals?|aims?|plans?|planned|out of scope|excluded|whether|fails? to)\b",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"\b(?:not|no|limits?|limitations?|out[- ]of[- ]scope|future|next|todo|related|background|references?|claims?)\b",
    re.IGNORECASE,
)
_QUOTES = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|`[^`]*`|(?<!\w)'[^']*'(?!\w)")


class ForbiddenClaims(Struct, frozen=True):
    """What one document says with a phrase that the contract forbids.

    Attributes:
        file: the document.
        contract: id of the contract.
        said: (1-based line, phrase, sentence) of each claim; denied, conditional and quoted uses are left out.
    """

    file: RunFile
    contract: str
    said: tuple[tuple[int, str, str], ...]


@fact(absent="no contract with a list of forbidden claims, or no document")
def forbidden_claims(contract: Contract, texts: tuple[ClaimText, ...]) -> tuple[ForbiddenClaims, ...]:
    """Hold every sentence and heading against the contract's list."""
    listed = contract.raw.get("do_not_claim")
    phrases = [each for each in listed if isinstance(each, str) and each.strip()] if isinstance(listed, list) else []
    if not phrases:
        return ()
    patterns = [(phrase, _pattern(phrase)) for phrase in phrases]
    return tuple(ForbiddenClaims(each.file, contract.id, tuple(_said(each, patterns))) for each in texts)


def _pattern(phrase: str) -> re.Pattern[str]:
    """Match whole words; spaces and hyphens are alike."""
    words = re.split(r"[\s-]+", phrase.strip())
    return re.compile(r"(?<!\w)" + r"[\s-]+".join(re.escape(word) for word in words) + r"(?!\w)", re.IGNORECASE)


def _said(text: ClaimText, patterns: list[tuple[str, re.Pattern[str]]]) -> Iterator[tuple[int, str, str]]:
    titles = [(each.line, each.text) for each in text.headings]
    found = titles + [(each.line, each.text) for each in text.sentences if not _under_limits(text, each.line)]
    for line, sentence in sorted(found):
        for clause in _CLAUSE.split(_QUOTES.sub(" ", sentence)):
            if NEGATION.search(clause) or CONDITION.search(clause) or _DISTANCE.search(clause):
                continue
            for phrase, pattern in patterns:
                if pattern.search(clause):
                    yield line, phrase, sentence


def _under_limits(text: ClaimText, line: int) -> bool:
    above = bisect_left(text.headings, line, key=lambda each: each.line)
    return above > 0 and _LIMITS.search(text.headings[above - 1].text) is not None
