"""What of a run ships: each file is opened once, judged by the policy, redacted and written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from omnicheck.bundle.redaction import check_prefixes, redact_text_file
from omnicheck.bundle.staging import write_new
from omnicheck.content.groups import group_of, words_for
from omnicheck.content.scan import scan_file
from omnicheck.contracts.publication import Decision, Policy, compile_policy, decide
from omnicheck.engine.config import LoadedConfig
from omnicheck.model.bundle import LeftOut, ShippedFile
from omnicheck.model.config import Package
from omnicheck.model.errors import ConfigError, ReadError, UsageError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular
from omnicheck.runs.inventory import take_inventory
from omnicheck.signing.oms import LEFT_OUT

GIVEN = {"README.md": "readme", "LICENSE": "license"}
"""Files that the configuration may give where the run has none."""

GENERATED = frozenset({"MANIFEST", "model.sig", "omnicheck.report.json", "sbom.cdx.json"})
"""Files that a bundle makes anew."""

OPEN_GROUPS = frozenset({"text", "image", "document", "array", "empty"})
"""Groups that ``[package] allow`` may add."""

WHOLE = 1 << 30
"""Bytes of a file that is held in memory; no larger one ships."""


class Staged(Struct, frozen=True):
    """What stands in the staging directory, and what does not.

    Attributes:
        files: what ships, sorted by path.
        left_out: what does not, sorted by path.
        policy_sha256: digest of the policy that decided.
    """

    files: tuple[ShippedFile, ...]
    left_out: tuple[LeftOut, ...]
    policy_sha256: str


def list_source(root: Path, cwd: Path, exclude: Sequence[str]) -> tuple[RunFile, ...]:
    """Return the files below the run directory as they are now, before anything is judged.

    Raises:
        UsageError: the directory does not exist, is a file, or holds a link or a special file.
    """
    if not root.is_dir():
        raise UsageError("no such directory", path=root.name, hint="give the directory of a run")
    inventory = take_inventory([root], cwd, exclude)
    if inventory.unreadable:
        first = inventory.unreadable[0]
        raise UsageError(
            f"cannot be packaged: {first.reason}", path=first.path, hint="put a regular, readable file in its place"
        )
    return inventory.files


def stage(
    root: Path, files: Sequence[RunFile], tree: Path, contract: Mapping[str, Any] | None, loaded: LoadedConfig
) -> Staged:
    """Write what ships below ``tree``.

    Args:
        root: the run directory.
        files: its files, as they were listed before anything was judged.
        tree: an empty directory.
        contract: raw value of the contract in force, or None.
        loaded: the configuration in force.

    Raises:
        ReadError: a file cannot be read, or is not the one that was listed.
        ConfigError: a redaction could not be undone, or a file that the configuration gives is missing.
    """
    package, policy = loaded.config.package, compile_policy(contract)
    check_prefixes(package.prefixes)
    shipped: list[ShippedFile] = []
    left: list[LeftOut] = []
    for file in files:
        name = Path(file.location).relative_to(root).as_posix()
        data = _read(file) if file.size <= WHOLE else b""
        kinds = scan_file(data, file.base)[0].kinds if file.size <= WHOLE else ("unknown",)
        digest = hashlib.sha256(data).hexdigest()
        decision = decide(policy, name, kinds, file.size, digest)
        reason = _reason(name, file.size, decision, package)
        if reason is not None:
            left.append(LeftOut(path=name, size=file.size, kind=decision.kind, reason=reason))
        else:
            shipped.append(_write(tree, name, data, digest, decision.kind, package, "run"))
    for name, source in GIVEN.items():
        given = getattr(package, source)
        if given is not None and not any(each.path == name for each in shipped):
            data = _given(loaded.base / given, given)
            shipped.append(_write(tree, name, data, hashlib.sha256(data).hexdigest(), "text", package, source))
    return Staged(
        files=tuple(sorted(shipped, key=lambda each: each.path)),
        left_out=tuple(sorted(left, key=lambda each: each.path)),
        policy_sha256=_digest(policy, package),
    )


def _read(file: RunFile) -> bytes:
    """Read a file in one go from one descriptor; it must be the file that was listed, before and after."""
    with open_regular(file.disk, WHOLE) as stream:
        before = os.fstat(stream.fileno())
        data = stream.read(file.size + 1)
        after = os.fstat(stream.fileno())
    listed = (file.size, file.mtime_ns, file.ctime_ns, file.inode)
    for status in (before, after):
        if (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino) != listed or len(data) != file.size:
            raise ReadError(
                "changed while it was packaged", path=file.path, hint="package a run that nothing writes to"
            )
    return data


def _reason(name: str, size: int, decision: Decision, package: Package) -> str | None:
    """Return why a file does not ship; None when it does."""
    if name in GENERATED:
        return "made anew for every bundle"
    if name.split("/", 1)[0] in LEFT_OUT:
        return "other verifiers pass over this name, so no signature would cover it"
    if _fits(name, package.deny):
        return "the configuration denies it ([package] deny)"
    if decision.ships:
        return None
    if decision.cause == "undeclared" and group_of(decision.kind) in OPEN_GROUPS and _fits(name, package.allow):
        return None
    what = words_for(decision.kind)
    if decision.cause == "too_large":
        return f"{size:,} bytes of {decision.what or what}, more than the {decision.limit or 0:,} that may ship"
    if decision.cause == "undeclared":
        return f"{what}, which nothing declares fit to ship ([package] allow)"
    return f"{what}{f', {decision.what}' if decision.what else ''}: never ships unless the contract releases it"


def _write(tree: Path, name: str, data: bytes, digest: str, kind: str, package: Package, source: str) -> ShippedFile:
    text = group_of(kind) == "text"
    cut = package.logs if text and _fits(name, package.logs.files) else None
    done = redact_text_file(name, data, prefixes=package.prefixes if text else {}, cut=cut)
    write_new(tree, name, done.data)
    if not done.edits:
        return ShippedFile(path=name, size=len(data), sha256=digest, kind=kind, source=source)
    return ShippedFile(
        path=name,
        size=len(done.data),
        sha256=hashlib.sha256(done.data).hexdigest(),
        kind=kind,
        source=source,
        original_size=len(data),
        original_sha256=digest,
        edits=done.edits,
    )


def _given(place: Path, shown: str) -> bytes:
    try:
        with open_regular(place, 16 << 20) as stream:
            return stream.read()
    except ReadError as error:
        raise ConfigError(f"cannot be read: {error.message}", path=shown, pointer="/package") from error


def _digest(policy: Policy, package: Package) -> str:
    # Prefixes name people and machines, so that even their digest stays out.
    shown = msgspec.structs.replace(package, prefixes={})
    return hashlib.sha256(msgspec.json.encode([policy, shown], order="sorted")).hexdigest()


def _fits(name: str, globs: Sequence[str]) -> bool:
    base = name.rsplit("/", 1)[-1]
    return any(fnmatchcase(name if "/" in glob else base, glob) for glob in globs)
