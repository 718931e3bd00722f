"""Writes the fixture trees of the RUN rules: ``python -m tests.make_fixtures.logs``."""

from __future__ import annotations

from hashlib import sha256
from json import dumps
from typing import Any

from tests.make_fixtures.counts import Tree, write

T0 = 1_700_000_000.25


def log(*events: tuple[str, float], run_id: str | None = "walk_v3", **more: Any) -> list[dict[str, Any]]:
    """Return the lines of a log: (event, seconds after the start)."""
    named = {"run_id": run_id} if run_id else {}
    return [{"event": name, **named, "timestamp": T0 + after, **more} for name, after in events]


def steps(count: int, seconds: float, start: float = 60) -> list[dict[str, Any]]:
    return [{"event": "train_step", "global_step": i + 1, "timestamp": T0 + start + seconds * i} for i in range(count)]


TRAINED = [
    *log(("setup_start", 0), ("model_load_start", 1), ("model_load_done", 31.5)),
    *steps(12, 2.25),
    *log(("save_done", 110.5), ("complete", 110.75)),
]
METADATA = {
    "run_id": "walk_v3",
    "checkpoint_dir": "<project>/checkpoints/walk_v3/adapter_lora",
    "num_train_samples": 24,
    "lora": {"r": 4, "alpha": 8},
    "weights_updated": True,
    "history": [{"epoch": 1, "train_loss": 0.4, "val_loss": 0.31}, {"epoch": 2, "train_loss": 0.3, "val_loss": 0.27}],
}
METRICS = {"eval_split": "test", "num_samples": 4, "accuracy": 0.5, "adapter_dir": "checkpoints/walk_v3/adapter_lora"}
SUMMARY = {
    "status": "verified",
    "dataset_run_id": "walk",
    "train_run_id": "walk_v3",
    "eval_run_id": "walk_v3_eval_test",
}
GATE_OK = log(("watch_start", 0), ("eval_full_start", 390)) + log(("eval_full_exit", 470), returncode=0)
PACKAGE: Tree = {
    "run/verified_result_summary.json": SUMMARY,
    "run/dataset/dataset_manifest.json": {"run_id": "walk_dataset", "num_samples": 24},
    "run/training/training_metadata.json": METADATA,
    "run/training/progress.jsonl": TRAINED,
    "run/eval/metrics.json": METRICS,
}
FULL = {
    **METADATA,
    "git_commit": "0" * 40,
    "git_dirty": False,
    "seed": 7,
    "dataset_revision": "r1",
    "library_versions": {"torch": "2.3"},
}


def package(**changes: Any) -> Tree:
    """Return the package with some files replaced; keys are base names without their suffix."""
    tree = dict(PACKAGE)
    for name in PACKAGE:
        base = name.rsplit("/", 1)[-1].partition(".")[0]
        if base in changes:
            tree[name] = changes.pop(base)
    return tree | {f"run/{name}": content for name, content in changes.items()}


METRICS_TEXT = dumps(METRICS, indent=1) + "\n"
DIGEST = sha256(METRICS_TEXT.encode()).hexdigest()
EVAL_LOG = log(("eval_start", 400), ("complete", 460), run_id=None, eval_split="test")
EARLY_LOG = log(("eval_start", 80), ("complete", 90), run_id=None, eval_split="test")
EXPORTED = {
    "id": "a",
    "episode_id": "s1__ep1",
    "split": "train",
    "sensor_feature_path": "out/hall_v1/sensor_features/a.npz",
}


def validation(time: str | None = None, **more: Any) -> dict[str, Any]:
    stamp = {"generated_at_utc": time} if time else {}
    return {"status": "pass", **stamp, "summary": {"required_stage": "eval"}, **more}


