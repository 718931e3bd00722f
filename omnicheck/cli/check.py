"""``omnicheck check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from omnicheck.cli.output import emit, known_format, progress_on_stderr
from omnicheck.cli.today import given_date
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.engine.rulebook import extensions, load_rulebook
from omnicheck.model.report import EXIT_CODES


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Result directories. Default: the working directory.")
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="Directory of the dataset, linked with --training and --eval into one run.")
    ] = None,
    training: Annotated[Path | None, typer.Option(help="Directory of the training artifacts.")] = None,
    eval_: Annotated[Path | None, typer.Option("--eval", help="Directory of the evaluation.")] = None,
    staged: Annotated[
        bool,
        typer.Option("--staged", help="Check the runs that hold files staged in git; nothing staged in a run exits 0."),
    ] = False,
    contract: Annotated[str | None, typer.Option(help="Id of the contract that judges every run.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration file.")] = None,
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Use no configuration at all: for foreign trees.")
    ] = False,
    profile: Annotated[
        Literal["lint", "publish"] | None, typer.Option(help="lint, or publish: before a bundle is made.")
    ] = None,
    select: Annotated[str, typer.Option(help="Rules to run: ids or prefixes, comma separated.")] = "",
    ignore: Annotated[str, typer.Option(help="Rules not to run.")] = "",
    fail_on: Annotated[
        Literal["error", "warning", "info"] | None, typer.Option(help="Least severity that fails.")
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", help="text, concise, json, jsonl, sarif, github, gitlab, junit, html or markdown."),
    ] = "text",
    output: Annotated[Path | None, typer.Option(help="Write the report to a file.")] = None,
    color: Annotated[Literal["auto", "always", "never"], typer.Option(help="Colour.")] = "auto",
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Tell more.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell the verdict only.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache.")] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress on stderr.")] = False,
    jobs: Annotated[int, typer.Option(help="Processes; 0 takes the cores there are.", min=0)] = 0,
    today: Annotated[str | None, typer.Option(help="Date for exceptions that expire, as YYYY-MM-DD.")] = None,
) -> None:
    """Check result directories and give a verdict.

    Exit code 0: clean. 1: findings. 2: usage, configuration or a crashed check. 3: nothing was checked.
    """
    known_format(format_)
    cwd = Path.cwd()
    loaded = load_config(cwd, config, isolated=isolated)
    linked = tuple(folder for folder in (dataset, training, eval_) if folder is not None)
    scanned = tuple(paths or ()) + linked
    if staged:
        from omnicheck.cli.staged import staged_runs  # noqa: PLC0415 - only the hook needs git

        scanned = staged_runs(cwd, scanned or (Path(),), loaded.config.roles)
        if not scanned:
            typer.echo("omnicheck: no staged file lies in a run")
            return
    request = Request(
        paths=scanned or (Path(),),
        cwd=cwd,
        linked=(linked,) if linked else (),
        contract=contract,
        profile=profile,
        select=_list(select),
        ignore=_list(ignore),
        fail_on=fail_on,
        today=given_date(today),
        use_cache=not no_cache,
        jobs=jobs,
    )
    report = check_paths(request, loaded, progress_on_stderr(wanted=not no_progress))
    emit(
        report,
        format_,
        lambda: load_rulebook(extensions(loaded)),
        output=output,
        color=color,
        verbose=-1 if quiet else verbose,
    )
    raise typer.Exit(EXIT_CODES[report.verdict])


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
