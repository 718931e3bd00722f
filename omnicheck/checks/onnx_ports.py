"""ONX: inputs and outputs of graphs against what contracts say of them."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec import Struct, field

from omnicheck.checks.declare import check
from omnicheck.contracts.io_form import PortForm
from omnicheck.facts.io_contracts import Bound, IoContract
from omnicheck.facts.kv_caches import KvCaches
from omnicheck.facts.onnx_models import OnnxModel
from omnicheck.measures.onnx_types import OLDEST, UNKNOWN, Known, contradiction, known_values
from omnicheck.measures.symbols import parse
from omnicheck.model.finding import Finding
from omnicheck.readers.onnx_values import Port

Described = tuple[PortForm, ...]

REQUIRED: dict[str, tuple[str, ...]] = {
    "dit_decoder": ("encoder_hidden_states", "encoder_attention_mask", "attention_mask"),
    "dit_*_kv": ("encoder_hidden_states", "encoder_attention_mask", "attention_mask"),
    "*prefill": ("attention_mask",),
    "*decode": ("attention_mask",),
}
"""Inputs that hosts of version 1 contracts feed whatever the graph takes, by a glob over the model's key."""


@check("onnx_ports.name_or_order")
def name_or_order(bound: tuple[Bound, ...]) -> Iterator[Finding]:
    """Yield a finding for each side of a model whose names or their order differ from the contract."""
    for each in bound:
        graph = each.onnx.model.graph
        needed = _required(each, REQUIRED)
        yield from _side(each, "input", each.said.inputs, graph.feeds(), each.said.inputs_pointer, needed)
        yield from _side(each, "output", each.said.outputs, graph.outputs, each.said.outputs_pointer, ())


def _side(
    each: Bound, side: str, said: Described | None, ports: tuple[Port, ...], pointer: str, needed: tuple[str, ...]
) -> Iterator[Finding]:
    if said is None:
        return
    wanted, found = [port.name for port in said], [port.name for port in ports]
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if not extra:
        missing = [name for name in missing if name not in needed]  # those are the next rule's
    path, key = each.onnx.file.path, f"{each.said.name}:{side}"
    if missing or extra:
        parts = []
        if missing:
            dropped = "; a host that feeds by name drops it silently" if side == "input" and not extra else ""
            parts.append(f"lacks the {side}{_s(missing)} {_listed(missing)} of the contract{dropped}")
        if extra:
            parts.append(f"has the {side}{_s(extra)} {_listed(extra)} that the contract does not know")
        message = " and ".join(parts)
        yield Finding(path=path, key=key, message=message, expected=wanted, actual=found, tensor=(extra or missing)[0])
        return
    common = [name for name in wanted if name in found]
    if common != found:
        at = next(i for i, (left, right) in enumerate(zip(common, found, strict=True)) if left != right)
        yield Finding(
            path=path,
            key=key,
            message=f"{side} {at + 1} is {found[at]}, the contract has {common[at]} there; hosts that count get "
            "another tensor than they think",
            expected=wanted,
            actual=found,
            tensor=found[at],
            help=f"Export the {side}s in the order of the contract (`{pointer}`), or derive the contract anew.",
        )


