"""``omnicheck init``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from omnicheck.engine.config import load_config
from omnicheck.engine.propose import propose
from omnicheck.model.errors import UsageError


def init(
    path: Annotated[Path, typer.Argument(help="The repository.")] = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the proposal only.")] = False,
) -> None:
    """Propose a configuration and contract mapping for a repository; asks before it writes."""
    root = path.absolute()
    if not root.is_dir():
        raise UsageError("no such directory", path=str(path))
    target = root / "omnicheck.toml"
    if target.exists():
        raise UsageError(
            "there is a configuration already", path=str(path / "omnicheck.toml"), hint="edit it, or move it away first"
        )
    proposal = propose(root)
    sys.stdout.write(proposal.text)
    for note in proposal.notes:
        sys.stderr.write(f"note: {note}\n")
    if dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("init asks before it writes, and nobody can answer", hint="add --yes, or --dry-run")
        typer.confirm(f"Write {path / 'omnicheck.toml'}?", abort=True, err=True)
    with target.open("x", encoding="utf-8") as stream:
        stream.write(proposal.text)
    load_config(root, target)
    sys.stderr.write(f"wrote {path / 'omnicheck.toml'}; next: omnicheck check {' '.join(proposal.scan) or '.'}\n")
