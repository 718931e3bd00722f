"""Formats that are protocol buffers: they have no magic, so their fields are walked."""

from __future__ import annotations

from collections.abc import Iterator

from omnicheck.content.blob import Blob

MAX_FIELDS = 512
_ONNX = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Fields of ModelProto with their wire types."""

_GRAPH = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})
Field = tuple[int, int, int, int]
"""Number, wire type, offset of the value, and its length (a varint's value in place of a length)."""


def protobufs(blob: Blob) -> Iterator[str]:
    """Yield ``onnx``, ``saved_model`` or ``mlmodel``."""
    head = blob.head
    if len(head) < 4 or head[0] not in b"\x08\x0a\x12\x1a\x22\x3a\x42":
        return
    fields, complete = walk(blob, 0, blob.size)
    numbers = {number for number, _, _, _ in fields}
    if _is_onnx(blob, fields, complete):
        yield "onnx"
    elif complete and numbers == {1, 2} and _is_saved_model(blob, fields):
        yield "saved_model"
    elif complete and {1, 2} < numbers and max(numbers) >= 200 and fields[0][:2] == (1, 0) and fields[0][3] < 32:
        yield "mlmodel"
    elif len(fields) >= 2 and numbers <= {1, 2, 3, 4} and _is_graph_def(blob, fields):
        yield "saved_model"


def walk(blob: Blob, start: int, end: int, limit: int = MAX_FIELDS) -> tuple[list[Field], bool]:
    """Return the fields between two offsets, and whether they fill the space exactly (up to ``limit`` fields)."""
    fields: list[Field] = []
    at = start
    while at < end and len(fields) < limit:
        window = blob.head[at : at + 20] if at + 20 <= len(blob.head) else blob.read(at, 20)
        key, used = varint(window, 0)
        number, wire = key >> 3, key & 7
        if not used or not number or wire not in (0, 1, 2, 5):
            return fields, False
        length = {1: 8, 5: 4}.get(wire, 0)
        if wire in (0, 2):
            value, more = varint(window, used)
            if not more:
                return fields, False
            fields.append((number, wire, at + used + more, value))
            at += used + more + (value if wire == 2 else 0)
        else:
            fields.append((number, wire, at + used, length))
            at += used + length
    return fields, at == end or len(fields) >= limit


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a varint and how many bytes it takes; zero bytes when it is broken."""
    value = 0
    for count, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, count + 1
    return 0, 0


def _is_onnx(blob: Blob, fields: list[Field], complete: bool) -> bool:  # noqa: FBT001 - the second half of a pair
    graph = next((field for field in fields if field[0] == 7), None)
    if graph is None or any(_ONNX.get(number) != wire for number, wire, _, _ in fields):
        return False
    numbers = {number for number, _, _, _ in fields}
    if not numbers & {1, 8} or not (complete or graph[2] + graph[3] > blob.size):
        return False
    # One field is enough: a graph may begin with a tensor of gigabytes.
    inside, _ = walk(blob, graph[2], min(blob.size, graph[2] + graph[3]), 1)
    return bool(inside) and inside[0][0] in _GRAPH and inside[0][1] == 2


def _is_saved_model(blob: Blob, fields: list[Field]) -> bool:
    graph = next(field for field in fields if field[0] == 2)
    if graph[1] != 2 or fields[0][:2] != (1, 0):
        return False
    return b"serve" in blob.read(graph[2], 4096) or blob.read(graph[2], 1) == b"\x0a"


def _is_graph_def(blob: Blob, fields: list[Field]) -> bool:
    nodes = [field for field in fields if field[:2] == (1, 2)][:4]
    if len(nodes) < 2:
        return False
    for _, _, at, length in nodes:
        inside, _ = walk(blob, at, min(blob.size, at + length), 2)
        if [each[:2] for each in inside] != [(1, 2), (2, 2)]:
            return False
        if not all(blob.read(place, min(size, 64)).isascii() and 0 < size < 512 for _, _, place, size in inside):
            return False
    return b"\x12" in blob.head
