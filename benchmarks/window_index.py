"""Sweep a synthetic window index of ten million rows for leakage: time, memory, and whether the planted is found.

usage: python benchmarks/window_index.py [--rows 10000000] [--jobs 1 2]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

WINDOWS = 100
STEP = 20
PLANTED = 100
DUPLICATES = 10
RULES = "SPL101,SPL102,SPL103,SPL104,SPL109,SPL110,SPL113"
BUDGET = {1: (45.0, 256), 2: (30.0, 400)}


def write_index(path: Path, rows: int) -> int:
    """Write the index as a stream; every planted episode has a quarter of its windows in another split."""
    episodes = rows // WINDOWS
    every = max(episodes // PLANTED, 1)
    planted = 0
    with path.open("w", encoding="ascii") as out:
        for episode in range(episodes):
            session = f"session-{episode:06d}"
            name = f"{session}__ep1"
            split = ("train", "train", "train", "train", "train", "train", "train", "train", "val", "test")[
                episode % 10
            ]
            leaks = episode % every == 0 and planted < PLANTED
            planted += leaks
            lines = []
            for window in range(WINDOWS):
                start = window * STEP
                # The leaking windows lie half a step beside the others, so that they share frames with them.
                moved = leaks and window % 4 == 1
                side = ("test" if split == "train" else "train") if moved else split
                number = window - 1 if episode < DUPLICATES and window == 2 else window
                first = start + (STEP // 2 if moved else 0)
                lines.append(
                    f'{{"sample_id":"{name}:qa:{number}","episode_id":"{name}","session_id":"{session}",'
                    f'"split":"{side}","start_frame":{first},"end_frame":{first + STEP - 1},'
                    f'"video":"videos/{session}/ep1/camera_front_left.mp4"}}\n'
                )
            out.write("".join(lines))
    return planted


def memory(pid: int) -> int:
    """Return the resident bytes of a process and its descendants (shared pages counted in each)."""
    total = 0
    stack = [pid]
    while stack:
        here = stack.pop()
        try:
            pages = int(Path(f"/proc/{here}/statm").read_text(encoding="ascii").split()[1])
            children = Path(f"/proc/{here}/task/{here}/children").read_text(encoding="ascii").split()
        except (OSError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
        stack.extend(int(child) for child in children)
    return total


def run(folder: Path, jobs: int) -> tuple[float, float, int, dict[str, object]]:
    """Check the index; return wall seconds, CPU seconds, peak bytes of all processes, and the report."""
    command = [sys.executable, "-m", "omnicheck", "check", str(folder), "--no-cache", "--jobs", str(jobs)]
    began, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        [*command, "--select", RULES, "--format", "json", "--isolated"], stdout=subprocess.PIPE, text=True
    )
    peak = 0
    stop = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.05):
            peak = max(peak, memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    stop.set()
    watcher.join()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, cpu, peak, json.loads(output)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2])
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "run" / "window_index.jsonl"
        index.parent.mkdir()
        planted = write_index(index, options.rows)
        size = index.stat().st_size
        print(f"{options.rows:,} rows, {size / 1e9:.2f} GB, {planted} planted episodes")
        for jobs in options.jobs:
            wall, cpu, peak, report = run(index.parent, jobs)
            found = {each["rule"]: each for each in report["findings"]}  # type: ignore[index,attr-defined]
            episodes = found.get("SPL101", {}).get("actual")
            duplicates = found.get("SPL110", {}).get("actual")
            overlaps = found.get("SPL103", {}).get("message", "no overlap found")
            right = episodes == planted and duplicates == DUPLICATES and "SPL103" in found
            failed = failed or not right
            print(f"jobs {jobs}: {wall:.1f} s wall, {cpu:.1f} s CPU, {peak / 2**20:.0f} MB at most in all")
            if jobs in BUDGET:
                print(f"  budget {BUDGET[jobs][0]:.0f} s, {BUDGET[jobs][1]} MB")
            print(f"  {'found' if right else 'MISSED'}: {episodes} episodes in two splits, {duplicates} repeated ids")
            print(f"  {overlaps[:160]}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
