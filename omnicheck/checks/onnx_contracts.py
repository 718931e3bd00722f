"""ONX: contracts and manifests of exported models by themselves: form, paths, layers, sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.facts.io_contracts import Bound, IoContract
from omnicheck.facts.kv_caches import KvCaches
from omnicheck.facts.onnx_documents import OnnxDocuments, RelatedSizes
from omnicheck.facts.onnx_models import OnnxFile, OnnxModel
from omnicheck.facts.stated_layers import LayerStatements
from omnicheck.measures.symbols import Linear, System, parse
from omnicheck.model.finding import Finding

_TAG = re.compile(r"(\d+)[p.](\d+)b?", re.IGNORECASE)


@check("onnx_contracts.contract_file")
def contract_file(documents: OnnxDocuments, onnx: tuple[OnnxFile, ...] | None) -> Iterator[Finding]:
    """Yield a finding for each violation of the form, and for each model whose file is not there."""
    for file, issue in documents.issues:
        yield Finding(
            path=file.path,
            pointer=issue.pointer or None,
            message=issue.message,
            expected=issue.expected,
            actual=issue.actual,
            help=issue.help or None,
        )
    for contract in documents.contracts:
        for said in contract.form.models:
            # A contract that travels without its models is no mistake; one of several that is missing is.
            if onnx and said.path and contract.names[said.name] is not None and said.name not in contract.present:
                yield Finding(
                    path=contract.file.path,
                    pointer=said.path_pointer,
                    message=f"{said.name} is bound to {said.path}, "
                    + ("which is a link or no model" if said.name in contract.special else "and there is no such file"),
                    expected=said.path,
                    key=said.name,
                    help="Export the model, or mend the path.",
                )


@check("onnx_contracts.path_escape")
def path_escape(documents: OnnxDocuments) -> Iterator[Finding]:
    """Yield a finding for each path that leads a loader out of the artifact root."""
    for each in documents.paths:
        if each.escapes:
            yield Finding(
                path=each.file.path,
                pointer=each.pointer,
                message=f"the path {each.path!a} is absolute or leads out of the artifacts",
                actual=each.path,
                key=each.path,
            )


@check("onnx_contracts.layer_count")
def layer_count(statements: LayerStatements) -> Iterator[Finding]:
    """Yield a finding for each stated number of layers that a graph contradicts, and for a variant of other files."""
    for each in statements.layers:
        wanted = set(each.stated) if isinstance(each.stated, tuple) else set(range(each.stated))
        highest = max(each.found)
        if highest != max(wanted, default=-1) or len(each.found) > len(wanted):
            stated = f"the layers {sorted(wanted)}" if isinstance(each.stated, tuple) else f"{each.stated} layers"
            yield Finding(
                path=each.model.path,
                message=f"has caches of layers {each.found[0]} to {highest}, {each.by.base} states {stated}",
                expected=each.stated,
                actual=highest + 1,
                key=f"{each.by.base}{each.pointer}",
            )
    for said in statements.variants:
        variant, tag = _tag(said.variant), _tag(said.path.rsplit("/", 1)[-1])
        if variant is not None and tag is not None and tag != variant:
            yield Finding(
                path=said.by.path,
                pointer=said.pointer,
                message=f"the contract is of variant {said.variant}, its model is {said.path}",
                expected=said.variant,
                actual=said.path,
                key=said.pointer,
            )


def _tag(text: str) -> tuple[str, str] | None:
    found = _TAG.search(text)
    return (found[1], found[2]) if found else None


@check("onnx_contracts.symbol_unsatisfiable")
def symbol_unsatisfiable(models: tuple[OnnxModel, ...], related: RelatedSizes) -> Iterator[Finding]:
    """Yield a finding for each set of sizes that cannot hold at once."""
    relations = {each.file.path: each.form.symbols for each in related.contracts}
    for each in related.bound:
        yield from _bound_sizes(each, relations.get(each.contract.path, {}))
    for contract in related.contracts:
        yield from _edge_sizes(contract, models)
    for kept in related.caches:
        yield from _mask_size(kept)


def _bound_sizes(each: Bound, relations: dict[str, int | str]) -> Iterator[Finding]:
    system = System()
    for symbol, related in relations.items():
        if not system.add(parse(symbol), parse(related)):
            yield Finding(
                path=each.contract.path,
                pointer="/symbols",
                message=f"no sizes satisfy {symbol} = {related} with the relations before it",
                key=symbol,
            )
            return
    graph = each.onnx.model.graph
    ports = {port.name: port for port in (*graph.feeds(), *graph.outputs)}
    for said in (*(each.said.inputs or ()), *(each.said.outputs or ())):
        port = ports.get(said.name)
        if port is None or port.shape is None or said.shape is None:
            continue
        for axis, (wanted, size) in enumerate(zip(said.shape, port.shape, strict=False)):
            if isinstance(wanted, str) and isinstance(size, int) and not system.add(parse(wanted), Linear((), size)):
                yield Finding(
                    path=each.onnx.file.path,
                    message=f"axis {axis} of {port.name} is {size}, which no sizes satisfy as {wanted} with the others",
                    expected=wanted,
                    actual=size,
                    tensor=port.name,
                    key=f"{each.said.name}:{port.name}:{axis}",
                )
                return


def _edge_sizes(contract: IoContract, models: tuple[OnnxModel, ...]) -> Iterator[Finding]:
    by_name = {each.file.name: each.model.graph for each in models}
    for edge in contract.form.edges:
        maker, taker = (by_name.get(contract.names.get(end[0]) or "") for end in (edge.source, edge.target))
        if maker is None or taker is None:
            continue
        given = next((port.shape for port in maker.outputs if port.name == edge.source[1]), None)
        taken = next((port.shape for port in taker.feeds() if port.name == edge.target[1]), None)
        if given is None or taken is None:
            continue
        fits = len(given) == len(taken) and not any(
            isinstance(left, int) and isinstance(right, int) and left != right
            for left, right in zip(given, taken, strict=True)
        )
        if not fits:
            yield Finding(
                path=contract.file.path,
                pointer=edge.pointer,
                message=f"{':'.join(edge.source)} gives {list(given)}, which {':'.join(edge.target)} cannot take as "
                f"{list(taken)}",
                expected=list(taken),
                actual=list(given),
                tensor=edge.target[1],
                key=edge.pointer,
            )


def _mask_size(kept: KvCaches) -> Iterator[Finding]:
    """Compare the mask of a decode graph with past plus new."""
    feeds = {port.name: port.shape for port in kept.model.graph.feeds()}
    ids, mask = feeds.get("input_ids"), feeds.get("attention_mask")
    axis = kept.family.time
    own = [held for held in kept.pasts if kept.mode(held.cache) in ("", "growing")]
    if axis is None or not own or ids is None or mask is None or len(ids) != 2 or len(mask) != 2:
        return
    made = {held.cache: held.port.shape for held in kept.presents}
    past, present = own[0].port.shape, made.get(own[0].cache)
    if past is None or present is None or len(past) <= axis or len(present) <= axis or past[axis] == present[axis]:
        return
    old, new, total = past[axis], ids[1], mask[1]
    if old is None or new is None or total is None:
        return
    if System().refutes(parse(total), parse(old) + parse(new)):
        yield Finding(
            path=kept.file.path,
            message=f"attention_mask covers {total}, but past and new tokens together are {old} + {new}",
            expected=f"{old} + {new}",
            actual=total,
            tensor="attention_mask",
            key="attention_mask",
        )