FIXTURES: dict[str, Tree] = {
    "RUN101/pass/complete": {"run/progress.jsonl": TRAINED},
    "RUN101/fail/unfinished": {"run/progress.jsonl": TRAINED[:-2]},
    "RUN101/fail/failed": {"run/progress.jsonl": [*TRAINED[:6], *log(("failed", 70))]},
    "RUN101/fail/interrupted": {
        "run/progress.jsonl": TRAINED[:3],
        "run/launch_status.jsonl": log(("launch_start", -5), ("preempted_for_other_job", 50)),
    },
    "RUN101/fail/repaired": {"run/progress.jsonl": [*TRAINED, *log(("adapter_shape_repaired", 300))]},
    "RUN102/pass/repeated": {
        "run/verified_result_summary.json": SUMMARY,
        "run/watch_walk_v3.jsonl": log(("eval_full_exit", 300), returncode=1) + GATE_OK,
    },
    "RUN102/fail/exit": {
        "run/verified_result_summary.json": SUMMARY,
        "run/watch_walk_v3.jsonl": [*GATE_OK[:2], *log(("eval_full_exit", 470), returncode=2)],
    },
    "RUN102/fail/signal": {
        "run/verified_result_summary.json": SUMMARY,
        "run/watch_walk_v3.jsonl": [*GATE_OK, *log(("validation_exit", 480), returncode=-9)],
    },
    "RUN103/pass/closed-form": {
        "run/progress.jsonl": log(("setup_start", 0), ("adapter_built", 2.5), ("eval_done", 3.1), ("complete", 3.10004))
    },
    "RUN103/pass/whole-seconds": {
        "run/progress.jsonl": [
            {"event": "train_step", "global_step": i, "time": 1_700_000_000 + i // 4} for i in range(20)
        ]
    },
    "RUN103/pass/two-ranks": {
        "run/progress.jsonl": [
            {"event": "eval_step", "rank": i % 2, "time": T0 + i * 3 - (i % 2) * 8} for i in range(6)
        ]
    },
    "RUN103/fail/server": {"run/progress.jsonl": log(("setup_start", 0), ("server_ready", 1e-6), ("complete", 2e-6))},
    "RUN103/fail/steps": {"run/progress.jsonl": steps(2000, 1e-6)},
    "RUN103/fail/backwards": {"run/progress.jsonl": log(("setup_start", 0), ("eval_step", 900), ("complete", 30))},
    "RUN104/pass/one": {"run/progress.jsonl": TRAINED},
    "RUN104/pass/both-complete": {"run/progress.jsonl": TRAINED + TRAINED},
    "RUN104/fail/retried": {"run/progress.jsonl": TRAINED[:6] + TRAINED},
    "RUN105/pass/package": PACKAGE,
    "RUN105/fail/config": {
        "run/training_metadata.json": METADATA,
        "run/config.yaml": "run_id: walk_v6\nepochs: 1\n",
    },
    "RUN105/fail/rows": {
        "run/dataset_manifest.json": {
            "run_id": "walk_dataset",
            "dataset_path": "out/walk_dataset/dataset.jsonl",
            "num_samples": 9,
        },
        "run/dataset.jsonl": [EXPORTED],
    },
    "RUN105/pass/reused-media": {
        "run/dataset_manifest.json": {
            "run_id": "walk_dataset",
            "source_dataset_jsonl": "out/hall_v1/dataset.jsonl",
            "num_samples": 9,
        },
        "run/dataset.jsonl": [EXPORTED],
    },
    "RUN106/pass/package": PACKAGE,
    "RUN106/fail/log": package(progress=log(("setup_start", 0), ("complete", 50), run_id="walk_v2")),
    "RUN106/fail/summary": package(verified_result_summary={**SUMMARY, "train_run_id": "walk_v2"}),
    "RUN107/pass/same": PACKAGE,
    "RUN107/pass/step": package(metrics={**METRICS, "adapter_dir": "/data/checkpoints/walk_v3/checkpoint-40"}),
    "RUN107/fail/other": package(metrics={**METRICS, "adapter_dir": "checkpoints/walk_v2/adapter_lora"}),
    "RUN107/fail/base": package(metrics={**METRICS, "adapter_dir": None}),
    "RUN109/pass/falling": PACKAGE,
    "RUN109/pass/chosen": package(
        training_metadata={
            **METADATA,
            "best_epoch": 1,
            "history": [*METADATA["history"], {"epoch": 3, "val_loss": 0.35}],
        }
    ),
    "RUN109/fail/rising": package(
        training_metadata={**METADATA, "history": [*METADATA["history"], {"epoch": 3, "val_loss": 0.35}]}
    ),
    "RUN110/pass/recorded": package(training_metadata=FULL),
    "RUN110/fail/nothing": PACKAGE,
    "RUN110/fail/no-seed": package(training_metadata={**FULL, "seed": None}),
    "RUN111/pass/after": PACKAGE | {"run/eval/progress.jsonl": EVAL_LOG},
    "RUN111/fail/before": PACKAGE | {"run/eval/progress.jsonl": EARLY_LOG},
}
TIMED = {**METRICS, "generated_at_utc": "2026-01-02T10:00:00Z"}
FIXTURES |= {
    "RUN108/pass/after": package(metrics=TIMED) | {"run/validation/eval.json": validation("2026-01-02T10:05:00Z")},
    "RUN108/fail/before": package(metrics=TIMED)
    | {"run/validation/eval.json": validation("2026-01-02T09:00:00+00:00")},
    "RUN108/pass/digest": package(metrics=METRICS_TEXT)
    | {"run/validation/eval.json": validation(inputs=[{"path": "eval/metrics.json", "sha256": DIGEST}])},
    "RUN108/fail/digest": package(metrics=METRICS_TEXT + "\n")
    | {"run/validation/eval.json": validation(inputs=[{"path": "eval/metrics.json", "sha256": DIGEST}])},
}

if __name__ == "__main__":
    write(FIXTURES)
