"""What an ONNX file says, without its weights: frozen values."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

Dimension = int | str | None
"""A size, the name or expression of one, or nothing stated."""

Shape = tuple[Dimension, ...]

KEPT = 256
"""Bytes up to which the value of a tensor is kept."""

DTYPES: dict[int, tuple[str, int]] = {
    1: ("float32", 32),
    2: ("uint8", 8),
    3: ("int8", 8),
    4: ("uint16", 16),
    5: ("int16", 16),
    6: ("int32", 32),
    7: ("int64", 64),
    8: ("string", 0),
    9: ("bool", 8),
    10: ("float16", 16),
    11: ("float64", 64),
    12: ("uint32", 32),
    13: ("uint64", 64),
    14: ("complex64", 64),
    15: ("complex128", 128),
    16: ("bfloat16", 16),
    17: ("float8e4m3fn", 8),
    18: ("float8e4m3fnuz", 8),
    19: ("float8e5m2", 8),
    20: ("float8e5m2fnuz", 8),
    21: ("uint4", 4),
    22: ("int4", 4),
    23: ("float4e2m1", 4),
    24: ("float8e8m0", 8),
    25: ("uint2", 2),
    26: ("int2", 2),
}
"""Element types by their number in the format: name, and bits of an element (0: no fixed size)."""

BITS = dict(DTYPES.values())


def dtype_name(number: int) -> str:
    """Return the name of an element type; an unknown number keeps its digits, 0 is empty."""
    return DTYPES[number][0] if number in DTYPES else (f"type {number}" if number else "")


class Port(Struct, frozen=True, gc=False):
    """An input or output of a graph.

    Attributes:
        name: its name.
        kind: ``tensor``, ``sparse_tensor``, ``sequence``, ``map``, ``optional``, ``opaque``, or empty when untyped.
        dtype: element type of the tensor (of a map: of its keys); empty when not stated.
        shape: None when not stated.
    """

    name: str
    kind: str = ""
    dtype: str = ""
    shape: Shape | None = None


class Tensor(Struct, frozen=True, gc=False):
    """A tensor that the file holds or refers to.

    Attributes:
        name: its name; empty inside an attribute.
        dtype: element type.
        shape: as written; negative sizes are kept for the rules to find.
        where: what holds it: ``initializer``, ``sparse_initializer``, or a node's attribute; with the path of graphs.
        raw: bytes of ``raw_data``, or None when the field is absent.
        typed: bytes that the typed fields (``float_data`` and others) take in the file.
        external: keys and values of ``external_data`` as written, repeated ones included; None when not external.
        value: little-endian bytes of a small tensor, or None.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    where: str
    raw: int | None = None
    typed: int = 0
    external: tuple[tuple[str, str], ...] | None = None
    value: bytes | None = None


class Node(Struct, frozen=True, gc=False):
    """A node.

    Attributes:
        op: operator.
        domain: its domain; ``ai.onnx`` is folded into the empty one.
        name: the node's name.
        inputs: names of values; an optional one that is left out is empty.
        outputs: names of values.
        attributes: small attributes as they stand in the file; ``onnx_attribute`` decodes them.
        graphs: subgraphs by attribute name.
        tensors: tensors by attribute name.
        overload: overload of the function that is called.
    """

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[bytes, ...] = ()
    graphs: tuple[tuple[str, Graph], ...] = ()
    tensors: tuple[tuple[str, Tensor], ...] = ()
    overload: str = ""


class Graph(Struct, frozen=True, gc=False):
    """A graph or subgraph.

    Attributes:
        name: its name.
        nodes: in the order of the file.
        inputs: as written; initialisers may be among them.
        outputs: as written.
        initializers: dense and sparse.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    initializers: tuple[Tensor, ...]

    def feeds(self) -> tuple[Port, ...]:
        """The inputs that a host feeds: those that are no initialiser."""
        held = {tensor.name for tensor in self.initializers}
        return tuple(port for port in self.inputs if port.name not in held)


class Function(Struct, frozen=True, gc=False):
    """A function that the model defines."""

    domain: str
    name: str
    overload: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    opsets: tuple[tuple[str, int], ...]


class Span(Struct, frozen=True, gc=False):
    """A free text in the file, by its bytes: what holds it, where it starts and stops."""

    where: str
    start: int
    stop: int


class Model(Struct, frozen=True):
    """A model.

    Attributes:
        ir_version: version of the format; 0 when not stated.
        producer: name and version of the exporter.
        opsets: domain and version, as written; ``ai.onnx`` is folded into the empty domain.
        metadata: keys and values of ``metadata_props``; long values are cut.
        graph: the main graph.
        functions: functions that the model defines.
        training: graphs of ``training_info``.
        prose: doc strings and metadata anywhere in the file.
        size: bytes of the file.
        repeated: singular message fields that occur more than once, about which parsers may disagree.
    """

    ir_version: int
    producer: str
    opsets: tuple[tuple[str, int], ...]
    metadata: tuple[tuple[str, str], ...]
    graph: Graph
    functions: tuple[Function, ...]
    training: tuple[Graph, ...]
    prose: tuple[Span, ...]
    size: int
    repeated: tuple[str, ...] = ()


def all_nodes(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Yield nodes and those of their subgraphs, outer ones first."""
    stack = [nodes]
    while stack:
        for node in stack.pop():
            yield node
            stack.extend(graph.nodes for _, graph in node.graphs)


def all_graphs(model: Model) -> Iterator[Graph]:
    """Yield the main graph, the training graphs, and every subgraph of them and of functions."""
    bodies = [function.nodes for function in model.functions]
    stack = [model.graph, *model.training]
    while stack or bodies:
        if stack:
            graph = stack.pop()
            yield graph
            bodies.append(graph.nodes)
        else:
            stack.extend(graph for node in bodies.pop() if node.graphs for _, graph in node.graphs)


def all_tensors(model: Model) -> Iterator[Tensor]:
    """Yield every tensor of the file: initialisers, sparse parts and attributes, at any depth."""
    for graph in all_graphs(model):
        yield from graph.initializers
        for node in graph.nodes:
            for _, tensor in node.tensors:
                yield tensor
    for function in model.functions:
        for node in function.nodes:
            for _, tensor in node.tensors:
                yield tensor
