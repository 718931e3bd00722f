"""Writes the fixture trees of the BND rules: ``python -m tests.make_fixtures.bundles``."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from omnicheck.signing.manifest import write_manifest
from omnicheck.signing.oms import write_bundle, write_statement
from tests.make_fixtures.counts import ROOT

Files = dict[str, bytes]
KEY = ec.derive_private_key(0x0DDBA11, ec.SECP256R1())
"""Anybody can have this key: it signs nothing but fixtures."""

METRICS = b'{"num_samples": 2, "accuracy": 0.5}\n'
ROWS = b"".join(
    b'{"id": "s%d", "true_label": "%b", "predicted_label": "a"}\n' % (index, label)
    for index, label in enumerate((b"a", b"b"))
)
TABLE = b"id,true_label,predicted_label\r\ns0,a,a\r\ns1,b,a\r\n"
PROGRESS = b'{"event": "start", "dataset": "/home/sam/toy/rows.jsonl"}\n{"event": "complete"}\n'
MASKED = PROGRESS.replace(b"/home/sam/toy", b"<project>")
PACKAGE: Files = {"eval/metrics.json": METRICS, "eval/predictions.jsonl": ROWS}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def document(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def manifest(files: Files) -> bytes:
    return write_manifest({name: digest(data) for name, data in files.items()})


def upload(files: Files, **more: Any) -> bytes:
    listed = [{"path": name, "bytes": len(data), "sha256": digest(data)} for name, data in files.items()]
    return document({"status": "ready", "repo_id": "toy/adapter", "files": listed, **more})


def summary(*names: str, **more: Any) -> bytes:
    return document({"status": "verified", "included_files": list(names), **more})


def signature(files: Files, *ignored: str, **changes: Any) -> bytes:
    statement = json.loads(
        write_statement({name: digest(data) for name, data in files.items()}, subject="run", ignored=ignored)
    )
    statement["predicate"]["serialization"].update(changes)
    return write_bundle(json.dumps(statement).encode(), KEY)


def empty_signature() -> bytes:
    return write_bundle(write_statement({}, subject="run"), KEY)


def carried(original: bytes) -> bytes:
    edit = {"kind": "prefix", "placeholder": "<project>", "count": 1}
    file = {"path": "progress.jsonl", "edits": [edit], "original_sha256": digest(original)}
    return document({"bundle": {"files": [file]}})


def cases() -> dict[str, Files]:
    """Return the files of every case, by its directory below ``fixtures``."""
    listed = {**PACKAGE, "README.md": b"# Toy\n"}
    packed = {f"run_pack/{name}": data for name, data in {**PACKAGE, "eval/table.csv": TABLE}.items()}
    made = {"eval_run_id": "run_eval", "train_run_id": "run_train"}
    source = {"run_eval/metrics.json": METRICS, "run_eval/predictions.jsonl": ROWS, "run_eval/table.csv": TABLE}
    trained = {"run_train/progress.jsonl": PROGRESS}
    named = summary("eval/metrics.json", "eval/predictions.jsonl", "eval/table.csv", **made)
    found = {
        "BND101/pass/manifest": {**listed, "MANIFEST": manifest(listed)},
        "BND101/pass/upload": {**listed, "upload_manifest.json": upload(listed)},
        "BND101/pass/signature": {**listed, "model.sig": signature(listed, "model.sig")},
        "BND101/fail/edited": {**listed, "MANIFEST": manifest({**listed, "eval/metrics.json": b"{}\n"})},
        "BND101/fail/missing": {**PACKAGE, "MANIFEST": manifest(listed)},
        "BND101/fail/upload": {
            **listed,
            "upload_manifest.json": upload({**listed, "README.md": b"# Longer\n", "adapter_model.safetensors": b"x"}),
        },
        "BND101/fail/included": {
            **PACKAGE,
            "verified_result_summary.json": summary(*PACKAGE, "eval/RUN_REPORT.md", "../elsewhere/metrics.json"),
        },
        "BND101/fail/lines": {
            **listed,
            "MANIFEST": manifest(listed) + manifest({"README.md": b"other"}) + b"0123456789abcdef  short.txt\n",
        },
        "BND101/fail/signature": {**listed, "model.sig": signature({**listed, "eval/metrics.json": b""}, "model.sig")},
        "BND102/pass/signed": {**listed, "model.sig": signature(listed, "model.sig")},
        "BND102/fail/empty": {**listed, "model.sig": empty_signature()},
        "BND102/fail/cut": {**listed, "model.sig": signature(listed, "model.sig")[:700]},
        "BND102/fail/outside": {**listed, "model.sig": signature({**listed, "../outside.txt": b""}, "model.sig")},
        "BND103/pass/manifest": {**listed, "MANIFEST": manifest(listed), "model.sig": signature(listed, "model.sig")},
        "BND103/pass/included": {
            **listed,
            "verified_result_summary.json": summary(*PACKAGE),
            "PUBLIC_RESULT_SUMMARY.md": b"# Toy\n",
        },
        "BND103/fail/manifest": {**listed, "eval/notes.txt": b"later\n", "MANIFEST": manifest(listed)},
        "BND103/fail/nested": {
            **listed,
            "other/metrics.json": METRICS,
            "MANIFEST": manifest(listed),
        },
        "BND103/fail/included": {
            **PACKAGE,
            "analysis/errors.csv": b"label,count\na,1\n",
            "analysis/ERRORS.md": b"# Errors\n",
            "verified_result_summary.json": summary(*PACKAGE),
        },
        "BND103/fail/upload": {**listed, "notes.txt": b"later\n", "upload_manifest.json": upload(listed)},
        "BND105/pass/itself": {**listed, "model.sig": signature(listed, "model.sig", ".git")},
        "BND105/fail/ignored": {
            **listed,
            "logs/run.log": b"later\n",
            "model.sig": signature(listed, "model.sig", "logs"),
        },
        "BND105/fail/links": {**listed, "model.sig": signature(listed, "model.sig", allow_symlinks=True)},
    }
    found = {case: {f"run/{name}": data for name, data in files.items()} for case, files in found.items()}
    pack = "run_pack/verified_result_summary.json"
    masked = {"run_pack/training/progress.jsonl": MASKED}
    found |= {
        "BND104/pass/same": {**packed, pack: named, **source},
        "BND104/pass/recorded": {
            **packed,
            **masked,
            pack: summary(
                *PACKAGE, **made, redactions=[{"path": "training/progress.jsonl", "placeholder": "<project>"}]
            ),
            **source,
            **trained,
        },
        "BND104/fail/line_endings": {
            **packed,
            "run_pack/eval/table.csv": TABLE.replace(b"\r\n", b"\n"),
            pack: named,
            **source,
        },
        "BND104/fail/masked": {**packed, **masked, pack: named, **source, **trained},
        "BND104/fail/bundle": {
            "run_bundle/metrics.json": METRICS,
            "run_bundle/predictions.jsonl": ROWS,
            "run_bundle/progress.jsonl": MASKED,
            "run_bundle/report.md": b"# Toy\n",
            "run_bundle/omnicheck.report.json": carried(b"another original"),
            "run_source/metrics.json": METRICS,
            "run_source/predictions.jsonl": ROWS,
            "run_source/progress.jsonl": PROGRESS,
            "run_source/report.md": b"# Toy\n",
        },
        "BND104/pass/bundle": {
            "run_bundle/metrics.json": METRICS,
            "run_bundle/predictions.jsonl": ROWS,
            "run_bundle/progress.jsonl": MASKED,
            "run_bundle/omnicheck.report.json": carried(PROGRESS),
            "run_source/metrics.json": METRICS,
            "run_source/predictions.jsonl": ROWS,
            "run_source/progress.jsonl": PROGRESS,
        },
    }
    return found


def write(place: Path, files: Files) -> None:
    for folder in sorted(place.glob("run*/")):
        shutil.rmtree(folder)
    for name, data in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    for case, files in cases().items():
        write(ROOT / case, files)
