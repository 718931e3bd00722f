"""``omnicheck schema``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from omnicheck.model.errors import UsageError


def schema(name: Annotated[str, typer.Argument(help="report, config, backbone, window-index, …")] = "") -> None:
    """Print a published JSON schema, or list their names."""
    root = schemas_root()
    names = sorted(path.name.removesuffix(".schema.json") for path in root.glob("*.schema.json"))
    if not name:
        sys.stdout.write("\n".join(names) + "\n")
        return
    if name not in names:
        raise UsageError(f"no schema is called {name!r}", hint=f"one of {', '.join(names)}")
    sys.stdout.write((root / f"{name}.schema.json").read_text(encoding="utf-8"))


def schemas_root() -> Path:
    """Return where the schemas lie: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "schemas"
    if (package.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    return package / "_data" / "schemas"
