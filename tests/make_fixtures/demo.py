"""Makes ``fixtures/demo``: a sound packaged run, and its twin with what goes wrong in practice.

Usage: python -m tests.make_fixtures.demo
Everything is invented: twenty recordings in twenty kitchens, six actions, a model that is right four times in five.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import random
import shutil
import struct
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
ACTIONS = ["pour water", "stir pot", "cut bread", "open drawer", "wipe table", "fold cloth"]
STEPS = ["prepare", "cook", "clean"]
OBJECTS = ["cup", "pot", "knife", "bread", "drawer", "cloth", "table"]
SPLITS = {"train": 12, "val": 3, "test": 5}
WINDOWS, FRAMES, STRIDE = 8, 20, 40
RUN = "kitchen_qa_01"
Row = dict[str, Any]


def episodes() -> list[Row]:
    """Return the episode records, one session each."""
    found = []
    for number, split in enumerate(split for split, count in SPLITS.items() for _ in range(count)):
        session = f"kitchen-{number:02d}"
        found.append(
            {
                "episode_id": f"{session}__ep1",
                "source_episode_id": "ep1",
                "top_level_session": session,
                "episode_path": f"{session}/ep1",
                "path": f"recordings/{session}/ep1",
                "split": split,
                "frame_count": WINDOWS * STRIDE,
                "main_task": f"Prepare meal number {number}",
                "total_bytes": 1_000_000 + number,
                "has_annotation": True,
                "has_all_videos": True,
                "missing": [],
            }
        )
    return found


def samples(rng: random.Random) -> list[Row]:
    """Return the rows of dataset.jsonl."""
    rows = []
    for episode in episodes():
        offset = rng.randrange(len(ACTIONS))
        for i in range(WINDOWS):
            action = ACTIONS[(offset + i) % len(ACTIONS)]
            start = i * STRIDE
            answer = {
                "action": action,
                "subtask": STEPS[(offset + i) % len(STEPS)],
                "objects": sorted(rng.sample(OBJECTS, 2)),
                "contact": rng.choice(["yes", "no"]),
                "transition": rng.choice(["yes", "no"]),
                "next_action": ACTIONS[(offset + i + 1) % len(ACTIONS)],
                "evidence_window": {
                    "start_frame": start + rng.randrange(5),
                    "end_frame": start + 15 + rng.randrange(5),
                },
            }
            question = "What is being done?"
            rows.append(
                {
                    "id": f"{episode['episode_id']}:qa:{i}",
                    "episode_id": episode["episode_id"],
                    "source_episode_id": "ep1",
                    "top_level_session": episode["top_level_session"],
                    "episode_path": episode["episode_path"],
                    "split": episode["split"],
                    "target": "episode_qa",
                    "prompt_type": "json_episode_understanding",
                    "center_window": {"start_frame": start, "end_frame": start + FRAMES - 1, "num_frames": FRAMES},
                    "media": {
                        "video_paths": [
                            {"name": "front.mp4", "path": f"recordings/{episode['episode_path']}/front.mp4"}
                        ],
                        "context_start_frame": start,
                        "context_end_frame": start + FRAMES - 1,
                        "max_video_frames": 16,
                        "mosaic_video_path": None,
                        "audio_path": None,
                    },
                    "question": question,
                    "answer_json": answer,
                    "label": action,
                    "action_options": ACTIONS,
                    "subtask_options": STEPS,
                    "label_options": ACTIONS,
                    "messages": [
                        {"role": "user", "content": question},
                        {"role": "assistant", "content": json.dumps(answer, sort_keys=True)},
                    ],
                }
            )
    return rows


def predict(rows: list[Row], rng: random.Random) -> list[Row]:
    """Return predictions for the test rows: each field is right four times in five."""
    found = []
    for row in rows:
        if row["split"] != "test":
            continue
        truth = row["answer_json"]
        answer = copy.deepcopy(truth)
        for key, options in (
            ("action", ACTIONS),
            ("subtask", STEPS),
            ("contact", ["yes", "no"]),
            ("transition", ["yes", "no"]),
            ("next_action", ACTIONS),
        ):
            if rng.random() < 0.2:
                answer[key] = rng.choice([option for option in options if option != truth[key]])
        if rng.random() < 0.3:
            answer["objects"] = sorted(rng.sample(OBJECTS, 2))
        answer["evidence_window"]["start_frame"] += rng.randrange(2)
        found.append(
            {
                "id": row["id"],
                "target": "episode_qa",
                "split": "test",
                "episode_id": row["episode_id"],
                "center_window": row["center_window"],
                "true_label": truth["action"],
                "raw_prediction": json.dumps(answer, sort_keys=True),
                "true_json": truth,
                "pred_json": answer,
                "predicted_label": answer["action"],
                "correct": int(answer["action"] == truth["action"]),
                "true_label_seen_in_train": 1,
            }
        )
    return found


def f1_table(rows: list[Row]) -> list[Row]:
    """Return the per-class table over the labels of truth and prediction."""
    true = Counter(row["true_label"] for row in rows)
    predicted = Counter(row["predicted_label"] for row in rows)
    hit = Counter(row["true_label"] for row in rows if row["correct"])
    table = []
    for label in ACTIONS:
        precision = hit[label] / predicted[label] if predicted[label] else 0.0
        recall = hit[label] / true[label] if true[label] else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        table.append(
            {
                "class_name": label,
                "support": true[label],
                "predicted": predicted[label],
                "precision": precision,
                "recall": recall,
                "f1": f1,
            }
        )
    return table


def metrics(rows: list[Row]) -> Row:
    """Return metrics.json for the rows, with the definition of every ambiguous metric named."""
    table = f1_table(rows)
    count = len(rows)

    def rate(key: str) -> float:
        return sum(row["true_json"][key] == row["pred_json"][key] for row in rows) / count

    shared = sum(len(set(row["true_json"]["objects"]) & set(row["pred_json"]["objects"])) for row in rows)
    objects = sum(len(row["true_json"]["objects"]) + len(row["pred_json"]["objects"]) for row in rows)
    macro = sum(entry["f1"] for entry in table) / len(table)
    accuracy = sum(row["correct"] for row in rows) / count
    return {
        "run_id": f"{RUN}_eval",
        "backbone": "kitchen_episode_qa",
        "num_samples": count,
        "accuracy": accuracy,
        "macro_f1": macro,
        "labels": ACTIONS,
        "model_id": "kitchen-base-1b",
        "adapter_dir": f"checkpoints/{RUN}/adapter",
        "dataset_jsonl": "dataset/dataset.jsonl",
        "eval_split": "test",
        "train_split": "train",
        "num_eval_episodes": SPLITS["test"],
        "held_out_episode_count": SPLITS["test"],
        "unseen_eval_labels": [],
        "num_unseen_label_samples": 0,
        "seen_label_accuracy": accuracy,
        "unseen_label_accuracy": None,
        "eval_label_counts": dict(Counter(row["true_label"] for row in rows)),
        "json_validity_rate": 1.0,
        "action_macro_f1": macro,
        "subtask_accuracy": rate("subtask"),
        "transition_accuracy": rate("transition"),
        "next_action_accuracy": rate("next_action"),
        "contact_accuracy": rate("contact"),
        "object_micro_f1": 2 * shared / objects,
        "metric_definitions": {
            "accuracy": "accuracy@all",
            "macro_f1": "macro_f1@union",
            "action_macro_f1": "macro_f1@union",
            "object_micro_f1": "object_micro_f1@exact",
        },
    }


def as_csv(header: list[str], rows: list[list[Any]]) -> str:
    """Return CSV text with LF line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def evaluation_files(rows: list[Row]) -> dict[str, Any]:
    """Return the files of ``eval/`` by name."""
    stated = metrics(rows)
    columns = [
        "id",
        "target",
        "split",
        "episode_id",
        "center_window",
        "true_label",
        "raw_prediction",
        "predicted_label",
        "correct",
        "true_label_seen_in_train",
    ]
    table = f1_table(rows)
    matrix = Counter((row["true_label"], row["predicted_label"]) for row in rows)
    report = "\n".join(
        [
            "# Kitchen episode QA evaluation",
            "",
            "- Base model: `kitchen-base-1b`",
            "- Eval split: `test`",
            f"- Samples: {stated['num_samples']}",
            f"- Episodes: {stated['num_eval_episodes']}",
            f"- Accuracy: {stated['accuracy']:.4f}",
            f"- Macro-F1: {stated['macro_f1']:.4f}",
            "",
        ]
    )
    return {
        "eval/metrics.json": stated,
        "eval/predictions.jsonl": rows,
        "eval/predictions.csv": as_csv(columns, [[row[column] for column in columns] for row in rows]),
        "eval/per_class_metrics.csv": as_csv(list(table[0]), [list(entry.values()) for entry in table]),
        "eval/confusion_matrix.csv": as_csv(
            ["true\\pred", *ACTIONS], [[true, *(matrix[true, predicted] for predicted in ACTIONS)] for true in ACTIONS]
        ),
        "eval/RUN_REPORT.md": report,
    }


