"""I/O contracts of either version as one form: version 1 names inputs and outputs, version 2 describes them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from omnicheck.contracts.issue import Issue, mapping, pointer_of, strings
from omnicheck.contracts.kv_families import Family
from omnicheck.readers.onnx_values import Dimension


class PortForm(Struct, frozen=True):
    """An input or output as a contract describes it; None is not described."""

    name: str
    dtype: str | None = None
    shape: tuple[Dimension, ...] | None = None
    kind: str = "tensor"
    required: bool = False


class CacheForm(Struct, frozen=True):
    """How a cache is declared to behave."""

    mode: str | None = None
    modes: dict[str, str] = {}
    layers: int | tuple[int, ...] | None = None
    window: int | None = None
    dtype: str | None = None


class SidecarForm(Struct, frozen=True):
    """A weight file as recorded: path, digest, bytes; what is not recorded is None."""

    path: str
    sha256: str | None = None
    size: int | None = None


class ModelForm(Struct, frozen=True):
    """A model as a contract describes it.

    Attributes:
        name: its key; ``model`` where the contract describes one without a key.
        pointer: JSON pointer of the description.
        path: relative to the contract's directory.
        path_pointer: JSON pointer of the path; of the description where the path goes without saying.
        stated: whether the path is written, not implied by the key.
    """

    name: str
    pointer: str
    path: str
    path_pointer: str
    stated: bool
    inputs: tuple[PortForm, ...] | None
    outputs: tuple[PortForm, ...] | None
    inputs_pointer: str
    outputs_pointer: str
    required: tuple[str, ...] = ()
    opset: dict[str, int] = {}
    ir_version: int | None = None
    sha256: str | None = None
    size: int | None = None
    sidecars: tuple[SidecarForm, ...] | None = None
    cache: CacheForm = CacheForm()


class EdgeForm(Struct, frozen=True):
    """An output fed to an input."""

    source: tuple[str, str]
    target: tuple[str, str]
    host_cast: str | None
    pointer: str


class IoForm(Struct, frozen=True):
    """A contract.

    Attributes:
        version: 1 or 2.
        models: in order of the file.
        edges: declared ones; none in version 1.
        pairs: names of prefill and decode models that share a cache.
        num_layers: as stated.
        variant: such as ``0.6B``.
        families: naming families of its own.
        symbols: relations between sizes.
        issues: what is wrong with its form.
    """

    version: int
    models: tuple[ModelForm, ...]
    edges: tuple[EdgeForm, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    num_layers: int | None = None
    variant: str | None = None
    families: tuple[Family, ...] = ()
    symbols: dict[str, int | str] = {}
    issues: tuple[Issue, ...] = ()

    def model(self, name: str) -> ModelForm | None:
        """Return a model by its key."""
        return next((each for each in self.models if each.name == name), None)


def read_form(value: Any) -> IoForm:
    """Return a contract of either version; what is wrong with it stands in ``issues``."""
    if not isinstance(value, dict):
        return IoForm(1, (), issues=(Issue("ONX101", "", "the contract is no object", "an object", None),))
    if "schema_version" in value or "models" in value:
        return _version_2(value)
    from omnicheck.contracts.io_names import read_names  # noqa: PLC0415 - only one of the two forms is needed

    return read_names(value)


def _version_2(value: dict[str, Any]) -> IoForm:
    from omnicheck.contracts.io_contract import validate_io_contract  # noqa: PLC0415 - pydantic is loaded only here

    issues = validate_io_contract(value)
    if issues:
        return IoForm(2, (), issues=tuple(issues))
    models = tuple(_model(name, each) for name, each in value["models"].items())
    edges = tuple(
        EdgeForm(_end(each["from"]), _end(each["to"]), each.get("host_cast"), pointer_of(("edges", i)))
        for i, each in enumerate(value.get("edges", ()))
    )
    pairs = tuple((each["prefill"], each["decode"]) for each in value.get("cache_pairs", ()))
    form = IoForm(
        version=2,
        models=models,
        edges=edges,
        pairs=pairs,
        num_layers=value.get("num_layers"),
        variant=value.get("variant"),
        families=tuple(
            Family(**{**each, "optional": tuple(each.get("optional", ()))}) for each in value.get("kv_families", ())
        ),
        symbols=dict(value.get("symbols", {})),
    )
    return _with_references(form)


def _with_references(form: IoForm) -> IoForm:
    """Add what a schema cannot tell: ports twice, and references that lead nowhere."""
    issues: list[Issue] = []
    for model in form.models:
        for ports, at in ((model.inputs, model.inputs_pointer), (model.outputs, model.outputs_pointer)):
            issues += repeated([port.name for port in ports or ()], at, model.name)
    known = {model.name: model for model in form.models}
    for edge in form.edges:
        for key, (name, port), side in (("from", edge.source, "outputs"), ("to", edge.target, "inputs")):
            ports = getattr(known[name], side) if name in known else None
            if ports is None or port not in {each.name for each in ports}:
                what = f"the model {name} has no such {side[:-1]}" if name in known else f"there is no model {name}"
                issues.append(
                    Issue("ONX101", f"{edge.pointer}/{key}", f"the edge names {name}:{port}, but {what}", None, name)
                )
    for i, pair in enumerate(form.pairs):
        for key, name in zip(("prefill", "decode"), pair, strict=True):
            if name not in known:
                at = pointer_of(("cache_pairs", i, key))
                issues.append(Issue("ONX101", at, f"the pair names {name}, which is no model", sorted(known), name))
    return msgspec.structs.replace(form, issues=tuple(issues))


def repeated(names: list[str], pointer: str, model: str) -> list[Issue]:
    """Return an issue for each name that a list holds twice."""
    return [
        Issue("ONX101", f"{pointer}/{i}", f"{model} names {name!a} twice", None, name)
        for i, name in enumerate(names)
        if name in names[:i]
    ]


def _end(text: str) -> tuple[str, str]:
    model, _, port = text.partition(":")
    return model, port


def _model(name: str, value: dict[str, Any]) -> ModelForm:
    at = pointer_of(("models", name))
    cache = mapping(value.get("cache"))
    layers = cache.get("layers")
    sidecars = value.get("external_files")
    opset = {("" if domain == "ai.onnx" else domain): version for domain, version in value.get("opset", {}).items()}
    return ModelForm(
        name=name,
        pointer=at,
        path=value["path"],
        path_pointer=f"{at}/path",
        stated=True,
        inputs=tuple(_port(each, required=each.get("required", True)) for each in value["inputs"]),
        outputs=tuple(_port(each, required=False) for each in value["outputs"]),
        inputs_pointer=f"{at}/inputs",
        outputs_pointer=f"{at}/outputs",
        required=tuple(strings(value.get("required_inputs"))),
        opset=opset,
        ir_version=value.get("ir_version"),
        sha256=value.get("sha256"),
        size=value.get("size"),
        sidecars=None
        if sidecars is None
        else tuple(SidecarForm(each["path"], each["sha256"], each["size"]) for each in sidecars),
        cache=CacheForm(
            mode=cache.get("mode"),
            modes=dict(cache.get("modes", {})),
            layers=tuple(layers) if isinstance(layers, list) else layers,
            window=cache.get("window"),
            dtype=cache.get("dtype"),
        ),
    )


def _port(value: dict[str, Any], *, required: bool) -> PortForm:
    shape = value.get("shape")
    return PortForm(
        name=value["name"],
        dtype=value.get("dtype"),
        shape=None if shape is None else tuple(shape),
        kind=value.get("kind", "tensor"),
        required=required,
    )
