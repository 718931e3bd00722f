"""The texts of an ONNX model, by a bounded walk over its protobuf fields; tensors are stepped over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_FIELDS = 5_000_000
MAX_TEXT = 1 << 20
_DEEP = 12

# Field numbers of onnx.proto that hold messages to enter, by message; names of nodes and tensors look like paths
# ("/model/layers.0/mlp") and are stepped over, as tensors are.
_ENTER: dict[str, dict[int, str]] = {
    "model": {7: "graph", 14: "entry", 25: "function", 8: "opset", 20: "training"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value", 16: "entry", 14: "annotation"},
    "node": {5: "attribute", 9: "entry"},
    "attribute": {6: "graph", 11: "graph", 5: "tensor", 10: "tensor"},
    "function": {7: "node", 14: "entry", 12: "value", 11: "attribute"},
    "tensor": {13: "entry", 16: "entry"},
    "value": {4: "entry"},
    "training": {1: "graph", 2: "graph"},
    "annotation": {2: "entry"},
    "entry": {},
    "opset": {},
}
_TEXTS: dict[str, dict[int, str]] = {
    "model": {2: "producer name", 3: "producer version", 4: "domain", 6: "doc string"},
    "graph": {2: "graph name", 10: "graph doc string"},
    "node": {6: "node doc string"},
    "attribute": {4: "attribute text", 9: "attribute text", 13: "attribute doc string"},
    "function": {1: "function name", 8: "function doc string"},
    "tensor": {12: "tensor doc string", 6: "tensor text"},
    "value": {3: "value doc string"},
    "entry": {},
    "training": {},
    "annotation": {},
    "opset": {1: "opset domain"},
}


def onnx_texts(data: Any) -> Iterator[tuple[str, bytes]]:
    """Yield place and text of names, doc strings, metadata and node stack traces."""
    budget = [MAX_FIELDS]
    yield from _walk(data, 0, len(data), "model", budget, 0)


def _walk(data: Any, at: int, end: int, message: str, budget: list[int], depth: int) -> Iterator[tuple[str, bytes]]:
    enter, texts = _ENTER[message], _TEXTS[message]
    while at < end and budget[0] > 0:
        budget[0] -= 1
        key, at = _varint(data, at, end)
        wire = key & 7
        if wire == 0:
            _, at = _varint(data, at, end)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        elif wire == 2:
            size, at = _varint(data, at, end)
            stop = at + size
            if size < 0 or stop > end:
                return
            if key >> 3 in texts and size:
                yield texts[key >> 3], bytes(data[at : min(stop, at + MAX_TEXT)])
            elif enter.get(key >> 3) == "entry":
                yield "metadata", _entry(data, at, stop)
            elif key >> 3 in enter and depth < _DEEP:
                yield from _walk(data, at, stop, enter[key >> 3], budget, depth + 1)
            at = stop
        else:
            return


def _entry(data: Any, at: int, end: int) -> bytes:
    """Return key and value of an entry as one text: `api_key` tells what its value is."""
    parts = {1: b"", 2: b""}
    while at < end:
        key, at = _varint(data, at, end)
        size, at = _varint(data, at, end)
        if key & 7 != 2 or not 0 <= size <= end - at:
            break
        parts[key >> 3] = bytes(data[at : min(at + size, at + MAX_TEXT)])
        at += size
    return parts[1] + b": " + parts[2]


def is_onnx(head: bytes) -> bool:
    """Whether bytes begin as a model does: the format's version, then the producer, a version or the graph."""
    return (
        len(head) > 4
        and head[0] == 0x08
        and 1 <= head[1] <= 32
        and head[2] in (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42)
    )


def _varint(data: Any, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    return -1, end
