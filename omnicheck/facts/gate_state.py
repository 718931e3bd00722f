"""Whether a checkpoint meets its contract's gate, as far as the run shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.facts.adapter_tensors import AdapterTensors
from omnicheck.facts.contract import Contract
from omnicheck.facts.documents import (
    ActionSpace,
    CheckpointManifest,
    Metrics,
    ModelConfig,
    Normalization,
    ShapeCheck,
    TrainingMetadata,
)
from omnicheck.facts.gate_adapter import adapter_faults, no_adapter
from omnicheck.facts.gate_policy import policy_faults
from omnicheck.facts.gate_world import CheckpointDocuments, world_faults
from omnicheck.facts.policy_vectors import PolicyVectors
from omnicheck.facts.record import record
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.facts.stages import Stages
from omnicheck.model.run import RunFile


class GateFault(Struct, frozen=True):
    """One way in which a gate does not hold.

    Attributes:
        file: where it shows.
        pointer: JSON pointer in that file, or None.
        tensor: tensor name, or None.
        message: what is wrong.
        expected: what was wanted; plain data.
        actual: what stands there; plain data.
    """

    file: RunFile
    pointer: str | None
    message: str
    expected: Any = None
    actual: Any = None
    tensor: str | None = None


class GateState(Struct, frozen=True):
    """A gate that could be judged: its name, and where it does not hold."""

    gate: str
    faults: tuple[GateFault, ...]


class GateEvidence(Struct, frozen=True):
    """Whether a gate has its evidence.

    Attributes:
        path: display path of the run.
        gate: name of the gate.
        missing: groups of alternatives of which no file is there.
    """

    path: str
    gate: str
    missing: tuple[tuple[str, ...], ...]


@fact(absent="no training or package whose checkpoint a known gate of a contract is for")
def gate_evidence(
    source: Source, contract: Contract, stages: Stages, training: tuple[TrainingMetadata, ...] | None
) -> GateEvidence | None:
    """Look for the evidence of the contract's gate; a LoRA gate asks nothing of a training that made no adapter."""
    from omnicheck.contracts.gates import gate_of  # noqa: PLC0415 - contracts are loaded where they judge

    gate = gate_of(contract.gate)
    if gate is None or (stages.training is None and not stages.packaged):
        return None
    if gate.kind in ("lora", "lora_and_smoke") and no_adapter(training or ()):
        return None
    return GateEvidence(stages.path, gate.name, gate.missing(file.name for file in source.run.files))


class PolicyDocuments(Struct, frozen=True):
    """The documents of a policy's actions."""

    spaces: tuple[ActionSpace, ...]
    statistics: tuple[Normalization, ...]
    vectors: tuple[PolicyVectors, ...]


@fact(absent="no checkpoint")
def checkpoint_documents(
    checkpoints: tuple[CheckpointManifest, ...] | None,
    configs: tuple[ModelConfig, ...] | None,
    training: tuple[TrainingMetadata, ...] | None,
    metrics: tuple[Metrics, ...] | None,
) -> CheckpointDocuments:
    """Gather the documents of a checkpoint."""
    return CheckpointDocuments(checkpoints or (), configs or (), training or (), metrics or ())


@fact(absent="no policy")
def policy_documents(
    spaces: tuple[ActionSpace, ...] | None,
    statistics: tuple[Normalization, ...] | None,
    vectors: tuple[PolicyVectors, ...] | None,
) -> PolicyDocuments:
    """Gather the documents of a policy."""
    return PolicyDocuments(spaces or (), statistics or (), vectors or ())


@fact(absent="no contract with a known checkpoint gate, or not the files that its gate compares")
def gate_state(
    source: Source,
    contract: Contract,
    checks: tuple[ShapeCheck, ...] | None,
    tensors: tuple[AdapterTensors, ...] | None,
    documents: CheckpointDocuments,
    policy: PolicyDocuments,
) -> GateState | None:
    """Judge the checkpoint by the kind of its gate."""
    from omnicheck.contracts.gates import gate_of  # noqa: PLC0415 - as above

    gate = gate_of(contract.gate)
    found: Iterator[tuple[Any, ...]] | None = None
    if gate is None:
        return None
    if gate.kind in ("lora", "lora_and_smoke"):
        found = adapter_faults(checks or (), tensors or (), documents.training)
    elif gate.kind == "world_model":
        files = source.run.of("generation_config", "scheduler_state")
        others = [record(source, file) for file in files if isinstance(source.json(file).value, dict)]
        found = world_faults(contract, documents, others, source.run.of("adapter_weights"))
    elif gate.kind == "policy":
        audits = [record(source, file) for file in source.run.of("retargeting_audit")]
        records = [each.record for each in (*documents.checkpoints, *documents.configs)] + audits
        found = policy_faults(policy.spaces, policy.statistics, policy.vectors, records)
    if found is None:
        return None
    return GateState(gate.name, tuple(GateFault(*each) for each in found))
