"""Which contract judges a run: the option, the configuration, or what the run says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from omnicheck.model.config import RunLink
from omnicheck.model.errors import ReadError
from omnicheck.model.run import Run
from omnicheck.readers.gate import open_regular

NAMING_ROLES = (
    "verified_summary",
    "training_metadata",
    "metrics",
    "dataset_manifest",
    "packer_summary",
    "checkpoint_manifest",
    "run_summary",
    "validation",
    "package_audit",
)
"""Roles whose ``backbone`` field names the contract, in order of authority; a validation has it in its ``summary``."""

LIMIT = 4 << 20


def resolve_contract(
    run: Run, option: str | None, links: Sequence[RunLink], *, own_word: bool
) -> tuple[str | None, str]:
    """Return the contract id of a run and who named it (``option``, ``config``, ``metadata`` or ``none``).

    Args:
        run: the run.
        option: id given on the command line.
        links: ``[[run]]`` entries of the configuration.
        own_word: whether the run's own metadata may name it; not in profile ``publish``.
    """
    if option:
        return option, "option"
    for link in links:
        if link.contract and ((link.path and _fits(run, link.path)) or (run.layout == "linked" and _linked(run, link))):
            return link.contract, "config"
    if own_word:
        for role in NAMING_ROLES:
            for file in run.of(role):
                named = _named(_head(file.location, file.size))
                if named:
                    return named, "metadata"
    return None, "none"


def _fits(run: Run, glob: str) -> bool:
    return fnmatchcase(run.path, glob.rstrip("/")) or fnmatchcase(run.path, f"*/{glob.rstrip('/')}")


def _linked(run: Run, link: RunLink) -> bool:
    named = [name for name in (link.dataset, link.training, link.eval) if name]
    return bool(named) and all(any(folder.endswith(name.strip("./")) for folder in run.linked) for name in named)


def _head(location: str, size: int) -> Any:
    if size > LIMIT:
        return None
    try:
        with open_regular(Path(location), LIMIT) as stream:
            return msgspec.json.decode(stream.read(LIMIT))
    except (ReadError, OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors, as is bad UTF-8
        return None  # a role file that does not parse is told by OMN006


def _named(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    holders = (value, value.get("summary"))
    for holder in holders:
        for key in ("backbone", "backbone_id"):
            found = holder.get(key) if isinstance(holder, dict) else None
            if isinstance(found, dict):
                found = found.get("id")
            if isinstance(found, str) and found:
                return found
    return None
