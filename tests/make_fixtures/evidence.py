"""Writes the fixture trees of the EVD rules: ``python -m tests.make_fixtures.evidence``."""

from __future__ import annotations

import json
from typing import Any

from tests.make_fixtures.counts import ROOT, Tree, contract, write

LINK = '[[run]]\npath = "run"\ncontract = "toy_lab"\n'
REPORT = "# Toy evaluation\n\n- Samples: 4\n"
METADATA = {"run_id": "toy_lora", "num_train_samples": 12, "num_val_samples": 4, "history": [{"epoch": 1}]}
PROGRESS = [{"event": "train_step", "timestamp": 1000.0}, {"event": "complete", "timestamp": 1010.0}]


def ruled(gate: str = "lora_safetensors_shape_check", training: tuple[str, ...] = ()) -> Tree:
    value = contract()
    value["artifact_contract"]["checkpoint_gate"] = gate
    value["artifact_contract"]["required_training_files"] += training
    return {"omnicheck.toml": LINK, "contracts/toy_lab.json": value}


def metrics(**changes: Any) -> dict[str, Any]:
    found = {"num_samples": 4, "accuracy": 0.5, "eval_split": "test", "held_out_episode_count": 2, **changes}
    return {key: value for key, value in found.items() if value is not ...}


PREDICTIONS = [
    {"id": f"s{i}", "episode_id": f"walk{i // 2}__ep1", "split": "test", "true_label": "a", "predicted_label": p}
    for i, p in enumerate("aabb")
]
EVALUATION: Tree = {
    "run/metrics.json": metrics(),
    "run/predictions.jsonl": PREDICTIONS,
    "run/RUN_REPORT.md": REPORT,
}
TRAINING: Tree = {"run/training_metadata.json": METADATA, "run/progress.jsonl": PROGRESS}
EPISODES = [
    {
        "episode_id": f"walk{i}__ep1",
        "path": f"walk{i}/ep1",
        "split": split,
        "total_bytes": 1000 + i,
        "missing_modalities": [],
    }
    for i, split in enumerate(("train", "train", "val", "test"))
]
SHAPES = {
    "status": "pass",
    "num_tensors": 4,
    "num_bad_tensors": 0,
    "total_bytes": 4096,
    "shape_counts": {"(8, 64)": 2, "(64, 8)": 2},
}
VALIDATION = {
    "status": "pass",
    "summary": {
        "train_run_id": "toy_lora",
        "training": {"num_train_samples": 12, "num_val_samples": 4, "history_len": 1},
        "eval": {"eval_split": "test", "prediction_rows": 4, "held_out_episode_count": 2},
    },
    "issues": [],
}
GATE_WORLD = "world_model_checkpoint_and_generation_config"
GATE_POLICY = "policy_checkpoint_action_space_and_normalizer"
MODEL = {"run_id": "toy_world", "dataset_contract": "toy_rows_v1", "adapter": {"feature_dim": 32}}
CHECKPOINT = {"run_id": "toy_world", "checkpoint_gate": GATE_WORLD, "contains_lora_weights": False}
SPACE = {"action_dim": 3, "names": ["x", "y", "grip"]}
STATISTICS = {"fit_split": "train", "action": {"mean": [0.0, 0.1, 0.2], "std": [1.0, 0.5, 0.25]}}
SUMMARY = {"status": "verified", "eval": {"eval_split": "test"}}


def below(folder: str, tree: Tree) -> Tree:
    return {name.replace("run/", f"run/{folder}/", 1): content for name, content in tree.items()}


