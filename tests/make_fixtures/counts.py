"""Writes the fixture trees of the CNT rules: ``python -m tests.make_fixtures.counts``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
SPLITS = ["train"] * 8 + ["val"] * 2 + ["test"] * 2
Tree = dict[str, Any]


def contract(train: int = 8, val: int = 2, test: int = 2) -> dict[str, Any]:
    return {
        "id": "toy_lab",
        "display_name": "Toy lab",
        "status": "implemented",
        "model_family": "toy",
        "dataset_contract": "toy_rows_v1",
        "training_objective": "toy",
        "split_policy": {
            "unit": "episode",
            "default_counts": {"train": train, "val": val, "test": test},
            "leakage_guard": "episode and session",
        },
        "modalities": {"direct_inputs": ["video"], "excluded_inputs": ["raw files"]},
        "entrypoints": {},
        "primary_metrics": ["accuracy", "held_out_episode_count"],
        "artifact_contract": {
            "checkpoint_gate": "lora_safetensors_shape_check",
            "required_eval_files": ["metrics.json", "predictions.jsonl", "RUN_REPORT.md"],
            "required_training_files": ["training_metadata.json", "progress.jsonl"],
            "public_package_allowed": ["metrics", "predictions"],
            "public_package_forbidden": ["raw MP4", "HDF5", "RRD", "weights", "checkpoints", "archives"],
        },
        "extension_requirements": [],
    }


def episode(number: int, split: str, **more: Any) -> dict[str, Any]:
    return {"episode_id": f"walk{number:02d}__ep1", "split": split, "top_level_session": f"walk{number:02d}", **more}


def manifest(splits: list[str] = SPLITS, **summary: Any) -> dict[str, Any]:
    counts = {split: splits.count(split) for split in ("train", "val", "test")}
    stated = {
        "selected_episode_count": len(splits),
        "selected_split_counts": counts,
        "included_episode_count": len(splits),
        "included_split_counts": counts,
        **summary,
    }
    return {
        "summary": stated,
        "episodes": [episode(i, split) for i, split in enumerate(splits)],
        "missing_or_incomplete": [],
    }


def dataset(episodes: int, skipped: list[dict[str, str]] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "run_id": "toy_dataset",
        "num_samples": episodes * 2,
        "num_episodes": episodes,
        "split_counts": {"train": (episodes - 4) * 2, "val": 4, "test": 4},
        "episode_split_counts": {"train": episodes - 4, "val": 2, "test": 2},
        "skipped_episodes": skipped or [],
        **more,
    }


def skip(number: int) -> dict[str, str]:
    return {"episode_id": f"walk{number:02d}__ep1", "reason": "no labelled window"}


def rows(episodes: int) -> list[dict[str, Any]]:
    splits = ["train"] * (episodes - 4) + ["val"] * 2 + ["test"] * 2
    return [
        {"id": f"e{i}:{k}", "episode_id": f"walk{i:02d}__ep1", "split": split}
        for i, split in enumerate(splits)
        for k in range(2)
    ]


def predictions(count: int, *, named: bool = True) -> list[dict[str, Any]]:
    found = []
    for i in range(count):
        row = {"id": f"p{i}", "split": "test", "true_label": "sit", "predicted_label": "sit"}
        found.append(row | {"episode_id": f"walk{10 + i % 2}__ep1"} if named else row)
    return found


def metrics(samples: int, episodes: int, **more: Any) -> dict[str, Any]:
    return {"num_samples": samples, "held_out_episode_count": episodes, "eval_split": "test", "accuracy": 1.0, **more}


WITH_CONTRACT: Tree = {
    "omnicheck.toml": '[[run]]\npath = "run"\ncontract = "toy_lab"\n',
    "contracts/toy_lab.json": contract(),
}
LISTED = [episode(i, split, has_annotation=True, has_all_videos=True) for i, split in enumerate(SPLITS)]

FIXTURES: dict[str, Tree] = {
    "CNT101/pass/stages": {
        "run/episode_manifest.json": manifest(),
        "run/dataset_manifest.json": dataset(11, [skip(0)]),
        "run/dataset.jsonl": rows(11),
    },
    "CNT101/fail/export": {"run/dataset_manifest.json": dataset(12), "run/dataset.jsonl": rows(11)},
    "CNT101/fail/evaluated": {"run/metrics.json": metrics(4, 3), "run/predictions.jsonl": predictions(4)},
    "CNT101/fail/skipped": {
        "run/dataset/dataset_manifest.json": dataset(11, [skip(0)]),
        "run/verified_result_summary.json": {
            "status": "verified",
            "dataset": {"num_episodes": 11, "skipped_episodes": 0},
        },
    },
    "CNT102/pass/reasons": {
        "run/episode_manifest.json": manifest(),
        "run/dataset_manifest.json": dataset(10, [skip(0), skip(1)]),
    },
    "CNT102/pass/smaller": {**WITH_CONTRACT, "run/dataset_manifest.json": dataset(5)},
    "CNT102/fail/manifest": {
        "run/episode_manifest.json": manifest(),
        "run/dataset_manifest.json": dataset(10, [skip(0)]),
    },
    "CNT102/fail/contract": {**WITH_CONTRACT, "run/dataset_manifest.json": dataset(11)},
    "CNT102/fail/no-reason": {
        "run/episode_manifest.json": manifest(),
        "run/dataset_manifest.json": dataset(11, [{"episode_id": "walk00__ep1"}]),
    },
    "CNT103/pass/limit": {
        "run/dataset/dataset_manifest.json": dataset(12),
        "run/eval/metrics.json": metrics(3, 2, max_eval_samples=3),
        "run/training/training_metadata.json": {"run_id": "toy", "num_train_samples": 16, "num_val_samples": 4},
    },
    "CNT103/fail/eval": {
        "run/dataset/dataset_manifest.json": dataset(12),
        "run/eval/metrics.json": metrics(3, 2),
        "run/training/training_metadata.json": {"run_id": "toy", "num_train_samples": 12, "num_val_samples": 4},
    },
    "CNT104/pass/rows": {"run/metrics.json": metrics(4, 2), "run/predictions.jsonl": predictions(4)},
    "CNT104/fail/unnamed": {"run/metrics.json": metrics(4, 2), "run/predictions.jsonl": predictions(4, named=False)},
    "CNT104/fail/losses": {
        "run/metrics.json": {"num_eval_samples": 3, "held_out_episode_count": 2, "split": "test"},
        "run/loss_records.jsonl": [{"split": "test", "index": i, "loss": 0.5} for i in range(3)],
    },
    "CNT105/pass/rows": {
        "run/metrics.json": metrics(4, 2),
        "run/predictions.jsonl": predictions(4),
        "run/dataset_manifest.json": dataset(12),
        "run/dataset.jsonl": rows(12),
    },
    "CNT105/fail/predictions": {"run/metrics.json": metrics(5, 2), "run/predictions.jsonl": predictions(4)},
    "CNT105/fail/dataset": {"run/dataset_manifest.json": dataset(12), "run/dataset.jsonl": rows(12)[:-1]},
    "CNT105/fail/summary": {
        "run/dataset/dataset_manifest.json": dataset(12),
        "run/verified_result_summary.json": {"status": "verified", "dataset": {"num_samples": 26, "num_episodes": 12}},
    },
    "CNT106/pass/skipped": {
        **WITH_CONTRACT,
        "run/episode_manifest.json": manifest(),
        "run/dataset_manifest.json": dataset(11, [skip(0)]),
    },
    "CNT106/fail/selection": {
        **WITH_CONTRACT,
        "run/episode_manifest.json": manifest(["train"] * 7 + ["val"] * 2 + ["test"] * 3),
    },
    "CNT106/fail/larger": {**WITH_CONTRACT, "run/dataset_manifest.json": dataset(14)},
    "CNT107/pass/complete": {"run/episode_manifest.json": {"episodes": LISTED}},
    "CNT107/fail/annotation": {
        "run/episode_manifest.json": {
            "episodes": [
                *LISTED[:3],
                episode(3, "train", has_annotation=False),
                episode(4, "val", has_all_videos=False),
            ]
        }
    },
}


def write(fixtures: dict[str, Tree]) -> None:
    """Write trees below ``fixtures/``: text as it is, lists as JSONL, everything else as JSON."""
    for case, tree in fixtures.items():
        for name, content in tree.items():
            path = ROOT / case / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                text = content
            elif isinstance(content, list):
                text = "".join(json.dumps(row) + "\n" for row in content)
            else:
                text = json.dumps(content, indent=1) + "\n"
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(FIXTURES)
