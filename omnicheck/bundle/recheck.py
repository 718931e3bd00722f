"""Running the checks again on a bundle, and what the report inside said instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from omnicheck.bundle.inside import REPORT, Claim
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.errors import ContractError, UsageError
from omnicheck.model.finding import Finding
from omnicheck.model.report import Diagnostic, Report

JUDGED_APART = ("PUB", "SEC", "BND", "OMN")
"""Families that judge the finished bundle or the scan: the report inside is about the run it was taken from."""


class Recheck(Struct, frozen=True):
    """What came of the second look.

    Attributes:
        report: the checks on the bundle as it is.
        same_rules: whether the rules are those of the report inside.
        differences: findings of BND101 about what the report inside lacks or has too many.
        not_repeated: rules that judged the run and cannot judge the bundle, with the reason.
    """

    report: Report
    same_rules: bool
    differences: tuple[Finding, ...]
    not_repeated: tuple[tuple[str, str], ...]


def recheck(root: Path, claim: Claim, path: str, today: date) -> Recheck:
    """Check a bundle as the report inside says that its run was checked, and compare.

    Args:
        root: the bundle, as a directory.
        claim: the report inside.
        path: display path of the report inside.
        today: for exceptions that expire; the bundle brings no configuration that is obeyed.
    """
    report = _checked(root, claim, today)
    same = report.tool.rules_digest == claim.rules_digest
    reasons = {skip.rule: skip.reason for skip in report.coverage.rules_skipped}
    ran = set(report.coverage.rules_run)
    stated = Counter(_place(each) for each in claim.findings if not _apart(str(each.get("rule"))))
    found = Counter(_of(each) for each in report.findings if not _apart(each.rule))
    variant = None if same else "recheck"
    differences = [
        Finding(path=path, message=message, key=f"{what} {place}", variant=variant, actual=place)
        for what, places in (("lacks", found - stated), ("has", stated - found))
        for place in sorted(places)
        if (message := _message(what, place, ran, same=same)) is not None
    ]
    judged = {str(each.get("rule")) for each in claim.findings}
    not_repeated = [
        (rule, reasons.get(rule, "not run"))
        for rule in sorted((judged | set(reasons)) - ran - set(claim.skipped))
        if not _apart(rule)
    ]
    return Recheck(report, same, tuple(differences), tuple(not_repeated))


def _checked(root: Path, claim: Claim, today: date) -> Report:
    profile: Literal["lint", "publish"] = "publish" if claim.profile == "publish" else "lint"
    request = Request(paths=(Path(),), cwd=root, profile=profile, today=today, use_cache=False, contract=claim.contract)
    loaded = load_config(root, isolated=True)
    try:
        return check_paths(request, loaded)
    except (ContractError, UsageError):
        if claim.contract is None:
            raise
        # The contract did not travel with the bundle: what needs none is still judged.
        return check_paths(Request(paths=(Path(),), cwd=root, profile=profile, today=today, use_cache=False), loaded)


def _message(what: str, place: str, ran: set[str], *, same: bool) -> str | None:
    rule = place.split(" ", 1)[0]
    if what == "has" and rule not in ran:
        return None
    rules = "" if same else " (the rules are not those that made it)"
    if what == "lacks":
        return f"{REPORT} lacks a finding that the checks make on this bundle: {place}{rules}"
    return f"{REPORT} states a finding that the checks do not make on this bundle: {place}{rules}"


def _apart(rule: str) -> bool:
    return rule.startswith(JUDGED_APART)


def _of(each: Diagnostic) -> str:
    return _shown(each.rule, each.path, each.pointer, each.row)


def _place(each: Mapping[str, Any]) -> str:
    return _shown(str(each.get("rule")), str(each.get("path")), each.get("pointer"), each.get("row"))


def _shown(rule: str, path: str, pointer: Any, row: Any) -> str:
    text = f"{rule} {path.removeprefix('./')}"
    text += f" {pointer}" if pointer else ""
    return f"{text} row {row}" if row is not None else text


def stated(claim: Claim) -> Iterator[str]:
    """Yield what the report inside says, one line each."""
    yield f"verdict: {claim.verdict} ({len(claim.findings):,} findings), by {claim.tool}, profile {claim.profile}"
    yield f"rules: sha256 {claim.rules_digest}"
    yield f"configuration: sha256 {claim.config_digest}"
    if claim.contract is not None:
        yield f"contract: {claim.contract}, sha256 {claim.contract_digest or 'not recorded'}"
    if claim.policy_digest is not None:
        yield f"publication policy: sha256 {claim.policy_digest}"
