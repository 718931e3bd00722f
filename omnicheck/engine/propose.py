"""Proposes a configuration from what lies in a repository."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import msgspec

from omnicheck.contracts.registry import Registry
from omnicheck.model.config import Contracts
from omnicheck.model.run import Run
from omnicheck.runs.discover import discover
from omnicheck.runs.inventory import take_inventory
from omnicheck.runs.resolve import resolve_contract


class Proposal(msgspec.Struct, frozen=True):
    """A configuration as text.

    Attributes:
        text: TOML with comments.
        scan: directories that hold runs, for the next command.
        notes: what could not be decided.
    """

    text: str
    scan: tuple[str, ...]
    notes: tuple[str, ...]


def propose(root: Path) -> Proposal:
    """Look at the runs of a repository, and write down which contract would judge which of them."""
    inventory = take_inventory((root,), root)
    runs = discover(inventory, {}).runs
    contract_paths = [path for path in Contracts().paths if (root / path).is_dir()]
    registry = Registry.load([root / path for path in contract_paths])
    notes = []
    if not runs:
        notes.append("no run was found: bind your file names under [roles] and try `omnicheck check`")
    scan = sorted({run.path.split("/", 1)[0] for run in runs if run.path != "."})
    lines = ["# Configuration of omnicheck; `omnicheck schema config` describes every key.", ""]
    if contract_paths:
        lines += ["[contracts]", f"paths = {json.dumps(contract_paths)}", ""]
    by_contract: dict[str, list[Run]] = defaultdict(list)
    unnamed = 0
    for run in runs:
        named, _ = resolve_contract(run, None, (), own_word=True)
        if named is None:
            unnamed += 1
        elif named in registry.ids():
            by_contract[named].append(run)
        else:
            notes.append(
                f"{run.path} names the contract {named}, which is not there; `omnicheck contracts scaffold` writes one"
            )
    for contract, judged in sorted(by_contract.items()):
        for run in judged:
            lines += ["[[run]]", f"path = {json.dumps(run.path, ensure_ascii=False)}", f'contract = "{contract}"', ""]
    if unnamed:
        notes.append(
            f"{unnamed} runs name no contract: rules that need one are skipped there until a [[run]] entry names it"
        )
    lines += [
        "# Your own file names and keys, without code:",
        "# [roles]",
        '# predictions = ["outputs_*.jsonl"]',
        "# [fields]",
        '# episode = ["clip_id"]',
        "",
        "# An exception needs a reason, and may have an end:",
        "# [[allow]]",
        '# rule = "SPL107"',
        '# path = "results/*"',
        '# reason = "one task by design"',
        '# until = "2027-01-01"',
    ]
    return Proposal("\n".join(lines) + "\n", tuple(scan), tuple(notes))
