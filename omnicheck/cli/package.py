"""``omnicheck package``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from omnicheck.bundle.package import Outcome, PackageRequest
from omnicheck.bundle.package import package as make_bundle
from omnicheck.bundle.selection import GENERATED
from omnicheck.cli.output import wants_color
from omnicheck.cli.today import given_date
from omnicheck.engine.config import load_config
from omnicheck.model.errors import UsageError
from omnicheck.model.report import EXIT_CODES
from omnicheck.report import render
from omnicheck.report.plain import plain, printable
from omnicheck.signing.keys import load_private_key

KEY_HINT = "make one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`, or ask with --dry-run"


def package(
    directory: Annotated[Path, typer.Argument(help="The run directory.")],
    out: Annotated[Path | None, typer.Option("--out", help="What is made; it must not exist.")] = None,
    archive: Annotated[Literal["tar", "zip"] | None, typer.Option(help="Make one file instead of a directory.")] = None,
    sign_key: Annotated[
        Path | None, typer.Option(help="EC private key (PEM) that signs; a passphrase is read from the environment.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would ship, what not and why; write nothing.")
    ] = False,
    contract: Annotated[str | None, typer.Option(help="Id of the contract that judges the run.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration file.")] = None,
    isolated: Annotated[bool, typer.Option("--isolated", help="Use no configuration at all.")] = False,
    format_: Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")] = "text",
    color: Annotated[Literal["auto", "always", "never"], typer.Option(help="Colour.")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell the verdict only.")] = False,
    jobs: Annotated[int, typer.Option(help="Processes; 0 takes the cores there are.", min=0)] = 0,
    today: Annotated[str | None, typer.Option(help="Date for exceptions that expire, as YYYY-MM-DD.")] = None,
) -> None:
    """Make a signed bundle of a run that is safe to publish, or say what forbids it.

    The run is judged in profile publish; what may ship is redacted, written, scanned again, listed and signed. Exit
    code 0: made, or a dry run without objection. 1: findings forbid it. 2: usage. 3: a required check was skipped.
    """
    if out is None and not dry_run:
        raise UsageError("nothing says where the bundle goes", hint="give --out, or --dry-run to see what would ship")
    if sign_key is None and not dry_run:
        raise UsageError("no key signs the bundle", hint=f"give --sign-key KEY.pem; {KEY_HINT}")
    cwd = Path.cwd()
    request = PackageRequest(
        source=directory,
        target=None if dry_run or out is None else cwd / out,
        cwd=cwd,
        contract=contract,
        archive=archive,
        key=None if dry_run or sign_key is None else load_private_key(cwd / sign_key),
        today=given_date(today),
        jobs=jobs,
    )
    outcome = make_bundle(request, load_config(cwd, config, isolated=isolated))
    if format_ == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(_value(outcome)), indent=2).decode() + "\n")
    else:
        for line in _told(outcome, out, dry=dry_run, quiet=quiet, color=wants_color(color)):
            sys.stdout.write(f"{line}\n")
    raise typer.Exit(EXIT_CODES[outcome.verdict])


def _value(outcome: Outcome) -> dict[str, Any]:
    reports = {"source": outcome.source, "finished": outcome.finished}
    shown = {
        name: None if report is None else msgspec.json.decode(render(report, "json"))
        for name, report in reports.items()
    }
    return {
        "verdict": outcome.verdict,
        "written": outcome.written,
        "bundle": None if outcome.record is None else plain(outcome.record),
        **shown,
    }


def _told(outcome: Outcome, out: Path | None, *, dry: bool, quiet: bool, color: bool) -> Iterator[str]:
    record = outcome.record
    if not quiet:
        yield "the run, in profile publish:"
        yield render(outcome.source, "text", color=color).rstrip("\n")
        if record is not None:
            yield from _plan(outcome, dry=dry)
        if outcome.finished is not None and outcome.finished.findings:
            yield ""
            yield "what ships, scanned again:"
            yield render(outcome.finished, "text", color=color).rstrip("\n")
        yield ""
    if outcome.written and record is not None:
        yield f"made {printable(str(out))}: {len(record.files) + 4:,} files, signed"
    elif outcome.verdict == "pass":
        yield "nothing forbids a bundle; a dry run writes nothing"
    else:
        yield f"no bundle: {'; '.join(_reasons(outcome))}"


def _plan(outcome: Outcome, *, dry: bool) -> Iterator[str]:
    record = outcome.record
    if record is None:
        return
    size = sum(each.size for each in record.files)
    yield ""
    verb = "would ship" if dry else "ships"
    yield f"{verb}: {len(record.files):,} files, {size:,} bytes; made anew: {', '.join(sorted(GENERATED))}"
    for each in record.files:
        edits = ", ".join(
            f"{edit.count:,} x {edit.placeholder}" if edit.kind == "prefix" else f"{edit.count:,} lines left out"
            for edit in each.edits
        )
        source = "" if each.source == "run" else f" (given as {each.source})"
        yield f"  {printable(each.path)}  {each.size:,} bytes{source}{f'; redacted: {edits}' if edits else ''}"
    yield f"{'stays' if len(record.left_out) == 1 else 'stay'} here: {len(record.left_out):,} files"
    for gone in record.left_out:
        yield f"  {printable(gone.path)}  {gone.reason}"


def _reasons(outcome: Outcome) -> Iterator[str]:
    for report, what in ((outcome.source, "the run"), (outcome.finished, "what ships")):
        if report is None or report.verdict == "pass":
            continue
        errors = sorted({each.rule for each in report.findings if each.severity == "error" and not each.suppressed})
        if report.verdict == "incomplete":
            yield f"a required rule could not judge {what} (see the coverage above)"
        else:
            yield f"{what} has {report.summary.error:,} errors ({', '.join(errors)})"
