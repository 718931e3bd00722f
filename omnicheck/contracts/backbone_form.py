"""A backbone contract that is sound is told by its form alone, without the weight of pydantic."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from omnicheck.contracts.entrypoints import judge_declared_entrypoints
from omnicheck.contracts.evidence import judge_evidence
from omnicheck.contracts.gates import judge_gate
from omnicheck.contracts.issue import Issue, mapping
from omnicheck.contracts.paths import judge_required_paths
from omnicheck.contracts.policy import judge_policy
from omnicheck.contracts.samples import AnswerSchema, sample_contract_from

# Nothing here may accept what the models of ``backbone`` reject; what it rejects, they judge.
_Text = Annotated[str, Meta(min_length=1, pattern=r"\S")]
_Count = Annotated[int, Meta(gt=0)]
_Files = Annotated[tuple[_Text, ...], Meta(min_length=1)]


class _Form(Struct, frozen=True, forbid_unknown_fields=True):
    """What all objects of a contract have in common: no key that is not known."""


class _SplitCounts(_Form, frozen=True):
    train: _Count
    val: _Count
    test: _Count


class _SplitPolicy(_Form, frozen=True):
    unit: Literal["episode", "session", "subject"]
    default_counts: _SplitCounts
    leakage_guard: _Text


class _Artifacts(_Form, frozen=True):
    checkpoint_gate: _Text
    required_eval_files: _Files
    required_training_files: _Files
    public_package_allowed: _Files
    public_package_forbidden: _Files


class _Shipment(_Form, frozen=True):
    role: _Text
    kind: _Text
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class _Publish(_Form, frozen=True):
    ship: tuple[_Shipment, ...] = ()


class _Backbone(_Form, frozen=True):
    id: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_]*\Z")]
    display_name: _Text
    status: Literal["implemented", "planned_adapter"]
    model_family: _Text
    dataset_contract: _Text
    training_objective: _Text
    split_policy: _SplitPolicy
    modalities: Annotated[dict[str, list[str]], Meta(min_length=1)]
    entrypoints: dict[str, str | None]
    primary_metrics: _Files
    artifact_contract: _Artifacts
    extension_requirements: list[str]
    default_model_id: str | None = None
    local_model_env: Annotated[str, Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]*\Z")] | None = None
    sample_contract: dict[str, Any] | None = None
    answer_schema: AnswerSchema | None = None
    metric_definitions: dict[str, Annotated[str, Meta(pattern=r"\A[a-z0-9_]+@[a-z0-9_]+(\*100)?\Z")]] = {}
    environment: dict[str, str] = {}
    publish: _Publish | None = None
    do_not_claim: tuple[_Text, ...] = ()


def has_form(value: Any) -> bool:
    """Whether a decoded contract is surely of the right form: every key known, every value of its type, none repeated.

    False is no judgement: ``validate_backbone`` tells whether anything is wrong, and what.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()  # refuses halves of characters, which are no text
        form = msgspec.convert(value, _Backbone)
        if form.sample_contract is not None:
            sample_contract_from(form.sample_contract)
    except (ValueError, RecursionError):
        return False
    files = form.artifact_contract
    lists = (
        form.primary_metrics,
        files.required_eval_files,
        files.required_training_files,
        files.public_package_allowed,
        files.public_package_forbidden,
    )
    return all(len(set(names)) == len(names) for names in lists)


def judge_text(value: dict[str, Any]) -> list[Issue]:
    """Return what is wrong with what a contract says, whatever its form."""
    artifacts = mapping(value.get("artifact_contract"))
    allowed, forbidden = artifacts.get("public_package_allowed"), artifacts.get("public_package_forbidden")
    return [
        *judge_declared_entrypoints(value),
        *judge_evidence(value),
        *judge_required_paths(value),
        *judge_policy(allowed, forbidden or None),
        *judge_gate(value),
    ]


def issues_of_contract(value: Any) -> tuple[Issue, ...]:
    """Return everything that is wrong with a contract, as ``validate_backbone`` does, at the least cost."""
    if has_form(value):
        return tuple(sorted(judge_text(value), key=lambda each: (each.rule, each.pointer, each.message)))
    from omnicheck.contracts.backbone import validate_backbone  # noqa: PLC0415 - pydantic only where it must judge

    return validate_backbone(value)[1]