def training_files() -> dict[str, Any]:
    """Return the files of ``training/`` by name, adapter included."""
    run_id, start = f"{RUN}_lora", 1_760_000_000.0
    train, val = SPLITS["train"] * WINDOWS, SPLITS["val"] * WINDOWS
    history = [
        {"epoch": 0, "train_loss": 1.42, "val_loss": 1.51, "global_step": train},
        {"epoch": 1, "train_loss": 0.93, "val_loss": 1.12, "global_step": 2 * train},
    ]
    log: list[Row] = [
        {
            "event": "setup_done",
            "run_id": run_id,
            "dataset_jsonl": "dataset/dataset.jsonl",
            "num_processes": 1,
            "num_train_samples": train,
            "num_val_samples": val,
            "timestamp": start,
        },
        {"event": "model_load_start", "run_id": run_id, "timestamp": start + 0.4},
        {"event": "model_load_done", "run_id": run_id, "timestamp": start + 38.2},
        {"event": "train_loop_start", "run_id": run_id, "timestamp": start + 40.0},
    ]
    for epoch in (0, 1):
        for step in range(0, train, 24):
            at = start + 41.5 + (epoch * train + step) * 1.7
            loss = 1.6 - 0.005 * (epoch * train + step)
            log.append(
                {
                    "event": "train_step",
                    "epoch": epoch,
                    "global_step": epoch * train + step,
                    "rank0_batch_loss": round(loss, 4),
                    "timestamp": at,
                }
            )
        log.append({"event": "epoch_end", **history[epoch], "timestamp": start + 42.0 + (epoch + 1) * train * 1.7})
    log.append({"event": "save_start", "run_id": run_id, "timestamp": start + 380.0})
    log.append({"event": "save_done", "run_id": run_id, "timestamp": start + 381.3})
    log.append({"event": "complete", "run_id": run_id, "timestamp": start + 381.4})
    return {
        "training/training_metadata.json": {
            "run_id": run_id,
            "model_id": "kitchen-base-1b",
            "backbone": "kitchen_episode_qa",
            "dataset_jsonl": "dataset/dataset.jsonl",
            "checkpoint_dir": f"checkpoints/{RUN}/adapter",
            "num_processes": 1,
            "num_train_samples": train,
            "num_val_samples": val,
            "tuning_mode": "lora",
            "save_mode": "lora_adapter",
            "weights_updated": True,
            "history": history,
            "lora": {"r": 4, "alpha": 8, "dropout": 0.0, "target_modules": ["q_proj"]},
            "code_commit": "3f1c9a7be02d4c5e8a6f7b1d2c3e4f5a6b7c8d9e",
            "code_dirty": False,
            "seed": 17,
            "dataset_revision": "kitchen-qa-v1",
            "library_versions": {"python": "3.11.9", "torch": "2.6.0", "transformers": "4.57.0", "peft": "0.18.0"},
        },
        "training/progress.jsonl": log,
        "training/adapter_config.json": {
            "base_model_name_or_path": "kitchen-base-1b",
            "peft_type": "LORA",
            "peft_version": "0.18.0",
            "r": 4,
            "lora_alpha": 8,
            "lora_dropout": 0.0,
            "target_modules": ["q_proj"],
            "task_type": "CAUSAL_LM",
        },
        "training/adapter_model.safetensors": adapter(),
    }


