"""The end of a bundle: every byte is hashed once more, listed in ``MANIFEST`` and signed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omnicheck.bundle.staging import write_new
from omnicheck.model.errors import ReadError
from omnicheck.readers.gate import open_regular
from omnicheck.signing.manifest import MANIFEST, write_manifest
from omnicheck.signing.oms import SIGNATURE
from omnicheck.signing.sign import sign_digests
from omnicheck.signing.tree import list_tree

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

SUBJECT = "bundle"
"""Name of the subject in the statement: never that of the directory, so that the same input gives the same bytes."""


def seal(tree: Path, written: Mapping[str, str], key: EllipticCurvePrivateKey) -> None:
    """Write ``MANIFEST`` and ``model.sig`` over exactly the files that were written and scanned.

    Args:
        tree: the finished bundle.
        written: name to SHA-256 (hex) of everything that was written there.
        key: signs it.

    Raises:
        ReadError: a file is not the one that was written, or one was added.
    """
    found = {entry.name for entry in list_tree(tree) if entry.kind != "directory"}
    if found != set(written):
        raise ReadError("the staging directory changed before it was signed", path=min(found ^ set(written)))
    for name, digest in written.items():
        if _digest(tree / name) != digest:
            raise ReadError("changed before it was signed", path=name, hint="nothing else may write there")
    manifest = write_manifest(written)
    write_new(tree, MANIFEST, manifest)
    digests = {**written, MANIFEST: hashlib.sha256(manifest).hexdigest()}
    write_new(tree, SIGNATURE, sign_digests(digests, key, subject=SUBJECT))


def _digest(place: Path) -> str:
    found = hashlib.sha256()
    with open_regular(place) as stream:
        while chunk := stream.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()
