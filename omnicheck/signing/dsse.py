"""DSSE, the envelope of a signed payload (https://github.com/secure-systems-lab/dsse, protocol 1.0)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from omnicheck.signing.keys import hash_for

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Refused(Exception):  # noqa: N818 - it is not an error of the tool: it is the answer
    """A signature or a statement that the verifier does not accept, and why."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: the pre-authentication encoding of type and payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, key: EllipticCurvePrivateKey) -> dict[str, Any]:
    """Return the envelope of a payload, signed; the same payload and key give the same bytes (RFC 6979)."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - loaded only where something is signed

    signature = key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(hash_for(key.curve.name), deterministic_signing=True))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
    }


def unsealed(envelope: Any) -> tuple[bytes, bytes]:
    """Return payload and signature of an envelope, not yet verified.

    Raises:
        Refused: it has another type, not exactly one signature, or is no canonical base64.
    """
    if not isinstance(envelope, dict):
        raise Refused("it has no DSSE envelope")
    if envelope.get("payloadType") != PAYLOAD_TYPE:
        raise Refused(f"the payload type is {_shown(envelope.get('payloadType'))}, not {PAYLOAD_TYPE}")
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        count = len(signatures) if isinstance(signatures, list) else 0
        raise Refused(f"it holds {count} signatures; exactly one is accepted")
    _only(envelope, {"payload", "payloadType", "signatures"}, "the envelope")
    _only(signatures[0], {"sig", "keyid"}, "the signature")
    return _decoded(envelope.get("payload"), "payload"), _decoded(signatures[0].get("sig"), "signature")


def verify(payload: bytes, signature: bytes, key: EllipticCurvePublicKey) -> None:
    """Check the signature of a payload against one key.

    Raises:
        Refused: the key did not sign these bytes.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - loaded only where something is verified
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.utils import (  # noqa: PLC0415 - as above
        decode_dss_signature,
        encode_dss_signature,
    )

    try:
        if encode_dss_signature(*decode_dss_signature(signature)) != signature:
            raise Refused("the signature is not in its one canonical encoding (DER)")
        key.verify(signature, pae(PAYLOAD_TYPE, payload), ec.ECDSA(hash_for(key.curve.name)))
    except InvalidSignature:
        raise Refused("the signature is not of this key, or the signed statement was changed") from None
    except ValueError:
        raise Refused("the signature is not an ECDSA signature in DER") from None


def only_keys(value: Any, allowed: set[str], what: str) -> None:
    """Refuse an object with keys that nobody defined.

    Raises:
        Refused: it has any.
    """
    _only(value, allowed, what)


def _only(value: dict[str, Any], allowed: set[str], what: str) -> None:
    unknown = sorted(set(value) - allowed)
    if unknown:
        raise Refused(f"{what} holds the unknown key {_shown(unknown[0])}")


def _decoded(text: Any, what: str) -> bytes:
    if not isinstance(text, str):
        raise Refused(f"the {what} is missing")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Refused(f"the {what} is not base64") from None
    # Bits that the decoder drops would let two texts be one payload.
    if base64.b64encode(data).decode() != text:
        raise Refused(f"the {what} is not base64 in its one canonical form")
    return data


def _shown(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