FIXTURES: dict[str, Tree] = {
    "EVD101/pass/complete": {**ruled(), **TRAINING},
    "EVD101/pass/checkpoint-elsewhere": {
        **ruled(training=("adapter_config.json",)),
        "run/training_metadata.json": {**METADATA, "checkpoint_dir": "<project>/checkpoints/toy_lora"},
        "run/progress_lora.jsonl": PROGRESS,
        "checkpoints/toy_lora/adapter_config.json": {"r": 8},
    },
    "EVD101/fail/missing": {**ruled(training=("model_config.json", "notes*.md")), **TRAINING},
    "EVD101/fail/package": {
        **ruled(training=("model_config.json", "adapter_model.safetensors")),
        "run/training/training_metadata.json": METADATA,
        "run/training/progress.jsonl": PROGRESS,
        "run/eval/metrics.json": metrics(),
        "run/eval/model_config.json": MODEL,
        "run/verified_result_summary.json": SUMMARY,
    },
    "EVD102/pass/complete": {**ruled(), **EVALUATION},
    "EVD102/fail/lacking": {
        **ruled(),
        **EVALUATION,
        "run/metrics.json": metrics(accuracy=None, held_out_episode_count=..., eval_split=...),
    },
    "EVD103/pass/tagged": {
        **ruled(),
        "run/metrics_eval.json": metrics(),
        "run/predictions_eval.jsonl": PREDICTIONS,
        "run/RUN_REPORT_eval.md": REPORT,
    },
    "EVD103/fail/no-report": {
        **ruled(),
        "run/metrics.json": metrics(),
        "run/predictions.jsonl": PREDICTIONS,
    },
    "EVD104/pass/summary": {**ruled(), **TRAINING, "run/adapter_shape_check.json": SHAPES},
    "EVD104/fail/nothing": {**ruled(), **TRAINING},
    "EVD105/pass/counts": {**TRAINING, **EVALUATION, "run/validation_eval.json": VALIDATION},
    "EVD105/fail/bare": {
        **EVALUATION,
        "run/validation_eval.json": {"status": "pass", "checked_at": 1700000000.0, "issues": []},
    },
    "EVD105/fail/contradicted": {
        **TRAINING,
        **EVALUATION,
        "run/predictions.jsonl": PREDICTIONS[:3],
        "run/validation_eval.json": VALIDATION,
    },
    "EVD105/fail/listed-issues": {
        **EVALUATION,
        "run/validation_eval.json": {**VALIDATION, "issues": [{"severity": "error", "message": "a split overlaps"}]},
    },
    "EVD106/pass/all": {
        f"run/{name}/{file}": value
        for name in ("alpha", "beta")
        for file, value in (("verified_result_summary.json", SUMMARY), ("package_audit.json", {"status": "pass"}))
    },
    "EVD106/fail/one": {
        "run/alpha/verified_result_summary.json": SUMMARY,
        "run/alpha/package_audit.json": {"status": "pass", "required_eval_files": ["metrics.json"]},
        "run/beta/verified_result_summary.json": SUMMARY,
    },
    "EVD107/pass/content": {**EVALUATION, "run/.gitkeep": ""},
    "EVD107/fail/report": {**EVALUATION, "run/RUN_REPORT.md": ""},
    "EVD108/pass/test": EVALUATION,
    "EVD108/pass/open": {**EVALUATION, "run/metrics_val.json": metrics(eval_split="val", accuracy=0.6)},
    "EVD108/fail/validation": {**EVALUATION, "run/metrics.json": metrics(eval_split="val")},
    "EVD109/pass/complete": {
        **TRAINING,
        "run/episode_manifest.json": {"generated_at_utc": "1970-01-01T00:10:00Z", "episodes": EPISODES},
    },
    "EVD109/fail/incomplete": {
        "run/episode_manifest.json": {
            "episodes": [EPISODES[0], *({"episode_id": each["episode_id"], "split": "test"} for each in EPISODES[1:])]
        }
    },
    "EVD109/fail/newer": {
        **TRAINING,
        "run/episode_manifest.json": {"generated_at_utc": "1970-01-01T02:00:00Z", "episodes": EPISODES},
    },
    "EVD110/pass/predictions": EVALUATION,
    "EVD110/pass/losses": {
        "run/metrics.json": {"split": "test", "num_eval_samples": 2, "test_forward_dynamics_mse": 1.5},
        "run/loss_records.jsonl": [{"split": "test", "index": i, "loss": 1.5} for i in range(2)],
    },
    "EVD110/fail/metrics": {"run/metrics.json": metrics(), "run/RUN_REPORT.md": REPORT},
    "EVD110/fail/report": {
        **TRAINING,
        "run/RUN_REPORT.md": "# Toy\n\n- Final train loss: 0.2\n- Accuracy: 0.91\n- Macro-F1: `0.88`\n",
    },
    "EVD111/pass/adapter": {**ruled(), **TRAINING, "run/adapter_shape_check.json": SHAPES},
    "EVD111/pass/world": {
        **ruled(GATE_WORLD),
        "run/model_config.json": MODEL,
        "run/checkpoint_manifest.json": {**CHECKPOINT, "metrics": {"accuracy": 0.5}},
        "run/metrics.json": metrics(),
    },
    "EVD111/pass/policy": {
        **ruled(GATE_POLICY),
        "run/action_space.json": SPACE,
        "run/normalization_stats.json": STATISTICS,
        "run/policy_predictions.jsonl": [{"id": "s0", "pred_action": [[0.1, 0.2, 0.3], [0.1, 0.2, 0.4]]}],
        "run/retargeting_audit.json": {"action_dim": 3},
    },
    "EVD111/fail/adapter": {
        **ruled(),
        **TRAINING,
        "run/adapter_shape_check.json": {
            **SHAPES,
            "shape_counts": {"(512,)": 3, "(64, 8)": 2},
            "shapes": {"layers.0.q.lora_A.weight": [512]},
        },
    },
    "EVD111/fail/world": {
        **ruled(GATE_WORLD),
        "run/model_config.json": MODEL,
        "run/generation_config.json": {"feature_dim": 64, "num_inference_steps": 2000},
        "run/scheduler_config.json": {"num_train_timesteps": 1000},
        "run/checkpoint_manifest.json": {
            **CHECKPOINT,
            "checkpoint_gate": "lora_safetensors_shape_check",
            "metrics": {"accuracy": 0.75},
        },
        "run/metrics.json": metrics(),
    },
    "EVD111/fail/policy": {
        **ruled(GATE_POLICY),
        "run/action_space.json": SPACE,
        "run/normalization_stats.json": {"action": {"mean": [0.0, 0.1], "std": [1.0, 0.5, 0.0]}},
        "run/policy_predictions.jsonl": [
            {"id": "s0", "pred_action": [0.1, 0.2, 0.3]},
            {"id": "s1", "pred_action": [0.1, 0.2]},
        ],
        "run/retargeting_audit.json": {"action_dim": 4},
    },
}


def safetensors(shapes: dict[str, list[int]]) -> bytes:
    """Return a file with zeros in tensors of these shapes."""
    at, header = 0, {}
    for name, shape in shapes.items():
        size = 4
        for each in shape:
            size *= each
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(at)


def write_weights() -> None:
    whole = {"layers.0.q.lora_A.weight": [2, 4], "layers.0.q.lora_B.weight": [4, 2]}
    for case, shapes in (
        ("EVD111/pass/weights", whole),
        ("EVD111/fail/weights", {"layers.0.q.lora_A.weight": [8], "layers.0.k.lora_A.weight": [2, 4]}),
    ):
        write({case: {**ruled(), **TRAINING}})
        (ROOT / case / "run" / "adapter_model.safetensors").write_bytes(safetensors(shapes))


if __name__ == "__main__":
    write(FIXTURES)
    write_weights()
