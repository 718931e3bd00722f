"""``omnicheck baseline``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from omnicheck.engine.baseline import read_baseline, render_baseline
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.errors import UsageError


def baseline(
    paths: Annotated[list[Path] | None, typer.Argument(help="Result directories.")] = None,
    output: Annotated[Path, typer.Option(help="The baseline file.")] = Path("omnicheck-baseline.json"),
    config: Annotated[Path | None, typer.Option(help="Configuration file.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew instead of only shrinking an existing baseline.")
    ] = False,
) -> None:
    """Write today's findings down so that only new ones block; an existing baseline only shrinks."""
    cwd = Path.cwd()
    loaded = load_config(cwd, config)
    bare = msgspec.structs.replace(loaded, config=msgspec.structs.replace(loaded.config, baseline=None))
    today = datetime.now(tz=UTC).date()
    report = check_paths(Request(paths=tuple(paths or (Path(),)), cwd=cwd, today=today), bare)
    old = read_baseline(output) if output.exists() and not fresh else None
    text = render_baseline(report.findings, old)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", path=str(output)) from error
    count = text.count('"fingerprint"')
    typer.echo(f"{output}: {count} known findings" + (f", {len(old.known) - count} fewer than before" if old else ""))
    if loaded.config.baseline is None:
        typer.echo(f'  help: add `baseline = "{output.as_posix()}"` to the configuration')
