"""Writes the fixture trees of the CTR rules: ``python -m tests.make_fixtures.contracts``."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
Tree = dict[str, Any]

CONTRACT: dict[str, Any] = {
    "id": "garden_robot",
    "display_name": "Garden robot",
    "status": "implemented",
    "model_family": "garden-base",
    "default_model_id": None,
    "local_model_env": "GARDEN_MODEL_DIR",
    "dataset_contract": "garden_episode_json_qa_v1",
    "training_objective": "answers_about_short_windows",
    "split_policy": {
        "unit": "episode",
        "default_counts": {"train": 8, "val": 2, "test": 2},
        "leakage_guard": "gardens are disjoint between splits",
    },
    "modalities": {"direct_inputs": ["camera video", "language prompt"], "excluded_inputs": ["thermal video"]},
    "entrypoints": {"train": "scripts/train.py", "eval": "scripts/eval.py", "upload": None},
    "primary_metrics": ["accuracy", "held_out_episode_count"],
    "artifact_contract": {
        "checkpoint_gate": "lora_safetensors_shape_check",
        "required_eval_files": ["metrics.json", "predictions.jsonl", "RUN_REPORT.md"],
        "required_training_files": ["training_metadata.json", "progress.jsonl"],
        "public_package_allowed": ["metrics", "predictions", "run reports"],
        "public_package_forbidden": [
            "raw MP4",
            "annotation HDF5",
            "Rerun RRD",
            "base-model weights",
            "full checkpoints",
            "large archives",
        ],
    },
    "extension_requirements": [],
}
SCRIPT = "raise SystemExit('a fixture, never run')\n"
SCRIPTS: Tree = {"scripts/train.py": SCRIPT, "scripts/eval.py": SCRIPT}
METADATA = {
    "run_id": "garden_lora_01",
    "backbone": {"id": "garden_robot", "display_name": "Garden robot"},
    "num_train_samples": 64,
}
FILE = "contracts/garden_robot.json"
TREE: Tree = {FILE: CONTRACT, **SCRIPTS, "run/training_metadata.json": METADATA}


def changed(pointer: str, value: Any, tree: Tree = TREE, file: str = FILE) -> Tree:
    """Return the tree with one value of a file replaced, added or, with ``...``, removed."""
    tree = copy.deepcopy(tree)
    *parents, last = pointer.strip("/").split("/")
    place = tree[file]
    for part in parents:
        place = place[int(part) if isinstance(place, list) else part]
    if value is ...:
        del place[last]
    elif isinstance(place, list):
        place.insert(int(last), value) if int(last) == len(place) else place.__setitem__(int(last), value)
    else:
        place[last] = value
    return tree


def without(name: str) -> Tree:
    return {key: value for key, value in TREE.items() if key != name}


def beside(name: str, value: Any) -> Tree:
    return {**copy.deepcopy(TREE), f"run/{name}": value}


ARTIFACTS = "/artifact_contract"
OLD_BACKBONE = {
    **CONTRACT,
    "training_objective": "captions_of_short_windows",
    "entrypoints": {"train": "", "eval": "scripts/eval.py", "package": "scripts/package.py"},
    "modalities": {"direct_inputs": ["camera video"], "excluded_inputs": ["thermal video"]},
    "config_path": "configs/garden_robot.json",
}
FIXTURES: dict[str, Tree] = {
    "CTR101/pass/sound": TREE,
    "CTR101/pass/requirements": changed("/extension_requirements", ["needs a night camera"]),
    "CTR101/fail/many": changed(
        "/modalities", ..., changed("/split_policy/unit", "window", changed("/display_name", 7))
    ),
    "CTR101/fail/unknown-key": changed("/artifact_contract/require_eval_files", []),
    "CTR101/fail/repeated": changed("/primary_metrics", ["accuracy", "held_out_episode_count", "accuracy"]),
    "CTR101/fail/truncated": {**TREE, FILE: json.dumps(CONTRACT, indent=2)[:-40]},
    "CTR101/fail/ambiguous": {**TREE, FILE: json.dumps(CONTRACT)[:-1] + ', "status": "planned_adapter"}'},
    "CTR101/fail/count-as-text": changed("/split_policy/default_counts/train", "ninety"),
    "CTR102/pass/one-each": {**TREE, "contracts/orchard.json": {**CONTRACT, "id": "orchard_robot"}},
    "CTR102/fail/copy": {**TREE, "contracts/garden_robot_copy.json": {**CONTRACT, "display_name": "A copy"}},
    "CTR103/pass/scripts-there": TREE,
    "CTR103/pass/planned": changed(
        "/status", "planned_adapter", changed("/entrypoints", {"train": None, "eval": None})
    ),
    "CTR103/fail/missing": without("scripts/eval.py"),
    "CTR103/fail/absolute-and-escaping": changed(
        "/entrypoints/upload", "../upload.sh", changed("/entrypoints/train", "/bin/sh")
    ),
    "CTR103/fail/directory": changed("/entrypoints/upload", "scripts"),
    "CTR103/fail/implemented-without": changed("/entrypoints/train", None),
    "CTR103/fail/other-workspace": {name: value for name, value in TREE.items() if name not in SCRIPTS},
    "CTR104/pass/future-predictions": changed(f"{ARTIFACTS}/required_eval_files/1", "future_predictions.jsonl"),
    "CTR104/fail/files": changed(
        f"{ARTIFACTS}/required_eval_files",
        ["scores.csv"],
        changed(f"{ARTIFACTS}/required_training_files/1", "notes.md"),
    ),
    "CTR104/fail/counts-and-guard": changed(
        "/split_policy/leakage_guard",
        " ",
        changed("/split_policy/default_counts/val", ..., changed("/split_policy/default_counts/test", 0)),
    ),
    "CTR104/fail/no-held-out-count": changed("/primary_metrics", ["accuracy"]),
    "CTR105/pass/globs": changed(f"{ARTIFACTS}/required_eval_files/3", "tables/rank_*_metrics.csv"),
    "CTR105/fail/escapes": changed(
        f"{ARTIFACTS}/required_eval_files/3",
        "../../etc/passwd",
        changed(f"{ARTIFACTS}/required_training_files/2", "/data/adapter_config.json"),
    ),
    "CTR106/pass/audits": changed(f"{ARTIFACTS}/public_package_allowed/3", "adapter load audits"),
    "CTR106/fail/permits": changed(
        f"{ARTIFACTS}/public_package_forbidden", ["mp4 hdf5 rrd weights checkpoints archives are all allowed"]
    ),
    "CTR106/fail/overlap": changed(f"{ARTIFACTS}/public_package_allowed/3", "LoRA adapter weights"),
    "CTR106/fail/uncovered": changed(f"{ARTIFACTS}/public_package_forbidden/5", "raw WAV"),
    "CTR107/pass/known": TREE,
    "CTR107/fail/misspelt": changed(f"{ARTIFACTS}/checkpoint_gate", "lora_safetensor_shape_check"),
    "CTR110/pass/subset": TREE,
    "CTR110/pass/same-text": beside(
        "packer_summary.json",
        {
            "backbone": {
                **CONTRACT,
                "primary_metrics": ["held_out_episode_count", "accuracy"],
                "config_path": "c.json",
            },
            "status": "pass",
        },
    ),
    "CTR110/pass/measured-values": beside(
        "verified_result_summary.json",
        {
            "status": "verified",
            "backbone": "garden_robot",
            "backbone_display_name": "Garden robot",
            "dataset_contract": "garden_episode_json_qa_v1",
            "primary_metrics": {"accuracy": 0.5, "held_out_episode_count": 2},
        },
    ),
    "CTR110/fail/packer": beside("packer_summary.json", {"backbone": OLD_BACKBONE, "status": "pass"}),
    "CTR110/fail/summary": beside(
        "verified_result_summary.json",
        {
            "status": "verified",
            "backbone": "garden_robot",
            "backbone_display_name": "Garden robot, first trial",
            "validation_summary": {
                "backbone": "garden_robot",
                "checkpoint_gate": "lora_safetensors_shape_check",
                "eval": {"required_eval_files": ["metrics.json", "predictions.jsonl"]},
            },
        },
    ),
    "CTR110/fail/dataset": beside("dataset_manifest.json", {"num_samples": 4, "dataset_contract": "garden_qa_v0"}),
    "CTR110/fail/other-contract": beside(
        "packer_summary.json", {"backbone": {"id": "orchard_robot", "display_name": "Orchard"}}
    ),
}


def write(folder: Path, tree: Tree) -> None:
    """Write text as it is and everything else as JSON."""
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for case, files in FIXTURES.items():
        write(ROOT / case, files)
