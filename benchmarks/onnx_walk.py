"""Check large ONNX models without their weights, beside ``onnx.load`` and ``onnx.checker``: time and memory.

usage: python benchmarks/onnx_walk.py [--no-peers]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import onnx
from onnx import TensorProto, helper

RULES = "ONX,KVC"
LAYERS = 12
INLINE = (24, 64 << 20)
EXTERNAL = (10_000, 153_600)
NODES = 60_000
BUDGET = {"inline": (0.6, 80), "external": (0.6, 0), "nodes": (1.0, 0), "over 2 GiB": (0.6, 80)}


def decoder(layers: int, more: Iterable[onnx.NodeProto] = ()) -> onnx.GraphProto:
    """Return a decode graph whose caches grow by concatenation."""
    ids = helper.make_tensor_value_info("input_ids", TensorProto.FLOAT, ["B", 2, "T_new", 8])
    inputs, outputs, nodes = [ids], [], []
    for layer in range(layers):
        for slot in ("key", "value"):
            past, present = f"past_{slot}_{layer}", f"present_{slot}_{layer}"
            inputs.append(helper.make_tensor_value_info(past, TensorProto.FLOAT, ["B", 2, "T_cache", 8]))
            outputs.append(helper.make_tensor_value_info(present, TensorProto.FLOAT, ["B", 2, "T_cache + T_new", 8]))
            nodes.append(helper.make_node("Concat", [past, "input_ids"], [present], axis=2))
    return helper.make_graph([*nodes, *more], "decoder", inputs, outputs)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def write_inline(path: Path, count: int, size: int) -> None:
    """Write a model with all weights inside; they are holes in the file, which read as zeros."""
    small = decoder(LAYERS).SerializeToString()
    heads = []
    for i in range(count):
        head = onnx.TensorProto(name=f"w{i}", data_type=TensorProto.UINT8, dims=[size]).SerializeToString()
        head += b"\x4a" + varint(size)
        heads.append(b"\x2a" + varint(len(head) + size) + head)
    rest = onnx.ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)]).SerializeToString()
    total = len(small) + sum(len(head) + size for head in heads)
    with path.open("wb") as out:
        out.write(rest + b"\x3a" + varint(total) + small)
        for head in heads:
            out.write(head)
            out.seek(size, os.SEEK_CUR)
        out.truncate(out.tell())


def write_external(folder: Path, count: int, size: int) -> None:
    """Write a model with many external tensors in one sidecar."""
    graph = decoder(LAYERS)
    for i in range(count):
        tensor = graph.initializer.add(name=f"w{i}", data_type=TensorProto.UINT8, dims=[size])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "model.onnx.data"), ("offset", str(i * size)), ("length", str(size))):
            tensor.external_data.add(key=key, value=value)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with (folder / "model.onnx.data").open("wb") as out:
        out.truncate(count * size)


def write_nodes(path: Path, count: int) -> None:
    """Write a model of many small nodes with attributes."""
    kinds = ("Add", "Mul", "Transpose", "Concat", "Cast")
    attributes = {"Transpose": {"perm": [0, 1, 2, 3]}, "Concat": {"axis": 2}, "Cast": {"to": 1}}
    nodes, before = [], "input_ids"
    for i in range(count):
        op = kinds[i % len(kinds)]
        inputs = [before] if op in ("Transpose", "Cast") else [before, "input_ids"]
        before = f"/model/layers.{i % 32}/self_attn/value_{i}"
        name = f"/model/layers.{i % 32}/self_attn/{op}_{i}"
        nodes.append(helper.make_node(op, inputs, [before], name=name, **attributes.get(op, {})))
    graph = decoder(LAYERS, nodes)
    graph.output.append(helper.make_tensor_value_info(before, TensorProto.FLOAT, ["B", 2, "T_out", 8]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


# A child's peak starts at its parent's, so a small process stands between this one and the measured one.
MEASURE = """
import json, os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - began
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode]))
"""


def run(command: list[str]) -> tuple[float, float, float, str, int]:
    """Return wall and CPU seconds, peak memory in MB, standard output and the exit code."""
    with tempfile.NamedTemporaryFile() as out:
        measure = [sys.executable, "-S", "-c", MEASURE, out.name, *command]
        done = subprocess.run(measure, check=True, capture_output=True)
        wall, cpu, memory, status = json.loads(done.stdout)
        return wall, cpu, memory, Path(out.name).read_text("utf-8"), status


def check(folder: Path) -> tuple[str, bool]:
    command = [sys.executable, "-m", "omnicheck", "check", str(folder), "--no-cache", "--isolated"]
    best = min((run([*command, "--select", RULES, "--format", "json"]) for _ in range(3)), key=lambda each: each[1])
    wall, cpu, memory, output, _ = best
    report = json.loads(output)
    found = sorted({each["rule"] for each in report["findings"]})
    judged = {"ONX111", "KVC104", "KVC106"} <= set(report["coverage"]["rules_run"])
    text = f"{wall:6.2f} s wall {cpu:6.2f} s CPU {memory:7.0f} MB  findings: {', '.join(found) or 'none'}"
    return text, judged


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as root:
        folders = {name: Path(root) / name.replace(" ", "_") for name in BUDGET}
        for folder in folders.values():
            folder.mkdir()
        write_inline(folders["inline"] / "model.onnx", *INLINE)
        write_inline(folders["over 2 GiB"] / "model.onnx", 41, 64 << 20)
        write_external(folders["external"], *EXTERNAL)
        write_nodes(folders["nodes"] / "model.onnx", NODES)
        for name, folder in folders.items():
            path = folder / "model.onnx"
            seconds, memory = BUDGET[name]
            limit = f"{seconds} s" + (f", {memory} MB" if memory else "")
            print(f"{name}: {path.stat().st_size:,} bytes (budget {limit})")
            text, judged = check(folder)
            failed = failed or not judged
            print(f"  omnicheck check       {text}{'' if judged else '  NOT JUDGED'}")
            if options.no_peers:
                continue
            for title, code in (
                ("onnx.load", f"import onnx; onnx.load({str(path)!r})"),
                ("onnx.checker", f"import onnx.checker; onnx.checker.check_model({str(path)!r})"),
            ):
                wall, cpu, peak, _, status = run([sys.executable, "-c", code])
                told = "" if status == 0 else "  fails"
                print(f"  {title:<21} {wall:6.2f} s wall {cpu:6.2f} s CPU {peak:7.0f} MB{told}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
