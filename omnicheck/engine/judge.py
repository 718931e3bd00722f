"""One run and its rules: asks for facts, calls checks, collects what they say. Knows no severity."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from omnicheck.checks.declare import Check, decode_params
from omnicheck.engine.plugins import resolve
from omnicheck.engine.redact import known_texts, redact_text, redact_value
from omnicheck.engine.unit import RunResult, Spoken, Unit
from omnicheck.facts.board import Absent, Board
from omnicheck.facts.registry import Each
from omnicheck.facts.source import Source
from omnicheck.model.errors import RuleError
from omnicheck.model.finding import Finding
from omnicheck.model.report import SkippedRule
from omnicheck.model.rule import Rule
from omnicheck.runs.roles import ROLES, role_of

_ABSOLUTE = re.compile(r"(?<![\w.~…:/-])/(?:[^\s/'\"]+/)+")

PER_FILE = 20
"""Findings that a rule reports for one file; one more tells how many there were."""


def judge(unit: Unit) -> RunResult:
    """Apply the rules of a unit to its run."""
    checks = [(rule, resolve(rule.check, unit.plugins)) for rule in unit.rules]
    comparing = [resolve(rule.check, unit.plugins) for rule in unit.comparing]
    source = Source(
        unit.run,
        contract=unit.contract,
        workspace=Path(unit.workspace),
        fields=unit.fields,
        jobs=unit.jobs,
        role_of=_default_role,
        params={rule.id: rule.params for rule in unit.rules},
        profile=unit.profile,
    )
    planned = [want.fact for _, found in checks for want in found.wants] + [
        w.fact for found in comparing for w in found.wants
    ]
    board = Board(source, planned)
    spoken: list[Spoken] = []
    ran: list[str] = []
    skipped: list[SkippedRule] = []
    crashed: list[str] = []
    # A rule about the reading itself goes last: it tells what all the others met.
    for rule, found in sorted(checks, key=lambda pair: pair[0].id == "OMN006"):
        try:
            arguments, reason = _arguments(board, found)
            if reason:
                skipped.append(SkippedRule(rule.id, unit.run.path, reason))
                continue
            findings = list(found.function(**arguments, **decode_params(found, rule.params)))
            ran.append(rule.id)
            spoken.extend(Spoken(rule.id, finding) for finding in _capped(findings))
        except RuleError:
            raise
        except Exception as error:  # noqa: BLE001 - a check that raises is a finding, and the others still run
            crashed.append(redact_trace(error))
            spoken.append(Spoken("OMN003", _crash(unit.run.path, rule, error)))
    shared: dict[str, bytes] = {}
    for rule, found in zip(unit.comparing, comparing, strict=True):
        try:
            shared.update(_shared(board, found))
        except Exception as error:  # noqa: BLE001 - as above
            crashed.append(redact_trace(error))
            spoken.append(Spoken("OMN003", _crash(unit.run.path, rule, error)))
    return RunResult(
        run=unit.run.path,
        # Last, when all credentials of the run are known: a rule may quote one that only its place gives away.
        spoken=tuple(Spoken(each.rule, _redacted(each.finding, known_texts(source.secrets))) for each in spoken),
        ran=tuple(sorted(ran)),
        skipped=tuple(sorted(skipped)),
        crashed=tuple(redact_text(trace, known_texts(source.secrets), limit=20_000) for trace in crashed),
        observed=tuple(sorted(source.observed, key=lambda seen: seen.location)),
        shared=shared,
    )


def judge_across(rules: Sequence[Rule], results: Sequence[RunResult], plugins: tuple[str, ...], root: str) -> RunResult:
    """Apply the rules that compare runs to the facts that the runs left behind."""
    spoken: list[Spoken] = []
    ran: list[str] = []
    skipped: list[SkippedRule] = []
    crashed: list[str] = []
    for rule in rules:
        found = resolve(rule.check, plugins)
        try:
            arguments: dict[str, Any] = {}
            for want in found.wants:
                values = _gather(want.fact, results)
                arguments[want.name] = Each(values)
            if any(len(each.values) < 2 for each in arguments.values()):
                skipped.append(SkippedRule(rule.id, root, "fewer than two runs to compare"))
                continue
            findings = list(found.function(**arguments, **decode_params(found, rule.params)))
            ran.append(rule.id)
            spoken.extend(Spoken(rule.id, _redacted(finding)) for finding in _capped(findings))
        except RuleError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            crashed.append(redact_trace(error))
            spoken.append(Spoken("OMN003", _crash(root, rule, error)))
    return RunResult(run=root, spoken=tuple(spoken), ran=tuple(ran), skipped=tuple(skipped), crashed=tuple(crashed))


def _default_role(name: str) -> str | None:
    found = role_of(name, ROLES)
    return None if found is None else found.name


def _arguments(board: Board, found: Check) -> tuple[dict[str, Any], str]:
    arguments: dict[str, Any] = {}
    for want in found.wants:
        value = board.ask(want)
        if isinstance(value, Absent):
            return {}, value.reason
        arguments[want.name] = value
    return arguments, ""


def _capped(findings: Sequence[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    for path, group in groupby(sorted(findings, key=lambda finding: finding.path), key=lambda finding: finding.path):
        of_file = list(group)
        kept.extend(of_file[:PER_FILE])
        if len(of_file) > PER_FILE:
            more = len(of_file) - PER_FILE
            kept.append(
                Finding(
                    path=path,
                    message=f"{more:,} more findings of this rule in this file ({len(of_file):,} in all)",
                    key="more",
                    variant=of_file[0].variant,
                )
            )
    return kept


def _redacted(finding: Finding, known: frozenset[str] = frozenset()) -> Finding:
    def text(value: str | None) -> str | None:
        return redact_text(value, known) if value else value

    return msgspec.structs.replace(
        finding,
        message=redact_text(finding.message, known),
        expected=redact_value(finding.expected, known=known),
        actual=redact_value(finding.actual, known=known),
        members=tuple(redact_text(member, known) for member in finding.members),
        help=text(finding.help),
        key=text(finding.key),
        pointer=text(finding.pointer),
        tensor=text(finding.tensor),
        node=text(finding.node),
    )


def _crash(run: str, rule: Rule, error: Exception) -> Finding:
    return Finding(
        path=run,
        message=f"the check of {rule.id} raised {type(error).__name__}; the run is not judged by it",
        key=rule.id,
        help="this is a defect of omnicheck (or of a plug-in): please report it with the trace in the JSON report",
    )


def redact_trace(error: Exception) -> str:
    """Return a trace without absolute paths and without credentials."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [
        f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in frames
    ]
    told = _ABSOLUTE.sub("…/", f"{type(error).__name__}: {error}")
    return "\n".join([*lines, redact_text(told)])


def _shared(board: Board, found: Check) -> dict[str, bytes]:
    shared = {}
    for want in found.wants:
        value = board.get(want.fact)
        if not isinstance(value, Absent):
            values = value if isinstance(value, tuple) else (value,)
            shared[_class_name(want.fact)] = msgspec.msgpack.encode(values)
    return shared


def _gather(made: type, results: Sequence[RunResult]) -> tuple[tuple[str, Any], ...]:
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(type=tuple[made, ...])  # type: ignore[valid-type]
    found: list[tuple[str, Any]] = []
    for result in results:
        if _class_name(made) in result.shared:
            found.extend((result.run, value) for value in decoder.decode(result.shared[_class_name(made)]))
    return tuple(found)


def _class_name(made: type) -> str:
    return f"{made.__module__}.{made.__qualname__}"
