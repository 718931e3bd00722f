"""A sealed bundle made by hand, as ``omnicheck package`` lays it out."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from omnicheck.bundle.verify import Verified, VerifyRequest, verify
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.report import render
from omnicheck.signing.manifest import write_manifest
from omnicheck.signing.sign import sign_directory

TODAY = date(2026, 1, 31)
KEY = ec.derive_private_key(0x5EA1ED, ec.SECP256R1())
RUN = {
    "metrics.json": {"num_samples": 4, "accuracy": 0.5, "eval_split": "test", "held_out_episode_count": 2},
    "predictions.jsonl": [
        {"id": f"s{i}", "episode_id": f"walk{i // 2}__ep1", "split": "test", "true_label": "a", "predicted_label": each}
        for i, each in enumerate("aabb")
    ],
    "RUN_REPORT.md": "# Toy evaluation\n\n- Samples: 4\n",
}


def text_of(value: Any) -> str:
    if isinstance(value, list):
        return "".join(json.dumps(row) + "\n" for row in value)
    return value if isinstance(value, str) else json.dumps(value) + "\n"


def digests_of(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def write_run(root: Path, **changes: Any) -> Path:
    """Write a small run, flat, without its seal; keyword ``metrics`` and the like replace keys of a document."""
    root.mkdir(parents=True)
    for name, value in RUN.items():
        more = changes.get("metrics", {}) if name == "metrics.json" else {}
        (root / name).write_text(text_of({**value, **more} if isinstance(value, dict) else value))
    return root


def seal(root: Path, edit: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    """Add report, MANIFEST and signature to a directory; ``edit`` changes the report before it is sealed."""
    for name in ("omnicheck.report.json", "MANIFEST", "model.sig"):
        (root / name).unlink(missing_ok=True)
    request = Request(paths=(Path(),), cwd=root, ignore=("BND",), today=TODAY, use_cache=False)
    report = json.loads(render(check_paths(request, load_config(root, isolated=True)), "json"))
    files = [{"path": name, "sha256": digest} for name, digest in digests_of(root).items()]
    report["bundle"] = {"contract": None, "contract_sha256": None, "policy_sha256": "f" * 64, "files": files}
    edit(report)
    (root / "omnicheck.report.json").write_text(json.dumps(report, indent=2))
    (root / "MANIFEST").write_bytes(write_manifest(digests_of(root)))
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return resign(root)


def resign(root: Path) -> Path:
    (root / "model.sig").unlink(missing_ok=True)
    (root / "model.sig").write_bytes(sign_directory(root, KEY))
    (root / "model.sig").chmod(0o644)
    return root


def verified(bundle: Path, **options: Any) -> Verified:
    key = options.pop("key", KEY.public_key())
    return verify(VerifyRequest(bundle=Path(bundle.name), cwd=bundle.parent, key=key, today=TODAY, **options))


def said(found: Verified) -> list[tuple[str, str]]:
    return [(each.rule, "!/".join((each.path, *each.members))) for each in found.report.findings]


def copied(root: Path, to: Path) -> Path:
    shutil.copytree(root, to)
    return to
