"""LOR: which modules and layers an adapter covers, against what was declared."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.numbers import counted
from omnicheck.facts.adapter_coverage import AdapterCoverage
from omnicheck.model.finding import Finding

FEW = 3


class Coverage(Struct, frozen=True, forbid_unknown_fields=True):
    """How many layers are named one by one."""

    shown: int = 6


@check("adapters_coverage.coverage")
def coverage(found: tuple[AdapterCoverage, ...], params: Coverage) -> Iterator[Finding]:
    """Yield a finding for targets without tensors, for tensors of undeclared modules, and for gaps between layers."""
    for each in found:
        if each.untouched:
            seen = "the summary of shapes leaves no tensor for them" if each.summary else "they have no tensor"
            yield Finding(
                path=each.file.path,
                pointer=each.pointer,
                message=f"target_modules names {', '.join(each.untouched)}, but {seen} ({each.weights.base}"
                f"{', from summary' if each.summary else ''}): these modules were not adapted",
                expected=list(each.declared),
                actual=[name for name in each.declared if name not in each.untouched],
                key="untouched",
            )
        if each.undeclared:
            names = ", ".join(each.undeclared[:FEW]) + (", …" if len(each.undeclared) > FEW else "")
            yield Finding(
                path=each.weights.path,
                message=f"{counted(len(each.undeclared), 'module')} that no declared target means "
                f"{'has' if len(each.undeclared) == 1 else 'have'} tensors: {names}",
                expected=list(each.declared),
                actual=len(each.undeclared),
                key="undeclared",
            )
        for tower in each.towers:
            for kind, layers in tower.gaps().items():
                listed = ", ".join(map(str, layers[: params.shown])) + (", …" if len(layers) > params.shown else "")
                yield Finding(
                    path=each.weights.path,
                    message=f"{kind} of {tower.tower or 'the model'} is adapted in "
                    f"{len(tower.layers) - len(layers):,} of {len(tower.layers):,} layers; it is missing in "
                    f"{counted(len(layers), 'layer')}: {listed}",
                    expected=len(tower.layers),
                    actual=len(tower.layers) - len(layers),
                    key=f"gap {tower.tower} {kind}",
                )
