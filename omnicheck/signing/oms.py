"""OpenSSF Model Signing v1.0: the statement about a tree, and the bundle that carries it.

Source: https://github.com/ossf/model-signing-spec, spec/v1.0.md. The statement names every file with its digest; the
subject's digest is SHA-256 over the raw digests in the order of the list.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from omnicheck.readers.json_document import parse_json
from omnicheck.signing.dsse import Refused, only_keys, seal, unsealed, verify
from omnicheck.signing.keys import fingerprint
from omnicheck.signing.names import collisions, name_fault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

SIGNATURE = "model.sig"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
LEFT_OUT = (".git", ".gitattributes", ".github", ".gitignore")
"""Names at the root that every other signer and verifier of this format leaves out by default."""

MAX_BYTES = 64 << 20
"""Largest signature file that is read: some hundred thousand names."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Statement(Struct, frozen=True, kw_only=True):
    """What a signature says of a tree.

    Attributes:
        subject: name of the directory; informative only.
        root: SHA-256 over the raw digests in the order of the list, hex.
        digests: name to SHA-256, hex, in the order of the list.
        ignored: names that the signer left out, with their whole subtrees.
        allow_symlinks: whether the signer followed links.
    """

    subject: str
    root: str
    digests: dict[str, str]
    ignored: tuple[str, ...] = ()
    allow_symlinks: bool = False


