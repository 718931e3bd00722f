"""Collects the fixtures of the rules and checks one of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.report import Report
from omnicheck.report import render

ROOT = Path(__file__).resolve().parents[1] / "fixtures"
TODAY = date(2026, 1, 31)


class Case(msgspec.Struct, frozen=True):
    """One fixture: the rule, whether it must speak, and the directory that holds ``run/``."""

    rule: str
    fails: bool
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.rule}/{'fail' if self.fails else 'pass'}/{self.folder.name}"


def cases() -> Iterator[Case]:
    """Yield every fixture, sorted."""
    for rule in sorted(path for path in ROOT.iterdir() if path.is_dir() and path.name[:3].isupper()):
        for outcome in ("pass", "fail"):
            for folder in sorted((rule / outcome).glob("*/")):
                yield Case(rule.name, outcome == "fail", folder)


def check_case(case: Case, *, select: tuple[str, ...]) -> Report:
    """Check the ``run`` directory of a fixture from its own folder, with its own configuration if it has one.

    A folder ``site`` beside it holds an installed plug-in, whose rules are called ``XYZ``.
    """
    site = case.folder / "site"
    if site.is_dir():
        select = (*select, "XYZ")
        sys.path.insert(0, str(site))
    try:
        return _checked(case, select)
    finally:
        if site.is_dir():
            sys.path.remove(str(site))


def _checked(case: Case, select: tuple[str, ...]) -> Report:
    own = case.folder / "omnicheck.toml"
    loaded = load_config(case.folder, own if own.is_file() else None, isolated=not own.is_file())
    paths = tuple(path.relative_to(case.folder) for path in sorted(case.folder.glob("run*/")))
    return check_paths(
        Request(paths=paths, cwd=case.folder, select=select, today=TODAY, use_cache=False, jobs=1), loaded
    )


def findings_of(report: Report) -> list[dict[str, Any]]:
    """Return the findings of the JSON report, without what is the same for all."""
    found: list[dict[str, Any]] = json.loads(render(report, "json"))["findings"]
    return [
        {
            key: value
            for key, value in each.items()
            if key not in ("fingerprint", "name", "help", "run") and value not in (None, [])
        }
        for each in found
    ]
