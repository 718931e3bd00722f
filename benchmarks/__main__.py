"""Prints all tables: ``python -m benchmarks``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    failed = [
        script.name
        for script in sorted(HERE.glob("[a-z]*.py"))
        if subprocess.run([sys.executable, str(script)], check=False).returncode
    ]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
