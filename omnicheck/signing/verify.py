"""Verifying a tree: everything in it is signed, everything signed is in it, and the rest is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from omnicheck.model.errors import ReadError
from omnicheck.readers.gate import open_regular
from omnicheck.signing.compare import (
    Kind,
    Problem,
    Uncovered,
    differing,
    empty_directories,
    permissions,
    uncovered,
    unlisted,
    unsafe_names,
)
from omnicheck.signing.dsse import Refused
from omnicheck.signing.keys import CURVES, fingerprint
from omnicheck.signing.oms import MAX_BYTES, SIGNATURE, Statement, open_bundle
from omnicheck.signing.tree import Entry, list_tree

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


class Verification(Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        problems: in order of kind and name.
        key: SHA-256 of the pinned public key's PEM text, hex.
        curve: ``P-256``, ``P-384`` or ``P-521``.
        statement: what was signed; None when the signature does not hold.
        entries: every entry of the tree.
        digests: name to SHA-256 of the files that were hashed.
        uncovered: what the signature does not cover.
    """

    problems: tuple[Problem, ...]
    key: str
    curve: str
    statement: Statement | None = None
    entries: tuple[Entry, ...] = ()
    digests: dict[str, str] = {}
    uncovered: tuple[Uncovered, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the tree is what the key signed, nothing more and nothing less."""
        return self.statement is not None and all(problem.kind == "not-covered" for problem in self.problems)


def verify_directory(
    root: Path, public_key: EllipticCurvePublicKey, *, allow_ignored: bool = False, signature: Path | None = None
) -> Verification:
    """Verify a directory against one pinned key.

    Args:
        root: the directory.
        public_key: the key that must have signed it.
        allow_ignored: accept files that the signer left out, as long as they are regular files named one by one.
        signature: where the signature file lies; ``model.sig`` in the directory if absent.

    Raises:
        UsageError: the directory cannot be listed.
    """
    place = signature if signature is not None else root / SIGNATURE
    inside = _name_inside(root, place)
    entries = list_tree(root)
    curve = CURVES[public_key.curve.name]
    answer = Verification(problems=(), key=fingerprint(public_key), curve=curve, entries=entries)
    shown_as = inside or place.name
    try:
        with open_regular(place, MAX_BYTES) as stream:
            data = stream.read(MAX_BYTES + 1)
        statement = open_bundle(data, public_key)
    except ReadError as error:
        problem = Problem(kind="signature", name=shown_as, message=f"cannot be read: {error.message}")
        return msgspec.structs.replace(answer, problems=(problem,))
    except Refused as refused:
        problem = Problem(kind="signature", name=shown_as, message=f"is refused: {refused}")
        return msgspec.structs.replace(answer, problems=(problem,))
    problems = list(unsafe_names(entries))
    digests: dict[str, str] = {}
    problems += differing(root, statement, entries, digests)
    problems += unlisted(statement, entries, inside, allow_ignored=allow_ignored)
    problems += empty_directories(entries, statement)
    problems += permissions(entries)
    order: Sequence[Kind] = ("signature", "mismatch", "unlisted", "not-covered")
    return msgspec.structs.replace(
        answer,
        problems=tuple(sorted(problems, key=lambda each: (order.index(each.kind), each.name, each.message))),
        statement=statement,
        digests=digests,
        uncovered=tuple(uncovered(statement, entries, inside)),
    )


def _name_inside(root: Path, place: Path) -> str | None:
    """Return the name of the signature file in the tree, or None when it lies elsewhere."""
    folder, base = place.parent.resolve() / place.name, root.resolve()
    return folder.relative_to(base).as_posix() if folder.is_relative_to(base) else None
