"""What of a run ships: each file is opened once, judged by the policy, redacted and written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from omnicheck.bundle.redaction import check_prefixes, redact_text_file
from omnicheck.bundle.staging import write_new
from omnicheck.engine.config import LoadedConfig
from omnicheck.model.bundle import LeftOut, ShippedFile
from omnicheck.model.config import Package
from omnicheck.model.errors import ReadError, UsageError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular
from omnicheck.runs.inventory import take_inventory

TEXTS = frozenset({"text", "json", "jsonl", "csv", "notebook", "yaml", "empty"})
"""Kinds that are redacted."""


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
