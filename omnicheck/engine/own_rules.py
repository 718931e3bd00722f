"""The rules that the engine itself speaks: about the scan, not about a run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from omnicheck.engine.config import LoadedConfig
from omnicheck.model.finding import Finding
from omnicheck.model.rule import Rule
from omnicheck.runs.discover import Found
from omnicheck.runs.inventory import Inventory


def scan_findings(
    rules: Sequence[Rule], inventory: Inventory, found: Found, loaded: LoadedConfig
) -> list[tuple[str, str, Finding]]:
    """Return (rule, run, finding) for what the scan itself met."""
    running = {rule.id for rule in rules}
    said: list[tuple[str, str, Finding]] = []
    tree = found.tree.path
    if not found.runs:  # said whatever is selected: nothing checked is never clean
        count = len(inventory.files)
        what = f"{count:,} file{'' if count == 1 else 's'}, none of a known role" if count else "no file"
        said.append(
            (
                "OMN004",
                tree,
                Finding(path=tree, message=f"nothing was checked: {what} under {', '.join(inventory.roots)}"),
            )
        )
    if "OMN005" in running:
        own = loaded.path
        said.extend(
            ("OMN005", tree, Finding(path=path, message="a configuration inside the scanned tree was not obeyed"))
            for path in inventory.policies
            if own is None or not any(file.path == path and file.disk == own for file in inventory.files)
        )
    if "OMN006" in running:
        said.extend(
            ("OMN006", tree, Finding(path=entry.path, message=f"was not read: {entry.reason}", variant="outside"))
            for entry in inventory.unreadable
        )
    return said


def covers(roots: Sequence[str], glob: str) -> bool:
    """Whether everything that a path glob can mean lies below the scanned roots."""
    fixed = re.split(r"[*?\[]", glob, maxsplit=1)[0]
    return any(root in {".", fixed} or fixed.startswith(root.rstrip("/") + "/") for root in roots)
