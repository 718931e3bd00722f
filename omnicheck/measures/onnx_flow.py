"""What reaches what in an ONNX graph: one backward pass over the nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omnicheck.readers.onnx_attribute import attribute, is_zero
from omnicheck.readers.onnx_values import Graph, Node

ATTENTION = frozenset(
    {
        "Attention",
        "GroupQueryAttention",
        "MultiHeadAttention",
        "DecoderMaskedMultiHeadAttention",
        "DecoderMaskedSelfAttention",
        "DecoderAttention",
        "LongformerAttention",
        "PackedAttention",
        "PackedMultiHeadAttention",
        "PagedAttention",
        "QAttention",
        "SparseAttention",
        "Softmax",
    }
)
"""Operators in which a mask takes effect."""

_CARRY = frozenset({"Cast", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Expand", "Transpose", "CastLike", "Tile"})
_STANDARD = frozenset({"", "com.microsoft", "ai.onnx.ml"})


class Flow:
    """The nodes of one graph by what they make, subgraphs folded into the nodes that hold them.

    Args:
        graph: the graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._maker: dict[str, Node] = {}
        for node in graph.nodes:
            for name in node.outputs:
                if name:
                    self._maker[name] = node
        self._reads: dict[int, tuple[str, ...]] = {}

    def behind(self, names: Iterable[str], *, stop: frozenset[int] = frozenset()) -> set[str]:
        """Return every value that the given ones are computed from, themselves included.

        Args:
            names: where to start.
            stop: ids of nodes whose output does not depend on their inputs.
        """
        seen = set(names)
        stack = list(seen)
        maker = self._maker
        while stack:
            node = maker.get(stack.pop())
            if node is None or id(node) in stop:
                continue
            for name in self.reads(node) if node.graphs else node.inputs:
                if name not in seen:
                    seen.add(name)
                    stack.append(name)
        return seen

    def reads(self, node: Node) -> tuple[str, ...]:
        """Return the values that a node takes, those that its subgraphs take from outside included."""
        if not node.graphs:
            return node.inputs
        if id(node) not in self._reads:
            inner = (name for _, graph in node.graphs for name in captured(graph))
            self._reads[id(node)] = (*node.inputs, *inner)
        return self._reads[id(node)]

    def annihilated(self) -> frozenset[int]:
        """Return the ids of nodes that multiply by a constant zero, or subtract a value from itself."""
        zero = {tensor.name for tensor in self.graph.initializers if tensor.value and is_zero(tensor)}
        found: set[int] = set()
        for node in self.graph.nodes:
            if node.domain:
                continue
            op = node.op
            made = False
            if op in ("Constant", "ConstantOfShape"):
                made = _makes_zero(node)
            elif op == "Mul":
                made = any(name in zero for name in node.inputs)
                if made:
                    found.add(id(node))
            elif op == "Sub":
                made = len(set(node.inputs)) == 1
                if made:
                    found.add(id(node))
            elif op in _CARRY:
                made = bool(node.inputs) and node.inputs[0] in zero
            if made:
                zero.update(node.outputs)
        return frozenset(found)

    def attention_inputs(self) -> set[str]:
        """Return what attention takes; nodes that nobody can look into count, so that silence stays honest."""
        found: set[str] = set()
        for node in self.graph.nodes:
            if node.op in ATTENTION or node.graphs or node.domain not in _STANDARD:
                found.update(self.reads(node))
        return found

    def has_attention(self) -> bool:
        """Whether an operator of attention stands in the graph itself."""
        return any(node.op in ATTENTION for node in self.graph.nodes)


def captured(graph: Graph) -> Iterator[str]:
    """Yield the names that a subgraph takes from the graphs around it."""
    made = {port.name for port in graph.inputs} | {tensor.name for tensor in graph.initializers}
    for node in graph.nodes:
        for name in node.inputs:
            if name not in made:
                yield name
        for _, inner in node.graphs:
            for name in captured(inner):
                if name not in made:
                    yield name
        made.update(node.outputs)
    for port in graph.outputs:
        if port.name not in made:
            yield port.name


def _makes_zero(node: Node) -> bool:
    for name, tensor in node.tensors:
        if name == "value":
            return bool(tensor.value) and is_zero(tensor)
    if node.op == "ConstantOfShape":
        return not node.attributes
    return any(attribute(node, name) in (0, 0.0) for name in ("value_int", "value_float") if _has(node, name))


def _has(node: Node, name: str) -> bool:
    return attribute(node, name) is not None
