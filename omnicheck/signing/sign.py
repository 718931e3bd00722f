"""Signing a tree: nothing is signed that a verifier on another system could not unpack to the same files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omnicheck.model.errors import UsageError
from omnicheck.signing.names import collisions, name_fault
from omnicheck.signing.oms import LEFT_OUT, SIGNATURE, write_bundle, write_statement
from omnicheck.signing.tree import hash_entry, list_tree, shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


def sign_directory(root: Path, key: EllipticCurvePrivateKey, *, ignore: Sequence[str] = ()) -> bytes:
    """Return the signature over every file of a directory, to be written to ``model.sig`` in it.

    Args:
        root: the directory.
        key: the private key.
        ignore: names of single files that are left out and recorded as ignored, besides ``model.sig``.

    Raises:
        UsageError: the tree is empty, holds a link, a special file or an unsafe name, or cannot be read.
        ReadError: a file cannot be read, or changes meanwhile.
    """
    left_out = {SIGNATURE, *ignore}
    digests: dict[str, str] = {}
    for entry in list_tree(root):
        if entry.name in left_out and entry.kind == "file":
            continue
        if entry.kind in ("link", "special"):
            what = "a symbolic link" if entry.kind == "link" else "not a regular file"
            raise UsageError(f"is {what}, which no signature covers", path=shown(entry.name), hint="remove it")
        if entry.name in LEFT_OUT:
            raise _left_out(entry.name)
        if entry.kind == "file":
            digests[entry.name] = hash_entry(root, entry)
    return sign_digests(digests, key, subject=root.resolve().name, ignore=sorted(left_out))


def sign_digests(
    digests: Mapping[str, str], key: EllipticCurvePrivateKey, *, subject: str, ignore: Sequence[str] = (SIGNATURE,)
) -> bytes:
    """Return the signature over files that were hashed already.

    Args:
        digests: name to SHA-256, hex.
        key: the private key.
        subject: name of the directory; informative.
        ignore: names recorded as ignored.

    Raises:
        UsageError: there is no file, or a name is unsafe.
    """
    if not digests:
        raise UsageError("there is no file to sign", hint="a signature over nothing covers nothing")
    for name in digests:
        if name.split("/", 1)[0] in LEFT_OUT:
            raise _left_out(name)
    for name in (*digests, *ignore):
        fault = name_fault(name)
        if fault is not None:
            raise UsageError(f"the name {shown(name)!a} {fault}", hint="rename the file")
    for name, earlier, why in collisions(sorted(digests)):
        raise UsageError(f"the names {earlier!a} and {name!a} collide: one {why}", hint="rename one of them")
    return write_bundle(write_statement(digests, subject=subject or "model", ignored=ignore), key)


def _left_out(name: str) -> UsageError:
    return UsageError(
        "other verifiers leave this name out, so that no signature over it could be checked",
        path=name,
        hint=f"remove {', '.join(LEFT_OUT)} from the tree",
    )
