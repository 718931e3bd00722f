"""ONX: models that are invalid, take what they do not use, or tell of the machine that made them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.io_contracts import Bound
from omnicheck.facts.kv_caches import KvCaches
from omnicheck.facts.onnx_models import OnnxFile, OnnxModel
from omnicheck.facts.onnx_prose import OnnxProse
from omnicheck.measures.onnx_flow import Flow
from omnicheck.measures.onnx_structure import Flaw, flaws
from omnicheck.model.finding import Finding

_MASK = re.compile(r"(?:.*[_.])?attention_mask")


@check("onnx_graphs.invalid_model")
def invalid_model(files: tuple[OnnxFile, ...]) -> Iterator[Finding]:
    """Yield a finding for each file that is no model, and for each kind of flaw of a model."""
    for each in files:
        if each.model is None:
            yield Finding(path=each.file.path, message=f"cannot be read as a model: {each.fault}", help=each.hint)
            continue
        kinds: dict[str, list[Flaw]] = defaultdict(list)
        for flaw in flaws(each.model):
            kinds[flaw.kind].append(flaw)
        for found in kinds.values():
            first = found[0]
            yield Finding(
                path=each.file.path,
                message=first.message + _more(len(found) - 1),
                node=first.node,
                tensor=first.tensor,
                actual=len(found) if len(found) > 1 else None,
                key=first.kind,
            )


class OpsetOrDomain(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters.

    Attributes:
        minimum: opset that hosts of a version 1 contract need.
        known_domains: domains whose operators need no library of the exporter's own.
    """

    minimum: int = 17
    known_domains: tuple[str, ...] = ()


@check("onnx_graphs.opset_or_domain")
def opset_or_domain(
    models: tuple[OnnxModel, ...], bound: tuple[Bound, ...] | None, params: OpsetOrDomain
) -> Iterator[Finding]:
    """Yield a finding for each version that is not the declared one, and for each domain that needs a library."""
    said = {each.onnx.file.name: each for each in bound or ()}
    for onnx in models:
        versions = dict(onnx.model.opsets)
        path = onnx.file.path
        contract = said.get(onnx.file.name)
        declared = contract.said.opset if contract is not None else {}
        for domain, version in declared.items():
            if versions.get(domain) != version:
                name = domain or "ai.onnx"
                found = f"version {versions[domain]}" if domain in versions else "no version"
                yield Finding(
                    path=path,
                    message=f"imports {found} of {name}, the contract declares {version}",
                    expected=version,
                    actual=versions.get(domain),
                    key=name,
                )
        if contract is not None and contract.version == 1 and 0 < versions.get("", params.minimum) < params.minimum:
            yield Finding(
                path=path,
                message=f"is of opset {versions['']}, hosts of this contract need {params.minimum} or later",
                expected=params.minimum,
                actual=versions[""],
                key="opset",
            )
        stated = contract.said.ir_version if contract is not None else None
        if stated is not None and stated != onnx.model.ir_version:
            yield Finding(
                path=path,
                message=f"is of IR version {onnx.model.ir_version}, the contract declares {stated}",
                expected=stated,
                actual=onnx.model.ir_version,
                key="ir_version",
            )
        own = {function.domain for function in onnx.model.functions}
        strange = sorted(versions.keys() - {*params.known_domains, "", *own, *declared})
        used = [domain for domain in strange if any(node.domain == domain for node in onnx.model.graph.nodes)]
        if used:
            yield Finding(
                path=path,
                message=f"needs operators of {_listed(used)}, which a runtime has only with a library of its own",
                actual=used,
                key="domains",
                help="Export without custom operators, or declare the domain in the contract's `opset`.",
            )


@check("onnx_graphs.dead_input")
def dead_input(models: tuple[OnnxModel, ...], caches: tuple[KvCaches, ...] | None) -> Iterator[Finding]:
    """Yield a finding for each input that no output depends on, though it may look as if one did."""
    cached = {each.file.name: each for each in caches or ()}
    for onnx in models:
        graph = onnx.model.graph
        feeds = [port.name for port in graph.feeds()]
        if not feeds or not graph.outputs:
            continue
        flow = Flow(graph)
        outputs = [port.name for port in graph.outputs]
        live = flow.behind(outputs)
        zeroed = flow.annihilated()
        truly = flow.behind(outputs, stop=zeroed) if zeroed else live
        told = _wired(cached.get(onnx.file.name))
        dead = [name for name in feeds if name not in live and name not in told]
        if dead:
            yield Finding(
                path=onnx.file.path,
                message=f"no output depends on {_inputs(dead)}, so what a host feeds there has no effect",
                tensor=dead[0],
                actual=dead,
                key=f"dead:{','.join(dead)}",
            )
        fake = [name for name in feeds if name in live and name not in truly and name not in told]
        if fake:
            yield Finding(
                path=onnx.file.path,
                message=f"{_inputs(fake)} reach{'es' if len(fake) == 1 else ''} the outputs only through a "
                "multiplication by zero or a difference of equals, so what a host feeds there has no effect",
                tensor=fake[0],
                actual=fake,
                key=f"fake:{','.join(fake)}",
            )
        masks = [name for name in feeds if name in truly and _MASK.fullmatch(name)]
        if masks and flow.has_attention():
            reached = flow.behind(flow.attention_inputs(), stop=zeroed)
            passed_on = flow.behind([name for name in outputs if "mask" in name], stop=zeroed)
            idle = [name for name in masks if name not in reached and name not in passed_on]
            if idle:
                yield Finding(
                    path=onnx.file.path,
                    message=f"{_inputs(idle)} reach{'es' if len(idle) == 1 else ''} no attention: "
                    "padding is attended to as if it were content",
                    tensor=idle[0],
                    actual=idle,
                    key=f"mask:{','.join(idle)}",
                )


@check("onnx_graphs.local_path")
def local_path(prose: tuple[OnnxProse, ...]) -> Iterator[Finding]:
    """Yield a finding for each model whose texts name paths of one machine."""
    for each in prose:
        if not each.local:
            continue
        where, path = each.local[0]
        more = _more(len(each.local) - 1)
        # The path itself may be a secret of the house: its first part tells enough.
        root = re.match(r"(?:file:/)?/?[^/\\]+[/\\]{0,2}", path)
        yield Finding(
            path=each.file.path,
            message=f"{where} names a path of the machine that exported the model, below {root[0] if root else path}"
            + more,
            node=where,
            actual=len(each.local),
            key=where,
        )


def _wired(caches: KvCaches | None) -> set[str]:
    """Return cache inputs that must have an output of their own: the rules on caches speak of those."""
    if caches is None:
        return set()
    made = {held.cache for held in caches.presents}
    optional = caches.family.optional
    return {held.port.name for held in caches.pasts if held.cache in made or held.cache.kind not in optional}


def _inputs(names: list[str]) -> str:
    return f"the input{'s' if len(names) > 1 else ''} {_listed(names)}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _more(count: int) -> str:
    return f" (and {count:,} more of this kind)" if count > 0 else ""
