"""I/O contracts of a run, and the models that they describe."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from omnicheck.contracts.io_form import IoForm, ModelForm, read_form
from omnicheck.facts.onnx_models import OnnxFile, OnnxModel, beside
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class IoContract(Struct, frozen=True):
    """A contract file.

    Attributes:
        file: the file.
        form: what it says, of either version.
        present: names of the models whose file is in the run, readable or not.
        names: name in the run of each model's file; None where its path leads out of the run, by itself or by a link.
        special: names of the models whose path leads to something that is no regular file of the run, such as a link.
    """

    file: RunFile
    form: IoForm
    present: frozenset[str]
    names: dict[str, str | None]
    special: frozenset[str] = frozenset()


class Bound(Struct, frozen=True):
    """A model, and what a contract says of it.

    Attributes:
        contract: the contract's file.
        version: of the contract.
        said: what it says of the model.
        onnx: the model.
    """

    contract: RunFile
    version: int
    said: ModelForm
    onnx: OnnxModel


@fact(absent="no I/O contract")
def io_contracts(source: Source, onnx: tuple[OnnxFile, ...] | None) -> tuple[IoContract, ...]:
    """Read every I/O contract that is a JSON value at all; others are unreadable files."""
    files = {each.file.name for each in onnx or ()}
    found = []
    for file in source.run.of("io_contract"):
        document = source.json(file)
        if not document.readable:
            continue
        form = read_form(document.value)
        names = {said.name: _placed(source, file, said.path) for said in form.models}
        present = frozenset(key for key, name in names.items() if name in files)
        special = frozenset(
            key
            for key, name in names.items()
            if name is not None and key not in present and source.exists(Path(source.run.location), name)
        )
        found.append(IoContract(file, form, present, names, special))
    return tuple(found)


@fact(absent="no model that an I/O contract describes")
def bound(contracts: tuple[IoContract, ...], onnx: tuple[OnnxModel, ...]) -> tuple[Bound, ...]:
    """Pair models with what contracts say of them."""
    models = {each.file.name: each for each in onnx}
    return tuple(
        Bound(contract.file, contract.form.version, said, models[name])
        for contract in contracts
        for said in contract.form.models
        if (name := contract.names[said.name]) is not None and name in models
    )


def _placed(source: Source, file: RunFile, path: str) -> str | None:
    """Return the name in the run of a path, or None when the path or a link on it leads out of the run."""
    name = beside(file.folder, path) if path else None
    if name is None:
        return None
    return None if source.exists(Path(source.run.location), name) is None else name
