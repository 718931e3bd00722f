"""Whether a graph holds together: every value made once and before it is taken, every domain imported."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from math import prod

from msgspec import Struct

from omnicheck.readers.onnx_model import LARGEST
from omnicheck.readers.onnx_values import BITS, Graph, Model, Node, all_graphs, all_tensors

# Letters that look like Latin ones and are not; a name of Greek or Cyrillic letters alone is no forgery.
_LOOKALIKES = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03bf\u03bd\u039f\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u03a1\u03a4\u03a5\u03a7"
)
LARGEST_COUNT = 2**63 - 1

Scopes = tuple[set[str], ...]


class Flaw(Struct, frozen=True):
    """What makes a model invalid.

    Attributes:
        kind: one word for each kind, so that one kind is told once.
        message: a sentence that names the value.
        node: the node it is at.
        tensor: the tensor it is at.
    """

    kind: str
    message: str
    node: str | None = None
    tensor: str | None = None


def flaws(model: Model) -> Iterator[Flaw]:
    """Yield everything that keeps a runtime from loading the model, or two runtimes from agreeing on it."""
    if model.size > LARGEST:
        yield Flaw(
            "too-large",
            f"{model.size:,} bytes in one protobuf, over its limit of 2 GiB, so no runtime can load it",
        )
    for field in model.repeated:
        yield Flaw("repeated", f"holds more than one `{field}`, which parsers merge or drop as they like")
    if model.ir_version < 1:
        yield Flaw("ir-version", "states no version of the format (ir_version)")
    yield from _ports(model.graph)
    yield from _domains(model)
    known = {tensor.name for tensor in model.graph.initializers if tensor.name}
    known.update(port.name for port in model.graph.inputs)
    yield from _values(model.graph.nodes, known, [port.name for port in model.graph.outputs])
    for function in model.functions:
        yield from _values(function.nodes, set(function.inputs), function.outputs)
    yield from _tensors(model)


def odd_letters(name: str) -> str:
    """Return what is deceptive about a name, in words; empty when nothing is."""
    if name.isascii() and name.isprintable():
        return ""
    for letter in name:
        if unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"):
            return f"holds the invisible character U+{ord(letter):04X}"
    if any("a" <= letter.lower() <= "z" for letter in name):
        for letter in name:
            if letter in _LOOKALIKES or "\uff01" <= letter <= "\uff5e":
                return f"holds {unicodedata.name(letter)} (U+{ord(letter):04X}), which looks like a Latin letter"
    return ""


def _ports(graph: Graph) -> Iterator[Flaw]:
    sides = (("input", graph.inputs), ("output", graph.outputs))
    for side, ports in sides:
        seen: set[str] = set()
        for port in ports:
            if port.name in seen:
                yield Flaw(f"repeated-{side}", f"the {side} {port.name!a} is declared twice", tensor=port.name)
            seen.add(port.name)
            if not port.name:
                yield Flaw("nameless", f"an {side} has no name")
            told = odd_letters(port.name)
            if told:
                yield Flaw("letters", f"the name of the {side} {port.name!a} {told}", tensor=port.name)
    names: set[str] = set()
    for tensor in graph.initializers:
        if tensor.name and tensor.name in names:
            yield Flaw("repeated-initializer", f"the initialiser {tensor.name!a} is stored twice", tensor=tensor.name)
        names.add(tensor.name)


def _domains(model: Model) -> Iterator[Flaw]:
    versions: dict[str, int] = {}
    for domain, version in model.opsets:
        if versions.setdefault(domain, version) != version:
            shown = domain or "ai.onnx"
            yield Flaw("opset", f"imports {shown} in the versions {versions[domain]} and {version}")
    implied = {""} if model.ir_version < 3 and not model.opsets else set()
    told: set[str] = set()
    bodies: list[tuple[Iterable[tuple[Node, ...]], set[str]]] = [
        ((graph.nodes for graph in all_graphs(model)), versions.keys() | implied | _inner_domains(model))
    ]
    bodies += [([each.nodes], {domain for domain, _ in each.opsets}) for each in model.functions]
    for parts, imported in bodies:
        for nodes in parts:
            for node in nodes:
                if node.domain not in imported and node.domain not in told:
                    told.add(node.domain)
                    yield Flaw(
                        "domain",
                        f"{node.op} belongs to the domain {node.domain or 'ai.onnx'}, which the model does not import",
                        node=node.name or node.op,
                    )


def _inner_domains(model: Model) -> set[str]:
    """Return what functions import for the subgraphs in them, which ``all_graphs`` mixes with the others."""
    return {domain for each in model.functions if any(node.graphs for node in each.nodes) for domain, _ in each.opsets}


def _values(nodes: tuple[Node, ...], known: set[str], outputs: Iterable[str], outer: Scopes = ()) -> Iterator[Flaw]:
    """Yield values of a body that are made twice, too late or never; ``outer`` is what the bodies around it know."""
    own: set[str] = set()
    early: list[tuple[Node, str]] = []
    for node in nodes:
        missing = [name for name in node.inputs if name and name not in known and not _in(outer, name)]
        if missing:
            early += [(node, name) for name in missing]
            known.update(missing)
        for _, graph in node.graphs:
            inner = {port.name for port in graph.inputs} | {tensor.name for tensor in graph.initializers}
            if node.op == "If" and not node.domain and len(graph.outputs) != len(node.outputs):
                message = (
                    f"a branch of {node.name or node.op} gives {len(graph.outputs)} values, not {len(node.outputs)}"
                )
                yield Flaw("branches", message, node=node.name or node.op)
            yield from _values(graph.nodes, inner, [port.name for port in graph.outputs], (*outer, known))
        for name in node.outputs:
            if name in own:
                yield Flaw("made-twice", f"the value {name!a} is made twice", node=node.name or node.op, tensor=name)
            if name:
                own.add(name)
                known.add(name)
    yield from _untimely(early, own)
    for name in outputs:
        if name not in known and not _in(outer, name):
            yield Flaw("no-output", f"the output {name!a} is made by no node", tensor=name)


def _in(scopes: Scopes, name: str) -> bool:
    return any(name in scope for scope in scopes)


def _untimely(early: list[tuple[Node, str]], own: set[str]) -> Iterator[Flaw]:
    for node, name in early:
        why = "is made only later" if name in own else "nothing makes"
        text = f"{node.op} takes {name!a}, which {why}"
        yield Flaw("order" if name in own else "dangling", text, node=node.name or node.op, tensor=name)


def _tensors(model: Model) -> Iterator[Flaw]:
    for tensor in all_tensors(model):
        name = tensor.name or tensor.where
        if any(size < 0 for size in tensor.shape):
            yield Flaw("shape", f"the tensor {name!a} has a negative size: {list(tensor.shape)}", tensor=name)
            continue
        count = prod(tensor.shape)
        if count > LARGEST_COUNT:
            yield Flaw("shape", f"the tensor {name!a} has more elements than can be counted", tensor=name)
            continue
        bits = BITS.get(tensor.dtype, 0)
        needs = (count * bits + 7) // 8
        if tensor.raw is not None and tensor.external is None and bits and tensor.raw != needs:
            yield Flaw(
                "bytes",
                f"the tensor {name!a} of type {tensor.dtype} and shape {list(tensor.shape)} takes {needs:,} bytes, "
                f"the file holds {tensor.raw:,}",
                tensor=name,
            )
        elif tensor.raw is None and not tensor.typed and tensor.external is None and needs:
            yield Flaw("bytes", f"the tensor {name!a} of shape {list(tensor.shape)} has no data", tensor=name)
