"""Contract text that a run's files keep from the time they were written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.contracts.issue import pointer_of
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

ROLES = (
    "action_space",
    "checkpoint_manifest",
    "dataset_manifest",
    "metrics",
    "model_config",
    "package_audit",
    "packer_summary",
    "retargeting_audit",
    "run_summary",
    "server_info",
    "target_manifest",
    "training_metadata",
    "validation",
    "verified_summary",
    "window_index_manifest",
)
"""Roles whose files tell under which contract they were written."""

ALONE = ("dataset_contract", "training_objective")
"""Keys of a contract that files repeat beside other facts."""

ARTIFACTS = (
    "checkpoint_gate",
    "public_package_allowed",
    "public_package_forbidden",
    "required_eval_files",
    "required_training_files",
)
"""Keys of a contract's ``artifact_contract`` that files repeat beside other facts."""

PARTS = ("training", "eval", "dataset")
"""Parts of a validation that repeat what the contract asks of them."""

NESTED = ("summary", "validation_summary")
"""Objects in which a validation, or the summary of a package, repeats a validation."""


class Kept(Struct, frozen=True):
    """One value of a contract as a file keeps it.

    Attributes:
        keys: path of the value in a contract.
        pointer: JSON pointer of the value in the file.
        value: the value.
    """

    keys: tuple[str, ...]
    pointer: str
    value: Any


class ContractText(Struct, frozen=True):
    """What one object of a file says of the contract.

    Attributes:
        pointer: JSON pointer of the object.
        name: id of the contract that it names, or None.
        at: JSON pointer of that id.
        kept: values of the contract.
    """

    pointer: str
    name: str | None
    at: str
    kept: tuple[Kept, ...]


class EmbeddedContract(Struct, frozen=True):
    """A file that keeps contract text: the file, and each of its objects that does."""

    file: RunFile
    texts: tuple[ContractText, ...]


@fact(absent="no file keeps text of its contract")
def embedded_contract(source: Source) -> tuple[EmbeddedContract, ...]:
    """Find the contract text in the run's JSON files: backbone objects, and single keys beside other facts."""
    found = []
    for file in source.run.of(*ROLES):
        if file.kind != "json":
            continue
        texts = tuple(_texts(source.json(file).value, "", top=True))
        if texts:
            found.append(EmbeddedContract(file, texts))
    return tuple(found)


def _texts(value: Any, at: str, *, top: bool) -> Iterator[ContractText]:
    if not isinstance(value, dict):
        return
    backbone = value.get("backbone")
    if isinstance(backbone, dict):
        name = backbone.get("id")
        kept = tuple(
            Kept((key,), at + pointer_of(("backbone", key)), each) for key, each in backbone.items() if key != "id"
        )
        if kept or isinstance(name, str):
            yield ContractText(
                f"{at}/backbone", name if isinstance(name, str) and name else None, f"{at}/backbone/id", kept
            )
    if top or "backbone" in value:
        key = "backbone" if isinstance(backbone, str) else "backbone_id"
        named = value.get(key)
        kept = tuple(_beside(value, at))
        if kept:
            yield ContractText(at, named if isinstance(named, str) and named else None, f"{at}/{key}", kept)
    for key in NESTED:
        yield from _texts(value.get(key), f"{at}/{key}", top=False)


def _beside(value: dict[str, Any], at: str) -> Iterator[Kept]:
    for key, each in value.items():
        if key in ALONE:
            yield Kept((key,), f"{at}/{key}", each)
        elif key in ARTIFACTS:
            yield Kept(("artifact_contract", key), f"{at}/{key}", each)
        elif key == "primary_metrics" and isinstance(each, list):
            yield Kept((key,), f"{at}/{key}", each)  # an object of that name holds measured values
        elif key.startswith("backbone_") and key != "backbone_id":
            yield Kept((key.removeprefix("backbone_"),), at + pointer_of((key,)), each)
    for part in PARTS:
        inner = value.get(part)
        if isinstance(inner, dict) and "backbone" in value:
            for key in ARTIFACTS:
                if key in inner:
                    yield Kept(("artifact_contract", key), f"{at}/{part}/{key}", inner[key])
