"""What a bundle says of its own making: which files ship, from which bytes, and what was left out."""

from __future__ import annotations

from msgspec import Struct


class Edit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One redaction of one file.

    Attributes:
        kind: ``prefix`` (a path prefix became a placeholder) or ``cut`` (the middle of a log was left out).
        placeholder: what stands for the prefix; empty for a cut.
        count: prefixes replaced, or lines left out.
        size: bytes left out; 0 for a prefix.
    """

    kind: str
    placeholder: str = ""
    count: int
    size: int = 0


class ShippedFile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of the bundle.

    Attributes:
        path: name in the bundle; in the run as well, unless ``source`` says otherwise.
        size: bytes, as shipped.
        sha256: digest as shipped, in hex.
        kind: what its bytes are.
        source: ``run``, or what it was given as: ``readme``, ``license``.
        original_size: bytes before the edits; only with edits.
        original_sha256: digest before the edits; only with edits.
        edits: the redactions, in order.
    """

    path: str
    size: int
    sha256: str
    kind: str
    source: str = "run"
    original_size: int | None = None
    original_sha256: str | None = None
    edits: tuple[Edit, ...] = ()


class LeftOut(Struct, frozen=True, kw_only=True):
    """A file of the run that does not ship, and why."""

    path: str
    size: int
    kind: str
    reason: str


class BundleRecord(Struct, frozen=True, kw_only=True):
    """The making of a bundle.

    Attributes:
        contract: id of the contract that judged the run.
        contract_sha256: digest of its canonical JSON.
        policy_sha256: digest of the publication policy in force.
        files: what ships, sorted by path; the report itself, the bill of materials, MANIFEST and the signature are
            not listed.
        left_out: what does not, sorted by path.
    """

    contract: str
    contract_sha256: str
    policy_sha256: str
    files: tuple[ShippedFile, ...]
    left_out: tuple[LeftOut, ...]
