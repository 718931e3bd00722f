"""Writes the fixtures of PUB101 to PUB113: ``python -m tests.make_fixtures.publication``."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from pathlib import Path

import numpy as np

from tests.content import construct_lists as lists
from tests.content import constructs as made

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
REPORT = "# Report\n\n- Episodes: 3\n"
METRICS = {"accuracy": 0.5, "num_samples": 4}
CARD = "---\nlicense: apache-2.0\npipeline_tag: robotics\n---\n\n# A small run\n"
CONTRACT = {
    "id": "toy_features",
    "artifact_contract": {
        "public_package_allowed": ["metrics", "feature arrays"],
        "public_package_forbidden": ["raw MP4", "predictions"],
    },
}
WITH_CONTRACT = '[contracts]\npaths = ["contracts"]\n\n[[run]]\npath = "run"\ncontract = "toy_features"\n'
Files = dict[str, bytes | str | object]


def write(rule: str, case: str, files: Files, *, contract: bool = False) -> None:
    folder = ROOT / rule / case
    for name, content in {"RUN_REPORT.md": REPORT, "metrics.json": METRICS, **files}.items():
        path = folder / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes | str) else json.dumps(content, indent=2) + "\n"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    if contract:
        (folder / "omnicheck.toml").write_text(WITH_CONTRACT)
        (folder / "contracts").mkdir(exist_ok=True)
        (folder / "contracts" / "toy_features.json").write_text(json.dumps(CONTRACT, indent=2) + "\n")


def main() -> None:
    for number in range(101, 114):
        for outcome in ("pass", "fail"):
            for run in (ROOT / f"PUB{number}" / outcome).glob("*/run"):
                shutil.rmtree(run)
    weights, video = made.safetensors(16), made.mp4()
    encoded = base64.b64encode(weights).decode()
    packed = made.tarred(("in.zip", made.zipped(("notes.txt", weights))))
    hidden: Files = {
        "notes.txt": weights,
        "out.tar.gz": gzip.compress(packed, mtime=0),
        "figure.png": made.png() + weights,
        "config.json": {"blob": encoded},
        "model.part00": weights[:60],
        "model.part01": weights[60:],
    }
    write("PUB101", "fail/hidden", hidden)
    write("PUB101", "fail/plain", {"graph.onnx": made.onnx(), "policy.pt": made.torch_zip()})
    write("PUB101", "pass/adapter", {"adapter_model.safetensors": weights, "notes.txt": "no weights here\n"})
    write(
        "PUB102",
        "fail/hidden",
        {"clip.txt": video, "table.csv": made.parquet(), "in.zip": made.zipped(("a.bin", made.wav()))},
    )
    write(
        "PUB102", "pass/tables", {"predictions.csv": "id,label\na,b\n", "progress.jsonl": '{"step": 1}\n{"step": 2}\n'}
    )
    write("PUB103", "fail/protocols", {"a.txt": made.evil(0), "b.json": made.evil(2), "c.bin": made.evil(4)})
    objects = made.npy(np.array(["a", "b"], dtype=object))
    write("PUB103", "fail/inside", {"labels.npy": objects, "a.zip": made.zipped(("x/notes.txt", made.evil(0)))})
    harmless = {name: data for name, data, kind in lists.harmless() if kind in ("text", "csv", "json", "npy")}
    harmless = {
        name: data for name, data in harmless.items() if name not in ("tokenizer.json", "digests.json", "sha.txt")
    }
    write("PUB103", "pass/lookalikes", dict(harmless))
    write(
        "PUB104",
        "fail/archives",
        {"logs.tar.gz": gzip.compress(packed, mtime=0), "table.csv": made.zipped(("a", b"1,2\n"))},
    )
    write("PUB104", "pass/arrays", {"features.npz": made.zipped(("a.npy", made.npy())), "notes.txt": "unpacked\n"})
    write("PUB105", "fail/undeclared", {"features.npz": made.zipped(("a.npy", made.npy())), ".env": "MODE=fast\n"})
    write("PUB105", "fail/contract", {"predictions.csv": "id,label\na,b\n"}, contract=True)
    write("PUB105", "pass/contract", {"features.npz": made.zipped(("a.npy", made.npy()))}, contract=True)
    write("PUB105", "pass/texts", {"predictions.csv": "id,label\na,b\n", "figure.png": made.png(), "LICENSE": "free\n"})
    write("PUB106", "fail/named", {"table.csv": made.png(), "figure.png": "<html>not found</html>\n"})
    write("PUB106", "pass/named", {"model.pt": made.torch_zip(), "figure.jpg": made.jpeg(), "notes.txt": '{"a": 1}\n'})
    write(
        "PUB107",
        "fail/archives",
        {
            "names.pt": made.renamed_locally(),
            "twice.zip": made.duplicate_names(),
            "link.tar": made.tar_entry("a", b"2", "/etc/passwd"),
            "up.tar": made.tarred(("../../a", b"x")),
            "behind.png": made.png() + made.zipped(("a.txt", b"hello\n")),
        },
    )
    write(
        "PUB107", "pass/archives", {"a.zip": made.zipped(("a.txt", b"a\n")), "b.pt": made.torch_zip(), "c.tar": packed}
    )
    write("PUB108", "fail/figure", {"figure.png": made.png(b"wide" * 300)})
    (ROOT / "PUB108" / "fail" / "figure" / "omnicheck.toml").write_text("[rules.params.PUB108]\nfile_bytes = 1000\n")
    write("PUB108", "pass/figure", {"figure.png": made.png(b"wide" * 300)})
    noise = np.random.default_rng(1).integers(128, 256, 400, dtype=np.uint8).tobytes()
    write("PUB109", "fail/unknown", {"data.bin": b"\xf1\xf2" + noise, "deep.zip": made.nested(10, b"end")})
    write("PUB109", "pass/known", {"a.pt": made.torch_zip(), "a.zip": made.nested(3, b"end\n", "a.txt")})
    table = "id,label,prediction\n" + "".join(f"s{i},walk,run\n" for i in range(60))
    write("PUB110", "fail/copy", {"predictions.csv": table, "predictions_eval.csv": table})
    write(
        "PUB110",
        "pass/small",
        {"a.json": {}, "b.json": {}, "predictions.csv": table, "per_class_metrics.csv": table[:-4] + "rux\n"},
    )
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 12345\n"
    write(
        "PUB111",
        "fail/placeholders",
        {"adapter_model.safetensors": pointer, "graph.onnx": b"", "policy.pt": "<html>404</html>\n"},
    )
    write("PUB111", "pass/models", {"adapter_model.safetensors": weights, "graph.onnx": made.onnx()})
    write("PUB112", "fail/invisible", {"notes\u200b.md": "# Notes\n"})
    write("PUB112", "pass/plain", {"notes.md": "# Notes\n", "eval/metrics-eval_2.json": METRICS})
    write("PUB113", "fail/bare", {"README.md": "# A small run\n"})
    terms = {"steps": 3, "base_model_license": "cc-by-nc-4.0"}
    write("PUB113", "fail/terms", {"README.md": CARD, "LICENSE": "Apache License\n", "training_metadata.json": terms})
    write("PUB113", "pass/card", {"README.md": CARD, "LICENSE": "Apache License\n"})


if __name__ == "__main__":
    main()
