"""The walk over ONNX files: what ``onnx`` itself reads is the oracle, and no bytes whatever make it fail otherwise."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from omnicheck.model.errors import ReadError
from omnicheck.readers.onnx_attribute import attribute, integers, is_zero
from omnicheck.readers.onnx_model import parse_model, read_model
from omnicheck.readers.onnx_values import DTYPES, KEPT, Graph, Model, Node, Port, all_nodes, all_tensors
from omnicheck.readers.protobuf import fields, signed, varint
from tests.onnx_graphs import INT64, constant, decoder, model, node, plain, port

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
REAL = sorted(DATA.rglob("*.onnx"))


def same_port(mine: Port, theirs: onnx.ValueInfoProto) -> None:
    kind = (theirs.type.WhichOneof("value") or "").removesuffix("_type")
    assert mine.name == theirs.name
    assert mine.kind == kind
    if kind in ("tensor", "sparse_tensor"):
        tensor = getattr(theirs.type, f"{kind}_type")
        assert mine.dtype == (DTYPES[tensor.elem_type][0] if tensor.elem_type else "")
        sizes = None
        if tensor.HasField("shape"):
            sizes = tuple(
                each.dim_value if each.HasField("dim_value") else each.dim_param or None for each in tensor.shape.dim
            )
        assert mine.shape == sizes


def same_nodes(mine: tuple[Node, ...], theirs: list[onnx.NodeProto]) -> None:
    assert [each.op for each in mine] == [each.op_type for each in theirs]
    for left, right in zip(mine, theirs, strict=True):
        assert (left.inputs, left.outputs, left.name) == (tuple(right.input), tuple(right.output), right.name)
        assert left.domain == ("" if right.domain == "ai.onnx" else right.domain)
        inner = [each for each in right.attribute if each.type in (5, 10)]
        graphs = [graph for each in inner for graph in (each.graphs or [each.g])]
        assert len(left.graphs) == len(graphs)
        for (_, mine_graph), graph in zip(left.graphs, graphs, strict=True):
            same_graph(mine_graph, graph)
        for each in right.attribute:
            if each.type in (1, 2, 3, 6, 7) and each.ByteSize() <= KEPT:
                wanted = helper.get_attribute_value(each)
                found = attribute(left, each.name)
                if isinstance(wanted, bytes):
                    assert found == wanted.decode("utf-8", "backslashreplace")
                elif isinstance(wanted, int | float):
                    assert found == pytest.approx(wanted, nan_ok=True)
                elif list(wanted):
                    assert isinstance(found, tuple)
                    assert list(found) == pytest.approx(list(wanted), nan_ok=True)


def same_graph(mine: Graph, theirs: onnx.GraphProto) -> None:
    assert mine.name == theirs.name
    for ports, others in ((mine.inputs, theirs.input), (mine.outputs, theirs.output)):
        assert len(ports) == len(others)
        for left, right in zip(ports, others, strict=True):
            same_port(left, right)
    same_nodes(mine.nodes, list(theirs.node))
    dense = [each for each in mine.initializers if "sparse" not in each.where]
    assert [each.name for each in dense] == [each.name for each in theirs.initializer]
    for left, right in zip(dense, theirs.initializer, strict=True):
        assert (left.shape, left.dtype) == (tuple(right.dims), DTYPES[right.data_type][0])
        assert left.raw == (len(right.raw_data) if right.HasField("raw_data") else None)
        if left.value and left.dtype in ("int64", "int32"):
            assert integers(left) == tuple(numpy_helper.to_array(right).flatten().tolist())


def same_model(mine: Model, theirs: onnx.ModelProto) -> None:
    assert mine.ir_version == theirs.ir_version
    assert mine.opsets == tuple(
        ("" if each.domain == "ai.onnx" else each.domain, each.version) for each in theirs.opset_import
    )
    assert mine.metadata == tuple((each.key, each.value) for each in theirs.metadata_props)
    same_graph(mine.graph, theirs.graph)
    assert [each.name for each in mine.functions] == [each.name for each in theirs.functions]
    for left, right in zip(mine.functions, theirs.functions, strict=True):
        assert (left.inputs, left.outputs) == (tuple(right.input), tuple(right.output))
        same_nodes(left.nodes, list(right.node))


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.parent.name)
def test_real_models_read_as_onnx_reads_them(path: Path) -> None:
    same_model(read_model(path), onnx.load(path, load_external_data=False))


def test_there_are_real_models() -> None:
    assert len(REAL) >= 149


def generated() -> Iterator[onnx.ModelProto]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases  # noqa: PLC0415 - slow, and only here

        yield from (each.model for each in collect_testcases(None) if each.model is not None)


@pytest.mark.slow
def test_generated_models_read_as_onnx_reads_them() -> None:
    count = 0
    for each in generated():
        data = each.SerializeToString()
        same_model(parse_model(data, len(data)), each)
        count += 1
    assert count > 1500


def test_tensors_are_found_wherever_they_are() -> None:
    def held(name: str) -> TensorProto:
        return constant(name, [1.0] * 4, (4,))

    deep = helper.make_graph([node("Constant", [], ["z"], value=held("deep"))], "deep", [], [port("z")])
    outer = helper.make_graph([node("If", ["c"], ["z"], then_branch=deep, else_branch=deep)], "o", [], [port("z")])
    body = [node("Constant", [], ["y"], value=held("in_function"))]
    made = plain(nodes=[node("If", ["c"], ["y"], then_branch=outer, else_branch=outer)], inputs=[port("c")])
    made.functions.append(helper.make_function("own", "F", [], ["y"], body, [helper.make_opsetid("", 17)]))
    made.graph.sparse_initializer.add(values=held("values"), indices=constant("i", [0], (1,), INT64), dims=[9])
    data = made.SerializeToString()
    found = parse_model(data, len(data))
    assert sorted(each.name for each in all_tensors(found)) == ["deep"] * 4 + ["i", "in_function", "values"]
    assert len(list(all_nodes(found.graph.nodes))) == 7


def test_initialisers_are_no_feeds() -> None:
    made = model([node("Add", ["x", "w"], ["y"])], [port("x"), port("w")], [port("y")], [constant("w", [1] * 4, (4,))])
    data = made.SerializeToString()
    graph = parse_model(data, len(data)).graph
    assert [each.name for each in graph.inputs] == ["x", "w"]
    assert [each.name for each in graph.feeds()] == ["x"]


@pytest.mark.parametrize(
    ("values", "dtype", "zero"),
    [([0.0], 1, True), ([-0.0], 1, True), ([0, 0], 7, True), ([1e-45], 1, False), ([0, 1], 7, False), ([0], 9, True)],
)
@pytest.mark.parametrize("raw", [False, True])
def test_zeros_are_known_in_either_form(values: list[float], dtype: int, zero: bool, raw: bool) -> None:
    made = constant("w", values, (len(values),), dtype)
    if raw:
        made = numpy_helper.from_array(numpy_helper.to_array(made), "w")
    data = plain(weights=[made]).SerializeToString()
    assert is_zero(parse_model(data, len(data)).graph.initializers[0]) == zero


def test_a_graph_in_two_pieces_is_merged_and_told() -> None:
    left, right = plain(), plain(nodes=[node("Abs", ["y"], ["z"])], inputs=[], outputs=[port("z")])
    data = left.SerializeToString() + right.SerializeToString()
    found = parse_model(data, len(data))
    same_graph(found.graph, onnx.ModelProto.FromString(data).graph)
    assert found.repeated == ("graph",)


def test_deep_subgraphs_are_refused() -> None:
    graph = b"\x0a\x00"
    for _ in range(80):
        attribute_ = b"\x32" + _sized(graph)
        held = b"\x2a" + _sized(attribute_)
        graph = b"\x0a" + _sized(held)
    data = b"\x3a" + _sized(graph)
    with pytest.raises(ReadError, match="nest deeper"):
        parse_model(data, len(data))


def _sized(data: bytes) -> bytes:
    out, size = bytearray(), len(data)
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    return bytes((*out, size)) + data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x3a\xff\xff\xff\xff\x0f", "claims"),
        (b"\x3a" + b"\xff" * 12, "more than ten bytes"),
        (b"\x08", "cut"),
        (b"\x0b\x00", "wire type 3"),
        (b"\x00\x01", "field number 0"),
        (b"\x08\x08", "no graph"),
        (b"hello, this is text and no model", "text"),
    ],
)
def test_what_is_no_model_says_why(data: bytes, words: str) -> None:
    with pytest.raises(ReadError, match=words):
        parse_model(data, len(data))


def test_files_that_are_no_models(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"")
    with pytest.raises(ReadError, match="empty"):
        read_model(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")
    with pytest.raises(ReadError, match="LFS"):
        read_model(path)
    with pytest.raises(ReadError, match="no such file"):
        read_model(tmp_path / "none.onnx")
    path.unlink()
    path.symlink_to(os.devnull)
    with pytest.raises(ReadError, match="link"):
        read_model(path)


def test_a_mapped_file_reads_as_one_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(decoder().SerializeToString())
    small = read_model(path)
    monkeypatch.setattr("omnicheck.readers.onnx_model.IN_MEMORY", 0)
    assert read_model(path) == small


WHOLE = decoder().SerializeToString()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_model_or_a_told_error(data: bytes) -> None:
    try:
        found = parse_model(data, len(data))
    except ReadError:
        return
    assert found.size == len(data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=4), st.booleans())
def test_damaged_models_are_read_or_told(at: int, noise: bytes, cut: bool) -> None:
    data = WHOLE[:at] + noise + (b"" if cut else WHOLE[at + len(noise) :])
    try:
        found = parse_model(data, len(data))
    except ReadError:
        return
    for each in all_tensors(found):
        is_zero(each)
        integers(each)
    for each_node in all_nodes(found.graph.nodes):
        attribute(each_node, "axis")


@given(st.integers(0, 2**64 - 1))
def test_varints_are_those_of_protobuf(value: int) -> None:
    encoded = bytearray()
    rest = value
    while rest > 127:
        encoded.append(rest & 127 | 128)
        rest >>= 7
    encoded.append(rest)
    assert varint(bytes(encoded), 0, len(encoded)) == (value, len(encoded))
    assert signed(value) % 2**64 == value
    assert list(fields(b"\x08" + bytes(encoded), 0, len(encoded) + 1)) == [(1, 0, value, value)]
