"""Which definitions the metrics of a run follow."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.recomputed import Score
from omnicheck.facts.registry import fact


class DefinitionUse(Struct, frozen=True):
    """The metrics of a run that follow some known definitions.

    Attributes:
        definitions: metric name to the definitions that give its value, the usual ones first.
        paths: metric name to the display path of its file.
    """

    definitions: dict[str, tuple[str, ...]]
    paths: dict[str, str]


@fact(absent="no metric that a known definition gives")
def definition_use(scores: tuple[Score, ...]) -> DefinitionUse | None:
    """Collect the definitions of averages; what is 0 or 1 by all of them tells nothing."""
    definitions: dict[str, tuple[str, ...]] = {}
    paths: dict[str, str] = {}
    for score in scores:
        matches = tuple(score.matches)
        if score.rows is None or not matches or len(matches) == len(score.plain):
            continue
        for key in score.keys:
            definitions.setdefault(key, matches)
            paths.setdefault(key, score.evaluation.metrics.file.path)
    return DefinitionUse(definitions, paths) if definitions else None
