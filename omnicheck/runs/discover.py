"""From the inventory to runs: which directory is a run, and which files are its own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath

import msgspec

from omnicheck.model.errors import ReadError
from omnicheck.model.run import Run, RunFile, Unread
from omnicheck.readers.gate import open_regular
from omnicheck.runs.inventory import Inventory, kind_of
from omnicheck.runs.roles import Role, role_of, role_table, tag_of

PARTS = frozenset({"dataset", "training", "eval", "validation", "analysis"})
"""Directories of a packaged tree; with ``analysis`` beside them."""

SHARD = re.compile(r"shards?(?:[_.-]?\d+(?:[_.-]?of[_.-]?\d+)?)?$")
"""A directory that holds one shard of its parent's evaluation: ``shard_0``, ``shard-03-of-08``, ``shards``."""


OWN_SHARD = re.compile(r"(?P<whole>.+?)[_.-]shard[_.-]?\d+(?:[_.-]?of[_.-]?\d+)?$")
"""A directory that names the evaluation that it is a shard of: ``night_eval_shard3``, ``eval-shard-3-of-8``."""

EVALUATIONS = frozenset({"eval", "evaluation", "test", "val", "predictions"})
"""Names that say nothing apart from the directory above them."""


LIMIT = 4 << 20
"""Bytes of a metrics file that is looked at for the shards it names."""


class Found(msgspec.Struct, frozen=True):
    """The runs of an inventory, and the files that belong to none as one tree."""

    runs: tuple[Run, ...]
    tree: Run


