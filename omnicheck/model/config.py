"""The configuration as plain values; ``engine.config`` finds and decodes it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from omnicheck.model.finding import Severity


class Contracts(Struct, frozen=True, forbid_unknown_fields=True):
    """Where contracts lie.

    Attributes:
        paths: directories or files, relative to the configuration's directory; the built-in contracts come last.
    """

    paths: tuple[str, ...] = ("contracts", "configs/omni_backbones")


class RunLink(Struct, frozen=True, forbid_unknown_fields=True):
    """A run given by hand: a glob with a contract, or linked directories.

    Attributes:
        path: glob of run roots that get ``contract``; empty when directories are linked.
        dataset: directory with the dataset.
        training: directory with the training artifacts.
        eval: directory with the evaluation.
        contract: id of the contract that judges it.
    """

    path: str = ""
    dataset: str = ""
    training: str = ""
    eval: str = ""
    contract: str | None = None


class RuleChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Which rules run, and how severe they are.

    Attributes:
        select: ids or prefixes (``SPL``, ``MET1``); empty means all stable rules.
        ignore: ids or prefixes that do not run.
        extend: directories of further rule pages.
        checks: names of entry points of the group ``omnicheck.checks`` that may be loaded.
        severity: severity by id.
        params: parameters by id, over those of the page.
        digest: the rules digest this configuration was written against; a different one is an error.
        preview: whether rules of status ``preview`` run.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    severity: dict[str, Severity] = field(default_factory=dict)
    params: dict[str, dict[str, object]] = field(default_factory=dict)
    digest: str | None = None
    preview: bool = False


class Allow(Struct, frozen=True, forbid_unknown_fields=True):
    """An exception with a reason.

    Attributes:
        rule: id.
        path: glob over display paths.
        reason: why; never empty.
        pointer: JSON pointer it is limited to.
        until: ISO date after which it no longer holds.
        owner: who answers for it.
    """

    rule: str
    path: str
    reason: str
    pointer: str | None = None
    until: str | None = None
    owner: str | None = None


class LogCut(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a long log ships.

    Attributes:
        files: globs over names in the run.
        over: bytes; a shorter log ships whole.
        head: lines kept at its beginning.
        tail: lines kept at its end.
    """

    files: tuple[str, ...] = ("*.log", "*.out", "*.err")
    over: int = 1_000_000
    head: int = 200
    tail: int = 200


class Package(Struct, frozen=True, forbid_unknown_fields=True):
    """What ``omnicheck package`` puts into a bundle, besides what the policy allows.

    Attributes:
        readme: file that becomes ``README.md`` where the run has none, relative to the configuration's directory.
        license: file that becomes ``LICENSE`` where the run has none.
        allow: globs over names in the run that ship as well, if their content is of a kind that may.
        deny: globs over names that never ship.
        prefixes: absolute path prefix to placeholder: redacted in every text that ships.
        logs: which logs are cut, and how.
    """

    readme: str | None = None
    license: str | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    prefixes: dict[str, str] = field(default_factory=dict)
    logs: LogCut = LogCut()


class Config(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """``omnicheck.toml``, or ``[tool.omnicheck]`` of ``pyproject.toml``.

    Attributes:
        contracts: where contracts lie.
        roles: globs of a team's own file names by role, in front of the built-in ones.
        fields: a team's own key names by canonical name, in front of the built-in ones.
        run: runs given by hand, and which contract judges which run.
        rules: which rules run, and how severe they are.
        allow: exceptions with a reason.
        baseline: file of known findings.
        exclude: globs over display paths that are left out.
        profile: ``lint``, or ``publish`` before a bundle is made.
        fail_on: least severity that fails.
    """

    contracts: Contracts = Contracts()
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    run: tuple[RunLink, ...] = ()
    rules: RuleChoice = RuleChoice()
    allow: tuple[Allow, ...] = ()
    baseline: str | None = None
    exclude: tuple[str, ...] = ()
    package: Package = Package()
    profile: Literal["lint", "publish"] = "lint"
    fail_on: Severity = "error"
