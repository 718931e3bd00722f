"""EC keys for signatures: P-256, P-384 and P-521 in PEM files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omnicheck.model.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

PASSPHRASE_VARIABLE = "OMNICHECK_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable, not its content
CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
MAKE_KEYS = (
    "openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -out key.pem"
    " && openssl ec -in key.pem -pubout -out key.pub.pem"
)
_LIMIT = 64 << 10


def load_private_key(path: Path, ask: Callable[[], str] | None = None) -> EllipticCurvePrivateKey:
    """Read the private key that signs.

    Args:
        path: a PEM file; an encrypted one is opened with the passphrase in ``OMNICHECK_KEY_PASSPHRASE``.
        ask: asked for the passphrase when that variable is not set, such as ``getpass.getpass``.

    Raises:
        UsageError: the file is missing, no private EC key of a supported curve, or the passphrase is wrong or absent.
    """
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - loaded only where something is signed
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as above

    data = _read(path)
    if b"PRIVATE KEY" not in data:
        raise UsageError("holds no private key", path=path.name, hint=f"make one: {MAKE_KEYS}")
    passphrase = None
    if b"ENCRYPTED" in data:
        given = os.environ.get(PASSPHRASE_VARIABLE)
        if given is None and ask is not None:
            given = ask()
        if not given:
            raise UsageError(
                "the private key is encrypted", path=path.name, hint=f"set {PASSPHRASE_VARIABLE} to its passphrase"
            )
        passphrase = given.encode()
    try:
        key: Any = load_pem_private_key(data, passphrase)
    except ValueError as error:
        what = "the passphrase is wrong, or the key is damaged" if passphrase else "the private key cannot be read"
        raise UsageError(what, path=path.name, hint=f"make one anew: {MAKE_KEYS}") from error
    except Exception as error:  # cryptography names algorithms it does not know in errors of several classes
        raise UsageError(f"the private key cannot be read: {error}", path=path.name) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _unsupported(key, path)
    _supported(key.curve.name, path)
    return key


def load_public_key(path: Path) -> EllipticCurvePublicKey:
    """Read the public key that a signature is checked against.

    Args:
        path: a PEM file.

    Raises:
        UsageError: the file is missing, or no public EC key of a supported curve.
    """
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - loaded only where something is verified
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - as above

    data = _read(path)
    if b"PRIVATE KEY" in data:
        raise UsageError(
            "holds a private key; a verifier needs the public one",
            path=path.name,
            hint="take it out with `openssl ec -in key.pem -pubout -out key.pub.pem`, and keep the private one secret",
        )
    try:
        key: Any = load_pem_public_key(data)
    except Exception as error:  # cryptography names algorithms it does not know in errors of several classes
        raise UsageError(
            "holds no public key in PEM form", path=path.name, hint="`openssl ec -in key.pem -pubout` writes one"
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _unsupported(key, path)
    _supported(key.curve.name, path)
    return key


def fingerprint(key: EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of the key's PEM text, hex: what bundles carry as ``hint``."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - as above

    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def hash_for(curve: str) -> HashAlgorithm:
    """Return the hash that belongs to a curve: SHA-256, SHA-384 or SHA-512."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above

    if curve == "secp256r1":
        return hashes.SHA256()
    return hashes.SHA384() if curve == "secp384r1" else hashes.SHA512()


def _read(path: Path) -> bytes:
    # A key may be a link (secrets are mounted so), and it is the user's own: links are followed here.
    try:
        with path.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", path=str(path), hint=f"make a key: {MAKE_KEYS}"
        ) from error
    if len(data) > _LIMIT:
        raise UsageError("is too large for a key", path=path.name)
    return data


def _supported(curve: str, path: Path) -> None:
    if curve not in CURVES:
        raise UsageError(
            f"a key on the curve {curve}; supported are {', '.join(CURVES.values())}",
            path=path.name,
            hint=f"make one: {MAKE_KEYS}",
        )


def _unsupported(key: Any, path: Path) -> UsageError:
    kind = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lstrip("_") or "other"
    return UsageError(
        f"a key of the kind {kind}; bundles are signed with EC keys ({', '.join(CURVES.values())})",
        path=path.name,
        hint=f"make one: {MAKE_KEYS}",
    )
