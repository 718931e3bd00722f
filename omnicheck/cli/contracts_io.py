"""``omnicheck contracts derive`` and ``contracts diff``: I/O contracts from graphs, and what changed between two."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from omnicheck.model.errors import ContractError, UsageError
from omnicheck.report.plain import plain, printable


def derive(
    models: Annotated[list[Path], typer.Argument(help="ONNX files.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write, such as io_contract.json above the models; printed if absent.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write the I/O contract of exported models: types, shapes, opsets, caches, edges and digests of every file."""
    from omnicheck.contracts.io_form import read_form  # noqa: PLC0415 - needed here only
    from omnicheck.produce.io_contract import derive as produce  # noqa: PLC0415 - needed here only

    found = produce(models, out.parent if out is not None else Path.cwd())
    issues = read_form(found.value).issues
    if issues:
        told = "\n".join(f"  {issue.pointer or '/'}: {issue.message}" for issue in issues)
        raise ContractError(f"the contract would be wrong, so nothing was written:\n{told}", hint="see ONX111")
    text = msgspec.json.format(msgspec.json.encode(found.value), indent=2).decode() + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        _write(out, text, overwrite=overwrite)
        _warn(f"wrote {out}")
    for note in found.notes:
        _warn(f"note: {note}")


def diff(
    old: Annotated[Path, typer.Argument(help="The contract that hosts were built for.")],
    new: Annotated[Path, typer.Argument(help="The contract of the new export.")],
    format_: Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Tell what changed between two I/O contracts. Exit code 1: a host that was built for the first one breaks."""
    from omnicheck.contracts.io_diff import changes  # noqa: PLC0415 - needed here only

    found = list(changes(_form(old), _form(new)))
    breaking = sum(change.breaks for change in found)
    if format_ == "json":
        rows = [{"breaks": each.breaks, "where": each.where, "message": each.message} for each in found]
        _say(
            msgspec.json.format(msgspec.json.encode(plain({"breaking": breaking, "changes": rows})), indent=2).decode()
        )
    else:
        for change in found:
            _say(printable(f"{'breaks' if change.breaks else 'safe  '}  {change.where}: {change.message}"))
        _say(f"{len(found)} changes, {breaking} of them break hosts")
    raise typer.Exit(1 if breaking else 0)


def _form(path: Path) -> Any:
    from omnicheck.contracts.io_form import read_form  # noqa: PLC0415 - needed here only
    from omnicheck.readers.json_document import read_json  # noqa: PLC0415 - needed here only

    document = read_json(path)
    if not document.readable:
        raise UsageError(f"no JSON: {document.problems[0].message}", path=str(path))
    form = read_form(document.value)
    if form.issues:
        issue = form.issues[0]
        raise UsageError(
            f"no I/O contract: {issue.pointer or '/'}: {issue.message}",
            path=str(path),
            hint=f"`omnicheck check {path}` lists everything that is wrong with it",
        )
    return form


def _write(target: Path, text: str, *, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise UsageError("there is such a file already", path=str(target), hint="add --overwrite")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", path=str(target)) from error


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _warn(line: str) -> None:
    sys.stderr.write(f"{printable(line)}\n")
