"""A unit of work and its result: plain data that an executor can take and the cache can keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from omnicheck.model.finding import Finding
from omnicheck.model.report import SkippedRule
from omnicheck.model.rule import Rule
from omnicheck.model.run import Observed, Run


class Spoken(msgspec.Struct, frozen=True):
    """A finding and the id of the rule that spoke."""

    rule: str
    finding: Finding


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules said of one run; this is what the cache keeps.

    Attributes:
        run: display path.
        spoken: findings, redacted.
        ran: ids of the rules that judged.
        skipped: rules that could not, with the reason.
        crashed: traces of checks that raised.
        observed: paths outside the listing that were looked at.
        shared: facts for rules that compare runs, encoded, by class name.
    """

    run: str
    spoken: tuple[Spoken, ...] = ()
    ran: tuple[str, ...] = ()
    skipped: tuple[SkippedRule, ...] = ()
    crashed: tuple[str, ...] = ()
    observed: tuple[Observed, ...] = ()
    shared: dict[str, bytes] = msgspec.field(default_factory=dict)


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One run with its rules: picklable, so that any executor can take it.

    Attributes:
        run: the run.
        rules: rules of scope ``run``.
        comparing: rules that compare runs; only their facts are made here.
        contract: raw value of the contract in force.
        workspace: absolute path that relative paths start from.
        fields: a team's own aliases by key.
        plugins: names of entry points that may be loaded.
        profile: ``lint`` or ``publish``.
        jobs: processes that a pass over a large file may use.
    """

    run: Run
    rules: tuple[Rule, ...]
    comparing: tuple[Rule, ...] = ()
    contract: dict[str, Any] | None = None
    workspace: str = ""
    fields: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    jobs: int = 1
    profile: str = "lint"


def listing_of(run: Run) -> Mapping[str, tuple[int, int, int, int]]:
    """Return what the cache compares of each file: size, modification and change time, inode."""
    return {file.path: (file.size, file.mtime_ns, file.ctime_ns, file.inode) for file in run.files}
