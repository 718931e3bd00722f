"""Publication policies: what the phrases of a contract allow and deny, by kinds of content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from omnicheck.contracts.issue import Issue, pointer_of, shown, strings
from omnicheck.contracts.policy_phrases import (
    ALWAYS_DENIED,
    AUXILIARIES,
    CONDITIONS,
    DENIALS,
    DESCRIPTIONS,
    EXCEPTIONS,
    HEAVY,
    KINDS,
    LONGEST,
    NEGATORS,
    PERMISSIONS,
    PHRASES,
)

__all__ = ["ALWAYS_DENIED", "KINDS", "denied_kinds", "judge_policy", "kinds_of_phrase"]

_WORD = re.compile(r"[a-z0-9]+(?:'t)?")
_CLAUSE = re.compile(r"[;!?]|\.(?=\s|$)|,?\s+but\s+")
_CHUNK = re.compile(r",|\s+(?:and|or|plus)\s+|\s*[&+]\s*")
_EXCEPTION = re.compile(rf"\b(?:{'|'.join(EXCEPTIONS)})\b")
_CONDITION = re.compile(r"\b(?:unless|until|if not)\b")

_REQUIRED: tuple[tuple[str, frozenset[str]], ...] = (
    ("raw media", frozenset({"raw_video", "raw_audio"})),
    ("HDF5", frozenset({"hdf5"})),
    ("RRD", frozenset({"rrd"})),
    ("model weights", frozenset({"base_weights"})),
    ("checkpoints", frozenset({"checkpoints"})),
    ("archives", frozenset({"archives"})),
)


class _Clause(Struct, frozen=True):
    """What one clause of a phrase says: the kinds it names, and whether it permits, denies, or merely names them."""

    kinds: frozenset[str]
    stance: str


def kinds_of_phrase(text: str) -> frozenset[str]:
    """Return the kinds of content that a phrase names; empty when it names none that is known.

    A description counts as what it is: ``adapter load audits`` are reports, not weights. What follows an exception
    (``except``, ``without``) or a condition (``unless``) is not named.
    """
    return frozenset().union(*(clause.kinds for clause in _clauses(text)))


def denied_kinds(forbidden: Iterable[str]) -> frozenset[str]:
    """Return the kinds that a list of forbidden content denies; a phrase that permits something denies nothing."""
    return frozenset().union(
        *(clause.kinds for text in forbidden for clause in _clauses(text) if clause.stance in ("names", "denies"))
    )


def judge_policy(allowed: Any, forbidden: Any) -> list[Issue]:
    """Return the CTR106 issues of a publication policy.

    Args:
        allowed: the value of ``public_package_allowed``; entries that are no strings are left to the model.
        forbidden: the value of ``public_package_forbidden``.
    """
    issues: list[Issue] = []
    granted: dict[int, frozenset[str]] = {}
    for index, text in enumerate(allowed if isinstance(allowed, list) else ()):
        if isinstance(text, str):
            granted[index] = frozenset().union(*(c.kinds for c in _clauses(text) if c.stance in ("names", "permits")))
    denied = denied_kinds(strings(forbidden))
    for index, kinds in granted.items():
        clash = sorted(kinds & (denied | ALWAYS_DENIED))
        if clash:
            both = "and forbidden as well" if set(clash) <= denied else "though it may never be published by default"
            issues.append(
                _issue(
                    ("public_package_allowed", index),
                    f"{shown(allowed[index])} is allowed, {both}: {', '.join(clash)}",
                    [],
                    clash,
                    "Take it off one of the lists; weights are released through publish.ship, file by file.",
                )
            )
    if isinstance(forbidden, list):
        issues += _uncovered(denied, forbidden)
    issues += [
        *_unclear("public_package_allowed", allowed, wrong="denies"),
        *_unclear("public_package_forbidden", forbidden, wrong="permits"),
    ]
    return issues


def _uncovered(denied: frozenset[str], forbidden: list[Any]) -> Iterator[Issue]:
    for what, kinds in _REQUIRED:
        if not kinds & denied:
            yield _issue(
                ("public_package_forbidden",),
                f"the forbidden content does not deny {what}",
                what,
                forbidden,
                f"Add an entry that names {what} and nothing that permits it.",
            )


def _unclear(key: str, texts: Any, *, wrong: str) -> Iterator[Issue]:
    for index, text in enumerate(texts if isinstance(texts, list) else ()):
        if not isinstance(text, str):
            continue
        clauses = _clauses(text)
        if any(clause.stance in (wrong, "unclear") for clause in clauses):
            listed = "allowed" if wrong == "denies" else "forbidden"
            yield _issue(
                (key, index),
                f"{shown(text)} stands among the {listed} content, but {_SAYS[wrong]}",
                f"a name of {listed} content",
                text,
                "Name the content only, such as 'raw MP4' or 'run reports'.",
            )
        elif not any(clause.kinds for clause in clauses):
            yield _issue(
                (key, index),
                f"{shown(text)} names no kind of content that is known, so nothing enforces it",
                sorted(KINDS),
                text,
                "Use words for one of the known kinds.",
            )


_SAYS = {"denies": "does not say plainly that it may ship", "permits": "does not say plainly that it may not ship"}


def _clauses(text: str) -> list[_Clause]:
    found = []
    for part in _CLAUSE.split(text.lower()):
        if part.strip():
            said, *condition = _CONDITION.split(part, maxsplit=1)
            said = _EXCEPTION.split(said, maxsplit=1)[0]
            stance = _stance(_WORD.findall(said))
            if condition and not CONDITIONS & set(_WORD.findall(condition[0])):
                stance = "unclear"  # a condition that nobody can check is none
            found.append(_Clause(_kinds(said), stance))
    return found


def _stance(words: list[str]) -> str:
    present = set(words)
    spoken = bool(present & AUXILIARIES)
    odd = sum(word in NEGATORS or word.endswith("n't") for word in words) % 2 == 1
    plain = [word for word in words if word not in NEGATORS]
    # Without a verb only the outer words judge, and a participle in front describes: "released checkpoints" names
    # checkpoints, "excluded-episode lists" forbids nothing.
    first = {word for word in plain[:1] if odd or not word.endswith("ed") or word in ("allowed", "permitted")}
    judging = present if spoken else first | set(plain[-1:])
    if judging & PERMISSIONS:
        return "denies" if odd else "permits"
    if judging & DENIALS:
        return "permits" if odd else "denies"
    if spoken:
        return "unclear"  # a statement whose verb is not known
    return "denies" if odd else "names"


def _kinds(text: str) -> frozenset[str]:
    kinds: set[str] = set()
    for chunk in _CHUNK.split(text):
        words = _WORD.findall(chunk)
        named = set(_match(words))
        described = DESCRIPTIONS.get(words[-1]) if words else None
        if described is not None and named & HEAVY:
            named = (named - HEAVY) | {described}
        kinds |= named
    return frozenset(kinds)


def _match(words: list[str]) -> Iterator[str]:
    """Yield the kinds of the longest known phrases, left to right."""
    here = 0
    while here < len(words):
        for length in range(min(LONGEST, len(words) - here), 0, -1):
            kinds = PHRASES.get(" ".join(words[here : here + length]))
            if kinds is not None:
                yield from kinds
                here += length
                break
        else:
            here += 1


def _issue(parts: tuple[str | int, ...], message: str, expected: Any, actual: Any, help_: str) -> Issue:
    return Issue("CTR106", pointer_of(("artifact_contract", *parts)), message, expected, actual, help_)
