"""A JSON object of a run, read by canonical keys: aliases folded, wrong types noted and never raised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile
from omnicheck.readers.problem import Problem


class Record:
    """An object inside a JSON file.

    Attributes:
        file: the file.
        value: the object as decoded; empty when the file holds none.
        at: JSON pointer of the object in the file.
    """

    def __init__(self, source: Source, file: RunFile, value: Any, at: str = "") -> None:
        self._source = source
        self.file = file
        self.at = at
        if not isinstance(value, dict) and value is not None:
            self._wrong("", "object", value)
        self.value: Mapping[str, Any] = value if isinstance(value, dict) else {}

    def names(self, name: str) -> tuple[str, ...]:
        """Return the keys under which a value may stand in this run's files."""
        return self._source.aliases(name)

    def key(self, name: str) -> str | None:
        """Return the key under which the canonical ``name`` stands, or None."""
        return next((alias for alias in self._source.aliases(name) if alias in self.value), None)

    def pointer(self, name: str) -> str:
        """Return the JSON pointer of a canonical name, whether or not it stands there."""
        key = self.key(name) or name
        return f"{self.at}/{key.replace('~', '~0').replace('/', '~1')}"

    def has(self, name: str) -> bool:
        """Whether the name stands there, even as null."""
        return self.key(name) is not None

    def raw(self, name: str) -> Any:
        """Return the value whatever its type."""
        key = self.key(name)
        return None if key is None else self.value[key]

    def number(self, name: str) -> float | None:
        """Return a finite number; a boolean, a string or a non-finite number is noted and None."""
        found = self.raw(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            self._wrong(name, "number", found)
            return None
        return found

    def count(self, name: str) -> int | None:
        """Return a non-negative whole number."""
        found = self.number(name)
        if found is None:
            return None
        if found < 0 or found != int(found):
            self._wrong(name, "non-negative integer", found)
            return None
        return int(found)

    def text(self, name: str) -> str | None:
        """Return a string."""
        found = self.raw(name)
        if found is not None and not isinstance(found, str):
            self._wrong(name, "string", found)
            return None
        return found

    def flag(self, name: str) -> bool | None:
        """Return a boolean."""
        found = self.raw(name)
        if found is not None and not isinstance(found, bool):
            self._wrong(name, "boolean", found)
            return None
        return found

    def object(self, name: str) -> Record:
        """Return the object under a name; an empty one when it is absent."""
        found = self.raw(name)
        return Record(self._source, self.file, found, self.pointer(name))

    def items(self, name: str) -> list[Any]:
        """Return an array; an empty one when it is absent."""
        found = self.raw(name)
        if found is None:
            return []
        if not isinstance(found, list):
            self._wrong(name, "array", found)
            return []
        return found

    def objects(self, name: str) -> list[Record]:
        """Return the objects of an array; elements that are none are noted and left out."""
        records = [
            Record(self._source, self.file, item, f"{self.pointer(name)}/{i}")
            for i, item in enumerate(self.items(name))
        ]
        return [record for record in records if isinstance(record.value, dict)]

    def strings(self, name: str) -> tuple[str, ...]:
        """Return an array of strings; elements that are none are noted and left out."""
        found = self.items(name)
        for i, item in enumerate(found):
            if not isinstance(item, str):
                self._wrong(f"{name}/{i}", "string", item)
        return tuple(item for item in found if isinstance(item, str))

    def counts(self, name: str) -> dict[str, int]:
        """Return an object of counts by name; values that are none are noted and left out."""
        inner = self.object(name)
        found = {key: inner.count(key) for key in inner.value}
        return {key: value for key, value in found.items() if value is not None}

    def _wrong(self, name: str, wanted: str, found: Any) -> None:
        pointer = f"{self.at}/{name}" if name else self.at
        shown = type(found).__name__ if isinstance(found, dict | list) else repr(found)[:60]
        self._source.note(
            self.file, Problem(message=f"expected a {wanted}, found {shown}", pointer=pointer, kind="type")
        )


def record(source: Source, file: RunFile) -> Record:
    """Return the object that a JSON file holds."""
    return Record(source, file, source.json(file).value)
