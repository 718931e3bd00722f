"""Interoperation with the reference implementation, run as a command: both directions, three curves.

``OMNICHECK_MODEL_SIGNING`` names the command; without it the environment that ``make peer`` makes is used.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from omnicheck.signing.keys import load_public_key
from omnicheck.signing.sign import sign_directory
from omnicheck.signing.verify import verify_directory
from tests.signing.trees import fill

PEER = Path(
    os.environ.get("OMNICHECK_MODEL_SIGNING")
    or Path(__file__).resolve().parents[2] / ".venv-peer" / "bin" / "model_signing"
)
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PEER.is_file(), reason="the model_signing command is not here; `make peer` installs it"),
]


@pytest.fixture
def keys(tmp_path: Path, any_key: ec.EllipticCurvePrivateKey) -> Path:
    pem = any_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "key.pub").write_bytes(
        any_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return tmp_path


def peer(action: str, root: Path, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PEER, action, "key", root, *key.split("="), "--signature", root / "model.sig"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_peer_verifies_what_we_sign(keys: Path, any_key: ec.EllipticCurvePrivateKey) -> None:
    root = fill(keys / "toy model é")
    (root / "model.sig").write_bytes(sign_directory(root, any_key))
    done = peer("verify", root, f"--public_key={keys / 'key.pub'}")
    assert done.returncode == 0, done.stdout + done.stderr
    (root / "données" / "é.csv").write_bytes(b"changed")
    assert peer("verify", root, f"--public_key={keys / 'key.pub'}").returncode != 0


def test_we_verify_what_the_peer_signs(keys: Path) -> None:
    root = fill(keys / "toy model é")
    done = peer("sign", root, f"--private_key={keys / 'key.pem'}")
    assert done.returncode == 0, done.stdout + done.stderr
    key = load_public_key(keys / "key.pub")
    found = verify_directory(root, key)
    assert found.holds, found.problems
    assert found.problems == ()
    assert found.statement is not None
    assert list(found.statement.digests) != sorted(found.statement.digests), "the peer sorts by the parts of a path"
    (root / "empty.txt").write_bytes(b"changed")
    assert [(each.kind, each.name) for each in verify_directory(root, key).problems] == [("mismatch", "empty.txt")]


def test_we_refuse_what_the_peer_lets_through(keys: Path) -> None:
    root = fill(keys / "model")
    assert peer("sign", root, f"--private_key={keys / 'key.pem'}").returncode == 0
    (root / ".github").mkdir()
    (root / ".github" / "evil.py").write_text("evil")
    assert peer("verify", root, f"--public_key={keys / 'key.pub'}").returncode == 0
    assert not verify_directory(root, load_public_key(keys / "key.pub")).holds
