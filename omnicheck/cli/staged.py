"""Which runs hold files that are staged in git: the pre-commit form of ``check``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from omnicheck.model.errors import UsageError
from omnicheck.model.run import Run, RunFile
from omnicheck.runs.discover import OWN_SHARD, PARTS, SHARD, discover
from omnicheck.runs.inventory import take_inventory
from omnicheck.runs.roles import Role, role_of, role_table


def staged_runs(cwd: Path, scope: Sequence[Path], roles: Mapping[str, tuple[str, ...]]) -> tuple[Path, ...]:
    """Return the roots of the runs below ``scope`` that hold a staged file; nothing relevant staged gives none.

    Args:
        cwd: the working directory, inside a git repository.
        scope: only staged files below these paths count.
        roles: a team's own globs per role.

    Raises:
        UsageError: git is missing, or this is no repository.
    """
    top, staged = _staged(cwd)
    bases = [Path(os.path.abspath(cwd / path)) for path in scope]  # noqa: PTH100 - resolve() would follow links
    inside = [path for path in staged if any(path.is_relative_to(base) for base in bases)]
    table = role_table(roles)
    # Only a directory that has, or had, a role file near it can be a run: most commits stop here.
    folders = sorted({_whole(folder) for path in inside for folder in _near(path, top) if _has_role(folder, table)})
    outermost = [
        folder for folder in folders if not any(other != folder and folder.is_relative_to(other) for other in folders)
    ]
    found: dict[str, Path] = {}
    for folder in outermost:
        for run in discover(take_inventory((folder,), cwd), dict(roles)).runs:
            places = _places(run)
            if any(path.is_relative_to(place) for path in inside for place in places) and _owns(
                run.location, inside, run.files
            ):
                found.update((str(place), place) for place in places)
    return tuple(path.relative_to(cwd) if path.is_relative_to(cwd) else path for _, path in sorted(found.items()))


def _places(run: Run) -> list[Path]:
    """Return the directories of a run: its root, and its shards beside that, which may be all there is of it."""
    root = Path(run.location)
    beside = {root.parent / file.name.split("/", 2)[1] for file in run.files if file.name.startswith("../")}
    return [root, *sorted(beside)] if root.is_dir() else sorted(beside)


def _owns(root: str, staged: Sequence[Path], files: Sequence[RunFile]) -> bool:
    known = {file.location for file in files}
    gone = [path for path in staged if path.is_relative_to(Path(root)) and not path.exists()]
    return bool(gone) or any(str(path) in known for path in staged)


def _staged(cwd: Path) -> tuple[Path, list[Path]]:
    git = shutil.which("git")
    if git is None:
        raise UsageError("--staged needs git", hint="install git, or give the paths to check")
    command = [git, "-C", str(cwd), "rev-parse", "--show-toplevel"]
    top = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a fixed command without a shell
    if top.returncode:
        raise UsageError("--staged works in a git repository only", path=str(cwd))
    root = Path(os.fsdecode(top.stdout.rstrip(b"\n")))
    command = [git, "-C", str(root), "diff", "--cached", "--name-only", "-z", "--no-ext-diff", "--no-renames"]
    # Without renames: a file that was moved away is missing where it was, and that run is looked at too.
    names = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - as above
    if names.returncode:
        raise UsageError("git could not list the staged files", path=str(root))
    return root, [root / os.fsdecode(name) for name in names.stdout.split(b"\0") if name]


def _near(path: Path, top: Path) -> list[Path]:
    """Return the directories of a file up to the repository's top, at most three: a run's parts lie no deeper."""
    return [folder for folder in list(path.parents)[:3] if folder.is_relative_to(top)]


def _whole(folder: Path) -> Path:
    """Return the directory that a part of a package or a shard belongs to."""
    part = folder.name in PARTS or SHARD.match(folder.name) or OWN_SHARD.match(folder.name)
    return folder.parent if part else folder


def _has_role(folder: Path, table: tuple[Role, ...]) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any((role := role_of(entry.path, table)) is not None and role.anchor for entry in entries)
    except OSError:
        return False
