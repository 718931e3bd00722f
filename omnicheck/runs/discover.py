"""From the inventory to runs: which directory is a run, and which files are its own."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath

import msgspec

from omnicheck.model.run import Run, RunFile, Unread
from omnicheck.runs.inventory import Inventory, kind_of
from omnicheck.runs.roles import Role, role_of, role_table, tag_of

PARTS = frozenset({"dataset", "training", "eval", "validation", "analysis"})
"""Directories of a packaged tree; with ``analysis`` beside them."""

SHARD = re.compile(r"shards?(?:[_.-]?\d+(?:[_.-]?of[_.-]?\d+)?)?$")
"""A directory that holds one shard of its parent's evaluation: ``shard_0``, ``shard-03-of-08``, ``shards``."""


class Found(msgspec.Struct, frozen=True):
    """The runs of an inventory, and the files that belong to none as one tree."""

    runs: tuple[Run, ...]
    tree: Run


def discover(
    inventory: Inventory, roles: dict[str, tuple[str, ...]], linked: tuple[tuple[str, ...], ...] = ()
) -> Found:
    """Bind files to runs and roles.

    A directory is a run when a file of an anchoring role lies in it; the parts of a packaged tree and the
    shard directories of an evaluation belong to their parent. A file belongs to the nearest run root.

    Args:
        inventory: what was found on disk.
        roles: a team's own globs per role.
        linked: groups of absolute directories that make one run each.
    """
    table = role_table(roles)
    owners: dict[str, list[RunFile]] = defaultdict(list)
    anchors = _run_roots(inventory, table)
    links = {folder: group for group in linked for folder in group}
    outside: list[RunFile] = []
    for file in inventory.files:
        folder = file.location.rsplit("/", 1)[0]
        owner = _nearest(folder, links) or _nearest(folder, anchors)
        if owner is None:
            outside.append(file)
        else:
            owners[links[owner][0] if owner in links else owner].append(file)
    unread: dict[str, list[Unread]] = defaultdict(list)
    for entry in inventory.unreadable:
        place = entry.location.rsplit("/", 1)[0]
        near = _nearest(place, links) or _nearest(place, anchors) or ""
        unread[links[near][0] if near in links else near].append(entry)
    runs = [
        _run(root, files, table, next((group for group in linked if group[0] == root), ()))
        for root, files in sorted(owners.items())
    ]
    tree = Run(
        path=inventory.roots[0] if inventory.roots else ".",
        location="",
        layout="tree",
        files=_bind(outside, "", table),
        unread=tuple(unread[""]),
    )
    runs = [msgspec.structs.replace(run, unread=tuple(unread[run.location])) for run in runs]
    return Found(tuple(sorted(runs, key=lambda run: run.path)), tree)


def _run_roots(inventory: Inventory, table: tuple[Role, ...]) -> set[str]:
    anchored: set[str] = set()
    for file in inventory.files:
        role = role_of(file.location, table)
        if role is not None and role.anchor:
            anchored.add(file.location.rsplit("/", 1)[0])
    return {_lift(folder, anchored) for folder in anchored}


def _lift(folder: str, anchored: set[str]) -> str:
    """Return the run root of a directory that holds role files: itself, or what it is a part of."""
    path = PurePosixPath(folder)
    if SHARD.match(path.name):
        parent = path.parent
        if parent.name == "shards":
            parent = parent.parent
        if str(parent) in anchored or path.name != "shards":
            path = parent
    if path.name in PARTS:
        siblings = {PurePosixPath(other).name for other in anchored if PurePosixPath(other).parent == path.parent}
        if str(path.parent) in anchored or len(siblings & PARTS) > 1 or path.name in {"eval", "training"}:
            path = path.parent
    return str(path)


def _nearest(folder: str, roots: set[str] | dict[str, tuple[str, ...]]) -> str | None:
    while folder:
        if folder in roots:
            return folder
        folder = folder.rpartition("/")[0]
    return None


def _run(root: str, files: list[RunFile], table: tuple[Role, ...], linked: tuple[str, ...]) -> Run:
    bound = tuple(
        file for base in linked for file in _bind([f for f in files if f.location.startswith(base + "/")], base, table)
    )
    if not linked:
        bound = _bind(files, root, table)
    shown = _root_path(bound[0], root)
    parts = {file.name.split("/", 1)[0] for file in bound if "/" in file.name}
    layout = "linked" if linked else "packaged" if len(parts & PARTS) > 1 else "flat"
    return Run(path=shown, location=root, files=bound, layout=layout, linked=linked)


def _root_path(file: RunFile, root: str) -> str:
    """Return the display path of a run root from one of its files."""
    below = file.location[len(root) :].lstrip("/").count("/") + 1
    parts = file.path.split("/")
    return "/".join(parts[:-below]) or "."


def _bind(files: list[RunFile], root: str, table: tuple[Role, ...]) -> tuple[RunFile, ...]:
    bound = []
    for file in files:
        name = file.location[len(root) + 1 :] if root else file.path
        role = role_of(name, table)
        bound.append(
            msgspec.structs.replace(
                file,
                name=name.encode("utf-8", "backslashreplace").decode("utf-8"),
                kind=kind_of(file),
                role=role.name if role else None,
                tag=tag_of(file.base),
            )
        )
    return tuple(sorted(bound, key=lambda file: file.name))