def adapter() -> bytes:
    """Return a tiny LoRA adapter of two layers, rank 4, in safetensors."""
    rng = random.Random(3)
    header: Row = {"__metadata__": {"format": "pt"}}
    data = b""
    for layer in (0, 1):
        for side, shape in (("A", (4, 8)), ("B", (8, 4))):
            values = struct.pack(f"<{shape[0] * shape[1]}f", *(rng.gauss(0, 0.02) for _ in range(shape[0] * shape[1])))
            name = f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_{side}.weight"
            header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(values)]}
            data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def dataset_files(rows: list[Row]) -> dict[str, Any]:
    """Return the files of ``dataset/`` by name."""
    counts = dict(Counter(row["split"] for row in rows))
    listed = episodes()
    return {
        "dataset/dataset.jsonl": rows,
        "dataset/dataset_manifest.json": {
            "run_id": f"{RUN}_dataset",
            "dataset_path": "dataset/dataset.jsonl",
            "num_samples": len(rows),
            "num_episodes": len(listed),
            "split_counts": counts,
            "episode_split_counts": dict(SPLITS),
            "label_counts": dict(Counter(row["label"] for row in rows)),
            "action_options": ACTIONS,
            "subtask_options": STEPS,
            "clip_policy": {"label_window_frames": FRAMES, "stride_frames": STRIDE, "max_windows_per_episode": WINDOWS},
            "skipped_episodes": [],
        },
        "dataset/episode_manifest.json": {
            "summary": {
                "selected_episode_count": len(listed),
                "selected_split_counts": dict(SPLITS),
                "included_episode_count": len(listed),
                "included_split_counts": dict(SPLITS),
                "windowing": {"window_frames": FRAMES, "stride_frames": STRIDE},
            },
            "episodes": listed,
            "missing_or_incomplete": [],
        },
    }


