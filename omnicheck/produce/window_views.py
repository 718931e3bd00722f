"""A record of the window index as each backbone sees it: what its contract takes, and which of that is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct

from omnicheck.contracts.issue import mapping, strings
from omnicheck.contracts.window_index import (
    ADAPTERS,
    AdapterViews,
    ContextWindow,
    LabelWindow,
    PolicyView,
    QwenOmniView,
    WorldModelView,
)
from omnicheck.model.errors import ContractError

_SENSORS = frozenset({"sensor", "sensors", "depth", "pose", "mocap", "imu", "slam", "hand", "body"})
_WORDS: Mapping[str, frozenset[str]] = {
    "video": frozenset({"video", "image", "images", "rgb"}),
    "audio": frozenset({"audio"}),
    "language": frozenset({"language", "text", "question", "instruction", "prompt", "caption"}),
    "labels": frozenset({"action", "actions", "contact", "subtask", "objects", "transition"}),
    "sensors": _SENSORS,
}
"""Words of a contract's modality that tell what a record must have for it."""


_ALWAYS = frozenset({"video", "language", "labels"})


class Views(Struct, frozen=True):
    """The three contracts, as far as a view of a record rests on them.

    Attributes:
        contracts: id to the dataset contract it reads.
        qwen_direct: inputs that the question-answering backbone takes as they are.
        qwen_bridged: inputs that it takes through a bridge.
        world_inputs: inputs and conditioning of the world model.
        world_targets: what the world model may foretell.
        world_exporter: whether the world model's contract names an exporter.
        policy_targets: what a policy may put out.
        policy_planned: whether the policy branch still lacks an action space.
    """

    contracts: dict[str, str]
    qwen_direct: tuple[str, ...]
    qwen_bridged: tuple[str, ...]
    world_inputs: tuple[str, ...]
    world_targets: tuple[str, ...]
    world_exporter: bool
    policy_targets: tuple[str, ...]
    policy_planned: bool

    def of(
        self, window: LabelWindow, context: ContextWindow, *, audio: bool, sensors: bool, messages: bool
    ) -> AdapterViews:
        """Return the views of one record.

        Args:
            window: its labelled frames.
            context: the frames a model may see.
            audio: whether it has audio.
            sensors: whether it has sensor features.
            messages: whether its row holds the chat messages.
        """
        there = _ALWAYS.union(("audio",) if audio else (), ("sensors",) if sensors else ())
        return AdapterViews(
            qwen3_omni_lora=QwenOmniView(
                sample_contract=self.contracts["qwen3_omni_lora"],
                messages_available=messages,
                direct_modalities=_available(self.qwen_direct, there),
                bridged_modalities=_available(self.qwen_bridged, there),
            ),
            cosmos_world_model=WorldModelView(
                sample_contract=self.contracts["cosmos_world_model"],
                context_window=context,
                available_conditioning=_available(self.world_inputs, there),
                candidate_targets=self.world_targets,
                requires_new_exporter=not self.world_exporter,
            ),
            policy_vla_branch=PolicyView(
                sample_contract=self.contracts["policy_vla_branch"],
                observation_window=window,
                candidate_targets=self.policy_targets,
                requires_action_space_design=self.policy_planned,
            ),
        )


def views_of(contracts: Mapping[str, Mapping[str, Any]]) -> Views:
    """Read from the raw contracts of ``ADAPTERS`` what each takes.

    Raises:
        ContractError: one of them names no dataset contract.
    """
    for name in ADAPTERS:
        if not isinstance(contracts[name].get("dataset_contract"), str) or not contracts[name]["dataset_contract"]:
            raise ContractError(f"the contract {name!r} names no dataset_contract", hint="mend the contract")
    qwen, world, policy = (mapping(contracts[name].get("modalities")) for name in ADAPTERS)
    exporter = mapping(contracts["cosmos_world_model"].get("entrypoints")).get("export")
    return Views(
        {name: contracts[name]["dataset_contract"] for name in ADAPTERS},
        tuple(strings(qwen.get("direct_inputs"))),
        tuple(strings(qwen.get("bridged_inputs"))),
        (*strings(world.get("direct_inputs")), *strings(world.get("conditioning_inputs"))),
        tuple(strings(world.get("targets"))),
        bool(exporter),
        tuple(strings(policy.get("candidate_targets"))),
        contracts["policy_vla_branch"].get("status") != "implemented",
    )


@cache
def _available(modalities: tuple[str, ...], there: frozenset[str]) -> tuple[str, ...]:
    return tuple(each for each in modalities if not there.isdisjoint(_kinds(each)))


def _kinds(modality: str) -> list[str]:
    words = set(re.split(r"[^a-z]+", modality.lower()))
    return [kind for kind, known in _WORDS.items() if not words.isdisjoint(known)]
