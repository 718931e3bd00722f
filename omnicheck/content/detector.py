"""What a detector is: where it looks, what it matches, and what of a match is no leak."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from omnicheck.content.patterns import Anchor, Match

Kind = Literal["credential", "path", "endpoint", "email", "phone", "word", "name"]

BACK = 128
"""Bytes before a hit that a rule sees, at most."""

REACH = 1024
"""Bytes from a hit on that a rule sees, unless it asks for more."""

LONG = 8192
"""The most that any rule may ask for; streams overlap by this."""


class Window(Struct, frozen=True):
    """The bytes around a hit; ``cut`` tells that the data goes on after them."""

    data: bytes
    cut: bool


Judge = Callable[[Window, Match], tuple[int, int, str] | None]
"""Returns begin and end in the window, and words that describe the leak without its text; None when it is none."""


class Detector(Struct, frozen=True):
    """One rule.

    Attributes:
        id: its name.
        kind: what kind of leak it finds.
        pattern: regular expression that both engines read alike.
        anchors: where it is tried.
        judge: what of a match counts.
        reach: bytes from the hit on that it sees.
        back: bytes before the hit that it sees.
    """

    id: str
    kind: Kind
    pattern: str
    anchors: tuple[Anchor, ...]
    judge: Judge
    reach: int = REACH
    back: int = BACK


def entropy(text: bytes) -> float:
    """Return the Shannon entropy in bits per byte."""
    if not text:
        return 0.0
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())
