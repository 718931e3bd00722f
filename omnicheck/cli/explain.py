"""``omnicheck explain``."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from omnicheck.cli.output import wants_color
from omnicheck.engine.config import load_config
from omnicheck.engine.rulebook import extensions, load_rulebook
from omnicheck.engine.store import cache_directory
from omnicheck.model.errors import UsageError


def explain(
    rule: Annotated[str, typer.Argument(help="Id or name of a rule.")],
    format_: Annotated[
        Literal["text", "markdown", "json"], typer.Option("--format", help="text, markdown or json.")
    ] = "text",
) -> None:
    """Print the page of a rule: what it does, why it matters, how to mend it."""
    loaded = load_config(Path.cwd())
    book = load_rulebook(extensions(loaded), cache_directory())
    found = next((page for page in book.pages.values() if rule.upper() == page.rule.id or rule == page.rule.name), None)
    if found is None:
        near = difflib.get_close_matches(rule, [*book.pages, *(page.rule.name for page in book.pages.values())], n=1)
        raise UsageError(
            f"no rule is called {rule!r}", hint=f"did you mean {near[0]}?" if near else "`omnicheck rules` lists them"
        )
    if format_ == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
        return
    facts = f"severity {found.rule.severity} · status {found.rule.status} · since {found.rule.since}"
    if found.rule.publish == "required":
        facts += " · required before publication"
    markdown = f"# {found.rule.id} {found.rule.name}\n\n{found.rule.summary}\n\n{facts}\n\n{found.prose}"
    if format_ == "text" and sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415 - loaded only on a terminal
        from rich.markdown import Markdown  # noqa: PLC0415

        Console(no_color=not wants_color("auto")).print(Markdown(markdown))
        return
    sys.stdout.write(markdown)
