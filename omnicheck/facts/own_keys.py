"""A team's own key names, translated as rows are read: folds meet the built-in names only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omnicheck.facts.aliases import ALIASES
from omnicheck.readers.literal import parse_literal

_ANSWERS = frozenset({*ALIASES["true_answer"], *ALIASES["predicted_answer"], "messages", "supervision"})
"""Keys whose values have fields of their own, which no alias touches."""

_WINDOWS = frozenset(ALIASES["window"])


class OwnKeys:
    """Renames a team's own keys in rows to the preferred built-in name of the same value.

    Args:
        fields: ``[fields]`` of the configuration: a canonical or built-in name to the team's own names of it.
        dataset: whether the rows are samples: their true answer is the only one they have, and called so.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]], *, dataset: bool = False) -> None:
        self._targets: dict[str, str] = {}
        for name, own in fields.items():
            builtin = ALIASES.get(name, (name,))
            for key in own:
                if key not in builtin:
                    of_sample = dataset and name == "true_answer"
                    self._targets.setdefault(key, "answer_json" if of_sample else builtin[0])

    def meaning(self, key: str) -> str:
        """Return the built-in name of a key."""
        return self._targets.get(key, key)

    def translate(self, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Return the rows under built-in names; a built-in name beside a team's own gives way to it."""
        return [self._row(row) for row in rows] if self._targets else rows

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        chosen: dict[str, str] = {}
        for own, target in self._targets.items():
            if own in row:
                chosen.setdefault(target, own)
        renamed: dict[str, Any] = {}
        for key, value in row.items():
            target = self._targets.get(key, key)
            if chosen.get(target, key) == key:
                renamed[target] = self._inner(target, value)
        return renamed

    def _inner(self, key: str, value: Any) -> Any:
        if isinstance(value, str) and key in _WINDOWS and value.startswith("{"):
            parsed = parse_literal(value)  # a table holds objects as text
            if isinstance(parsed, dict) and not self._targets.keys().isdisjoint(parsed):
                return self._row(parsed)
        return self._row(value) if isinstance(value, dict) and key not in _ANSWERS else value


def all_names(fields: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return every name that a value may be asked by, to the names under which it may stand, the team's own first."""
    names = dict(ALIASES)
    for asked, own in _own(fields):
        names[asked] = tuple(dict.fromkeys((*own, *names.get(asked, (asked,)))))
    return names


def _own(fields: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Sequence[str]]]:
    for name, own in fields.items():
        yield name, own
        # A canonical name speaks for its built-in names, and a built-in name for its canonical one.
        yield from ((each, own) for each in ALIASES.get(name, ()) if each not in ALIASES)
        yield from ((canonical, own) for canonical, known in ALIASES.items() if name in known and name != canonical)
