"""Texts of structured files: each place is read, weights and pictures are not, and nothing crashes."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnicheck.content.metadata import texts_of
from omnicheck.content.notebook import is_notebook, notebook_images
from omnicheck.content.onnx_texts import is_onnx
from tests.make_fixtures.secrets import jpeg, png, safetensors, tiff

KINDS = ["safetensors", "onnx", "hdf5", "npz", "npy", "notebook", "png", "jpeg", "webp", "other"]


def texts(kind: str, data: bytes) -> dict[str, str]:
    joined: dict[str, str] = {}
    for place, text in texts_of(kind, data):
        joined[place] = joined.get(place, "") + text.decode() + "\n"
    return joined


def test_safetensors_metadata_and_names() -> None:
    found = texts("safetensors", safetensors({"format": "pt", "trained_in": "/home/x"}))
    assert found == {"`__metadata__`": "format: pt\ntrained_in: /home/x\n", "tensor names": "w\n"}


def onnx_model() -> bytes:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    node = helper.make_node("Add", ["a", "w"], ["b"], name="/model/home/add", doc_string="node doc")
    entry = node.metadata_props.add()
    entry.key, entry.value = "pkg.torch.onnx.stack_trace", "File one.py, line 3"
    value = helper.make_tensor_value_info("a", 1, [1])
    weight = helper.make_tensor("w", 1, [100], b"\x0a\x04deep" * 66 + b"\0\0\0\0", raw=True)
    body = helper.make_graph([helper.make_node("Identity", ["a"], ["c"], doc_string="inner doc")], "inner", [], [value])
    branch = helper.make_node("If", ["a"], ["d"], then_branch=body, else_branch=body)
    text = helper.make_node("Constant", [], ["e"], value_strings=["a constant text"])
    graph = helper.make_graph([node, branch, text], "walks", [value], [value], [weight], doc_string="graph doc")
    model = helper.make_model(graph, producer_name="walker")
    model.doc_string = "model doc"
    helper.set_model_props(model, {"api_key": "of the model"})
    return bytes(model.SerializeToString())


def test_onnx_metadata_doc_strings_and_stack_traces() -> None:
    model = onnx_model()
    assert is_onnx(model[:16])
    found = texts("onnx", model)
    assert found["metadata"] == "pkg.torch.onnx.stack_trace: File one.py, line 3\napi_key: of the model\n"
    assert found["doc string"] == "model doc\n"
    assert found["graph doc string"] == "graph doc\n"
    assert found["node doc string"] == "node doc\ninner doc\ninner doc\n"
    assert found["producer name"] == "walker\n"
    assert "a constant text" in found["attribute text"]
    assert "deep" not in str(found), "weights are not read"
    assert "/model/home/add" not in str(found), "names of nodes look like paths"


def test_hdf5_attributes_names_and_strings() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["author"] = "root attribute"
        group = file.create_group("walks")
        group.attrs["tags"] = np.array([b"one", b"two"])
        group.attrs["rate"] = 30.0
        group["frames"] = np.zeros(1000)
        group["frames"].attrs["unit"] = "millimetre"
        group["notes"] = ["said here", "and there"]
        file["away"] = h5py.ExternalLink("/home/x/other.h5", "/walks")
    found = texts("hdf5", buffer.getvalue())
    assert "author: root attribute\n" in found["attribute"]
    assert "tags: one\ntwo\n" in found["attribute"]
    assert "unit: millimetre\n" in found["attribute"]
    assert found["string data"] == "said here\nand there\n"
    assert found["external link"] == "/home/x/other.h5\n"
    assert set(found["object names"].split()) == {"walks", "frames", "notes", "away"}


def test_npz_and_npy_strings() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, paths=np.array(["/home/x", "größe"]), raw=np.array([b"bytes"]), x=np.zeros((50, 50)))
    found = texts("npz", buffer.getvalue())
    assert set(found["array names"].split()) == {"paths.npy", "raw.npy", "x.npy"}
    assert found["strings of an array"].split() == ["/home/x", "größe", "bytes"]
    single = io.BytesIO()
    np.save(single, np.array([["a path", "b"]]))
    assert texts("npy", single.getvalue())["strings of an array"].split("\n")[:2] == ["a path", "b"]


def notebook(**cell: Any) -> bytes:
    return json.dumps(
        {"cells": [{"cell_type": "code", "source": ["one\n", "two"], **cell}], "metadata": {"a": "b"}}
    ).encode()


def test_notebook_sources_and_outputs_but_no_pictures() -> None:
    picture = png((b"tEXt", b"Comment\0x"))
    data = notebook(
        outputs=[
            {"output_type": "stream", "text": ["out ", "here\n"]},
            {"output_type": "error", "traceback": ["trace 1", "trace 2"], "evalue": "bad"},
            {
                "data": {
                    "text/plain": "plain",
                    "text/html": ["<b>", "html"],
                    "image/png": base64.b64encode(picture).decode(),
                }
            },
        ],
    )
    found = texts("notebook", data)
    assert found["cell 1"] == "one\ntwo\n"
    assert all(part in found["cell 1 output"] for part in ("out here", "trace 1\ntrace 2", "bad", "plain", "<b>html"))
    assert "iVBOR" not in str(found)
    assert is_notebook(data)
    assert list(notebook_images(data)) == [("cell 1 picture", picture)]
    assert not is_notebook(b"[1]")


def test_text_chunks_of_pictures() -> None:
    data = png(
        (b"tEXt", b"Source\0plain"),
        (b"zTXt", b"Long\0\0" + zlib.compress(b"packed")),
        (b"iTXt", b"Title\0\1\0en\0T\0" + zlib.compress("größe".encode())),
        (b"iTXt", b"Other\0\0\0en\0T\0open"),
    )
    assert texts("png", data) == {
        "text chunk Source": "plain\n",
        "text chunk Long": "packed\n",
        "text chunk Title": "größe\n",
        "text chunk Other": "open\n",
    }
    comment = b"\xff\xd8\xff\xfe" + struct.pack(">H", 2 + 12) + b"made by hand" + b"\xff\xd9"
    assert texts("jpeg", comment) == {"comment": "made by hand\n"}
    xmp = b"RIFF\x20\0\0\0WEBPXMP " + struct.pack("<I", 12) + b"<xmp>a</xmp>"
    assert texts("webp", xmp) == {"XMP": "<xmp>a</xmp>\n"}


SOUND = {
    "safetensors": safetensors({"a": "b"}),
    "png": png((b"tEXt", b"a\0b"), (b"eXIf", tiff(gps=True))),
    "jpeg": jpeg(tiff(gps=True)),
    "notebook": notebook(outputs=[{"text": "a"}]),
}


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(KINDS), st.binary(max_size=300))
def test_any_bytes_are_survived(kind: str, data: bytes) -> None:
    list(texts_of(kind, data))
    for sound_kind, sound in SOUND.items():
        at = len(data) * 7 % len(sound)
        broken = sound[:at] + data[:5] + sound[at + 2 :]
        list(texts_of(sound_kind, broken))
        list(texts_of(sound_kind, sound[:at]))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 5000), st.binary(min_size=1, max_size=4))
def test_a_broken_model_is_survived(at: int, noise: bytes) -> None:
    model = onnx_model()
    at %= len(model)
    list(texts_of("onnx", model[:at] + noise + model[at + len(noise) :]))
    list(texts_of("onnx", model[:at]))