def root_digest(digests: Sequence[str]) -> str:
    """Return SHA-256 over the raw digests (given in hex) in their order, hex."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()


def write_statement(digests: Mapping[str, str], *, subject: str, ignored: Sequence[str] = ()) -> bytes:
    """Return the in-toto statement about a tree: resources by name in code point order, as the specification asks.

    Args:
        digests: name to SHA-256, hex.
        subject: name of the directory.
        ignored: names that are left out.
    """
    names = sorted(digests)
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject, "digest": {"sha256": root_digest([digests[name] for name in names])}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": sorted(set(ignored)),
            },
            "resources": [{"name": name, "algorithm": "sha256", "digest": digests[name]} for name in names],
        },
    }
    return msgspec.json.encode(statement)


def write_bundle(statement: bytes, key: EllipticCurvePrivateKey) -> bytes:
    """Return the signed bundle: one line of JSON, the same for the same statement and key."""
    material = {"publicKey": {"hint": fingerprint(key.public_key())}, "tlogEntries": []}
    bundle = {"mediaType": MEDIA_TYPE, "verificationMaterial": material, "dsseEnvelope": seal(statement, key)}
    return msgspec.json.encode(bundle) + b"\n"


def open_bundle(data: bytes, key: EllipticCurvePublicKey | None) -> Statement:
    """Return the statement of a bundle whose signature holds.

    Args:
        data: the bytes of the signature file.
        key: the pinned public key; None reads the statement without trusting it.

    Raises:
        Refused: the bundle is malformed, of another type, not of this key, or its statement is not acceptable.
    """
    bundle = _strict(data, "the signature file")
    only_keys(bundle, {"mediaType", "verificationMaterial", "dsseEnvelope"}, "the signature file")
    if bundle.get("mediaType") != MEDIA_TYPE:
        raise Refused(f"the media type is {_shown(bundle.get('mediaType'))}, not {MEDIA_TYPE}")
    payload, signature = unsealed(bundle.get("dsseEnvelope"))
    if key is not None:
        hint = _hint(bundle.get("verificationMaterial"))
        # The hint chooses no key: the pinned one judges. One that names another key tells a reader what went wrong.
        other = hint is not None and hint != fingerprint(key)
        try:
            verify(payload, signature, key)
        except Refused as refused:
            raise Refused(f"{refused}; it names the key {_shown(hint)}") from None if other else refused
        if other:
            raise Refused(f"it names the key {_shown(hint)}, but another one signed")
    return _statement(_strict(payload, "the signed statement"))


def _hint(material: Any) -> str | None:
    if not isinstance(material, dict):
        raise Refused("it has no verification material")
    if "publicKey" not in material:
        raise Refused("it was not made with a key (certificates and transparency logs are not supported)")
    key = material["publicKey"]
    hint = key.get("hint") if isinstance(key, dict) else None
    if hint is not None and not isinstance(hint, str):
        raise Refused("the key's hint is no text")
    return hint


def _statement(value: dict[str, Any]) -> Statement:
    only_keys(value, {"_type", "subject", "predicateType", "predicate"}, "the statement")
    for key, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if value.get(key) != wanted:
            raise Refused(f"{key} is {_shown(value.get(key))}, not {wanted}")
    subjects = value.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        count = len(subjects) if isinstance(subjects, list) else 0
        raise Refused(f"it has {count} subjects; exactly one is accepted")
    name, digest = subjects[0].get("name"), subjects[0].get("digest")
    if not isinstance(name, str) or not isinstance(digest, dict) or not _is_digest(digest.get("sha256")):
        raise Refused("its subject has no name or no SHA-256 digest")
    predicate = value.get("predicate")
    if not isinstance(predicate, dict):
        raise Refused("it has no predicate")
    only_keys(predicate, {"serialization", "resources"}, "the predicate")
    ignored, links = _serialization(predicate.get("serialization"))
    digests = _resources(predicate.get("resources"))
    root = root_digest(list(digests.values()))
    if root != digest["sha256"]:
        raise Refused(f"its root digest is {digest['sha256'][:16]}…, but its files give {root[:16]}…")
    return Statement(subject=name, root=root, digests=digests, ignored=ignored, allow_symlinks=links)


def _serialization(value: Any) -> tuple[tuple[str, ...], bool]:
    if not isinstance(value, dict):
        raise Refused("it does not say how the tree was serialised")
    if value.get("method") != "files":
        raise Refused(f"it signs by the method {_shown(value.get('method'))}, which is unsupported; only 'files' is")
    if value.get("hash_type") != "sha256":
        raise Refused(f"it hashes with {_shown(value.get('hash_type'))}, which is unsupported; only 'sha256' is")
    only_keys(value, {"method", "hash_type", "allow_symlinks", "ignore_paths"}, "the serialisation")
    links = value.get("allow_symlinks", False)
    ignored = value.get("ignore_paths", [])
    if not isinstance(links, bool) or not isinstance(ignored, list):
        raise Refused("its serialisation is mistyped")
    for name in ignored:
        if not isinstance(name, str):
            raise Refused("an ignored path is no text")
        fault = name_fault(name)
        if fault is not None:
            raise Refused(f"the ignored path {_shown(name)} {fault}")
    return tuple(ignored), links


def _resources(value: Any) -> dict[str, str]:
    if not isinstance(value, list) or not value:
        raise Refused("it lists no file: a signature over nothing covers nothing")
    digests: dict[str, str] = {}
    names: list[str] = []
    for entry in value:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise Refused("a file in its list has no name")
        name = entry["name"]
        fault = name_fault(name)
        if fault is not None:
            raise Refused(f"the file name {_shown(name)} {fault}")
        if entry.get("algorithm") != "sha256":
            raise Refused(f"{_shown(name)} is hashed with {_shown(entry.get('algorithm'))}, which is unsupported")
        if not _is_digest(entry.get("digest")):
            raise Refused(f"{_shown(name)} has no SHA-256 digest in lower case hex")
        names.append(name)
        digests[name] = entry["digest"]
    for name, earlier, why in collisions(names):
        raise Refused(f"the file names {_shown(earlier)} and {_shown(name)} collide: one {why}")
    # The specification orders by name; the reference implementation orders by the parts of the path.
    if names != sorted(names) and names != sorted(names, key=PurePosixPath):
        raise Refused("its files are not in order")
    return digests


def _strict(data: bytes, what: str) -> dict[str, Any]:
    document = parse_json(data)
    if document.problems:
        problem = document.problems[0]
        raise Refused(f"{what} is not strict JSON: {problem.message}")
    if not isinstance(document.value, dict):
        raise Refused(f"{what} is not a JSON object")
    return document.value


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 100 else text[:97] + "..."
