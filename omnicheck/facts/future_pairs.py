"""Pairs of a context window and the future window that a model has to foresee."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.predictions import window_of
from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile

MAX_PAIRS = 2_000_000

_ORDINAL = re.compile(r"(?P<episode>.+?):(?:[^:]+:)*(?P<ordinal>\d+)")
_HORIZON = re.compile(r":h(\d+)$")


class FuturePair(Struct, frozen=True):
    """One pair.

    Attributes:
        id: of the row, or None.
        line: 1-based.
        context: id of the context's record.
        future: id of the future's record.
        episodes: episodes of context and future as their ids tell them; None where an id tells none.
        ordinals: numbers of context and future window in their episodes; None where an id tells none.
        horizon: declared by the row itself (``horizon_windows`` or ``…:h5``), or None.
        windows: frames of context and future (inclusive); None where the row does not state them.
        splits: splits of context and future, where the row states both.
    """

    id: str | None
    line: int
    context: str
    future: str
    episodes: tuple[str, str] | None
    ordinals: tuple[int, int] | None
    horizon: int | None
    windows: tuple[tuple[int, int], tuple[int, int]] | None
    splits: tuple[str, str] | None


class FuturePairs(Struct, frozen=True):
    """The pairs of one file; ``dropped`` more are not kept."""

    file: RunFile
    pairs: tuple[FuturePair, ...]
    dropped: int


@fold(FuturePairs, absent="no pairs of context and future windows")
class FuturePairFold:
    """Collects pairs."""

    roles: ClassVar[tuple[str, ...]] = ("future_predictions", "predictions", "dataset_rows", "window_index")
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._pairs: list[FuturePair] = []
        self._dropped = 0

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take rows."""
        for line, row in enumerate(rows, first):
            if "future_record_id" in row or "future_window" in row:
                pair = _pair(row, line)
                if pair is not None and len(self._pairs) < MAX_PAIRS:
                    self._pairs.append(pair)
                elif pair is not None:
                    self._dropped += 1

    def merge(self, other: FuturePairFold) -> None:
        """Append the pairs of the later part."""
        self._pairs.extend(other._pairs)
        self._dropped += other._dropped

    def fact(self) -> FuturePairs | None:
        """Return the pairs; None for a file without any."""
        return FuturePairs(self._file, tuple(self._pairs), self._dropped) if self._pairs else None


def _pair(row: Mapping[str, Any], line: int) -> FuturePair | None:
    sample = row.get("id")
    context, future = row.get("context_record_id"), row.get("future_record_id")
    stated = row.get("horizon_windows")
    told = _HORIZON.search(sample) if isinstance(sample, str) else None
    near, far = window_of(row), row.get("future_window")
    ahead = window_of({"window": far}) if isinstance(far, dict) else None
    names = (context, future) if isinstance(context, str) and isinstance(future, str) else None
    if names is None and (near is None or ahead is None):
        return None
    found = [_ORDINAL.fullmatch(name) for name in names or ()]
    places = [place for place in found if place is not None]
    splits = (row.get("context_split", row.get("split")), row.get("future_split"))
    return FuturePair(
        sample if isinstance(sample, str) else None,
        line,
        names[0] if names else "context",
        names[1] if names else "future",
        (places[0]["episode"], places[1]["episode"]) if len(places) == 2 else None,
        (int(places[0]["ordinal"][:18]), int(places[1]["ordinal"][:18])) if len(places) == 2 else None,
        stated if isinstance(stated, int) and not isinstance(stated, bool) else int(told[1][:18]) if told else None,
        (near, ahead) if near is not None and ahead is not None else None,
        (splits[0], splits[1]) if isinstance(splits[0], str) and isinstance(splits[1], str) else None,
    )
