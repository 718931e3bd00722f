"""Compares output with committed plain files; ``UPDATE_SNAPSHOTS=1`` writes them."""

import os
from pathlib import Path

SNAPSHOTS = Path(__file__).parent / "snapshots"


def assert_snapshot(name: str, text: str) -> None:
    path = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_bytes(text.encode())
    assert path.is_file(), f"no snapshot {name}: run with UPDATE_SNAPSHOTS=1 and read it"
    assert text.encode() == path.read_bytes()
