"""Runs the command line as a user does: a process of its own, an environment of its own, a cache of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "fixtures" / "demo"
FORMATS = ("text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "html", "markdown")

Done = subprocess.CompletedProcess[str]


def environment(cache: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what changes the output, with this checkout in front."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM") and not key.startswith(("OMNICHECK", "GIT_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "OMNICHECK_CACHE_DIR": str(cache), **(extra or {})}


def omnicheck(cwd: Path, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: str = "") -> Done:
    """Run a command in a directory; its cache lies beside that directory."""
    return subprocess.run(
        [sys.executable, "-m", "omnicheck", *map(str, arguments)],
        cwd=cwd,
        env=environment(cwd.parent / f"{cwd.name}.cache", env),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def told(done: Done) -> str:
    """Return what an error said; it is never a traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


def demo(folder: Path, kind: str = "sound") -> Path:
    """Copy a demo run, with the contract that judges it, and return the working directory."""
    shutil.copytree(DEMO / kind, folder / "run")
    shutil.copytree(DEMO / "contracts", folder / "contracts")
    return folder
