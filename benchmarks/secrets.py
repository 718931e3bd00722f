"""Speed of the search for leaks in clean text, as a ratio to ``bytes.find`` over the same bytes.

Usage: python benchmarks/secrets.py [--megabytes 100] [--engine re2|re]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from omnicheck.content.patterns import best_engine
from omnicheck.content.spans import find_spans
from tests.content.ml_corpus import clean_files


def cpu(work: Callable[[], object], rounds: int = 3) -> float:
    """Return CPU seconds, the best of a few rounds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=60)
    parser.add_argument("--engine", choices=("re2", "re"), default=best_engine())
    options = parser.parse_args()
    files = clean_files(2000)
    print(f"engine {options.engine}; budget with re2: 200 MB per CPU second")
    print(f"{'file':<18} {'MB':>6} {'MB/s cold':>10} {'MB/s':>8} {'x find':>8}")
    for name in ("dataset.jsonl", "manifest.json", "table.csv", "train.log", "tokenizer.json"):
        unit = files[name]
        size = options.megabytes if options.engine == "re2" else min(options.megabytes, 4)
        data = unit * (size * 1_000_000 // len(unit) + 1)
        cold = cpu(lambda data=data: find_spans(data, engine=options.engine), rounds=1)
        warm = cpu(lambda data=data: find_spans(data, engine=options.engine))
        bare = cpu(lambda data=data: data.find(b"\0no such bytes"))
        mega = len(data) / 1e6
        print(f"{name:<18} {mega:>6.0f} {mega / cold:>10.0f} {mega / warm:>8.0f} {warm / max(bare, 1e-9):>7.1f}x")


if __name__ == "__main__":
    main()
