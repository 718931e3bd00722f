"""Which keys sign and verify, and what is said of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from omnicheck.model.errors import UsageError
from omnicheck.signing.keys import CURVES, PASSPHRASE_VARIABLE, fingerprint, load_private_key, load_public_key
from omnicheck.signing.sign import sign_directory
from omnicheck.signing.verify import verify_directory
from tests.signing.trees import fill

PHRASE = "correct horse"


def private_pem(
    key: object, encryption: KeySerializationEncryption, form: PrivateFormat = PrivateFormat.PKCS8
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, encryption)  # type: ignore[attr-defined, no-any-return]


def public_pem(key: Any) -> bytes:
    data: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return data


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encrypted", [True, False])
def test_every_curve_signs_and_verifies(
    tmp_path: Path,
    any_key: ec.EllipticCurvePrivateKey,
    form: PrivateFormat,
    encrypted: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PHRASE)
    encryption = BestAvailableEncryption(PHRASE.encode()) if encrypted else NoEncryption()
    (tmp_path / "key.pem").write_bytes(private_pem(any_key, encryption, form))
    (tmp_path / "key.pub").write_bytes(public_pem(any_key))
    root = fill(tmp_path / "model")
    data = sign_directory(root, load_private_key(tmp_path / "key.pem"))
    assert data == sign_directory(root, any_key), "the same input gives the same bytes"
    (root / "model.sig").write_bytes(data)
    found = verify_directory(root, load_public_key(tmp_path / "key.pub"))
    assert found.holds
    assert found.curve == CURVES[any_key.curve.name]
    assert found.key == fingerprint(any_key.public_key())


@pytest.mark.parametrize("given", [None, "wrong", ""])
def test_a_passphrase_that_does_not_open_the_key(
    tmp_path: Path, key: ec.EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(PASSPHRASE_VARIABLE, given)
    (tmp_path / "key.pem").write_bytes(private_pem(key, BestAvailableEncryption(PHRASE.encode())))
    with pytest.raises(UsageError, match="passphrase is wrong" if given else "encrypted") as caught:
        load_private_key(tmp_path / "key.pem")
    assert PHRASE not in str(caught.value)


def test_the_passphrase_is_asked_for_only_when_the_environment_has_none(
    tmp_path: Path, key: ec.EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    (tmp_path / "key.pem").write_bytes(private_pem(key, BestAvailableEncryption(PHRASE.encode())))
    asked = []

    def ask() -> str:
        asked.append(1)
        return PHRASE

    load_private_key(tmp_path / "key.pem", ask)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, PHRASE)
    load_private_key(tmp_path / "key.pem", ask)
    assert asked == [1]


OTHERS = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
}


@pytest.mark.parametrize("kind", sorted(OTHERS))
def test_other_keys_are_named_and_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "key.pem").write_bytes(private_pem(OTHERS[kind], NoEncryption()))
    (tmp_path / "key.pub").write_bytes(public_pem(OTHERS[kind]))
    with pytest.raises(UsageError, match=f"{kind}.*P-256, P-384, P-521"):
        load_private_key(tmp_path / "key.pem")
    with pytest.raises(UsageError, match=f"{kind}.*P-256, P-384, P-521"):
        load_public_key(tmp_path / "key.pub")


def test_the_two_halves_are_not_mixed_up(tmp_path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    (tmp_path / "key.pem").write_bytes(private_pem(key, NoEncryption()))
    (tmp_path / "key.pub").write_bytes(public_pem(key))
    with pytest.raises(UsageError, match="holds no private key"):
        load_private_key(tmp_path / "key.pub")
    with pytest.raises(UsageError, match="holds a private key"):
        load_public_key(tmp_path / "key.pem")


@pytest.mark.parametrize(
    "data",
    [b"", b"not a key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"x" * 100_000],
    ids=["empty", "text", "damaged", "large"],
)
def test_what_is_no_key(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(UsageError):
        load_public_key(tmp_path / "key")
    (tmp_path / "key").write_bytes(data.replace(b"PUBLIC", b"PRIVATE"))
    with pytest.raises(UsageError):
        load_private_key(tmp_path / "key")
    with pytest.raises(UsageError, match="cannot be read"):
        load_public_key(tmp_path / "absent")


def test_another_key_does_not_verify(signed: Path, key: ec.EllipticCurvePrivateKey) -> None:
    for other in (ec.derive_private_key(7, ec.SECP256R1()), ec.derive_private_key(7, ec.SECP384R1())):
        found = verify_directory(signed, other.public_key())
        assert not found.holds
        assert [problem.kind for problem in found.problems] == ["signature"]
        assert fingerprint(key.public_key()) in found.problems[0].message
