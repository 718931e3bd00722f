"""Writes small trees of ONNX models, checks them, and tells which rules spoke at which level."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx

from omnicheck.model.report import Report
from tests.checks.trees import check_tree
from tests.make_fixtures.onnx import Tree, write

FAMILIES = ("ONX", "KVC", "OMN003")


def judge(folder: Path, tree: Tree, change: Callable[[Path], object] | None = None) -> Report:
    """Write a tree, change it on disk if asked to, and check ``run`` by the families of ONNX."""
    write(folder, tree)
    if change is not None:
        change(folder / "run")
    return check_tree(folder, {}, *FAMILIES)


def errors(report: Report) -> set[str]:
    return {each.rule for each in report.findings if each.severity == "error"}


def rules(report: Report) -> set[str]:
    return {each.rule for each in report.findings}


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def edited(model: onnx.ModelProto, change: Callable[[onnx.GraphProto], object]) -> onnx.ModelProto:
    """Return a copy whose graph was changed."""
    copy = copy_of(model)
    change(copy.graph)
    return copy


def renamed(model: onnx.ModelProto, old: str, new: str) -> onnx.ModelProto:
    """Return a copy in which a value has another name everywhere."""
    copy = copy_of(model)
    for port in (*copy.graph.input, *copy.graph.output):
        port.name = new if port.name == old else port.name
    for node in copy.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
    return copy


def typed(
    model: onnx.ModelProto, name: str, dtype: int | None = None, shape: dict[int, int | str] | None = None
) -> onnx.ModelProto:
    """Return a copy in which an input or output declares another type, or other sizes by axis."""
    copy = copy_of(model)
    port = next(each for each in (*copy.graph.input, *copy.graph.output) if each.name == name)
    tensor = port.type.tensor_type
    tensor.elem_type = dtype or tensor.elem_type
    for axis, size in (shape or {}).items():
        if axis == len(tensor.shape.dim):
            tensor.shape.dim.add()
        tensor.shape.dim[axis].Clear()
        if isinstance(size, int):
            tensor.shape.dim[axis].dim_value = size
        else:
            tensor.shape.dim[axis].dim_param = size
    return copy


def without(model: onnx.ModelProto, *names: str) -> onnx.ModelProto:
    """Return a copy that lacks inputs or outputs."""
    copy = copy_of(model)
    for side in (copy.graph.input, copy.graph.output):
        for port in [each for each in side if each.name in names]:
            side.remove(port)
    return copy


def reordered(model: onnx.ModelProto, side: str, order: list[int]) -> onnx.ModelProto:
    """Return a copy whose inputs or outputs stand in another order."""
    copy = copy_of(model)
    ports = getattr(copy.graph, side)
    kept = [copy_port(port) for port in ports]
    del ports[:]
    ports.extend(kept[i] for i in order)
    return copy


def copy_port(port: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    made = onnx.ValueInfoProto()
    made.CopyFrom(port)
    return made