def discover(
    inventory: Inventory, roles: dict[str, tuple[str, ...]], linked: tuple[tuple[str, ...], ...] = ()
) -> Found:
    """Bind files to runs and roles.

    A directory is a run when a file of an anchoring role lies in it; the parts of a packaged tree and the
    shard directories of an evaluation belong to their parent. Directories ``<eval>_shard_<k>`` belong to the run of
    ``<eval>`` beside them; without it they make one run together. A file belongs to the nearest run root.

    Args:
        inventory: what was found on disk.
        roles: a team's own globs per role.
        linked: groups of absolute directories that make one run each.
    """
    table = role_table(roles)
    owners: dict[str, list[RunFile]] = defaultdict(list)
    anchors, shards = _run_roots(inventory, table)
    links = {folder: group for group in linked for folder in group}
    outside: list[RunFile] = []
    for file in inventory.files:
        folder = file.location.rsplit("/", 1)[0]
        owner = _nearest(folder, links)
        if owner is not None:
            owners[links[owner][0]].append(file)
            continue
        owner = _nearest(folder, anchors | shards.keys())
        if owner is None:
            outside.append(file)
        else:
            owners[shards.get(owner, owner)].append(file)
    unread: dict[str, list[Unread]] = defaultdict(list)
    for entry in inventory.unreadable:
        place = entry.location.rsplit("/", 1)[0]
        link = _nearest(place, links)
        near = links[link][0] if link is not None else _nearest(place, anchors | shards.keys()) or ""
        unread[shards.get(near, near)].append(entry)
    runs = [
        _run(root, files, table, next((group for group in linked if group[0] == root), ()), shards.keys())
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


def _run_roots(inventory: Inventory, table: tuple[Role, ...]) -> tuple[set[str], dict[str, str]]:
    """Return the run roots, and each directory that is a shard of a run beside it with the root of that run."""
    anchored: set[str] = set()
    predicted: set[str] = set()
    gathering: set[str] = set()
    yielding: set[str] = set()
    for file in inventory.files:
        role = role_of(file.location, table)
        if role is None:
            continue
        folder = file.location.rsplit("/", 1)[0]
        if role.gathers:
            gathering.add(folder)
        if role.anchor:
            (yielding if role.yields else anchored).add(folder)
        if role.name == "shard_predictions":
            predicted.add(folder)
    shards = {**_own_shards(predicted, anchored), **_named_shards(inventory, table, anchored)}
    roots = {_lift(folder, anchored) for folder in anchored - shards.keys()}
    for folder in sorted(yielding):  # outer directories first
        if _nearest(folder, roots) is None:
            roots.add(_outermost(folder, gathering) or folder)
    return roots, {folder: root for folder, root in shards.items() if folder not in roots}


def _own_shards(predicted: set[str], anchored: set[str]) -> dict[str, str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for folder in predicted:
        path = PurePosixPath(folder)
        match = OWN_SHARD.match(path.name)
        if match is not None:
            groups[str(path.parent / match["whole"])].append(folder)
    found: dict[str, str] = {}
    for whole, folders in groups.items():
        path = PurePosixPath(whole)
        if whole in anchored:
            root = _lift(whole, anchored)
        elif path.parent.name in PARTS or (path.name in EVALUATIONS and str(path.parent) in anchored):
            root = _lift(str(path.parent), anchored)
        elif len(folders) > 1:
            root = whole
        else:
            continue
        found.update(dict.fromkeys(folders, root))
    return found


def _outermost(folder: str, gathering: set[str]) -> str | None:
    """Return the highest directory above or at ``folder`` that gathers what lies below it."""
    found = None
    while (here := _nearest(folder, gathering)) is not None:
        found = here
        folder = here.rpartition("/")[0]
    return found


def _named_shards(inventory: Inventory, table: tuple[Role, ...], anchored: set[str]) -> dict[str, str]:
    """Return the directories that merged metrics beside them name as their shards, with the root of their run."""
    predicted = {
        file.location.rsplit("/", 1)[0]
        for file in inventory.files
        if (role := role_of(file.location, table)) is not None and role.name in ("predictions", "shard_predictions")
    }
    found: dict[str, str] = {}
    for file in inventory.files:
        role = role_of(file.location, table)
        if role is None or role.name != "metrics":
            continue
        folder = file.location.rsplit("/", 1)[0]
        root = _lift(folder, anchored)
        for name in _shard_names(file):
            places = {f"{folder}/{name}", *(f"{base.rpartition('/')[0]}/{name}" for base in (folder, root))}
            for place in sorted(places & predicted - {folder, root}):
                found.setdefault(place, root)
    return found


def _shard_names(file: RunFile) -> list[str]:
    """Return the last names of the directories in ``shard_dirs``."""
    if file.size > LIMIT:
        return []
    try:
        with open_regular(file.disk, LIMIT) as stream:
            data = stream.read(LIMIT)
        value = msgspec.json.decode(data) if b'"shard_dirs"' in data else None
    except (ReadError, OSError, msgspec.DecodeError, RecursionError):
        return []  # a role file that does not parse is told by OMN006
    listed = value.get("shard_dirs") if isinstance(value, dict) else None
    names = [each.rstrip("/").rpartition("/")[2] for each in listed or () if isinstance(each, str)]
    return [name for name in names if name not in ("", ".", "..")]


def _lift(folder: str, anchored: set[str]) -> str:
    """Return the run root of a directory that holds role files: itself, or what it is a part of."""
    path = PurePosixPath(folder)
    above = _unsharded(folder)
    if str(above) in anchored or path.name != "shards":
        path = above
    if path.name in PARTS:
        siblings = {other.name for other in map(_unsharded, anchored) if other.parent == path.parent}
        if str(path.parent) in anchored or len(siblings & PARTS) > 1 or path.name in {"eval", "training"}:
            path = path.parent
    return str(path)


def _unsharded(folder: str) -> PurePosixPath:
    """Return the directory whose evaluation a shard directory is a part of; any other directory as it is."""
    path = PurePosixPath(folder)
    if not SHARD.match(path.name):
        return path
    return path.parent.parent if path.parent.name == "shards" else path.parent


def _nearest(folder: str, roots: set[str] | dict[str, tuple[str, ...]]) -> str | None:
    while folder:
        if folder in roots:
            return folder
        folder = folder.rpartition("/")[0]
    return None


def _run(
    root: str,
    files: list[RunFile],
    table: tuple[Role, ...],
    linked: tuple[str, ...],
    shards: AbstractSet[str] = frozenset(),
) -> Run:
    bound = tuple(
        file for base in linked for file in _bind([f for f in files if f.location.startswith(base + "/")], base, table)
    )
    if not linked:
        bound = _bind(files, root, table, shards)
    shown = _root_path(bound[0], root)
    parts = {file.name.split("/", 1)[0] for file in bound if "/" in file.name}
    layout = "linked" if linked else "packaged" if len(parts & PARTS) > 1 else "flat"
    return Run(path=shown, location=root, files=bound, layout=layout, linked=linked)


def _root_path(file: RunFile, root: str) -> str:
    """Return the display path of a run root from one of its files."""
    if not file.location.startswith(f"{root}/"):
        base, _, name = root.rpartition("/")
        parent = _root_path(file, base)
        return name if parent == "." else f"{parent}/{name}"
    below = file.location[len(root) :].lstrip("/").count("/") + 1
    parts = file.path.split("/")
    return "/".join(parts[:-below]) or "."


def _name(file: RunFile, root: str) -> str:
    """Return the name of a file in its run; that of a shard beside the run begins with ``../``."""
    if not root:
        return file.path
    if file.location.startswith(f"{root}/"):
        return file.location[len(root) + 1 :]
    return f"../{file.location[len(root.rpartition('/')[0]) + 1 :]}"


def _bind(
    files: list[RunFile], root: str, table: tuple[Role, ...], shards: AbstractSet[str] = frozenset()
) -> tuple[RunFile, ...]:
    bound = []
    for file in files:
        name = _name(file, root)
        # A directory may be a shard whatever its name.
        own = file.location.rsplit("/", 1)[0] in shards
        role = role_of(f"shard_0/{file.location.rsplit('/', 1)[1]}" if own else name, table)
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
