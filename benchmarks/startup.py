"""CPU time of short commands as ratios to bare ``python -c pass``, measured in the same run, interleaved.

Usage: python benchmarks/startup.py [--rounds 15] [--data DIR]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOUND = ROOT / "fixtures" / "demo" / "sound"


def cpu_of(command: list[str], cwd: Path, env: dict[str, str]) -> float:
    """Return user plus system CPU seconds of one process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--data", type=Path, help="a directory of real results to check once, cold")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "sound"
        shutil.copytree(SOUND, run)
        old = time.time() - 3600
        for path in run.rglob("*"):
            os.utime(path, (old, old))
        time.sleep(2.1)  # results of files touched within two seconds are not cached
        # An installed package has its bytecode; a shell that forbids to write any would measure the compiler.
        own = {
            "OMNICHECK_CACHE_DIR": str(Path(scratch) / "cache"),
            "PYTHONPYCACHEPREFIX": str(Path(scratch) / "bytecode"),
        }
        env = {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, **own}
        tool = [sys.executable, "-m", "omnicheck"]
        # fixtures/demo/contracts comes through the project's own configuration, so the copy is checked from there
        check = [*tool, "check", str(run), "--no-progress"]
        commands = {
            "python -c pass": ([sys.executable, "-c", "pass"], None),
            "omnicheck --version": ([*tool, "--version"], 3.0),
            "omnicheck --help": ([*tool, "--help"], 8.0),
            "check of a small run": ([*check, "--no-cache"], 25.0),
            "check again, unchanged": (check, 12.0),
        }
        subprocess.run(check, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=False)
        best = dict.fromkeys(commands, float("inf"))
        for _ in range(options.rounds):
            for name, (command, _) in commands.items():
                best[name] = min(best[name], cpu_of(command, ROOT, env))
        bare = best["python -c pass"]
        print(f"{'command':<26} {'CPU ms':>8} {'x bare':>8} {'budget':>8}")
        for name, (_, budget) in commands.items():
            note = "" if budget is None else f"{budget:>7.0f}x"
            print(f"{name:<26} {best[name] * 1000:>8.1f} {best[name] / bare:>7.1f}x {note:>8}")
        if options.data:
            command = [*tool, "check", "results", "--no-cache", "--format", "json", "--jobs", "1"]
            seconds = min(cpu_of(command, options.data, env) for _ in range(3))
            print(f"real results, cold: {seconds:.2f} CPU s (budget 3 s)")


if __name__ == "__main__":
    main()
