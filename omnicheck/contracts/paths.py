"""Paths as a contract may name them: relative, below their root, with forward slashes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omnicheck.contracts.issue import Issue, mapping, pointer_of, shown

_DRIVE = re.compile(r"[A-Za-z]:")


def escape_reason(name: str) -> str | None:
    """Return why a path may not stand in a contract, from its text alone, or None."""
    if not name.strip():
        return "is empty"
    reasons = (
        (name.startswith(("/", "~")), "is absolute"),
        (_DRIVE.match(name) is not None, "names a drive"),
        ("\\" in name, "holds a backslash"),
        (any(not character.isprintable() for character in name), "holds a control character"),
        (".." in name.split("/"), "holds '..'"),
    )
    return next((reason for wrong, reason in reasons if wrong), None)


def judge_required_paths(value: Mapping[str, Any]) -> list[Issue]:
    """Return a CTR105 issue for each required file of a contract that may lead out of its run."""
    artifacts = mapping(value.get("artifact_contract"))
    issues = []
    for key in ("required_eval_files", "required_training_files"):
        names = artifacts.get(key)
        for index, name in enumerate(names if isinstance(names, list) else ()):
            reason = escape_reason(name) if isinstance(name, str) else None
            if reason is not None:
                issues.append(
                    Issue(
                        "CTR105",
                        pointer_of(("artifact_contract", key, index)),
                        f"the required file {shown(name)} {reason}",
                        "a relative path inside the run",
                        name,
                        "Name the file relative to the run's directory, with forward slashes and without '..'.",
                    )
                )
    return issues
