"""The checkpoint gates that are known: what kind of checkpoint each is for, and what proves it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from msgspec import Struct

from omnicheck.contracts.issue import Issue, mapping, shown

GateKind = Literal["lora", "lora_and_smoke", "world_model", "policy", "base_weights_setup"]

_ADAPTER = ("adapter_model*.safetensors", "pytorch_lora_weights*.safetensors", "adapter_shape_check*.json")


class Gate(Struct, frozen=True):
    """A condition that a checkpoint must meet.

    Attributes:
        name: as in ``artifact_contract.checkpoint_gate``.
        kind: what sort of checkpoint it is for; a LoRA gate is never applied to anything but an adapter.
        evidence: groups of file name globs; each group needs a file, the globs of a group are alternatives.
    """

    name: str
    kind: GateKind
    evidence: tuple[tuple[str, ...], ...]

    def missing(self, names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """Return the groups that no file proves.

        Args:
            names: posix paths of the files there are; their last parts count.
        """
        bases = {name.rpartition("/")[2] for name in names}
        return tuple(
            group for group in self.evidence if not any(fnmatchcase(base, glob) for base in bases for glob in group)
        )


GATES: Mapping[str, Gate] = {
    gate.name: gate
    for gate in (
        Gate("lora_safetensors_shape_check", "lora", (_ADAPTER,)),
        Gate(
            "lora_safetensors_shape_check_and_load_smoke",
            "lora_and_smoke",
            ((*_ADAPTER, "adapter_repair_audit*.json"), ("adapter_repair_audit*.json", "*load_smoke*.json")),
        ),
        Gate(
            "world_model_checkpoint_and_generation_config",
            "world_model",
            (("checkpoint_manifest.json",), ("model_config.json", "generation_config.json")),
        ),
        Gate(
            "policy_checkpoint_action_space_and_normalizer",
            "policy",
            (("checkpoint_manifest.json",), ("action_space.json",), ("normalization_stats.json",)),
        ),
        Gate(
            "base_weight_vllm_reasoner_setup_metadata",
            "base_weights_setup",
            (("server_info.json", "training_metadata.json"),),
        ),
    )
}


def gate_of(name: str) -> Gate | None:
    """Return the gate of that name, or None."""
    return GATES.get(name)


def judge_gate(value: Mapping[str, Any]) -> list[Issue]:
    """Return the CTR107 issue of a contract whose checkpoint gate is not known."""
    name = mapping(value.get("artifact_contract")).get("checkpoint_gate")
    if not isinstance(name, str) or name in GATES:
        return []
    near = difflib.get_close_matches(name, GATES, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return [
        Issue(
            "CTR107",
            "/artifact_contract/checkpoint_gate",
            f"no gate is called {shown(name)}, so nothing proves the checkpoint",
            sorted(GATES),
            name,
            f"{hint}Name one of the known gates.",
        )
    ]
