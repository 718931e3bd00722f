"""Naming families of key-value caches: a table of templates, data only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, field

from omnicheck.model.errors import ContractError

TABLE = Path(__file__).with_name("kv_families.toml")

Slot = Literal["key", "value", "both"]
Mode = Literal["growing", "shared", "sliding", "constant", "stateful"]


class Family(Struct, frozen=True, forbid_unknown_fields=True):
    """How one exporter or host names its caches; ``kv_families.toml`` explains the fields."""

    name: str
    past: str
    present: str
    slots: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    time: int | None = None
    interleaved: bool = False
    single: bool = False
    optional: tuple[str, ...] = ()


class Cache(Struct, frozen=True, order=True):
    """What a cache name means.

    Attributes:
        layer: 0-based.
        kind: ``self``, ``cross``, ``decoder``, …; empty where the family has one kind.
        slot: ``key``, ``value``, or ``both`` in one tensor.
    """

    layer: int
    kind: str
    slot: Slot

    def text(self) -> str:
        """Return it in words."""
        what = "cache" if self.slot == "both" else self.slot
        return f"{f'{self.kind} ' if self.kind else ''}{what} of layer {self.layer}"


class Named(Struct, frozen=True):
    """A name that a family knows; ``digits`` is the layer as written."""

    cache: Cache
    digits: str


@lru_cache(maxsize=1)
def built_in() -> tuple[Family, ...]:
    """Return the table that ships with the tool, most specific first."""
    return tuple(msgspec.convert(each, Family) for each in tomllib.loads(TABLE.read_text("utf-8"))["family"])


@lru_cache(maxsize=64)
def _pattern(template: str, slots: tuple[str, ...], kinds: tuple[str, ...]) -> re.Pattern[str]:
    text = re.escape(template)
    for mark, choices in (("layer", r"\d{1,6}"), ("slot", "|".join(map(re.escape, slots))), ("kind", "|".join(kinds))):
        text = text.replace(re.escape("{" + mark + "}"), f"(?P<{mark}>{choices})")
    try:
        return re.compile(text)
    except re.error as error:
        raise ContractError(f"the template {template!a} of a cache family cannot be used: {error}") from error


def name_of(family: Family, template: str, cache: Cache) -> str:
    """Return the name that a family gives to a cache."""
    return (
        template.replace("{layer}", str(cache.layer))
        .replace("{slot}", family.slots.get(cache.slot, ""))
        .replace("{kind}", cache.kind)
    )


def meaning(family: Family, template: str, name: str) -> Named | None:
    """Return what a name means in a family, or None.

    Args:
        family: the family.
        template: its ``past`` or ``present``.
        name: of a graph input or output.
    """
    spelt = {spelling: slot for slot, spelling in family.slots.items()}
    found = _pattern(template, tuple(spelt), tuple(re.escape(kind) for kind in family.kinds)).fullmatch(name)
    if found is None:
        return None
    groups = found.groupdict()
    digits = groups.get("layer") or "0"
    only = next(iter(family.kinds), "") if len(family.kinds) == 1 else ""
    slot = spelt.get(groups.get("slot") or "", "both")
    return Named(Cache(int(digits), groups.get("kind") or only, slot), digits)  # type: ignore[arg-type]


def family_of(past: Iterable[str], present: Iterable[str], extra: Iterable[Family] = ()) -> Family | None:
    """Return the family that knows most names, own ones first; None when none knows any.

    Args:
        past: names of graph inputs.
        present: names of graph outputs.
        extra: families of a contract.
    """
    inputs, outputs = list(past), list(present)
    best: tuple[int, Family | None] = (0, None)
    for family in (*extra, *built_in()):
        known = sum(meaning(family, family.past, name) is not None for name in inputs)
        made = sum(meaning(family, family.present, name) is not None for name in outputs)
        if family.past == family.present and not (known and made):
            continue
        if known + made > best[0]:
            best = known + made, family
    return best[1]
