"""The policy gate: action space, normaliser, retargeting and predictions have one size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from omnicheck.facts.documents import ActionSpace, Normalization
from omnicheck.facts.policy_vectors import PolicyVectors
from omnicheck.facts.record import Record
from omnicheck.model.run import RunFile

Fault = tuple[RunFile, str | None, str, Any, Any, str | None]

SIZES = ("action_dim", "dims", "dim", "num_dims", "raw_action_dim", "action_dims")
LISTS = ("names", "action_names", "dimensions", "joint_names", "low", "high", "min", "max")
STATISTICS = ("mean", "std", "min", "max", "q01", "q99", "scale", "offset")
TARGETS = ("action", "actions", "action_target", "target", "targets")
ELSEWHERE = ("action_dim", "raw_action_dim", "target_dim", "output_dim", "retargeted_dim", "action_dims")


def policy_faults(
    spaces: Sequence[ActionSpace],
    statistics: Sequence[Normalization],
    vectors: Sequence[PolicyVectors],
    others: Sequence[Record],
) -> Iterator[Fault] | None:
    """Return where sizes disagree; None without an action space, or with nothing beside it."""
    if len(spaces) != 1 or not (statistics or vectors or others):
        return None
    return _faults(spaces[0], statistics, vectors, others)


def _faults(
    space: ActionSpace, statistics: Sequence[Normalization], vectors: Sequence[PolicyVectors], others: Sequence[Record]
) -> Iterator[Fault]:
    sizes = list(_sizes(space.record))
    if not sizes:
        text = "the action space states no size: no action_dim, shape or list of names"
        yield space.file, None, text, "action_dim", None, None
        return
    (_, size), *more = sizes
    for pointer, other in more:
        if other != size:
            text = f"the action space has {other} dimensions by {pointer[1:]}, {size} by {sizes[0][0][1:]}"
            yield space.file, pointer, text, size, other, None
    base = space.file.base
    for each in statistics:
        yield from _normaliser(each, size, base)
    for found in vectors:
        for dim in sorted(found.dims.keys() - {size}):
            text = f"{found.dims[dim]:,} predicted actions have {dim} numbers a step, {base} has {size}"
            yield found.file, None, f"{text} (line {found.first[dim]})", size, dim, None
    for record in others:
        stated = {key: record.value[key] for key in ELSEWHERE if type(record.value.get(key)) is int}
        for key, other in stated.items():
            if other != size:
                yield record.file, f"/{key}", f"{key} is {other}, {base} has {size}", size, other, None


def _sizes(record: Record) -> Iterator[tuple[str, int]]:
    value = record.value
    for key in SIZES:
        if type(value.get(key)) is int:
            yield f"/{key}", value[key]
    shape = value.get("shape")
    if isinstance(shape, list) and shape and type(shape[-1]) is int:
        yield "/shape", shape[-1]
    for key in LISTS:
        if isinstance(value.get(key), list) and value[key]:
            yield f"/{key}", len(value[key])


def _normaliser(each: Normalization, size: int, base: str) -> Iterator[Fault]:
    value = each.record.value
    at, holder = next(
        ((f"/{key}", value[key]) for key in TARGETS if isinstance(value.get(key), dict)),
        ("", value),
    )
    for key in STATISTICS:
        listed = holder.get(key)
        if not isinstance(listed, list):
            continue
        if len(listed) != size:
            text = f"{key} has {len(listed)} numbers, {base} has {size} dimensions"
            yield each.file, f"{at}/{key}", text, size, len(listed), None
        if key in ("std", "scale"):
            flat = [axis for axis, number in enumerate(listed) if isinstance(number, int | float) and number <= 0]
            if flat:
                text = f"{key} is {listed[flat[0]]} at dimension {flat[0]}: nothing can be divided by it"
                yield each.file, f"{at}/{key}/{flat[0]}", text, "> 0", listed[flat[0]], None