class RequiredInputs(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters.

    Attributes:
        required: inputs that a model of a version 1 contract must take, by a glob over its key.
    """

    required: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(REQUIRED))


@check("onnx_ports.required_input")
def required_input(bound: tuple[Bound, ...], params: RequiredInputs) -> Iterator[Finding]:
    """Yield a finding for each model that lacks inputs which must be there whatever the exporter made of them."""
    for each in bound:
        found = [port.name for port in each.onnx.model.graph.feeds()]
        said = {port.name for port in each.said.inputs or ()}
        if any(name not in said for name in found):
            continue  # a renamed input: the rule on names tells of it
        required = _required(each, params.required)
        missing = [name for name in required if name not in found]
        if missing:
            yield Finding(
                path=each.onnx.file.path,
                message=f"{each.said.name} does not take {_listed(missing)}; hosts feed by name, so what they give "
                "there is dropped silently",
                expected=list(required),
                actual=found,
                tensor=missing[0],
                key=f"{each.said.name}:{','.join(missing)}",
            )


def _required(each: Bound, table: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    stated = [port.name for port in each.said.inputs or () if port.required]
    known = [
        name
        for glob, names in table.items()
        if each.version == 1 and fnmatchcase(each.said.name, glob)
        for name in names
    ]
    return tuple(dict.fromkeys((*each.said.required, *stated, *known)))


@check("onnx_ports.dtype_or_shape")
def dtype_or_shape(
    models: tuple[OnnxModel, ...], bound: tuple[Bound, ...] | None, caches: tuple[KvCaches, ...] | None
) -> Iterator[Finding]:
    """Yield a finding for each input or output whose type, rank or sizes differ from the contract or the nodes."""
    said_of: dict[str, set[str]] = {each.file.name: _cache_names(each) for each in caches or ()}
    for each in bound or ():
        if each.version == 2:
            said_of.setdefault(each.onnx.file.name, set()).update(port.name for _, _, port in _pairs(each))
        for side, said, port in _pairs(each):
            for message, expected, actual in _differences(said, port):
                yield Finding(
                    path=each.onnx.file.path,
                    message=f"{side} {port.name} {message}",
                    expected=expected,
                    actual=actual,
                    tensor=port.name,
                    key=f"{each.said.name}:{port.name}",
                )
        for name, sizes in _split_symbols(each):
            told = ", ".join(f"{size} on {where}" for size, where in list(sizes.items())[:3])
            yield Finding(
                path=each.onnx.file.path,
                message=f"the contract has one size {name}, the graph has {len(sizes)}: {told}",
                expected=name,
                actual=sorted(sizes),
                key=f"{each.said.name}:{name}",
            )
    for onnx in models:
        yield from _untrue_outputs(onnx, said_of.get(onnx.file.name, set()))


def _cache_names(each: KvCaches) -> set[str]:
    return {held.port.name for held in (*each.pasts, *each.presents)}


def _untrue_outputs(onnx: OnnxModel, told: set[str]) -> Iterator[Finding]:
    """Yield outputs that declare what their node does not make; those that other rules judge are left to them."""
    if dict(onnx.model.opsets).get("", 0) < OLDEST:
        return
    values: dict[str, Known] | None = None
    for port in onnx.model.graph.outputs:
        if port.name in told or port.kind != "tensor":
            continue
        values = known_values(onnx.model.graph) if values is None else values
        message = contradiction(values.get(port.name, UNKNOWN), port.dtype, port.shape)
        if message:
            yield Finding(
                path=onnx.file.path,
                message=f"output {port.name} {message}",
                actual={"dtype": port.dtype, "shape": list(port.shape or ())},
                tensor=port.name,
                key=f"nodes:{port.name}",
            )


@check("onnx_ports.static_axis")
def static_axis(bound: tuple[Bound, ...]) -> Iterator[Finding]:
    """Yield a finding for each model whose sizes are fixed where they should follow the input."""
    for each in bound:
        fixed = list(_fixed(each)) if each.version == 2 else list(_fixed_batch(each))
        if fixed:
            name, axis, size, symbol = fixed[0]
            more = f" (and {len(fixed) - 1} more axes)" if len(fixed) > 1 else ""
            yield Finding(
                path=each.onnx.file.path,
                message=f"axis {axis} of {name} is fixed to {size}, it should be free ({symbol}){more}",
                expected=symbol,
                actual=size,
                tensor=name,
                key=f"{each.said.name}:{name}:{axis}",
            )


def _fixed(each: Bound) -> Iterator[tuple[str, int, int, str]]:
    for _, said, port in _pairs(each):
        for axis, (wanted, size) in enumerate(zip(said.shape or (), port.shape or (), strict=False)):
            if isinstance(wanted, str) and isinstance(size, int) and parse(wanted).terms:
                yield port.name, axis, size, wanted


def _fixed_batch(each: Bound) -> Iterator[tuple[str, int, int, str]]:
    feeds = [port for port in each.onnx.model.graph.feeds() if port.shape]
    free = next((port.shape[0] for port in feeds if port.shape and isinstance(port.shape[0], str)), None)
    for port in feeds:
        if isinstance(free, str) and port.shape and len(port.shape) > 1 and isinstance(port.shape[0], int):
            yield port.name, 0, port.shape[0], free


def _pairs(each: Bound) -> Iterator[tuple[str, PortForm, Port]]:
    graph = each.onnx.model.graph
    for side, said, ports in (("input", each.said.inputs, graph.feeds()), ("output", each.said.outputs, graph.outputs)):
        known = {port.name: port for port in said or ()}
        for port in ports:
            if port.name in known:
                yield side, known[port.name], port


def _differences(said: PortForm, port: Port) -> Iterator[tuple[str, object, object]]:
    if said.dtype is not None and port.dtype and port.dtype != said.dtype:
        yield f"is {port.dtype}, the contract says {said.dtype}", said.dtype, port.dtype
    if said.kind != (port.kind or said.kind):
        yield f"is a {port.kind}, the contract says {said.kind}", said.kind, port.kind
    if said.shape is None:
        return
    if port.shape is None:
        yield "states no shape, the contract does", list(said.shape), None
        return
    if len(said.shape) != len(port.shape):
        message = f"has {len(port.shape)} axes, the contract says {len(said.shape)}"
        yield message, list(said.shape), list(port.shape)
        return
    for axis, (wanted, size) in enumerate(zip(said.shape, port.shape, strict=True)):
        if isinstance(wanted, int) and size != wanted:
            shown = "free" if size is None else size
            yield f"has {shown} on axis {axis}, the contract says {wanted}", list(said.shape), list(port.shape)
            return


def _split_symbols(each: Bound) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each size of the contract that is several sizes in the graph: its name, and an axis for each of them."""
    meanings: dict[str, dict[str, str]] = {}
    for _, said, port in _pairs(each):
        if said.shape is None or port.shape is None or len(said.shape) != len(port.shape):
            continue
        for axis, (wanted, size) in enumerate(zip(said.shape, port.shape, strict=True)):
            if isinstance(wanted, str) and isinstance(size, str) and parse(wanted).terms == ((wanted, 1),):
                meanings.setdefault(wanted, {}).setdefault(size, f"axis {axis} of {port.name}")
    yield from ((name, sizes) for name, sizes in meanings.items() if len(sizes) > 1)


@check("onnx_ports.edge_dtype")
def edge_dtype(contracts: tuple[IoContract, ...], models: tuple[OnnxModel, ...]) -> Iterator[Finding]:
    """Yield a finding for each output that is fed to an input of another type without a declared cast."""
    by_name = {each.file.name: each.model.graph for each in models}
    for contract in contracts:
        graphs = {key: by_name[name] for key, name in contract.names.items() if name is not None and name in by_name}
        given = {key: {port.name: port.dtype for port in graph.outputs} for key, graph in graphs.items()}
        taken = {key: {port.name: port.dtype for port in graph.feeds()} for key, graph in graphs.items()}
        edges = [(each.source, each.target, each.host_cast, each.pointer) for each in contract.form.edges]
        if contract.form.version == 1:
            edges += [
                ((maker, name), (taker, name), None, "")
                for maker, outputs in given.items()
                for taker, inputs in taken.items()
                for name in outputs
                if maker != taker and name in inputs
            ]
        for source, target, cast, pointer in edges:
            made, wanted = given.get(source[0], {}).get(source[1]), taken.get(target[0], {}).get(target[1])
            if not made or not wanted or (cast or made) == wanted:
                continue
            how = f"the declared cast gives {cast}" if cast else "no cast is declared"
            yield Finding(
                path=contract.file.path,
                pointer=pointer or None,
                message=f"{':'.join(source)} gives {made}, {':'.join(target)} takes {wanted}, and {how}",
                expected=wanted,
                actual=cast or made,
                tensor=target[1],
                key=f"{':'.join(source)}>{':'.join(target)}",
            )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _s(names: list[str]) -> str:
    return "s" if len(names) > 1 else ""
