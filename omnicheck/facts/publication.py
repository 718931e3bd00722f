"""What may be published of a run: the policy in force, and what it says of each file."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.contracts.publication import Decision, Policy, compile_policy, decide
from omnicheck.facts.content_parts import ScannedFile
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class Publication(Struct, frozen=True):
    """The publication policy of a run.

    Attributes:
        policy: as compiled from the default and the contract.
        profile: ``lint`` or ``publish``.
        run: display path of the run.
    """

    policy: Policy
    profile: str
    run: str


class Judged(Struct, frozen=True):
    """A scanned file and the decision about it."""

    scanned: ScannedFile
    decision: Decision

    @property
    def file(self) -> RunFile:
        """The file."""
        return self.scanned.file


@fact(absent="no policy")
def publication(source: Source) -> Publication:
    """Compile the policy in force."""
    return Publication(compile_policy(source.contract), source.profile, source.run.path)


@fact(absent="no files")
def judged_files(source: Source, scanned: tuple[ScannedFile, ...], rules: Publication) -> tuple[Judged, ...]:
    """Judge every file that could be read; digests are asked for only where the contract releases one."""
    found = []
    for each in scanned:
        if each.parts:
            part = each.parts[0]
            digest = source.sha256(each.file) if rules.policy.released else None
            found.append(Judged(each, decide(rules.policy, each.file.name, part.kinds, part.size, digest)))
    return tuple(found)
