"""CPU time and memory of scanning 2,000 files of 1 GB in all: texts read whole, blobs by their structure, no hashing.

Usage: python benchmarks/content_scan.py [--rounds 3] [--keep DIR]

The tree is made anew from fixed seeds: tables, rows, logs and notebooks (90 MB), weights, video and arrays (880 MB),
figures, and archives. One process scans every file (``omnicheck.content.scan``); another runs all rules about
content over the tree (``omnicheck check --select PUB``).
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

SCAN = """
import os, resource, sys
from pathlib import Path
from omnicheck.content.scan import scan_file
parts = 0
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb") as stream:
            parts += len(scan_file(stream.fileno(), name))
usage = resource.getrusage(resource.RUSAGE_SELF)
print(parts, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="make the tree there, or use the one that is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = (options.keep or Path(scratch)) / "tree"
        if not root.is_dir():
            make_tree(root)
        files = [path for path in root.rglob("*") if path.is_file()]
        print(f"{len(files):,} files, {sum(path.stat().st_size for path in files) / 1e9:.2f} GB")
        cpu, memory = min(scan(root) for _ in range(options.rounds))
        bare = min(cpu_of([sys.executable, "-c", "pass"]) for _ in range(5))
        print(
            f"{'scan of every file':<34} {cpu:6.2f} CPU s  {cpu / bare:6.0f}x bare  {memory:4} MB (budget 1 s, 100 MB)"
        )
        tool = [sys.executable, "-m", "omnicheck", "check", str(root), "--no-cache", "--select", "PUB", "--jobs", "1"]
        cpu = min(cpu_of(tool) for _ in range(options.rounds))
        print(f"{'omnicheck check --select PUB':<34} {cpu:6.2f} CPU s  {cpu / bare:6.0f}x bare")


def scan(root: Path) -> tuple[float, int]:
    """Return CPU seconds and peak memory in MB of one process that scans the tree."""
    done = subprocess.run([sys.executable, "-c", SCAN, str(root)], capture_output=True, text=True, check=True)
    _, cpu, memory = done.stdout.split()
    return float(cpu), int(memory)


def cpu_of(command: list[str]) -> float:
    """Return user plus system CPU seconds of one process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def make_tree(root: Path) -> None:
    """Write the tree."""
    dice = random.Random(7)
    noise = dice.randbytes(4 << 20)
    for number in range(2000):
        folder = root / f"run_{number % 40:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        name, data = content(number, dice, noise)
        (folder / name).write_bytes(data)
        old = time.time() - 3600
        os.utime(folder / name, (old, old))


def content(number: int, dice: random.Random, noise: bytes) -> tuple[str, bytes]:
    """Return name and bytes of one file; every ten files hold the whole mixture."""
    kind = number % 10
    if kind < 2:
        rows = (
            {"id": f"s{i}", "label": dice.choice("abc"), "score": dice.random(), "frames": [i, i + 8]}
            for i in range(900)
        )
        return f"rows_{number}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode()
    if kind == 2:
        return f"table_{number}.csv", b"id,a,b\n" + b"".join(b"s%d,%d,%d\n" % (i, i * 7, i % 5) for i in range(4000))
    if kind == 3:
        lines = (f"[{i:06d}] step {i} loss {dice.random():.4f} lr 1e-4 device cuda:0\n" for i in range(1200))
        return f"train_{number}.log", "".join(lines).encode()
    if kind == 4:
        picture = base64.b64encode(png(noise[:30_000])).decode()
        cells = [{"cell_type": "code", "source": ["x = 1"], "outputs": [{"data": {"image/png": picture}}]}]
        return f"notes_{number}.ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode()
    if kind == 5:
        return f"figure_{number}.png", png(noise[: dice.randrange(50_000, 150_000)])
    return blob(number, kind, dice, noise)


def blob(number: int, kind: int, dice: random.Random, noise: bytes) -> tuple[str, bytes]:
    """Return a large binary file, or an archive."""
    size = dice.randrange(600_000, 1_900_000)
    body = noise[:size]
    if kind == 6:
        header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
        return f"model_{number}.safetensors", struct.pack("<Q", len(header)) + header + body
    if kind == 7:
        start = struct.pack(">I", 24) + b"ftypisom\0\0\2\0isomiso2"
        return f"clip_{number}.mp4", start + struct.pack(">I", size + 8) + b"mdat" + body
    if kind == 8:
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}".ljust(117).encode() + b"\n"
        return f"array_{number}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body
    if number % 100 < 90:
        return f"weights_{number}.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + body
    inner = json.dumps({"values": list(range(3000))}).encode()
    if number % 200 < 100:
        return f"logs_{number}.json.gz", gzip.compress(inner, mtime=0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values.json", inner)
        archive.writestr("more/values.json", inner)
    return f"export_{number}.zip", buffer.getvalue()


def png(pixels: bytes) -> bytes:
    """Return a PNG file whose picture is noise."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100, len(pixels) // 100, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels, 0)) + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    main()
