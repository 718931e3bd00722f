"""A rule: the facts of its page."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from omnicheck.model.finding import Severity

Status = Literal["preview", "stable", "deprecated"]
Scope = Literal["run", "files", "across", "contract", "engine"]


class ProfileOverride(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a profile changes about a rule."""

    severity: Severity


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The front matter of a rule page.

    Attributes:
        id: stable id, three letters and three digits; never reused.
        name: kebab-case name.
        summary: one sentence that says what is wrong when the rule speaks.
        severity: default severity in profile ``lint``.
        check: name of the check, ``module.function`` below ``omnicheck.checks``, or ``plugin:name``; empty for
            rules the engine itself speaks.
        since: version that introduced it.
        publish: whether a bundle may be made when this rule was skipped (``required``: no).
        status: ``preview``, ``stable`` or ``deprecated``.
        scope: ``run`` judges one run, ``files`` one run and also the
            files outside every run, ``across`` compares the runs checked together, ``engine`` is spoken by the
            engine itself, ``contract`` judges a user's contract that is in force for some run.
        params: parameters of the check.
        variants: severities by variant name.
        profile: overrides by profile.
    """

    id: str
    name: str
    summary: str
    severity: Severity
    check: str
    since: str
    publish: Literal["required", "advised"] = "advised"
    status: Status = "stable"
    scope: Scope = "run"
    params: dict[str, Any] = field(default_factory=dict)
    variants: dict[str, Severity] = field(default_factory=dict)
    profile: dict[str, ProfileOverride] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """The three letters of the id."""
        return self.id[:3]
