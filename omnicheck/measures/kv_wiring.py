"""From which cache inputs a cache output is made: a walk back through the operators that move a cache."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.readers.onnx_values import Function, Graph, Model, Node

_FIRST = frozenset(
    {
        "Cast",
        "CastLike",
        "Clip",
        "DequantizeLinear",
        "Dropout",
        "DynamicQuantizeLinear",
        "Expand",
        "Flatten",
        "Gather",
        "GatherElements",
        "GatherND",
        "Identity",
        "Pad",
        "QuantizeLinear",
        "Reshape",
        "ReverseSequence",
        "SequenceAt",
        "Slice",
        "Split",
        "SplitToSequence",
        "Squeeze",
        "Tile",
        "Transpose",
        "Trilu",
        "Unsqueeze",
    }
)
"""Operators whose result is (a part of) their first input, moved, cast or repeated."""

_ALL = frozenset({"Concat", "ConcatFromSequence", "SequenceConstruct", "SequenceInsert", "Add", "Sub", "Mul", "Sum"})
_SOME = {"Where": (1, 2), "ScatterND": (0, 2), "ScatterElements": (0, 2), "Scatter": (0, 2), "TensorScatter": (0, 1)}
_JOINS = frozenset({"Concat", "ConcatFromSequence", "ScatterND", "ScatterElements", "Scatter", "TensorScatter", "Add"})
_OPAQUE = frozenset({"Loop", "Scan", "Optional", "OptionalGetElement", "SequenceMap"})
_KNOWN_DOMAINS = frozenset({"", "com.microsoft", "ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training"})
_CACHES: dict[tuple[str, str], dict[int, int]] = {
    ("", "Attention"): {1: 4, 2: 5},
    ("com.microsoft", "GroupQueryAttention"): {1: 3, 2: 4},
    ("com.microsoft", "SparseAttention"): {1: 3, 2: 4},
    ("com.microsoft", "MultiHeadAttention"): {1: 6, 2: 7},
    ("com.microsoft", "DecoderMaskedMultiHeadAttention"): {1: 5, 2: 6},
    ("com.microsoft", "DecoderMaskedSelfAttention"): {1: 4},
    ("com.microsoft", "Attention"): {1: 4},
    ("com.microsoft", "QAttention"): {1: 8},
}
"""Operators with a cache of their own: output slot to input slot."""
MAX_STEPS = 1_000_000


class Origin(Struct, frozen=True):
    """Where a value comes from.

    Attributes:
        sources: cache inputs that reach it through operators that move a cache.
        opaque: whether the walk met an operator that nobody can look into.
        joined: whether something is appended to or written into what comes from the sources.
    """

    sources: frozenset[str]
    opaque: bool
    joined: bool


class _Scope:
    """The values of one graph or function body, and where its free names lead."""

    def __init__(
        self, nodes: tuple[Node, ...], parent: _Scope | None, bound: dict[str, tuple[_Scope, str]], own: set[str]
    ) -> None:
        self.parent = parent
        self.bound = bound
        self.own = own
        self.made = {name: (node, slot) for node in nodes for slot, name in enumerate(node.outputs) if name}


class Wiring:
    """Answers, for values of a model's main graph, from which of its inputs they are moved.

    Args:
        model: the model.
        sources: names of the cache inputs.
    """

    def __init__(self, model: Model, sources: frozenset[str]) -> None:
        self._functions = {(each.domain, each.name, each.overload): each for each in model.functions}
        self._sources = sources
        self._top = _Scope(model.graph.nodes, None, {}, {tensor.name for tensor in model.graph.initializers})
        self._inner: dict[tuple[int, int], _Scope] = {}

    def origin(self, name: str) -> Origin:
        """Return where a value of the main graph comes from."""
        found: set[str] = set()
        opaque = joined = False
        seen: set[tuple[int, str]] = set()
        stack: list[tuple[_Scope, str]] = [(self._top, name)]
        while stack:
            scope, value = stack.pop()
            if not value or (id(scope), value) in seen:
                continue
            seen.add((id(scope), value))
            if len(seen) > MAX_STEPS:
                opaque = True
                break
            if value in scope.bound:
                stack.append(scope.bound[value])
            elif value in scope.made:
                node, slot = scope.made[value]
                before = self._before(scope, node, slot)
                if before is None:
                    opaque = True
                    continue
                joined = joined or node.op in _JOINS or (node.domain, node.op) in _CACHES
                stack.extend(before)
            elif value in scope.own:
                continue
            elif scope.parent is not None:
                stack.append((scope.parent, value))
            elif value in self._sources:
                found.add(value)
        return Origin(frozenset(found), opaque, joined)

    def _before(self, scope: _Scope, node: Node, slot: int) -> list[tuple[_Scope, str]] | None:
        """Return the values that an output is moved from; none where it is computed, None where nobody can tell."""
        function = self._functions.get((node.domain, node.op, node.overload))
        if function is not None:
            return self._called(scope, node, function, slot)
        slots = _CACHES.get((node.domain, node.op))
        if slots is not None:
            at = slots.get(slot)
            return [] if at is None or at >= len(node.inputs) else [(scope, node.inputs[at])]
        if node.domain not in _KNOWN_DOMAINS or node.op in _OPAQUE:
            return None
        if node.op == "If":
            return [
                (self._body(scope, graph), graph.outputs[slot].name)
                for _, graph in node.graphs
                if slot < len(graph.outputs)
            ]
        if node.op in _FIRST:
            return [(scope, name) for name in node.inputs[:1]]
        if node.op in _SOME:
            return [(scope, node.inputs[at]) for at in _SOME[node.op] if at < len(node.inputs)]
        return [(scope, name) for name in node.inputs] if node.op in _ALL else []

    def _body(self, scope: _Scope, graph: Graph) -> _Scope:
        key = id(scope), id(graph)
        if key not in self._inner:
            own = {tensor.name for tensor in graph.initializers}
            self._inner[key] = _Scope(graph.nodes, scope, {}, own)
        return self._inner[key]

    def _called(self, scope: _Scope, node: Node, function: Function, slot: int) -> list[tuple[_Scope, str]] | None:
        if slot >= len(function.outputs):
            return None
        key = id(scope), id(node)
        if key not in self._inner:
            if len(self._inner) > 10_000:
                return None
            bound = {name: (scope, given) for name, given in zip(function.inputs, node.inputs, strict=False)}
            self._inner[key] = _Scope(function.nodes, None, bound, set(function.inputs))
        return [(self._inner[key], function.outputs[slot])]
