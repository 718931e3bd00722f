"""Two regular expression engines with one answer: google-re2 where it is installed, the standard library otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol

from msgspec import Struct

Engine = Literal["re2", "re"]


class Match(Protocol):
    """What both engines say of a match."""

    def start(self, group: int = 0, /) -> int:
        """Offset of a group; -1 when it took no part."""
        ...

    def end(self, group: int = 0, /) -> int:
        """Offset after a group."""
        ...

    def group(self, group: int = 0, /) -> Any:
        """Bytes of a group."""
        ...


class Anchor(Struct, frozen=True):
    """What must stand in the data before any rule is tried there.

    Attributes:
        pattern: regular expression; begins with one of the literals, in any case.
        literals: in lower case. The standard library looks for these first; re2 runs the pattern at once.
        rules: what to try at a hit.
    """

    pattern: str
    literals: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def plain(self) -> bool:
        """Whether it is one text in any case and nothing else."""
        return len(self.literals) == 1 and self.pattern == f"(?i:{re.escape(self.literals[0])})"


_LONGEST = 64


def literal(text: str, *rules: str) -> Anchor:
    """Return an anchor that is a plain text in any case."""
    return Anchor(f"(?i:{re.escape(text)})", (text.lower(),), rules)


@lru_cache(maxsize=1)
def best_engine() -> Engine:
    """Return the engine that is used unless another is asked for."""
    try:
        import re2  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - 10 ms, only where text is scanned
    except ImportError:
        return "re"
    return "re2"


@lru_cache(maxsize=2048)
def compiled(pattern: str, engine: Engine) -> Any:
    r"""Compile a pattern over bytes, written so that both engines read it alike (``\z`` ends the text)."""
    if engine == "re":
        return re.compile(pattern.replace("\\z", "\\Z").encode("latin-1"))
    import re2  # noqa: PLC0415 - as above

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode("latin-1"), options=options)


class Anchors:
    """Finds the places where a rule may match.

    Args:
        anchors: in order of preference where two begin at one place.
        engine: which engine.
    """

    def __init__(self, anchors: Sequence[Anchor], engine: Engine) -> None:
        self._engine = engine
        plain = [anchor for anchor in anchors if anchor.plain]
        # At one place a pattern goes before a plain text, and a longer text before a shorter one.
        ordered = [anchor for anchor in anchors if not anchor.plain]
        ordered += sorted(plain, key=lambda anchor: (-len(anchor.literals[0]), anchor.literals[0]))
        self._by_byte: dict[int, list[tuple[Anchor, tuple[bytes, ...]]]] = {byte: [] for byte in range(256)}
        for anchor in ordered:
            words_ = tuple(word.encode() for word in anchor.literals)
            for byte in {word[0] for word in words_} if all(words_) else range(256):
                self._by_byte[byte].append((anchor, words_))
        self._plain = {
            anchor.literals[0].encode(): tuple(
                dict.fromkeys(
                    r for each in plain if anchor.literals[0].startswith(each.literals[0]) for r in each.rules
                )
            )
            for anchor in plain
        }
        if engine == "re2":
            self._any = compiled("|".join(dict.fromkeys(f"(?:{anchor.pattern})" for anchor in ordered)), "re2")
        else:
            words = sorted({word for anchor in anchors for word in anchor.literals})
            self._words = re.compile(_trie(words).encode("latin-1"))

    def hits(self, data: bytes, start: int, end: int) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Yield begin, end and rules of each hit that begins in ``[start, end)``.

        A hit ends after the literal that it begins with, so that what follows a telling name is looked at by itself:
        the value of ``token: hf_…`` is a hit of its own.
        """
        low = b"" if self._engine == "re2" else data[: end + _LONGEST].lower()
        at = start
        while at < end:
            found = self._fast(data, at, end) if self._engine == "re2" else self._slow(data, low, at, end)
            if found is None:
                return
            begin, stop = found
            text = data[begin:stop].lower()
            rules = self._plain.get(text)
            if rules is None:
                head = data[begin : begin + _LONGEST].lower()
                fitting = [
                    (anchor, words)
                    for anchor, words in self._by_byte[head[0]]
                    if head.startswith(words) and compiled(anchor.pattern, self._engine).match(data, begin)
                ]
                rules = tuple(rule for anchor, _ in fitting for rule in anchor.rules)
                lengths = [len(word) for _, words in fitting for word in words if word and head.startswith(word)]
                stop = min(stop, begin + max(lengths, default=stop - begin))
            at = max(stop, begin + 1)
            yield begin, at, rules

    def _fast(self, data: bytes, start: int, end: int) -> tuple[int, int] | None:
        match = self._any.search(data, start)
        return None if match is None or match.start() >= end else (match.start(), match.end())

    def _slow(self, data: bytes, low: bytes, start: int, end: int) -> tuple[int, int] | None:
        at = start
        while (candidate := self._words.search(low, at)) and candidate.start() < end:
            at = candidate.start()
            stop = self._longest(data, low, at)
            if stop is not None:
                return at, stop
            at += 1
        return None

    def _longest(self, data: bytes, low: bytes, at: int) -> int | None:
        """Return where the first anchor that matches here ends, in the order of preference."""
        for anchor, words in self._by_byte[low[at]]:
            if low.startswith(words, at):
                match = compiled(anchor.pattern, "re").match(data, at)
                if match is not None:
                    return int(match.end())
        return None


def _trie(words: Sequence[str]) -> str:
    """Return a pattern for any of the words that shares their beginnings: re tries branches one after another."""
    if "" in words:
        return ""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word[0], []).append(word[1:])
    branches = [re.escape(first) + _trie(rest) for first, rest in sorted(groups.items())]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
