"""A small tree with names that tools stumble over, and statements written by hand."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from omnicheck.signing.oms import open_bundle, write_bundle

FILES = {
    "README.md": b"# A toy model\n",
    "empty.txt": b"",
    "a.txt": b"between a and a/\n",
    "a/x": b"x\n",
    "a-b": b"dash\n",
    "Mixed Case/with space.json": b"{}\n",
    "données/é.csv": b"id,label\n1,walk\n",
    "weights/part.bin": bytes(range(256)) * 40,
}


def fill(root: Path) -> Path:
    """Write the files below ``root``, with the permission bits of a plain file, and return it."""
    for name, data in FILES.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o644)
    return root


def payload_of(bundle: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
    return found


def rewritten(root: Path, key: ec.EllipticCurvePrivateKey, **changes: Any) -> None:
    """Sign the statement of ``model.sig`` again by a careless signer: top-level keys or predicate keys are replaced.

    The root digest is made to agree, so that only the change itself can be refused.
    """
    place = root / "model.sig"
    payload = payload_of(place.read_bytes())
    for name, value in changes.items():
        where = payload if name in payload or name.startswith("top_") else payload["predicate"]
        where[name.removeprefix("top_")] = value
    resources = payload["predicate"].get("resources", [])
    digests = b"".join(bytes.fromhex(entry["digest"]) for entry in resources)
    if "subject" not in changes:
        payload["subject"][0]["digest"]["sha256"] = hashlib.sha256(digests).hexdigest()
    place.write_bytes(write_bundle(json.dumps(payload).encode(), key))


def resource(name: str, data: bytes = b"") -> dict[str, str]:
    return {"name": name, "algorithm": "sha256", "digest": hashlib.sha256(data).hexdigest()}


def resources_of(root: Path) -> list[dict[str, str]]:
    statement = open_bundle((root / "model.sig").read_bytes(), None)
    return [{"name": name, "algorithm": "sha256", "digest": digest} for name, digest in statement.digests.items()]
