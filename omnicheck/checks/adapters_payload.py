"""LOR: what the numbers of an adapter are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.numbers import counted, shown
from omnicheck.facts.adapter_payload import AdapterPayload, UpdateNorm
from omnicheck.model.finding import Finding

FEW = 3


@check("adapters_payload.untrained")
def untrained(payloads: tuple[AdapterPayload, ...]) -> Iterator[Finding]:
    """Yield a finding for each adapter whose every B is zero, so that it changes nothing."""
    for each in payloads:
        second = [state for state in each.tensors if state.part.key.part in ("B", "embedding_B")]
        if second and all(state.zero for state in second):
            yield Finding(
                path=second[0].part.file.path,
                tensor=second[0].part.key.name,
                message=f"every B is zero ({counted(len(second), 'matrix').replace('matrixs', 'matrices')}): the "
                "adapter "
                "changes nothing, as before its first training step",
                expected="numbers",
                actual=0,
                key="untrained",
            )


@check("adapters_payload.not_finite")
def not_finite(payloads: tuple[AdapterPayload, ...]) -> Iterator[Finding]:
    """Yield a finding for each file with numbers that are not finite."""
    for each in payloads:
        wrong = defaultdict(list)
        for state in each.tensors:
            if state.not_finite:
                wrong[state.part.file.path].append(state)
        for path, states in sorted(wrong.items()):
            names = ", ".join(state.part.key.name for state in states[:FEW])
            total = sum(state.not_finite for state in states)
            yield Finding(
                path=path,
                tensor=states[0].part.key.name,
                message=f"{counted(total, 'number')} in {counted(len(states), 'tensor')} "
                f"{'is' if total == 1 else 'are'} "
                f"NaN or infinite: {names}{', …' if len(states) > FEW else ''}",
                expected=0,
                actual=total,
                key="not finite",
            )


class Outliers(Struct, frozen=True, forbid_unknown_fields=True):
    """When an update stands apart from its peers.

    Attributes:
        factor: how many times the median of the same module in other layers.
        peers: how many layers there must be.
    """

    factor: float = 20.0
    peers: int = 6


@check("adapters_payload.norm_outlier")
def norm_outlier(payloads: tuple[AdapterPayload, ...], params: Outliers) -> Iterator[Finding]:
    """Yield a finding for each module whose update is far larger than that of its peers in other layers."""
    for each in payloads:
        peers: dict[tuple[str, str], list[UpdateNorm]] = defaultdict(list)
        for norm in each.norms:
            peers[norm.module.place.tower, norm.module.place.kind].append(norm)
        for group in peers.values():
            middle = median(norm.norm for norm in group)
            if len(group) < params.peers or middle <= 0:
                continue
            for norm in group:
                if norm.norm > params.factor * middle:
                    yield Finding(
                        path=norm.module.first.file.path,
                        tensor=norm.module.first.key.name,
                        message=f"the update of {norm.module.path} has the norm {shown(norm.norm)}, "
                        f"{norm.norm / middle:,.0f} times the median {shown(middle)} of {len(group)} layers",
                        expected=f"< {shown(params.factor * middle)}",
                        actual=norm.norm,
                        key=norm.module.path,
                    )
