"""``omnicheck rules``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from omnicheck.cli.output import folded
from omnicheck.engine.config import load_config
from omnicheck.engine.rulebook import choose, extensions, load_rulebook
from omnicheck.engine.store import cache_directory


def rules(
    select: Annotated[str, typer.Option(help="Ids or prefixes, comma separated.")] = "",
    format_: Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """List the rules that are known, with their severities."""
    loaded = load_config(Path.cwd())
    book = load_rulebook(extensions(loaded), cache_directory())
    wanted = tuple(part.strip() for part in select.split(",") if part.strip())
    chosen = choose(book.rules(), wanted or ("ALL",), (), preview=True)
    if format_ == "json":
        data = {"rules_digest": book.digest, "rules": chosen}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
        return
    for rule in chosen:
        note = "" if rule.status == "stable" else f" ({rule.status})"
        sys.stdout.write(folded(f"{rule.id}  {rule.severity:<7}  {rule.name}{note}: {rule.summary}", " " * 17))
    sys.stdout.write(folded(f"{len(chosen)} rules, digest {book.digest[:12]}; `omnicheck explain ID` prints a page"))
