"""``omnicheck verify``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from omnicheck.bundle.recheck import stated
from omnicheck.bundle.verify import Verified, VerifyRequest
from omnicheck.bundle.verify import verify as verify_bundle
from omnicheck.cli.output import emit
from omnicheck.cli.today import given_date
from omnicheck.engine.redact import redact_text
from omnicheck.engine.rulebook import load_rulebook
from omnicheck.model.report import EXIT_CODES
from omnicheck.report.plain import plain, printable
from omnicheck.signing.keys import load_public_key


def verify(
    bundle: Annotated[Path, typer.Argument(help="A bundle: a directory, or a tar or zip of it.")],
    public_key: Annotated[
        Path, typer.Option(help="Public key (PEM, P-256, P-384 or P-521) of who must have signed; not from the bundle.")
    ],
    signature: Annotated[Path | None, typer.Option(help="Signature file, when it is not model.sig in it.")] = None,
    allow_ignored: Annotated[
        bool, typer.Option("--allow-ignored", help="Accept single files that the signer left out.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="List every byte that the signature does not cover.")
    ] = False,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Run the checks again and compare with the report inside.")
    ] = False,
    format_: Annotated[
        str,
        typer.Option("--format", help="text, concise, json, jsonl, sarif, github, gitlab, junit, html or markdown."),
    ] = "text",
    output: Annotated[Path | None, typer.Option(help="Write the report to a file.")] = None,
    color: Annotated[Literal["auto", "always", "never"], typer.Option(help="Colour.")] = "auto",
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Tell more.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell the verdict only.")] = False,
) -> None:
    """Verify that a bundle is what one key signed, nothing more and nothing less. Needs no network.

    Exit code 0: it is. 1: it is not. 2: usage, or a key that is none.

    A pair of keys is made by: openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -out key.pem,
    then: openssl ec -in key.pem -pubout -out key.pub.pem
    """
    request = VerifyRequest(
        bundle=bundle,
        key=load_public_key(public_key),
        cwd=Path.cwd(),
        allow_ignored=allow_ignored,
        signature=signature,
        recheck=recheck,
        today=given_date(None),
    )
    found = verify_bundle(request)
    if explain and format_ == "json":
        text = msgspec.json.format(msgspec.json.encode(plain(_explained(found))), indent=2).decode() + "\n"
        if output is None:
            sys.stdout.write(text)
        else:
            output.write_text(text, encoding="utf-8")
    else:
        if format_ == "text" and output is None and not quiet:
            sys.stdout.write("".join(f"{printable(redact_text(line))}\n" for line in _told(found, explain=explain)))
        emit(found.report, format_, load_rulebook, output=output, color=color, verbose=-1 if quiet else verbose)
    raise typer.Exit(EXIT_CODES[found.report.verdict])


def _told(found: Verified, *, explain: bool) -> Iterator[str]:
    held = found.verification
    if held is not None and held.statement is not None:
        yield f"signed by the {held.curve} key {held.key}"
        yield f"  files: {len(held.statement.digests):,}, root digest sha256 {held.statement.root}"
        if found.claim is not None:
            yield "the report inside, signed with the rest:"
            yield from (f"  {line}" for line in stated(found.claim))
        if found.recheck is not None:
            again = found.recheck
            which = "the same rules" if again.same_rules else "other rules than the report inside"
            yield f"checked again by {which}: {again.report.verdict}, {len(again.report.findings):,} findings"
    if explain:
        yield "not covered by the signature:" if found.uncovered else "nothing is covered: the signature does not hold"
        for each in found.uncovered:
            yield f"  {each.what}: {each.why}"
            yield from (f"    {name}" for name in each.names)
    yield ""


def _explained(found: Verified) -> dict[str, Any]:
    held = found.verification
    signed = held is not None and held.statement is not None
    return {
        "schema_version": "1",
        "signed": {
            "key": held.key,
            "curve": held.curve,
            "root": held.statement.root,
            "subject": held.statement.subject,
            "files": held.statement.digests,
            "ignored": held.statement.ignored,
        }
        if signed and held is not None and held.statement is not None
        else None,
        "uncovered": found.uncovered,
        "report": found.report,
    }
