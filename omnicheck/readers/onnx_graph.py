"""Walks the messages of a model: graphs, nodes, functions and the tensors in them."""

from __future__ import annotations

import re

from omnicheck.model.errors import ReadError
from omnicheck.readers.onnx_tensor import read_entry, read_port, read_sparse, read_tensor
from omnicheck.readers.onnx_values import KEPT, Function, Graph, Model, Node, Port, Span, Tensor
from omnicheck.readers.protobuf import BYTES, VARINT, Buffer, fields, signed, text, varint

MAX_DEPTH = 60
"""Subgraphs inside one another; protobuf libraries give up at about 33."""

MAX_NODES = 4_000_000

# Tags of attribute fields that hold tensors, graphs or sparse tensors; where none of them occurs, the attribute is
# plain. The bytes may also stand in a name, which costs a closer look and no more.
_NESTED = re.compile(rb"[\x2a\x32\x52\x5a]|[\xb2\xba]\x01")
_TENSORS, _GRAPHS, _SPARSE = (5, 10), (6, 11), (22, 23)


class Walk:
    """One pass over one file.

    Attributes:
        has_graph: whether a main graph was met.
    """

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._prose: list[Span] = []
        self._nodes = 0
        self._names: dict[bytes, str] = {b"": "", b"ai.onnx": ""}
        self.has_graph = False

    def model(self, size: int) -> Model:  # noqa: C901 - one branch for each field of the message
        """Return the model that fills the buffer."""
        data = self._data
        ir, producer, version = 0, "", ""
        opsets: list[tuple[str, int]] = []
        metadata: list[tuple[str, str]] = []
        graphs: list[Graph] = []
        functions: list[Function] = []
        training: list[Graph] = []
        for number, wire, at, stop in fields(data, 0, size):
            if wire == VARINT and number == 1:
                ir = signed(at)
            elif wire != BYTES:
                continue
            elif number == 7:
                graphs.append(self.graph(at, stop, "", 0))
            elif number == 8:
                opsets.append(self._opset(at, stop))
            elif number == 14:
                metadata.append(read_entry(data, at, stop))
                self._prose.append(Span("metadata_props", at, stop))
            elif number == 2:
                producer = text(data, at, stop)
            elif number == 3:
                version = text(data, at, stop)
            elif number == 6:
                self._prose.append(Span("doc_string", at, stop))
            elif number == 25:
                functions.append(self._function(at, stop))
            elif number == 20:
                training += [
                    self.graph(first, last, "training", 0)
                    for inner, kind, first, last in fields(data, at, stop)
                    if inner in (1, 2) and kind == BYTES
                ]
        self.has_graph = bool(graphs)
        return Model(
            ir_version=ir,
            producer=f"{producer} {version}".strip(),
            opsets=tuple(opsets),
            metadata=tuple(metadata),
            graph=_merged(graphs),
            functions=tuple(functions),
            training=tuple(training),
            prose=tuple(self._prose),
            size=size,
            repeated=("graph",) if len(graphs) > 1 else (),
        )

    def graph(self, at: int, end: int, where: str, depth: int) -> Graph:  # noqa: C901 - as above
        """Return the graph that lies in a part of the buffer; ``where`` names what holds it."""
        if depth > MAX_DEPTH:
            raise ReadError(f"subgraphs nest deeper than {MAX_DEPTH} levels")
        data = self._data
        name = ""
        nodes: list[Node] = []
        inputs: list[Port] = []
        outputs: list[Port] = []
        tensors: list[Tensor] = []
        held = f"{where}/initializer" if where else "initializer"
        for number, wire, start, stop in fields(data, at, end):
            if wire != BYTES:
                continue
            if number == 1:
                nodes.append(self._node(start, stop, where, depth))
            elif number == 5:
                tensors.append(read_tensor(data, start, stop, held))
            elif number == 11:
                inputs.append(read_port(data, start, stop))
            elif number == 12:
                outputs.append(read_port(data, start, stop))
            elif number == 15:
                tensors += read_sparse(data, start, stop, f"{where}/sparse_initializer".lstrip("/"))
            elif number == 2:
                name = text(data, start, stop)
            elif number in (10, 16):
                self._prose.append(Span("graph", start, stop))
        return Graph(name, tuple(nodes), tuple(inputs), tuple(outputs), tuple(tensors))

    def _node(self, at: int, end: int, where: str, depth: int) -> Node:  # noqa: C901, PLR0912, PLR0915 - speed
        """Return a node. The loop is written out, since a graph has many nodes and most fields are short."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ReadError(f"more than {MAX_NODES:,} nodes")
        base = at
        data = self._data[at:end] if end - at <= 1 << 16 else self._data
        if data is not self._data:
            at, end = 0, end - base
        else:
            base = 0
        names = self._names
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: list[tuple[int, int]] = []
        op = domain = name = overload = ""
        while at < end:
            tag = data[at]
            size = data[at + 1] if at + 1 < end else 128
            if tag & 7 == BYTES and tag < 128 and size < 128:
                at += 2
            else:
                tag, at = varint(data, at, end)
                if tag & 7 != BYTES:
                    at = _step(data, tag, at, end)
                    continue
                size, at = varint(data, at, end)
            stop = at + size
            if stop > end:
                raise ReadError(f"malformed protobuf: a node's field leads out of it at byte {base + at}")
            if tag == 0x0A:
                inputs.append(data[at:stop].decode("utf-8", "backslashreplace"))
            elif tag == 0x12:
                outputs.append(data[at:stop].decode("utf-8", "backslashreplace"))
            elif tag == 0x1A:
                name = data[at:stop].decode("utf-8", "backslashreplace")
            elif tag in (0x22, 0x3A):
                raw = data[at:stop]
                known = names.get(raw)
                if known is None:
                    known = names[raw] = text(raw, 0, len(raw))
                if tag == 0x22:
                    op = known if raw != b"ai.onnx" else "ai.onnx"
                else:
                    domain = known
            elif tag == 0x2A:
                attributes.append((base + at, base + stop))
            elif tag in (0x32, 0x4A):
                self._prose.append(Span(name or op, base + at, base + stop))
            elif tag == 0x42:
                overload = text(data, at, stop)
            at = stop
        if not attributes:
            return Node(op, domain, name, tuple(inputs), tuple(outputs), overload=overload)
        plain, graphs, tensors = self._attributes(attributes, f"{where}/{name or op}".lstrip("/"), depth)
        return Node(op, domain, name, tuple(inputs), tuple(outputs), plain, graphs, tensors, overload)

    def _attributes(
        self, spans: list[tuple[int, int]], where: str, depth: int
    ) -> tuple[tuple[bytes, ...], tuple[tuple[str, Graph], ...], tuple[tuple[str, Tensor], ...]]:
        data = self._data
        plain: list[bytes] = []
        graphs: list[tuple[str, Graph]] = []
        tensors: list[tuple[str, Tensor]] = []
        for at, end in spans:
            # A large attribute is walked without a search: it may hold weights, which nobody wants to read.
            if end - at > KEPT or _NESTED.search(data, at, end):
                self._nested(at, end, where, depth, graphs, tensors)
            if end - at <= KEPT:
                plain.append(data[at:end])
        return tuple(plain), tuple(graphs), tuple(tensors)

    def _nested(
        self,
        at: int,
        end: int,
        where: str,
        depth: int,
        graphs: list[tuple[str, Graph]],
        tensors: list[tuple[str, Tensor]],
    ) -> None:
        data = self._data
        parts = [field for field in fields(data, at, end) if field[1] == BYTES]
        name = next((text(data, start, stop) for number, _, start, stop in parts if number == 1), "")
        held = f"{where}/{name}"
        for number, _, start, stop in parts:
            if number in _TENSORS:
                tensors.append((name, read_tensor(data, start, stop, held)))
            elif number in _GRAPHS:
                graphs.append((name, self.graph(start, stop, held, depth + 1)))
            elif number in _SPARSE:
                tensors += [(name, tensor) for tensor in read_sparse(data, start, stop, held)]

    def _function(self, at: int, end: int) -> Function:
        data = self._data
        parts = [field for field in fields(data, at, end) if field[1] == BYTES]
        texts: dict[int, list[str]] = {1: [], 4: [], 5: [], 10: [], 13: []}
        for number, _, start, stop in parts:
            if number in texts:
                texts[number].append(text(data, start, stop))
            elif number in (8, 14):
                self._prose.append(Span("function", start, stop))
        name = "".join(texts[1][-1:])
        domain = "".join(texts[10][-1:])
        nodes = [self._node(start, stop, name, 1) for number, _, start, stop in parts if number == 7]
        opsets = [self._opset(start, stop) for number, _, start, stop in parts if number == 9]
        return Function(
            domain="" if domain == "ai.onnx" else domain,
            name=name,
            overload="".join(texts[13][-1:]),
            inputs=tuple(texts[4]),
            outputs=tuple(texts[5]),
            nodes=tuple(nodes),
            opsets=tuple(opsets),
        )

    def _opset(self, at: int, end: int) -> tuple[str, int]:
        domain, version = "", 0
        for number, wire, start, stop in fields(self._data, at, end):
            if number == 1 and wire == BYTES:
                domain = text(self._data, start, stop)
            elif number == 2 and wire == VARINT:
                version = signed(start)
        return "" if domain == "ai.onnx" else domain, version


def _step(data: Buffer, tag: int, at: int, end: int) -> int:
    """Return where a field of another wire type stops."""
    wire = tag & 7
    if wire == VARINT:
        return varint(data, at, end)[1]
    size = {1: 8, 5: 4}.get(wire)
    if size is None or at + size > end:
        raise ReadError(f"malformed protobuf: wire type {wire} in a node at byte {at}")
    return at + size


def _merged(graphs: list[Graph]) -> Graph:
    """Return the graphs as protobuf merges a repeated field: lists run on, the last name wins."""
    if len(graphs) == 1:
        return graphs[0]
    return Graph(
        name=graphs[-1].name if graphs else "",
        nodes=tuple(node for graph in graphs for node in graph.nodes),
        inputs=tuple(port for graph in graphs for port in graph.inputs),
        outputs=tuple(port for graph in graphs for port in graph.outputs),
        initializers=tuple(tensor for graph in graphs for tensor in graph.initializers),
    )
