"""Detectors of credentials: the vendored public rules, and those of the machine learning world."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import msgspec

from omnicheck.content.credential_patterns import FALSE_FRIENDS, FREE, NARROWED, OWN, OWN_ANCHORS, PLACEHOLDER, Own
from omnicheck.content.detector import LONG, REACH, Detector, Judge, Window, entropy
from omnicheck.content.patterns import Anchor, Match, best_engine, compiled, literal

DATA = Path(__file__).parent / "data" / "credential_rules.json"

_ENDS = "(?:[\\x60'\"\\t\\n\\f\\r ;]|\\\\[nr]|\\z)"
_BEGINS = "\\b("
_BEFORE = "[\\w.-]{0,50}?"
_ASSIGNMENT = "[ \\t\\w.-]{0,20}"
_HEX = re.compile(rb"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_NAMED = re.compile(rb"(?i)key|token|secret|passw|pwd|auth|cred|login")
_DIGIT = re.compile(rb"[0-9]")
_RUN = re.compile(rb"[A-Za-z0-9_-]*\Z")
_TOKEN = re.compile(rb"[A-Za-z0-9+/=_.-]*")


class VendoredRule(msgspec.Struct, frozen=True):
    """A rule of the vendored set: see ``data/NOTICE``."""

    id: str
    pattern: str
    keywords: tuple[str, ...]
    entropy: float
    allow: tuple[str, ...]


class VendoredRules(msgspec.Struct, frozen=True):
    """The vendored set, and what is no secret whatever the rule."""

    allow: tuple[str, ...]
    rules: tuple[VendoredRule, ...]


@lru_cache(maxsize=1)
def vendored() -> VendoredRules:
    """Read the vendored rules."""
    return msgspec.json.decode(DATA.read_bytes(), type=VendoredRules)


@lru_cache(maxsize=1)
def credential_detectors() -> tuple[Detector, ...]:
    """Return all detectors of credentials, the most telling first."""
    own = [
        Detector(
            each.id,
            "credential",
            each.pattern,
            (Anchor(*OWN_ANCHORS[each.id], (each.id,)),),
            _own_judge(each),
            each.reach,
            each.back,
        )
        for each in OWN
    ]
    public = [_public(rule) for rule in vendored().rules if rule.id not in FALSE_FRIENDS]
    return (*own, *public)


def _public(rule: VendoredRule) -> Detector:
    narrowed = NARROWED.get(rule.id)
    anchors = (
        (Anchor(narrowed.anchor, narrowed.literals, (rule.id,)),)
        if narrowed
        else tuple(literal(word, rule.id) for word in rule.keywords)
    )
    pattern = (narrowed and narrowed.pattern) or rule.pattern
    assigned = _ASSIGNMENT in pattern
    if assigned:
        # What may stand before the vendor's name says nothing, and costs the square of its length.
        pattern = pattern.replace(_BEFORE, "")
    else:
        # A token may stand before any sign that cannot belong to it, and after an escaped line end of JSON.
        pattern = pattern.replace(_ENDS, "(?:[^A-Za-z0-9_-]|\\z)")
        if pattern.startswith(_BEGINS):
            pattern = "(?:\\b|_|\\\\[nrt])(" + pattern[len(_BEGINS) :]
    judge = _public_judge(rule, assigned=assigned)
    return Detector(rule.id, "credential", pattern, anchors, judge, 384 if assigned else LONG, 64)


def _public_judge(rule: VendoredRule, *, assigned: bool) -> Judge:
    def judge(window: Window, match: Match) -> tuple[int, int, str] | None:
        begin, end = _secret(match)
        secret = window.data[begin:end]
        if entropy(secret) < max(rule.entropy, 3.0 if assigned else 2.0) or _allowed(secret, rule.allow):
            return None
        if not assigned and _embedded(window.data, begin):
            return None
        if assigned:
            # Without a telling name, digests and plain words that stand beside a vendor's name are no keys.
            before = window.data[match.start() : begin]
            if not _NAMED.search(before) and (_HEX.fullmatch(secret) or not _DIGIT.search(secret)):
                return None
        return begin, _whole(window, end), rule.id

    return judge


def _own_judge(rule: Own) -> Judge:
    def judge(window: Window, match: Match) -> tuple[int, int, str] | None:
        begin, end = _secret(match)
        secret = window.data[begin:end]
        if not rule.accepts(secret, match.group(0)) or entropy(secret) < rule.entropy or _allowed(secret, ()):
            return None
        if rule.pattern.startswith(FREE) and _embedded(window.data, begin):
            return None
        return begin, _whole(window, end), rule.id

    return judge


def _secret(match: Match) -> tuple[int, int]:
    """Return the first group that took part, as Gitleaks does; the whole match when there is none."""
    try:
        group = next((i for i in range(1, 9) if match.start(i) >= 0 and match.end(i) > match.start(i)), 0)
    except (IndexError, re.error):
        group = 0
    return match.start(group), match.end(group)


def _embedded(data: bytes, begin: int) -> bool:
    """Whether what stands before a token is base64: there any letters turn up, a token's beginning too."""
    run = _RUN.search(data, max(0, begin - 24), begin)
    before = run.group() if run else b""
    classes = [chr(byte).isdigit() * 2 + chr(byte).isupper() * 1 + (byte in b"_-") * 4 for byte in before]
    return len(before) == 24 and sum(a != b for a, b in pairwise(classes)) >= 10


def _whole(window: Window, end: int) -> int:
    """Return where a token ends that the window cut."""
    found = _TOKEN.match(window.data, end) if window.cut and end < len(window.data) else None
    return found.end() if found is not None and end >= len(window.data) - 1 else end


def _allowed(secret: bytes, patterns: tuple[str, ...]) -> bool:
    # What is no secret whatever the rule: true, $NAME, ${NAME}, {{ name }}, xxxx, /usr/lib.
    engine = best_engine()
    return PLACEHOLDER.search(secret) is not None or any(
        compiled(pattern, engine).search(secret) for pattern in (*patterns, *vendored().allow)
    )


__all__ = ["REACH", "credential_detectors", "vendored"]
