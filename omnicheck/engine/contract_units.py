"""The contracts in force are judged too: one unit for each of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omnicheck.contracts.registry import Registry
from omnicheck.engine.unit import Unit
from omnicheck.model.finding import Finding
from omnicheck.model.rule import Rule
from omnicheck.model.run import Run, RunFile
from omnicheck.runs.inventory import display_path


def contract_units(
    units: Sequence[Unit], registry: Registry, rules: Sequence[Rule], cwd: Path, base: Path
) -> list[Unit]:
    """Return a unit for each contract that judges one of the runs; the built-in ones are tested with the tool."""
    mine = tuple(rule for rule in rules if rule.scope == "contract")
    named = sorted({unit.run.contract for unit in units if unit.run.contract is not None})
    entries = [registry.get(name) for name in named]
    return [
        Unit(run=_as_run(entry.path, entry.id, cwd, base), rules=mine, contract=entry.value, workspace=str(base))
        for entry in entries
        if mine and entry.origin == "user"
    ]


def conflict_findings(
    rules: Sequence[Rule], registry: Registry, cwd: Path, base: Path
) -> list[tuple[str, str, Finding]]:
    """Speak CTR102: two contracts answer to one id."""
    if not any(rule.id == "CTR102" for rule in rules):
        return []
    said = []
    for name, paths in sorted(registry.conflicts.items()):
        shown = [display_path(path, base, cwd) for path in sorted(paths)]
        message = f"{len(shown)} contracts answer to the id {name!r}: {', '.join(shown)}; none of them judges a run"
        said.append(
            ("CTR102", shown[0], Finding(path=shown[0], pointer="/id", message=message, expected=1, actual=len(shown)))
        )
    return said


def broken_findings(
    rules: Sequence[Rule], registry: Registry, runs: Sequence[Run], cwd: Path, base: Path
) -> list[tuple[str, str, Finding]]:
    """Speak CTR101 of each file that runs name as their contract and that cannot be read as one."""
    if not any(rule.id == "CTR101" for rule in rules):
        return []
    said = []
    for name in sorted({run.contract for run in runs if run.contract is not None}):
        broken = registry.broken(name)
        if broken is not None:
            shown = display_path(broken.path, base, cwd)
            message = f"the contract {name!r} cannot be used, and no run is judged by it: {broken.message}"
            said.append(("CTR101", shown, Finding(path=shown, line=broken.line, message=message, key=name)))
    return said


def refusal(name: str, registry: Registry) -> str | None:
    """Return why no contract of this id can judge a run; None when one can."""
    broken = registry.broken(name)
    if broken is not None:
        return f"whose file {broken.path.name} cannot be used (CTR101)"
    if name in registry.conflicts:
        return f"to which {len(registry.conflicts[name])} files answer (CTR102)"
    if name not in registry.entries:
        return f"which is not among the contracts ({', '.join(registry.ids())}{registry.nameless()})"
    return None


def _as_run(path: Path, name: str, cwd: Path, base: Path) -> Run:
    status = path.stat()
    shown = display_path(path, base, cwd)
    file = RunFile(
        path=shown,
        name=path.name,
        location=str(path),
        kind="json",
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
        role="backbone_contract",
    )
    return Run(
        path=shown, location=str(path.parent), files=(file,), layout="contract", contract=name, contract_source="config"
    )
