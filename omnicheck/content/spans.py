"""Where bytes hold a secret, an identity or a private endpoint. Pure; no text of a leak leaves this module."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache

from msgspec import Struct, structs

from omnicheck.content.credentials import credential_detectors
from omnicheck.content.detector import BACK, LONG, Detector, Kind, Window
from omnicheck.content.endpoints import ENDPOINTS
from omnicheck.content.identity import IDENTITY, PHONE
from omnicheck.content.patterns import Anchors, Engine, best_engine, compiled
from omnicheck.content.words import word_detectors
from omnicheck.model.errors import ReadError

CHUNK = 4 << 20
"""Bytes of a stream that are scanned at once."""

MAX_SPANS = 10_000
"""Spans of one rule in one stream; further ones are not listed."""

MAX_TRIES = 1_000_000
"""Places of one stream where rules are tried: crafted data must not stop the scan for hours."""

USUAL: frozenset[Kind] = frozenset(("credential", "path", "endpoint", "email"))


class Span(Struct, frozen=True):
    """A stretch of bytes that must not leave the house.

    Attributes:
        kind: credential, path, endpoint, email or phone.
        rule: the detector's name, such as ``github-token``.
        start: offset of its first byte.
        end: offset after its last byte.
        line: 1-based line of its first byte.
        shown: what it is, in words that hold nothing of its text.
        mark: keyed fingerprint of 16 bits: the same leak in the same file has the same, and too short to guess from.
    """

    kind: Kind
    rule: str
    start: int
    end: int
    line: int
    shown: str
    mark: str


class Wanted(Struct, frozen=True):
    """What to look for.

    Attributes:
        kinds: kinds of leaks; ``phone`` is not among the usual ones.
        words: words that a policy forbids.
        names: names of people or groups that must not be told.
        key: what the fingerprints depend on, such as the file's path.
    """

    kinds: frozenset[Kind] = USUAL
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    key: str = ""


EVERYTHING_USUAL = Wanted()


def find_spans(data: bytes, wanted: Wanted = EVERYTHING_USUAL, *, engine: Engine | None = None) -> tuple[Span, ...]:
    """Return the leaks in some bytes, in order.

    Args:
        data: text in UTF-8 or another encoding that holds ASCII.
        wanted: what to look for.
        engine: ``re2`` or ``re``; both find the same.
    """
    pieces = iter((data,))
    found: list[Span] = []
    with suppress(ReadError):
        found.extend(spans_of(lambda _size: next(pieces, b""), wanted, engine=engine))
    return tuple(found)


def spans_of(
    read: Callable[[int], bytes],
    wanted: Wanted = EVERYTHING_USUAL,
    *,
    engine: Engine | None = None,
    chunk: int = CHUNK,
    secrets: set[bytes] | None = None,
) -> Iterator[Span]:
    """Yield the leaks of a stream, in order; where its pieces end makes no difference.

    Args:
        read: returns at most that many bytes, none at the end.
        wanted: what to look for.
        engine: as above.
        chunk: bytes that are scanned at once.
        secrets: takes the text of each credential, for a redactor in the same process.

    Raises:
        ReadError: there are more places to look at than any honest file has; the rest was not searched.
    """
    scanner = _scanner(wanted.kinds, wanted.words, wanted.names, engine or best_engine())
    buffer, offset, resume, line, counted = b"", 0, 0, 1, 0
    last = _Merged(wanted.key)
    counts: Counter[str] = Counter()
    ended, tries = False, 0
    while not ended:
        piece = read(chunk)
        ended = not piece
        buffer += piece
        end = len(buffer) if ended else len(buffer) - LONG
        if end > resume - offset:
            for begin, stop, rules in scanner.anchors.hits(buffer, max(0, resume - offset), end):
                resume = offset + max(stop, begin + 1)
                tries += 1
                wanted_rules = tuple(rule for rule in rules if counts[rule] < MAX_SPANS)
                for found in scanner.tried(buffer, begin, wanted_rules, final=ended):
                    line += buffer.count(b"\n", max(0, counted - offset), found[0])
                    counted = max(counted, offset + found[0])
                    at = line - buffer.count(b"\n", found[0], max(0, counted - offset))
                    yield from last.add(found, buffer, offset, at)
                    if secrets is not None and found[3].kind == "credential":
                        secrets.add(buffer[found[0] : found[1]])
                    counts[found[3].id] += 1
                if tries > MAX_TRIES:
                    yield from last.flush()
                    raise ReadError(
                        f"more than {MAX_TRIES:,} places to look at; what follows was not searched for leaks"
                    )
            resume = max(resume, offset + end)
        keep = max(0, min(len(buffer), resume - offset) - BACK - LONG)
        line += buffer.count(b"\n", max(0, counted - offset), keep) if keep > counted - offset else 0
        counted = max(counted, offset + keep)
        buffer, offset = buffer[keep:], offset + keep
    yield from last.flush()


def credentials_in(data: bytes) -> tuple[tuple[int, int], ...]:
    """Return begin and end of each credential; what a redactor asks for."""
    # The usual kinds: their detectors are loaded anyway, and a second set would cost as much again.
    return tuple((span.start, span.end) for span in find_spans(data) if span.kind == "credential")


class _Scanner:
    """The detectors of some kinds, ready for one engine."""

    def __init__(self, detectors: tuple[Detector, ...], engine: Engine) -> None:
        self._detectors = {detector.id: detector for detector in detectors}
        self._engine = engine
        self.anchors = Anchors([anchor for detector in detectors for anchor in detector.anchors], engine)

    def tried(
        self, buffer: bytes, hit: int, rules: tuple[str, ...], *, final: bool
    ) -> list[tuple[int, int, str, Detector]]:
        """Return begin, end, words and detector of what the rules find around a hit."""
        found: list[tuple[int, int, str, Detector]] = []
        for name in rules:
            detector = self._detectors[name]
            first = max(0, hit - detector.back)
            last = hit + detector.reach
            window = Window(buffer[first:last], cut=last < len(buffer) or not final)
            for match in compiled(detector.pattern, self._engine).finditer(window.data):
                if match.start() > hit - first:
                    break
                if match.end() <= hit - first:
                    continue
                judged = detector.judge(window, match)
                if judged is not None:
                    found.append((first + judged[0], first + judged[1], judged[2], detector))
        return found


class _Merged:
    """Joins what overlaps: one leak is told once, under the rule that was first."""

    def __init__(self, key: str) -> None:
        self._open: list[Span] = []
        self._key = hashlib.blake2b(key.encode("utf-8", "backslashreplace")).digest()

    def add(self, found: tuple[int, int, str, Detector], buffer: bytes, offset: int, line: int) -> Iterator[Span]:
        """Take a leak; yield those that nothing can overlap any more."""
        begin, end, shown, detector = found
        span = Span(detector.kind, detector.id, offset + begin, offset + end, line, shown, "")
        for i, other in enumerate(self._open):
            if other.kind == span.kind and span.start < other.end and other.start < span.end:
                start, stop = min(other.start, span.start), max(other.end, span.end)
                mark = self._mark(other.rule, buffer[start - offset : stop - offset])
                self._open[i] = Span(other.kind, other.rule, start, stop, min(other.line, span.line), other.shown, mark)
                return
        done = [each for each in self._open if each.end + BACK < span.start]
        self._open = [each for each in self._open if each.end + BACK >= span.start]
        yield from sorted(done, key=lambda each: each.start)
        self._open.append(structs.replace(span, mark=self._mark(span.rule, buffer[begin:end])))

    def flush(self) -> Iterator[Span]:
        """Yield what is left."""
        yield from sorted(self._open, key=lambda each: each.start)
        self._open = []

    def _mark(self, rule: str, text: bytes) -> str:
        return hashlib.blake2b(rule.encode() + b"\0" + text, key=self._key, digest_size=2).hexdigest()


@lru_cache(maxsize=16)
def _scanner(kinds: frozenset[Kind], words: tuple[str, ...], names: tuple[str, ...], engine: Engine) -> _Scanner:
    known: list[Detector] = [*IDENTITY, *ENDPOINTS, PHONE]
    if "credential" in kinds:
        known = [*credential_detectors(), *known]
    usual = [detector for detector in known if detector.kind in kinds]
    return _Scanner((*usual, *word_detectors("word", words), *word_detectors("name", names)), engine)