def flaw(files: dict[str, Any]) -> dict[str, Any]:
    """Return the files of the flawed twin: what goes wrong in practice, one thing after another."""
    rows = files["dataset/dataset.jsonl"]
    test = next(row for row in rows if row["split"] == "test")
    leaked = copy.deepcopy(
        next(row for row in rows if row["episode_id"] == test["episode_id"] and row["id"].endswith(":2"))
    )
    leaked.update(id=f"{test['episode_id']}:qa:90", split="train")
    leaked["center_window"] = {"start_frame": 88, "end_frame": 107, "num_frames": 20}
    leaked["answer_json"]["evidence_window"] = {"start_frame": 90, "end_frame": 100}
    rows.append(leaked)
    files["dataset/dataset_manifest.json"]["num_samples"] += 1
    files["dataset/dataset_manifest.json"]["split_counts"]["train"] += 1
    files["dataset/dataset_manifest.json"]["label_counts"][leaked["label"]] += 1
    stated = files["eval/metrics.json"]
    stated["accuracy"] = round(stated["accuracy"] + 0.05, 4)
    table = files["eval/predictions.csv"].split("\n")
    del table[4]
    files["eval/predictions.csv"] = "\n".join(table)
    log = files["training/progress.jsonl"]
    for event in log:
        event["timestamp"] = 1_760_000_500.0 + log.index(event) * 2e-6
    files["validation/eval.json"] = {"status": "pass"}
    return files


def write(folder: Path, files: dict[str, Any]) -> None:
    """Write files: bytes and text as they are, lists as JSONL, objects as JSON."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)
        elif isinstance(value, str):
            path.write_text(value, encoding="utf-8", newline="")
        elif isinstance(value, list):
            path.write_text("".join(json.dumps(row) + "\n" for row in value), encoding="utf-8", newline="")
        else:
            path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8", newline="")


CARD = """---
license: cc0-1.0
base_model: kitchen-base-1b
library_name: peft
tags:
- synthetic
---

# Kitchen question answering, run 01

A synthetic evaluation of a small adapter on short windows of kitchen episodes. No episode is in two splits.
The numbers are in `eval/metrics.json`, and every answer behind them in `eval/predictions.jsonl`.
"""
LICENCE = """CC0 1.0 Universal

To the extent possible under law, the authors have waived all copyright and related rights to this synthetic run.
The legal text: https://creativecommons.org/publicdomain/zero/1.0/legalcode
"""


def build() -> dict[str, Any]:
    """Return the files of the sound run."""
    rng = random.Random(11)
    rows = samples(rng)
    return {
        "README.md": CARD,
        "LICENSE": LICENCE,
        **dataset_files(rows),
        **training_files(),
        **evaluation_files(predict(rows, rng)),
    }


if __name__ == "__main__":
    write(ROOT / "sound", build())
    write(ROOT / "flawed", flaw(build()))
