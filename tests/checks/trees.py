"""Writes a small tree, checks it and tells which rules spoke."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.report import Report

Tree = dict[str, Any]


def write_tree(folder: Path, tree: Tree) -> None:
    """Write text as it is, lists as JSONL and everything else as JSON; None leaves a file out."""
    for name, content in tree.items():
        if content is None:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            text = content
        elif isinstance(content, list):
            text = "".join(json.dumps(row) + "\n" for row in content)
        else:
            text = json.dumps(content)
        path.write_text(text, encoding="utf-8")


def check_tree(folder: Path, tree: Tree, *families: str) -> Report:
    """Check ``folder/run`` by the rules of some families."""
    write_tree(folder, tree)
    own = folder / "omnicheck.toml"
    loaded = load_config(folder, own if own.is_file() else None, isolated=not own.is_file())
    request = Request(
        paths=(Path("run"),), cwd=folder, select=families, today=date(2026, 1, 31), use_cache=False, jobs=1
    )
    return check_paths(request, loaded)


def spoken(report: Report) -> list[tuple[str, str]]:
    """Return (rule, path) of every finding."""
    return [(each.rule, each.path) for each in report.findings]


def skipped(report: Report) -> dict[str, str]:
    """Return the rules that were skipped, with the reason."""
    return {each.rule: each.reason for each in report.coverage.rules_skipped}
