"""The format on the wire: schemas of the specification, a known digest, and what mutation does to a bundle."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from omnicheck.signing.dsse import Refused, pae
from omnicheck.signing.oms import open_bundle, root_digest, write_bundle, write_statement
from omnicheck.signing.sign import sign_directory
from omnicheck.signing.verify import verify_directory
from tests.signing.oms_schemas import BUNDLE, STATEMENT
from tests.signing.trees import FILES, fill, payload_of

KEY = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
STATED = write_statement({"a.txt": "0" * 64, "b/c": "1" * 64}, subject="toy", ignored=["model.sig"])
SIGNED = write_bundle(STATED, KEY)


def test_what_we_write_is_valid(tmp_path: Path, any_key: ec.EllipticCurvePrivateKey) -> None:
    data = sign_directory(fill(tmp_path / "toy model"), any_key)
    jsonschema.validate(json.loads(data), BUNDLE)
    payload = payload_of(data)
    jsonschema.validate(payload, STATEMENT)
    assert payload["subject"][0]["name"] == "toy model"
    names = [entry["name"] for entry in payload["predicate"]["resources"]]
    assert names == sorted(FILES)
    assert payload["predicate"]["serialization"] == {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": False,
        "ignore_paths": ["model.sig"],
    }


@pytest.mark.parametrize("change", [{"predicateType": "x"}, {"subject": []}, {"predicate": {"resources": []}}])
def test_the_schemas_can_fail(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(STATED), **change}, STATEMENT)


def test_the_root_digest_of_a_bundle_of_the_reference_implementation() -> None:
    files = (
        "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac",
        "3bb2abb69ebb27fbfe63c7639624c6ec5e331b841a5bc8c3ebc10b9285e90877",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    assert root_digest(files) == "774edabf894dca996ebf9a6c49cfa92ce58e8cc7bc3ad96795820cd73043a2eb"


def test_the_bytes_that_are_signed() -> None:
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_variants_of_other_producers_are_read() -> None:
    bundle = json.loads(SIGNED)
    for keyid in ("", None, ...):
        for material in ({"publicKey": {"hint": None}}, {"publicKey": {"rawBytes": "AA=="}, "tlogEntries": []}):
            signature = {"sig": bundle["dsseEnvelope"]["signatures"][0]["sig"], "keyid": keyid}
            if keyid is ...:
                del signature["keyid"]
            envelope = {**bundle["dsseEnvelope"], "signatures": [signature]}
            changed = {**bundle, "verificationMaterial": material, "dsseEnvelope": envelope}
            assert open_bundle(json.dumps(changed).encode(), KEY.public_key()).subject == "toy"


def changed(path: tuple[Any, ...], value: Any) -> bytes:
    bundle = json.loads(SIGNED)
    where = bundle
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = value
    return json.dumps(bundle).encode()


ENVELOPE = json.loads(SIGNED)["dsseEnvelope"]
SIG = ENVELOPE["signatures"][0]["sig"]
MALFORMED: dict[str, bytes] = {
    "another media type": changed(("mediaType",), "application/vnd.dev.sigstore.bundle+json;version=0.2"),
    "an unknown key": changed(("note",), "x"),
    "a certificate": changed(("verificationMaterial",), {"certificate": {"rawBytes": ""}}),
    "the hint of another key": changed(("verificationMaterial", "publicKey", "hint"), "0" * 64),
    "another payload type": changed(("dsseEnvelope", "payloadType"), "application/json"),
    "no signature": changed(("dsseEnvelope", "signatures"), []),
    "two signatures": changed(("dsseEnvelope", "signatures"), ENVELOPE["signatures"] * 2),
    "the signature in other base64": changed(("dsseEnvelope", "signatures", 0, "sig"), SIG + "\n"),
    "the payload in url-safe base64": changed(("dsseEnvelope", "payload"), ENVELOPE["payload"][:-1] + "_"),
    "an empty signature": changed(("dsseEnvelope", "signatures", 0, "sig"), ""),
    "no DER": changed(("dsseEnvelope", "signatures", 0, "sig"), base64.b64encode(b"x" * 70).decode()),
    "bytes after the DER": changed(
        ("dsseEnvelope", "signatures", 0, "sig"), base64.b64encode(base64.b64decode(SIG) + b"\0").decode()
    ),
    "a doubled key": SIGNED.replace(b'{"mediaType"', b'{"mediaType":"x","mediaType"', 1),
    "a byte order mark": b"\xef\xbb\xbf" + SIGNED,
    "something after it": SIGNED + b"{}",
    "UTF-16": SIGNED.decode().encode("utf-16"),
    "a list": b"[]",
    "nothing": b"",
    "deep nesting": b"[" * 100_000,
    "not JSON": b"\x80\x04pickle",
}


@pytest.mark.parametrize("case", sorted(MALFORMED))
def test_a_malformed_bundle_is_refused(case: str) -> None:
    with pytest.raises(Refused):
        open_bundle(MALFORMED[case], KEY.public_key())


def test_a_statement_with_a_doubled_key_is_refused() -> None:
    doubled = STATED.replace(b'"resources":', b'"resources":[],"resources":', 1)
    with pytest.raises(Refused, match="strict JSON"):
        open_bundle(write_bundle(doubled, KEY), KEY.public_key())


@given(st.integers(0, len(SIGNED) - 1), st.integers(0, 255), st.sampled_from(["set", "insert", "delete"]))
@example(0, 32, "insert")
def test_a_mutated_bundle_never_verifies_as_another_and_never_raises(at: int, byte: int, how: str) -> None:
    mutated = bytearray(SIGNED)
    if how == "set":
        mutated[at] = byte
    elif how == "insert":
        mutated.insert(at, byte)
    else:
        del mutated[at]
    try:
        statement = open_bundle(bytes(mutated), KEY.public_key())
    except Refused:
        return
    # White space and the key id are outside the signature; what they surround is the same statement.
    assert statement == open_bundle(SIGNED, KEY.public_key())
    ours, theirs = json.loads(mutated)["dsseEnvelope"], ENVELOPE
    assert (ours["payload"], ours["signatures"][0]["sig"]) == (theirs["payload"], SIG)


@given(st.integers(0, len(ENVELOPE["payload"]) - 1), st.sampled_from("ABab01+/="))
def test_no_character_of_payload_can_change(at: int, character: str) -> None:
    text = ENVELOPE["payload"]
    other = text[:at] + character + text[at + 1 :]
    if other != text:
        with pytest.raises(Refused):
            open_bundle(changed(("dsseEnvelope", "payload"), other), KEY.public_key())


@given(st.integers(0, len(SIG) - 1), st.sampled_from("ABab01+/="))
def test_no_character_of_the_signature_can_change(at: int, character: str) -> None:
    other = SIG[:at] + character + SIG[at + 1 :]
    if other != SIG:
        with pytest.raises(Refused):
            open_bundle(changed(("dsseEnvelope", "signatures", 0, "sig"), other), KEY.public_key())


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        open_bundle(data, KEY.public_key())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    ("_type",), ("subject",), ("subject", 0), ("subject", 0, "name"), ("subject", 0, "digest"), ("predicateType",),
    ("predicate",), ("predicate", "resources"), ("predicate", "resources", 0), ("predicate", "resources", 0, "name"),
    ("predicate", "resources", 0, "digest"), ("predicate", "resources", 0, "algorithm"), ("predicate", "serialization"),
    ("predicate", "serialization", "method"), ("predicate", "serialization", "ignore_paths"),
]  # fmt: skip


@given(st.sampled_from(PLACES), JSON)
def test_a_signed_statement_of_any_shape_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    statement = json.loads(STATED)
    where = statement
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = value
    try:
        found = open_bundle(write_bundle(json.dumps(statement).encode(), KEY), KEY.public_key())
    except Refused:
        return
    assert found.digests


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.sampled_from(sorted(name for name in FILES if FILES[name])), st.integers(0, 1 << 20), st.integers(1, 255))
def test_no_byte_of_a_file_can_change(tmp_path_factory: pytest.TempPathFactory, name: str, at: int, flip: int) -> None:
    root = fill(tmp_path_factory.mktemp("flip"))
    (root / "model.sig").write_bytes(sign_directory(root, KEY))
    data = bytearray(FILES[name])
    data[at % len(data)] ^= flip
    (root / name).write_bytes(data)
    found = verify_directory(root, KEY.public_key())
    assert not found.holds
    assert [(problem.kind, problem.name) for problem in found.problems] == [("mismatch", name)]
