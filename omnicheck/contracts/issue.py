"""What is wrong with a contract or with a sample, before a rule speaks of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct


class Issue(Struct, frozen=True):
    """One violation.

    Attributes:
        rule: id of the rule that speaks of it.
        pointer: JSON pointer (RFC 6901) into the contract or the row.
        message: one sentence that names the value.
        expected: what was wanted; plain data.
        actual: what stands there; plain data.
        help: how to mend it.
        variant: severity variant of the rule's page, such as ``unknown-key``, or None.
    """

    rule: str
    pointer: str
    message: str
    expected: Any = None
    actual: Any = None
    help: str = ""
    variant: str | None = None


def pointer_of(parts: Iterable[str | int]) -> str:
    """Return the JSON pointer of a path of keys and indices."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def shown(value: Any) -> str:
    """Return a value as a short text for a message."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return ascii(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 200:
        return "a number of more than 60 digits"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def strings(value: Any) -> list[str]:
    """Return the strings of a list, and nothing of anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def mapping(value: Any) -> dict[str, Any]:
    """Return an object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}
