"""From what was said to what counts: severities, exceptions, baseline, verdict."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase

import msgspec

from omnicheck.engine.rulebook import Rulebook, section
from omnicheck.model.config import Allow
from omnicheck.model.errors import RuleError
from omnicheck.model.finding import SEVERITIES, Finding, Severity
from omnicheck.model.report import Diagnostic, Summary, Suppression, Verdict
from omnicheck.model.rule import Rule

DECIDES = frozenset({"OMN003", "OMN004"})
"""Rules that decide the verdict themselves: not counted as failures, and not to be allowed away."""

NOTICE = timedelta(days=14)


class Judge:
    """Turns findings into diagnostics under one profile.

    Args:
        book: the rules.
        severity: overrides by id.
        profile: ``lint`` or ``publish``.
    """

    def __init__(self, book: Rulebook, severity: Mapping[str, Severity], profile: str) -> None:
        self._book = book
        self._severity = severity
        self._profile = profile

    def severity_of(self, rule: Rule, variant: str | None) -> Severity:
        """Return the severity in force: the configuration's, the profile's, the variant's, the page's."""
        if rule.id in self._severity:
            return self._severity[rule.id]
        if variant is not None:
            if variant not in rule.variants:
                raise RuleError(f"{rule.id} declares no variant {variant!r}")
            return rule.variants[variant]
        if self._profile in rule.profile:
            return rule.profile[self._profile].severity
        return rule.severity

    def diagnostics(self, said: Iterable[tuple[str, str, Finding]]) -> list[Diagnostic]:
        """Return the diagnostics for (rule id, run, finding), sorted by path, row, pointer, rule."""
        seen: Counter[str] = Counter()
        found = [self._diagnostic(rule, run, finding, seen) for rule, run, finding in sorted(said, key=_order)]
        return sorted(found, key=lambda d: (d.path, d.row or 0, d.line or 0, d.pointer or "", d.rule, d.message))

    def _diagnostic(self, rule_id: str, run: str, finding: Finding, seen: Counter[str]) -> Diagnostic:
        page = self._book.pages[rule_id]
        print_ = fingerprint(rule_id, finding)
        seen[print_] += 1
        if seen[print_] > 1:
            print_ = hashlib.sha256(f"{print_}#{seen[print_]}".encode()).hexdigest()[:32]
        return Diagnostic(
            rule=rule_id,
            name=page.rule.name,
            severity=self.severity_of(page.rule, finding.variant),
            path=finding.path,
            members=finding.members,
            pointer=finding.pointer,
            line=finding.line,
            row=finding.row,
            tensor=finding.tensor,
            node=finding.node,
            message=finding.message,
            expected=finding.expected,
            actual=finding.actual,
            help=finding.help or " ".join(section(page.prose, "How to fix").split("\n\n")[0].split()),
            fingerprint=print_,
            suppressed=None,
            run=run,
        )


def fingerprint(rule: str, finding: Finding) -> str:
    """Return what identifies a finding across edits: no line or row number, no absolute path, 128 bits in hex."""
    place = [finding.pointer, finding.key, finding.tensor, finding.node]
    if not any(place):
        place.append(str(finding.row) if finding.row is not None else finding.message)
    text = "\0".join([rule, finding.path, *finding.members, *(part or "" for part in place)])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _order(entry: tuple[str, str, Finding]) -> tuple[str, str, int, int, str, str]:
    rule, _, finding = entry
    return (finding.path, rule, finding.row or 0, finding.line or 0, finding.pointer or "", finding.message)


def apply_allow(
    found: Sequence[Diagnostic],
    allows: Sequence[Allow],
    today: date,
    *,
    locked: bool,
    could_match: Callable[[str, str], bool],
) -> tuple[list[Diagnostic], list[Finding], list[Finding]]:
    """Suppress what the configuration allows.

    Args:
        found: diagnostics.
        allows: the ``[[allow]]`` entries.
        today: for ``until``.
        could_match: whether a rule ran, and over all that a path glob can mean; only then is an entry unused.
        locked: profile ``publish``: secrets, weights and raw data cannot be allowed away.

    Returns:
        the diagnostics, findings of OMN001 (entries that matched nothing) and of OMN002 (expired or soon to).
    """
    used: Counter[int] = Counter()
    result: list[Diagnostic] = []
    for each in found:
        suppressed = None
        fixed = each.rule in DECIDES or (locked and each.rule.startswith(("PUB10", "SEC")))
        for i, allow in enumerate(allows):
            if not _allows(allow, each):
                continue
            used[i] += 1
            if not _expired(allow, today) and not fixed:
                suppressed = Suppression(allow.reason, allow.until)
                break
        result.append(msgspec.structs.replace(each, suppressed=suppressed) if suppressed else each)
    unused = [
        Finding(
            path=allow.path,
            message=f"the [[allow]] entry for {allow.rule} matched nothing",
            key=f"{allow.rule} {allow.path} {allow.pointer}",
        )
        for i, allow in enumerate(allows)
        if not used[i] and could_match(allow.rule, allow.path)
    ]
    return result, unused, [finding for allow in allows for finding in _dated(allow, today)]


def _allows(allow: Allow, each: Diagnostic) -> bool:
    return (
        allow.rule == each.rule
        and (fnmatchcase(each.path, allow.path) or each.path == allow.path)
        and (allow.pointer is None or allow.pointer == each.pointer)
    )


def _expired(allow: Allow, today: date) -> bool:
    return allow.until is not None and date.fromisoformat(allow.until) < today


def _dated(allow: Allow, today: date) -> Iterable[Finding]:
    if allow.until is None:
        return
    until = date.fromisoformat(allow.until)
    if until < today:
        yield Finding(
            path=allow.path,
            message=f"the [[allow]] entry for {allow.rule} expired on {allow.until}",
            key=f"{allow.rule} {allow.path}",
        )
    elif until - today <= NOTICE:
        yield Finding(
            path=allow.path,
            message=f"the [[allow]] entry for {allow.rule} expires on {allow.until}, in {(until - today).days} days",
            key=f"{allow.rule} {allow.path}",
            variant="soon",
        )


def summarise(found: Iterable[Diagnostic]) -> Summary:
    """Count what counts."""
    counts = Counter("suppressed" if each.suppressed else each.severity for each in found)
    return Summary(
        error=counts["error"], warning=counts["warning"], info=counts["info"], suppressed=counts["suppressed"]
    )


def decide(found: Sequence[Diagnostic], fail_on: Severity, *, judged: bool) -> Verdict:
    """Return the verdict: an error of the tool before failures, failures before what is missing.

    Args:
        found: the diagnostics.
        fail_on: least severity that fails.
        judged: whether any rule ran, and in profile ``publish`` every required one.
    """
    live = [each for each in found if not each.suppressed]
    if any(each.rule == "OMN003" for each in live):
        return "error"
    worst = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    if any(each.severity in worst for each in live if each.rule not in DECIDES):
        return "fail"
    if not judged or any(each.rule == "OMN004" for each in live):
        return "incomplete"
    return "pass"
