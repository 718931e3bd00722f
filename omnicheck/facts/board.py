"""The facts of one run: made on demand, each once, folds of one file together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

from msgspec import Struct

from omnicheck.facts.passes import fold_file
from omnicheck.facts.registry import Fold, Want, provider, wants
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class Absent(Struct, frozen=True):
    """A fact that the run does not have, and why."""

    reason: str


class Board:
    """Answers which facts a run has.

    Args:
        source: the run.
        planned: fact classes that the selected rules will ask for; folds among them share passes.
    """

    def __init__(self, source: Source, planned: Iterable[type] = ()) -> None:
        self.source = source
        self._made: dict[type, Any] = {Source: source}
        self._passed: set[str] = set()
        self._folds = self._closure(planned)

    def ask(self, want: Want) -> Any:
        """Return the value for a parameter: a fact, None, a tuple of facts, or ``Absent``."""
        found = self.get(want.fact)
        if want.arity in ("many", "any"):
            if isinstance(found, Absent):
                return () if want.arity == "any" else found
            return found if isinstance(found, tuple) else (found,)
        if isinstance(found, tuple):
            found = found[0] if len(found) == 1 else self._several(want, found)
        if isinstance(found, Absent):
            return None if want.arity == "maybe" else found
        return found

    def get(self, made: type) -> Any:
        """Return a fact, a tuple of facts, or ``Absent``."""
        if made not in self._made:
            entry = provider(made)
            if entry.fold:
                self._pass(made)
            else:
                self._made[made] = self._make(made)
        return self._made[made]

    def _several(self, want: Want, found: tuple[Any, ...]) -> Any:
        return (
            Absent(f"{len(found)} candidates for {want.fact.__name__}") if found else Absent(provider(want.fact).absent)
        )

    def _make(self, made: type) -> Any:
        entry = provider(made)
        arguments = {}
        for want in wants(entry.maker):
            value = self.ask(want)
            if isinstance(value, Absent):
                if want.arity == "many":
                    value = ()
                else:
                    return value
            arguments[want.name] = value
        result = entry.maker(**arguments)
        if result is None or result == ():
            return Absent(entry.absent)
        return result

    def _pass(self, made: type) -> None:
        """Run the fold of ``made``, and in the same pass every planned fold of the same files that is ready."""
        group = {made: cast("type[Fold]", provider(made).maker)}
        roles = set(group[made].roles)
        ready = {
            other: cast("type[Fold]", provider(other).maker)
            for other in sorted(self._folds - {made}, key=lambda each: each.__qualname__)
            if other not in self._made and self._ready(other)
        }
        # Files of one role may be read for a fold that reads other roles too: all of them go together.
        while joining := {other: kind for other, kind in ready.items() if other not in group and roles & {*kind.roles}}:
            group.update(joining)
            roles.update(role for kind in joining.values() for role in kind.roles)
        given = {need: self.get(need) for kind in group.values() for need in kind.needs}
        results: dict[type, list[Any]] = defaultdict(list)
        for file in self.source.run.of(*roles):
            fitting = {each: kind for each, kind in group.items() if file.role in kind.roles}
            facts = fold_file(self.source, file, fitting, given, passed=self._passed)
            for each, value in facts.items():
                if value is not None:
                    results[each].append(value)
        for each in group:
            self._made[each] = tuple(results[each]) or Absent(provider(each).absent)

    def _ready(self, made: type) -> bool:
        """Whether everything that a fold needs can be made without another pass."""
        return all(
            need in self._made or need is RunFile or self._at_hand(need)
            for need in cast("type[Fold]", provider(made).maker).needs
        )

    def _at_hand(self, made: type) -> bool:
        if made in self._made:
            return True
        entry = provider(made)
        return not entry.fold and all(self._at_hand(want.fact) for want in wants(entry.maker))

    def _closure(self, planned: Iterable[type]) -> set[type]:
        """Return the folds that the planned facts rest on."""
        seen: set[type] = set()
        stack = [each for each in planned if each is not Source]
        while stack:
            made = stack.pop()
            if made in seen or made in (Source, RunFile):
                continue
            seen.add(made)
            entry = provider(made)
            stack.extend(
                cast("type[Fold]", entry.maker).needs if entry.fold else [want.fact for want in wants(entry.maker)]
            )
        return {made for made in seen if provider(made).fold}

    def reason(self, want: Want) -> str:
        """Return why a fact is missing."""
        found = self.get(want.fact)
        return found.reason if isinstance(found, Absent) else provider(want.fact).absent
