"""Types and shapes that follow from a graph's own nodes: a few certain steps, and silence everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from omnicheck.readers.onnx_attribute import attribute, integer
from omnicheck.readers.onnx_values import Dimension, Graph, Node, Shape, dtype_name

SAME = frozenset(
    {
        "Abs",
        "Acos",
        "Asin",
        "Atan",
        "Ceil",
        "Celu",
        "Cos",
        "Elu",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Log",
        "LogSoftmax",
        "Mish",
        "Neg",
        "PRelu",
        "Reciprocal",
        "Relu",
        "Round",
        "Selu",
        "Sigmoid",
        "Sign",
        "Sin",
        "Softmax",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "LayerNormalization",
        "InstanceNormalization",
        "GroupNormalization",
        "RMSNormalization",
        "CumSum",
        "Trilu",
        "Swish",
    }
)
"""Operators whose first output has type and shape of the first input."""

BROADCAST = frozenset(
    {
        "Add",
        "Sub",
        "Mul",
        "Div",
    }
)
COMPARE = frozenset(
    {
        "Equal",
        "Greater",
        "GreaterOrEqual",
        "Less",
        "LessOrEqual",
        "And",
        "Or",
        "Xor",
    }
)
TYPED = frozenset(
    {
        "Transpose",
        "Concat",
        "MatMul",
        "Reshape",
        "Slice",
        "Gather",
        "Unsqueeze",
        "Squeeze",
        "Expand",
        "Tile",
        "Split",
        "Flatten",
        "Pad",
        "Gemm",
        "Conv",
        "ConvTranspose",
        "AveragePool",
        "GlobalAveragePool",
        "ReduceSum",
        "ReduceMean",
        "ReduceMax",
        "ReduceMin",
        "ScatterND",
        "ScatterElements",
        "GatherND",
        "GatherElements",
        "Pow",
    }
)
"""Operators whose outputs have the type of the first input, and a shape of their own."""

OLDEST = 13
"""Opset from which the steps hold as they are written here; older models are left alone."""


class Known(Struct, frozen=True, gc=False):
    """What is certain of a value; an empty type or no shape is not known."""

    dtype: str = ""
    shape: Shape | None = None


UNKNOWN = Known()


def known_values(graph: Graph) -> dict[str, Known]:
    """Return what follows for the values of a graph from its inputs, initialisers and nodes."""
    values = {
        tensor.name: Known(tensor.dtype, tensor.shape) for tensor in graph.initializers if "sparse" not in tensor.where
    }
    for port in graph.inputs:
        if port.kind == "tensor" and port.name not in values:
            values[port.name] = Known(port.dtype, port.shape)
    for node in graph.nodes:
        if not node.domain and node.outputs:
            made = _made(node, values)
            if made is not None:
                values[node.outputs[0]] = made
    return values


def _made(node: Node, values: Mapping[str, Known]) -> Known | None:
    """Return what is certain of a node's first output; None when nothing is."""
    op = node.op
    first = values.get(node.inputs[0], UNKNOWN) if node.inputs else UNKNOWN
    if op in SAME:
        return first
    if op in TYPED or op in BROADCAST:
        step = _SHAPES.get(op)
        return Known(first.dtype, step(node, values) if step is not None else None)
    if op in COMPARE:
        return Known("bool", _broadcast(node, values))
    if op == "Cast":
        to = attribute(node, "to")
        return Known(dtype_name(to) if isinstance(to, int) else "", first.shape)
    if op == "Constant":
        return next((Known(tensor.dtype, tensor.shape) for name, tensor in node.tensors if name == "value"), None)
    return None


def _broadcast(node: Node, values: Mapping[str, Known]) -> Shape | None:
    shapes = [values.get(name, UNKNOWN).shape for name in node.inputs]
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    rank = max(map(len, known), default=0)
    made: list[Dimension] = []
    for at in range(-rank, 0):
        sizes = {shape[at] for shape in known if len(shape) >= -at} - {1}
        literal = [size for size in sizes if isinstance(size, int)]
        # One literal above one decides, whatever the symbols beside it are: at run time they are equal to it or one.
        made.append(
            literal[0] if len(literal) == 1 else 1 if not sizes else next(iter(sizes)) if len(sizes) == 1 else None
        )
    return tuple(made)


def _transpose(node: Node, values: Mapping[str, Known]) -> Shape | None:
    shape = values.get(node.inputs[0], UNKNOWN).shape
    perm = attribute(node, "perm")
    if shape is None:
        return None
    if perm is None:
        return shape[::-1] if not any(b"perm" in raw for raw in node.attributes) else None
    if not isinstance(perm, tuple) or sorted(perm) != list(range(len(shape))):
        return None
    return tuple(shape[int(at)] for at in perm)


def _concat(node: Node, values: Mapping[str, Known]) -> Shape | None:
    shapes = [values.get(name, UNKNOWN).shape for name in node.inputs]
    known = [shape for shape in shapes if shape]
    if len(known) < len(shapes) or not known or len({len(shape) for shape in known}) > 1:
        return None
    axis = integer(node, "axis", 0) % len(known[0])
    made: list[Dimension] = []
    for at in range(len(known[0])):
        sizes = [shape[at] for shape in known]
        literals = [size for size in sizes if isinstance(size, int)]
        if at == axis:
            made.append(sum(literals) if len(literals) == len(sizes) else None)
        else:
            made.append(literals[0] if literals else sizes[0])
    return tuple(made)


def _matmul(node: Node, values: Mapping[str, Known]) -> Shape | None:
    left, right = (values.get(name, UNKNOWN).shape for name in node.inputs[:2])
    if left is None or right is None or len(left) < 2 or len(right) not in (2, len(left)):
        return None
    outer = left[:-2] if len(right) == 2 else tuple(None for _ in left[:-2])
    return (*outer, left[-2], right[-1])


_SHAPES: Mapping[str, Callable[[Node, Mapping[str, Known]], Shape | None]] = {
    **dict.fromkeys(BROADCAST, _broadcast),
    "Transpose": _transpose,
    "Concat": _concat,
    "MatMul": _matmul,
}


def contradiction(known: Known, dtype: str, shape: Shape | None) -> str:
    """Return how a declared type or shape contradicts what is known; empty when it does not."""
    if known.dtype and dtype and known.dtype != dtype:
        return f"is declared {dtype}, but its node makes {known.dtype}"
    if known.shape is None or shape is None:
        return ""
    if len(known.shape) != len(shape):
        return f"is declared with {len(shape)} axes, but its node makes {len(known.shape)}"
    for axis, (found, said) in enumerate(zip(known.shape, shape, strict=True)):
        if isinstance(found, int) and isinstance(said, int) and found >= 0 and said >= 0 and found != said:
            return f"is declared with {said} on axis {axis}, but its node makes {found}"
    return ""
