"""Version 1 of the I/O contract: names of inputs and outputs by model, in three layouts."""

from __future__ import annotations

from typing import Any

from omnicheck.contracts.io_form import IoForm, ModelForm, PortForm, repeated
from omnicheck.contracts.issue import Issue, pointer_of, shown

_LEGACY = {"decode": ("decode_path", "decoder_path")}


def read_names(value: dict[str, Any]) -> IoForm:
    """Return a version 1 contract.

    The layouts: ``inputs`` and ``outputs`` by model; a part for each model, such as ``prefill`` and ``decode``; and
    ``inputs``, ``outputs`` and ``path`` of one model, with ``NAME_inputs``, ``NAME_outputs`` and ``NAME_path`` of
    others.
    """
    issues: list[Issue] = []
    models: list[ModelForm] = []
    if isinstance(value.get("inputs"), dict) or isinstance(value.get("outputs"), dict):
        models += _by_model(value, issues)
    elif "inputs" in value or "outputs" in value:
        models.append(_model("model", value, (), ("inputs", "outputs"), ("path",), issues))
    for key, part in value.items():
        if isinstance(part, dict) and key not in ("inputs", "outputs") and {"inputs", "outputs"} & part.keys():
            paths = _LEGACY.get(key, (f"{key}_path",))
            models.append(_model(key, part, (key,), ("inputs", "outputs"), paths, issues, value))
        elif key.endswith("_inputs"):
            name = key.removesuffix("_inputs")
            models.append(_model(name, value, (), (key, f"{name}_outputs"), (f"{name}_path",), issues))
    if not models:
        issues.append(
            Issue(
                "ONX101",
                "",
                "names no inputs and outputs of any model",
                "inputs and outputs by model",
                sorted(value),
                "Write the contract again with `omnicheck contracts derive`.",
            )
        )
    layers = value.get("num_layers")
    if layers is not None and (type(layers) is not int or layers < 1):
        issues.append(
            Issue("ONX101", "/num_layers", f"`num_layers` is {shown(layers)}, not a count of layers", "a count", layers)
        )
        layers = None
    variant = value.get("variant")
    names = [model.name for model in models]
    return IoForm(
        version=1,
        models=tuple(models),
        pairs=tuple(
            (name, other)
            for name in names
            if "prefill" in name
            for other in (name.replace("prefill", "decode"),)
            if other in names
        ),
        num_layers=layers,
        variant=variant if isinstance(variant, str) else None,
        issues=tuple(issues),
    )


def _by_model(value: dict[str, Any], issues: list[Issue]) -> list[ModelForm]:
    sides = {}
    for side in ("inputs", "outputs"):
        found = value.get(side)
        if not isinstance(found, dict):
            issues.append(Issue("ONX101", f"/{side}", f"`{side}` is {shown(found)}, not an object", "names by model"))
        sides[side] = found if isinstance(found, dict) else {}
    models = []
    for name in dict.fromkeys((*sides["inputs"], *sides["outputs"])):
        path_key = f"{name}_path"
        path = value.get(path_key)
        if path is not None and not isinstance(path, str):
            issues.append(Issue("ONX101", pointer_of((path_key,)), f"`{path_key}` is {shown(path)}, not a path"))
        stated = isinstance(path, str)
        ports = {
            side: _ports(sides[side].get(name), pointer_of((side, name)), name, issues)
            for side in ("inputs", "outputs")
        }
        at = pointer_of((path_key,)) if stated else pointer_of(("inputs", name))
        models.append(
            ModelForm(
                name=name,
                pointer=pointer_of(("inputs", name)),
                path=path if isinstance(path, str) else f"{name}.onnx",
                path_pointer=at,
                stated=stated,
                inputs=ports["inputs"],
                outputs=ports["outputs"],
                inputs_pointer=pointer_of(("inputs", name)),
                outputs_pointer=pointer_of(("outputs", name)),
            )
        )
    return models


def _model(
    name: str,
    part: dict[str, Any],
    at: tuple[str, ...],
    keys: tuple[str, str],
    paths: tuple[str, ...],
    issues: list[Issue],
    whole: dict[str, Any] | None = None,
) -> ModelForm:
    holder = whole if whole is not None else part
    path_key = next((key for key in paths if isinstance(holder.get(key), str)), None)
    if path_key is None:
        issues.append(
            Issue("ONX101", pointer_of(at), f"has no `{paths[0]}`, so no file is bound to {name}", "a path", None)
        )
    inputs, outputs = (_ports(part.get(key), pointer_of((*at, key)), name, issues) for key in keys)
    return ModelForm(
        name=name,
        pointer=pointer_of(at or (keys[0],)),
        path=holder[path_key] if path_key else "",
        path_pointer=pointer_of((path_key,)) if path_key else pointer_of(at),
        stated=path_key is not None,
        inputs=inputs,
        outputs=outputs,
        inputs_pointer=pointer_of((*at, keys[0])),
        outputs_pointer=pointer_of((*at, keys[1])),
    )


def _ports(value: Any, pointer: str, model: str, issues: list[Issue]) -> tuple[PortForm, ...] | None:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        issues.append(
            Issue("ONX101", pointer, f"{model} lists {shown(value)} where names are expected", "a list of names", None)
        )
        return None
    issues += repeated(value, pointer, model)
    return tuple(PortForm(name) for name in value)
