"""``omnicheck.report.json``: the verdict on the run as it travels inside the bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from omnicheck.model.bundle import BundleRecord
from omnicheck.model.report import Report
from omnicheck.report import render
from omnicheck.runs.inventory import display_path


def carried_report(report: Report, record: BundleRecord, source: Path, cwd: Path) -> bytes:
    """Return the report with its paths relative to the run, so that it says nothing of where the run lay.

    Args:
        report: on the run, as it was judged from ``cwd``.
        record: the making of the bundle.
        source: the run directory.
        cwd: the working directory, absolute.
    """
    config = msgspec.structs.replace(report.config, path=report.config.path and Path(report.config.path).name)
    whole = msgspec.structs.replace(report, config=config, bundle=record)
    value = msgspec.json.decode(render(whole, "json"))
    root = (cwd / source).absolute()
    moved = _moved(value, display_path(root, root, cwd))
    return msgspec.json.format(msgspec.json.encode(moved), indent=2) + b"\n"


def _moved(value: Any, root: str) -> Any:
    if isinstance(value, dict):
        return {key: _moved(inner, root) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, root) for inner in value]
    if isinstance(value, str) and root not in ("", "."):
        return "." if value == root else value.replace(root + "/", "")
    return value
