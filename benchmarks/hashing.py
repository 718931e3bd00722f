"""Speed of hashing a tree as `verify` does, as a ratio to ``hashlib.file_digest`` over the same files, interleaved.

Usage: python benchmarks/hashing.py [--rounds 5] [--large 512] [--small 2000]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from omnicheck.signing.tree import hash_entry, list_tree


def plain(root: Path) -> list[str]:
    """Hash every file with the standard library, nothing looked at before or after."""
    digests = []
    for folder, _, files in os.walk(root):
        for name in files:
            with open(f"{folder}/{name}", "rb") as stream:  # noqa: PTH123 - as one would without this project
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return digests


def ours(root: Path) -> list[str]:
    """List the tree and hash it, each file checked to be the one listed and unchanged."""
    return [hash_entry(root, entry) for entry in list_tree(root) if entry.kind == "file"]


def cpu_of(work: Callable[[Path], list[str]], root: Path) -> tuple[float, list[str]]:
    """Return CPU seconds and the digests."""
    before = time.process_time()
    digests = work(root)
    return time.process_time() - before, sorted(digests)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=512, help="size of the one large file, MiB")
    parser.add_argument("--small", type=int, default=2000, help="how many files of 100 KB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        block = os.urandom(1 << 20)
        with (root / "large.bin").open("wb") as stream:
            for _ in range(options.large):
                stream.write(block)
        for index in range(options.small):
            place = root / f"{index % 20:02d}" / f"{index}.bin"
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(index.to_bytes(4, "little") + block[:100_000])
        total = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        best = {"hashlib.file_digest": float("inf"), "omnicheck": float("inf")}
        for _ in range(options.rounds):
            theirs, expected = cpu_of(plain, root)
            mine, found = cpu_of(ours, root)
            if expected != found:
                sys.exit("the digests differ")
            best["hashlib.file_digest"] = min(best["hashlib.file_digest"], theirs)
            best["omnicheck"] = min(best["omnicheck"], mine)
        ratio = best["hashlib.file_digest"] / best["omnicheck"]
        print(f"{total / 1e9:.2f} GB in {options.small + 1:,} files")
        for name, seconds in best.items():
            print(f"{name:<22} {seconds:>7.2f} CPU s {total / 1e9 / seconds:>6.2f} GB/CPU s")
        print(f"speed as a ratio to hashlib.file_digest: {ratio:.3f} (wanted: 0.95 at least)")
        sys.exit(0 if ratio >= 0.95 else 1)


if __name__ == "__main__":
    main()
