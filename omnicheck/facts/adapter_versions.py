"""Which library versions an adapter's keys depend on, and where they are recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from omnicheck.facts.adapter import Adapter
from omnicheck.facts.adapter_spec import AdapterSpec
from omnicheck.facts.contract import Contract
from omnicheck.facts.documents import TrainingMetadata
from omnicheck.facts.registry import fact


class AdapterVersions(Struct, frozen=True):
    """The versions behind one adapter.

    Attributes:
        spec: its configuration.
        peft: version of PEFT, or None.
        transformers: version of transformers, or None.
        fragile: why its keys mean different modules under different versions; empty for a plain layout.
    """

    spec: AdapterSpec
    peft: str | None
    transformers: str | None
    fragile: str


@fact(absent="no adapter with a configuration of its own")
def adapter_versions(
    specs: tuple[AdapterSpec, ...],
    adapters: tuple[Adapter, ...] | None,
    training: tuple[TrainingMetadata, ...] | None,
    contract: Contract | None,
) -> tuple[AdapterVersions, ...]:
    """Look for versions in the configuration, in the training's metadata, in the contract's environment."""
    places: list[Mapping[str, Any]] = []
    for document in training or ():
        for key in ("library_versions", "versions", "packages", "environment"):
            value = document.record.raw(key)
            places += [value] if isinstance(value, dict) else []
        places.append(document.record.value)
    if contract is not None and isinstance(contract.raw.get("environment"), dict):
        places.append(contract.raw["environment"])
    found = []
    for spec in specs:
        if spec.config:
            own = [spec.record.value, *places]
            adapter = next((each for each in adapters or () if each.spec == spec), None)
            found.append(
                AdapterVersions(spec, _version(own, "peft"), _version(own, "transformers"), _fragile(spec, adapter))
            )
    return tuple(found)


def _version(places: list[Mapping[str, Any]], library: str) -> str | None:
    for place in places:
        for key in (f"{library}_version", library):
            value = place.get(key)
            if isinstance(value, str) and value.strip():
                return value
    return None


def _fragile(spec: AdapterSpec, adapter: Adapter | None) -> str:
    if spec.parameters:
        return "target_parameters names fused parameters"
    if adapter is None:
        return ""
    if any(module.depth or module.path.endswith("experts") for module in adapter.modules):
        return "fused experts have no parameter's name in their keys"
    if any(".experts." in module.path for module in adapter.modules):
        return "experts are stored one by one"
    towers = {module.place.tower for module in adapter.modules if module.place.layer is not None}
    return "it adapts several towers of a multimodal model" if len(towers) > 1 else ""
