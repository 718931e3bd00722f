"""``omnicheck verify``: a bundle against one pinned key, as an ordinary report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from omnicheck import __version__
from omnicheck.bundle.inside import REPORT, Claim, manifest_problems, read_claim
from omnicheck.bundle.recheck import Recheck, recheck
from omnicheck.bundle.unpack import Opened, opened
from omnicheck.engine.redact import redact_text, redact_value
from omnicheck.engine.rulebook import load_rulebook
from omnicheck.engine.verdict import Judge, decide, summarise
from omnicheck.model.finding import Finding
from omnicheck.model.report import ConfigSummary, Coverage, Diagnostic, FileCoverage, Report, SkippedRule, Tool
from omnicheck.runs.inventory import display_path
from omnicheck.signing.compare import Problem, Uncovered
from omnicheck.signing.manifest import MANIFEST
from omnicheck.signing.verify import Verification, verify_directory

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

RULES = {"mismatch": "BND101", "signature": "BND102", "unlisted": "BND103", "not-covered": "BND105"}


class VerifyRequest(Struct, frozen=True, kw_only=True):
    """What the user asked for.

    Attributes:
        bundle: a directory, or a tar or zip of it.
        key: the pinned public key.
        cwd: the working directory, absolute.
        allow_ignored: accept files that the signer left out.
        signature: where the signature lies; ``model.sig`` in the bundle if absent.
        recheck: whether to run the checks again.
        today: for the checks.
    """

    bundle: Path
    key: EllipticCurvePublicKey
    cwd: Path
    allow_ignored: bool = False
    signature: Path | None = None
    recheck: bool = False
    today: date


class Verified(Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        report: findings of BND101, BND102, BND103 and BND105, and with ``recheck`` those that the bundle itself has.
        verification: what the signature says; None when the archive was refused.
        claim: what the report inside says, or None.
        recheck: what came of the second look, or None.
        uncovered: everything that the signature does not cover.
    """

    report: Report
    verification: Verification | None
    claim: Claim | None = None
    recheck: Recheck | None = None
    uncovered: tuple[Uncovered, ...] = ()


def verify(request: VerifyRequest) -> Verified:
    """Verify a bundle without a network.

    Raises:
        OmnicheckError: the bundle is none, or cannot be listed.
    """
    with opened(request.cwd / request.bundle) as tree:
        if tree.refusals:
            problems = [Problem(kind="unlisted", name=each.name, message=each.reason) for each in tree.refusals]
            return Verified(report=_report(request, tree, problems, None, None), verification=None)
        found = verify_directory(
            tree.root,
            request.key,
            allow_ignored=request.allow_ignored,
            signature=request.cwd / request.signature if request.signature else None,
        )
        problems = list(found.problems)
        claim, again = None, None
        if found.statement is not None:
            if MANIFEST in found.digests:
                problems += manifest_problems(tree.root, found.digests)
            if REPORT in found.digests:
                claim, disagreeing = read_claim(tree.root, found.digests)
                problems += disagreeing
            if request.recheck and claim is not None and found.holds:
                again = recheck(tree.root, claim, _path(request, tree, REPORT), request.today)
        archive = tuple(_archive(tree)) if found.statement is not None else ()
        return Verified(
            report=_report(request, tree, problems, found, again),
            verification=found,
            claim=claim,
            recheck=again,
            uncovered=found.uncovered + archive,
        )


def _report(
    request: VerifyRequest,
    tree: Opened,
    problems: Sequence[Problem],
    found: Verification | None,
    again: Recheck | None,
) -> Report:
    book = load_rulebook()
    shown = _path(request, tree, "")
    said = [(RULES[each.kind], shown, _finding(request, tree, each)) for each in problems]
    skipped: list[SkippedRule] = []
    diagnostics: list[Diagnostic] = []
    trusted = found is not None and found.statement is not None
    if not trusted:
        why = "the signature does not hold" if found is not None else "the archive was refused"
        skipped += [SkippedRule(rule, shown, why) for rule in sorted(RULES.values()) if rule != "BND102"]
    if request.recheck and again is None:
        skipped.append(SkippedRule("BND101", shown, f"--recheck: the bundle does not hold, or carries no {REPORT}"))
    if again is not None:
        said += [("BND101", shown, each) for each in again.differences]
        skipped += [SkippedRule(rule, shown, f"--recheck: {reason}") for rule, reason in again.not_repeated]
        diagnostics = _of_bundle(request, tree, again)
    files = [entry for entry in (found.entries if found else ()) if entry.kind == "file"]
    diagnostics = (
        Judge(book, {}, "lint").diagnostics((rule, run, _redacted(each)) for rule, run, each in said) + diagnostics
    )
    ran = set(RULES.values()) if trusted else {"BND102"} if found is not None else set()
    return Report(
        tool=Tool("omnicheck", __version__, book.digest),
        config=ConfigSummary(None, "none", "lint"),
        roots=(shown,),
        verdict=decide(diagnostics, "error", judged=True),
        summary=summarise(diagnostics),
        findings=tuple(diagnostics),
        coverage=Coverage(
            rules_run=tuple(sorted(ran)),
            rules_skipped=tuple(sorted(skipped)),
            files=FileCoverage(total=len(files), by_kind={}, unknown=()),
        ),
        runs=(),
    )


def _of_bundle(request: VerifyRequest, tree: Opened, again: Recheck) -> list[Diagnostic]:
    """Return what the checks say of the bundle's own safety; findings on the run are compared instead."""
    return [
        msgspec.structs.replace(each, path=_path(request, tree, each.path))
        for each in again.report.findings
        if each.rule.startswith(("PUB", "SEC"))
    ]


def _finding(request: VerifyRequest, tree: Opened, problem: Problem) -> Finding:
    return Finding(
        path=_path(request, tree, problem.name if tree.archive is None else ""),
        members=(problem.name,) if tree.archive is not None and problem.name else (),
        message=_sentence(problem),
        expected=problem.expected,
        actual=problem.actual,
        key=problem.message if problem.name else None,
    )


def _redacted(finding: Finding) -> Finding:
    # What a signature, a manifest or a report says comes from whoever made the bundle.
    return msgspec.structs.replace(
        finding,
        message=redact_text(finding.message),
        expected=redact_value(finding.expected),
        actual=redact_value(finding.actual),
        members=tuple(map(redact_text, finding.members)),
    )


def _sentence(problem: Problem) -> str:
    if problem.name:
        return f"{problem.name} {problem.message}"
    return f"the archive {problem.message}" if problem.kind == "unlisted" else problem.message


def _path(request: VerifyRequest, tree: Opened, name: str) -> str:
    place = (request.cwd / request.bundle).absolute()
    shown = display_path(place, place.parent, request.cwd)
    if tree.archive is not None or not name:
        return shown
    return name if shown == "." else f"{shown}/{name}"


def _archive(tree: Opened) -> Iterator[Uncovered]:
    if tree.archive is not None:
        why = "Order, times, owners and modes of its members, and its padding, are not signed: only its files are."
        yield Uncovered(f"the {tree.archive} around the files", why)
