"""Tiny ONNX models for fixtures and tests, made by code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

FLOAT, INT64, BOOL, FLOAT16 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.FLOAT16
SLOTS = ("key", "value")
Shape = Sequence[int | str | None]


def port(name: str, dtype: int = FLOAT, shape: Shape | None = ("B", 4)) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, list(inputs), list(outputs), **attributes)


def constant(name: str, values: Sequence[float], shape: Sequence[int] = (), dtype: int = FLOAT) -> onnx.TensorProto:
    return helper.make_tensor(name, dtype, list(shape), list(values))


def model(
    nodes: Iterable[onnx.NodeProto],
    inputs: Iterable[onnx.ValueInfoProto],
    outputs: Iterable[onnx.ValueInfoProto],
    weights: Iterable[onnx.TensorProto] = (),
    opset: int = 17,
    **domains: int,
) -> onnx.ModelProto:
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(weights))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(name, each) for name, each in domains.items())]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def plain(**changed: Any) -> onnx.ModelProto:
    """Return ``y = Relu(x)``."""
    given = {"nodes": [node("Relu", ["x"], ["y"])], "inputs": [port("x")], "outputs": [port("y")], **changed}
    return model(**given)


def denoiser(
    inputs: Sequence[str] = ("hidden_states", "encoder_hidden_states", "encoder_attention_mask", "attention_mask"),
    dtypes: dict[str, int] | None = None,
    shape: Shape = ("B", "T", 4),
) -> onnx.ModelProto:
    """Return a model with one output ``vt`` that every input takes part in, masks inside an attention."""
    nodes, total = [], ""
    for i, name in enumerate(inputs):
        nodes.append(node("Cast", [name], [f"c{i}"], to=FLOAT))
        nodes.append(node("Add", [total, f"c{i}"], [f"s{i}"]) if total else node("Identity", [f"c{i}"], [f"s{i}"]))
        total = f"s{i}"
    nodes.append(node("Softmax", [total], ["vt"], axis=-1))
    ports = [port(name, (dtypes or {}).get(name, FLOAT), shape) for name in inputs]
    return model(nodes, ports, [port("vt", FLOAT, shape)])


def decoder(
    layers: int | Sequence[int] = 2,
    *,
    past: str = "past_{slot}_{layer}",
    present: str = "present_{slot}_{layer}",
    dtype: int = FLOAT,
    steps: tuple[int | str, int | str] = ("T_cache", "T_cache + T_new"),
    total: int | str = "T_cache + T_new",
    heads: int = 2,
    prefill: bool = False,
    order: Sequence[int] | None = None,
) -> onnx.ModelProto:
    """Return an attention model whose caches grow by concatenation; without cache inputs when it is a prefill."""
    hidden = ["B", heads, "T_new", 4]
    inputs = [port("hidden", dtype, hidden), port("attention_mask", dtype, ["B", 1, 1, total])]
    nodes, caches, outputs = [], [], []
    before = "hidden"
    for layer in range(layers) if isinstance(layers, int) else layers:
        for slot in SLOTS:
            name = present.format(layer=layer, slot=slot)
            new = name if prefill else f"{slot[0]}{layer}"
            nodes.append(node("MatMul", [before, "w"], [new]))
            if not prefill:
                held = past.format(layer=layer, slot=slot)
                nodes.append(node("Concat", [held, new], [name], axis=2))
                caches.append(port(held, dtype, ["B", heads, steps[0], 4]))
            outputs.append(port(name, dtype, ["B", heads, steps[1], 4]))
        key, value = (present.format(layer=layer, slot=slot) for slot in SLOTS)
        nodes += [
            node("Transpose", [key], [f"t{layer}"], perm=[0, 1, 3, 2]),
            node("MatMul", [before, f"t{layer}"], [f"a{layer}"]),
            node("Add", [f"a{layer}", "attention_mask"], [f"m{layer}"]),
            node("Softmax", [f"m{layer}"], [f"p{layer}"], axis=-1),
            node("MatMul", [f"p{layer}", value], [f"h{layer}"]),
        ]
        before = f"h{layer}"
    nodes.append(node("Identity", [before], ["logits"]))
    if order is not None:
        caches = [caches[i] for i in order]
        outputs = [outputs[i] for i in order]
    ports = [port("logits", dtype, hidden), *outputs]
    return model(nodes, [*inputs, *caches], ports, [constant("w", [0.5] * 16, (4, 4), dtype)])


def rewired(given: onnx.ModelProto, names: dict[str, str], ops: Sequence[str] = ("Concat",)) -> onnx.ModelProto:
    """Return a copy whose nodes of some operators take other values; names of ports stay."""
    copy = onnx.ModelProto()
    copy.CopyFrom(given)
    for each in copy.graph.node:
        if each.op_type in ops:
            each.input[:] = [names.get(name, name) for name in each.input]
    return copy


def external(entries: Sequence[tuple[str, Sequence[int], dict[str, str]]], dtype: int = FLOAT) -> onnx.ModelProto:
    """Return a model that adds external tensors: name, shape, and keys of its external data."""
    nodes, weights, total = [], [], "x"
    for name, shape, keys in entries:
        tensor = TensorProto(name=name, data_type=dtype, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in keys.items():
            tensor.external_data.add(key=key, value=value)
        weights.append(tensor)
        nodes.append(node("Add", [total, name], [f"y_{name}"]))
        total = f"y_{name}"
    nodes.append(node("Identity", [total], ["y"]))
    return model(nodes, [port("x", dtype)], [port("y", dtype)], weights)


def at(location: str, offset: int | str = 0, length: int | str = 16) -> dict[str, str]:
    """Return the keys of external data."""
    return {"location": location, "offset": str(offset), "length": str(length)}
