"""Keys and a small signed tree, made once for each curve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from omnicheck.signing.sign import sign_directory
from tests.signing.trees import fill

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


@pytest.fixture(scope="session")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())


@pytest.fixture(params=sorted(CURVES))
def any_key(request: pytest.FixtureRequest) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(0x1234567890ABCDEF, CURVES[request.param])


@pytest.fixture
def signed(tmp_path: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    root = fill(tmp_path / "model")
    (root / "model.sig").write_bytes(sign_directory(root, key))
    return root


@pytest.fixture
def resigned(key: ec.EllipticCurvePrivateKey) -> Callable[[Path], None]:
    def sign(root: Path) -> None:
        (root / "model.sig").write_bytes(sign_directory(root, key))

    return sign
