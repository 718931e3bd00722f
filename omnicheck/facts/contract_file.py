"""A user's contract that is in force, and everything that is wrong with it."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.contracts.backbone_form import issues_of_contract
from omnicheck.contracts.entrypoints import judge_entrypoints
from omnicheck.contracts.issue import Issue
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class ContractFile(Struct, frozen=True):
    """A contract as a file.

    Attributes:
        file: the file.
        issues: what is wrong with it, by rule and pointer.
    """

    file: RunFile
    issues: tuple[Issue, ...]

    def of(self, rule: str) -> tuple[Issue, ...]:
        """The issues that one rule speaks of."""
        return tuple(issue for issue in self.issues if issue.rule == rule)


@fact(absent="no contract file of the user's own is in force")
def contract_file(source: Source) -> ContractFile | None:
    """Judge the contract, its text first and then the workspace that its entrypoints lie in."""
    if source.run.layout != "contract" or source.contract is None:
        return None
    issues = issues_of_contract(source.contract)
    entrypoints = source.contract.get("entrypoints")
    for path in entrypoints.values() if isinstance(entrypoints, dict) else ():
        if isinstance(path, str) and path.strip():
            source.exists(source.workspace, path)  # a script that comes or goes changes the answer
    return ContractFile(source.run.files[0], (*issues, *judge_entrypoints(source.contract, source.workspace)))
