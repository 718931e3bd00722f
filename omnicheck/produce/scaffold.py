"""New backbone contracts, cloned from one that stands and validated before they are written."""

from __future__ import annotations

import copy
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from omnicheck.contracts.registry import Entry
from omnicheck.model.errors import ContractError, UsageError

ID = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")

_OWN_ENTRYPOINTS = ("export", "train", "eval", "launcher", "upload", "watch")
_OF_THE_DATASET = ("sample_contract", "answer_schema")
_OF_THE_TEMPLATE = ("metric_definitions", "environment", "publish", "do_not_claim")
_NEXT_STEPS = (
    "List the modalities that this backbone really takes.",
    "Name the primary metrics of the held-out evaluation, and how each is computed.",
    "Adapt the required files and the publication policy to what the branch writes.",
    "Name the train and eval entrypoints before the status becomes implemented.",
)


def scaffold(  # noqa: PLR0913 - one argument for each key that a person decides
    template: Entry,
    *,
    id: str,  # noqa: A002 - the key's own name
    display_name: str,
    model_family: str,
    dataset_contract: str,
    training_objective: str,
    checkpoint_gate: str,
    local_model_env: str | None = None,
    status: str = "planned_adapter",
) -> dict[str, Any]:
    """Return a new contract made from a template, already validated.

    Entrypoints that belong to one branch become null, the primary metrics shrink to ``held_out_episode_count``, and
    the sample contract stays only where the dataset contract does.

    Args:
        template: the contract to clone.
        id: lower-case letters, digits and underscores.
        display_name: the name that people read.
        model_family: family of the model.
        dataset_contract: id of the dataset's contract.
        training_objective: what is learnt, in words.
        checkpoint_gate: name of the gate that its checkpoint must pass.
        local_model_env: environment variable that holds the model's directory; made from the id when None.
        status: ``planned_adapter`` or ``implemented``.

    Raises:
        ContractError: the result would violate a rule of level error.
    """
    _check_id(id)
    value = copy.deepcopy(template.value)
    if value.get("dataset_contract") != dataset_contract:
        for key in _OF_THE_DATASET:
            value.pop(key, None)
    for key in _OF_THE_TEMPLATE:
        value.pop(key, None)
    value |= {
        "id": id,
        "display_name": display_name,
        "status": status,
        "model_family": model_family,
        "default_model_id": None,
        "local_model_env": local_model_env or f"{_variable(id)}_MODEL_DIR",
        "dataset_contract": dataset_contract,
        "training_objective": training_objective,
        "primary_metrics": ["held_out_episode_count"],
        "extension_requirements": list(_NEXT_STEPS),
    }
    entrypoints = value.get("entrypoints")
    if isinstance(entrypoints, dict):
        value["entrypoints"] = entrypoints | dict.fromkeys(_OWN_ENTRYPOINTS)
    artifacts = value.get("artifact_contract")
    if isinstance(artifacts, dict):
        value["artifact_contract"] = artifacts | {"checkpoint_gate": checkpoint_gate}
    _refuse_errors(value, f"a contract made from {template.id}")
    return value


def write_scaffold(value: Mapping[str, Any], target_dir: Path, *, overwrite: bool = False) -> Path:
    """Write a contract as ``<id>.json`` into a directory, whole or not at all, and return its path.

    Raises:
        ContractError: it violates a rule of level error.
        UsageError: the file is there already, or cannot be written.
    """
    name = value.get("id")
    _check_id(name)
    _refuse_errors(value, "the contract")
    target = target_dir / f"{name}.json"
    temporary: str | None = None
    try:
        target_dir.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".tmp", dir=target_dir)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(scaffold_text(value))
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        if overwrite:
            Path(temporary).replace(target)
            temporary = None
        else:
            target.hardlink_to(temporary)  # unlike a rename, this never replaces a file
    except FileExistsError:
        raise UsageError("there is such a contract already", path=target.name, hint="add --overwrite") from None
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", path=target.name) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return target


def scaffold_text(value: Mapping[str, Any]) -> str:
    """Return a contract as the text that is written."""
    return msgspec.json.format(msgspec.json.encode(dict(value)), indent=2).decode() + "\n"


def _check_id(name: Any) -> None:
    if not isinstance(name, str) or ID.fullmatch(name) is None:
        raise UsageError(
            f"{name!a} cannot be the id of a contract",
            hint="use lower-case letters, digits and underscores, such as my_backbone",
        )


def _variable(name: str) -> str:
    return name.upper() if not name[0].isdigit() else f"M{name.upper()}"


def _refuse_errors(value: Mapping[str, Any], what: str) -> None:
    from omnicheck.contracts.backbone import validate_backbone  # noqa: PLC0415 - pydantic is loaded only here

    _, issues = validate_backbone(dict(value))
    errors = [issue for issue in issues if issue.variant is None and issue.rule != "CTR107"]
    if errors:
        told = "\n".join(f"  {each.rule} {each.pointer or '/'}: {each.message}" for each in errors)
        raise ContractError(
            f"{what} would violate its own rules, so nothing was written:\n{told}",
            hint="correct the options, or choose another template",
        )
