"""What is declared of an adapter: its rank, its targets, the versions that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from omnicheck.contracts.module_names import compiled, named
from omnicheck.facts.documents import TrainingMetadata
from omnicheck.facts.record import Record, record
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ContractError
from omnicheck.model.run import RunFile


class AdapterSpec(Struct, frozen=True, kw_only=True):
    """A low-rank adapter as its configuration, or the training's metadata, declares it.

    Attributes:
        file: where it is declared.
        at: JSON pointer of the declaration.
        config: whether it is the adapter's own configuration.
        record: the declaration, for keys that no attribute has.
        r: rank, or None when it is not stated.
        alpha: lora_alpha, or None.
        targets: names of modules, or one expression; None when nothing is declared.
        exclude: modules that are not adapted.
        saved: modules whose whole weights are stored.
        layers: numbers of the adapted layers, or None for all.
        ranks: pattern to rank.
        alphas: pattern to alpha.
        parameters: names of adapted parameters that are no modules (fused experts).
        flags: ``use_dora``, ``use_rslora`` and ``lora_bias``, where they are stated.
        tokens: whether single token vectors are trained.
    """

    file: RunFile
    at: str = ""
    config: bool
    record: Record
    r: int | None = None
    alpha: float | None = None
    targets: str | tuple[str, ...] | None = None
    exclude: str | tuple[str, ...] = ()
    saved: tuple[str, ...] = ()
    layers: frozenset[int] | None = None
    ranks: dict[str, int] = field(default_factory=dict)
    alphas: dict[str, float] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    flags: dict[str, bool] = field(default_factory=dict)
    tokens: bool = False

    @property
    def folder(self) -> str:
        """Directory of the declaring file, relative to the run."""
        return self.file.folder

    def rank_of(self, module: str) -> int | None:
        """Return the rank that a module must have; the first pattern that fits wins."""
        found = _by_pattern(self.ranks, module)
        return self.r if found is None else int(found)

    def alpha_of(self, module: str) -> float | None:
        """Return the alpha of a module."""
        found = _by_pattern(self.alphas, module)
        return self.alpha if found is None else found

    def means(self, module: str, layer: int | None) -> bool | None:
        """Whether the targets mean a module; None when nothing is declared, or its expression cannot be judged."""
        if self.targets is None:
            return None
        try:
            meant = named(module, self.targets) or any(
                each.rpartition(".")[0] and (module == (path := each.rpartition(".")[0]) or module.endswith(f".{path}"))
                for each in self.parameters
            )
            left_out = bool(self.exclude) and named(module, self.exclude)
        except ContractError:
            return None
        return meant and not left_out and (self.layers is None or layer is None or layer in self.layers)


@fact(absent="no adapter configuration, and no training metadata that declares an adapter")
def adapter_specs(source: Source, training: tuple[TrainingMetadata, ...] | None) -> tuple[AdapterSpec, ...]:
    """Read every adapter_config.json; without one, the ``lora`` block of the training metadata."""
    own = [
        _spec(record(source, file), config=True)
        for file in source.run.of("adapter_config")
        if isinstance(source.json(file).value, dict)
    ]
    low_rank = [each for each in own if str(each.record.raw("peft_type") or "LORA").upper() == "LORA"]
    if own:
        return tuple(low_rank)
    declared = [each.record for each in training or () if each.record.raw("tuning_mode") != "full"]
    return tuple(_spec(each.object("lora"), config=False) for each in declared if isinstance(each.raw("lora"), dict))


def _spec(found: Record, *, config: bool) -> AdapterSpec:
    value = found.value
    alpha = value.get("lora_alpha", value.get("alpha"))
    return AdapterSpec(
        file=found.file,
        at=found.at,
        config=config,
        record=found,
        r=_count(value.get("r", value.get("rank"))),
        alpha=float(alpha) if _is_number(alpha) else None,
        targets=_names(value.get("target_modules")),
        exclude=_names(value.get("exclude_modules")) or (),
        saved=_strings(value.get("modules_to_save")),
        layers=_layers(value.get("layers_to_transform")),
        ranks={key: each for key, each in _mapping(value.get("rank_pattern")).items() if type(each) is int},
        alphas={key: float(each) for key, each in _mapping(value.get("alpha_pattern")).items() if _is_number(each)},
        parameters=_strings(value.get("target_parameters")),
        flags={key: each for key in ("use_dora", "use_rslora", "lora_bias") if type(each := value.get(key)) is bool},
        tokens=bool(value.get("trainable_token_indices")),
    )


def _by_pattern(patterns: Mapping[str, float], module: str) -> float | None:
    for pattern, found in patterns.items():
        try:
            if compiled(rf"(.*\.)?({pattern})")(module):
                return found
        except ContractError:
            continue
    return None


def _layers(value: Any) -> frozenset[int] | None:
    if type(value) is int:
        return frozenset({value})
    return frozenset(each for each in value if type(each) is int) if isinstance(value, list) else None


def _names(value: Any) -> str | tuple[str, ...] | None:
    if isinstance(value, str):
        return value
    return _strings(value) if isinstance(value, list) else None


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
