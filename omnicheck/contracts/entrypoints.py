"""Entrypoints of a backbone: the scripts that its contract says exist."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omnicheck.contracts.issue import Issue, mapping, pointer_of, shown
from omnicheck.contracts.paths import escape_reason
from omnicheck.model.errors import EscapeError
from omnicheck.readers.gate import inside

if TYPE_CHECKING:
    from omnicheck.contracts.backbone import Backbone

NEEDED = ("train", "eval")
"""What a backbone must have to be called implemented."""


def judge_declared_entrypoints(value: Mapping[str, Any]) -> list[Issue]:
    """Return the CTR103 issues that the text of a contract shows: escaping paths, an implementation without scripts."""
    entrypoints = value.get("entrypoints")
    if not isinstance(entrypoints, dict):
        return []
    issues = []
    for name, path in sorted(entrypoints.items()):
        reason = escape_reason(path) if isinstance(path, str) and path.strip() else None
        if reason is not None:
            issues.append(_issue(name, f"the entrypoint {name} {shown(path)} {reason}", path))
    if value.get("status") == "implemented":
        for name in NEEDED:
            path = entrypoints.get(name)
            if path is None or (isinstance(path, str) and not path.strip()):
                issues.append(
                    Issue(
                        "CTR103",
                        pointer_of(("entrypoints", name) if name in entrypoints else ("entrypoints",)),
                        f"the backbone is called implemented, but has no {name} entrypoint",
                        "a relative script path",
                        path,
                        f"Name the {name} script, or set status to planned_adapter.",
                    )
                )
    return issues


def judge_entrypoints(backbone: Backbone | Mapping[str, Any], workspace: Path | None) -> tuple[Issue, ...]:
    """Return the CTR103 issues that only the workspace can show.

    What the text alone shows is told by ``judge_declared_entrypoints``, and not repeated here.

    Args:
        backbone: the model, or the contract's raw value.
        workspace: root of the repository that holds the scripts; None when it is not known.

    Returns:
        One issue for each entrypoint of an implemented backbone that is missing, no regular file, or reached through
        a link that leaves the workspace. A workspace that holds none of them gives one issue in all, with the variant
        ``other-workspace``: most likely the scripts live elsewhere. Empty when the workspace is not known.
    """
    if workspace is None:
        return ()
    if isinstance(backbone, Mapping):
        status, entrypoints = backbone.get("status"), mapping(backbone.get("entrypoints"))
    else:
        status, entrypoints = backbone.status, dict(backbone.entrypoints)
    if status != "implemented":
        return ()
    named = {
        name: path
        for name, path in sorted(entrypoints.items())
        if isinstance(path, str) and path.strip() and escape_reason(path) is None
    }
    issues = []
    absent = 0
    for name, path in named.items():
        try:
            place = inside(workspace, path)
        except EscapeError as error:
            issues.append(_issue(name, f"the entrypoint {name}: {error.message}", path))
            continue
        if not _exists(place):
            absent += 1
            issues.append(_issue(name, f"the entrypoint {name} {shown(path)} is not in the workspace", path))
        elif not place.is_file():
            issues.append(_issue(name, f"the entrypoint {name} {shown(path)} is not a file", path))
    if absent > 1 and absent == len(named):
        return (
            Issue(
                "CTR103",
                "/entrypoints",
                f"none of the {absent} entrypoints is in the workspace",
                sorted(set(named.values())),
                None,
                "Run from the repository that holds the scripts, or correct their paths.",
                "other-workspace",
            ),
        )
    return tuple(issues)


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        return False


def _issue(name: str, message: str, path: str) -> Issue:
    return Issue(
        "CTR103",
        pointer_of(("entrypoints", name)),
        message,
        "a file inside the workspace",
        path,
        "Give the script's path relative to the workspace, or null while there is none.",
    )
