"""Writes the fixture trees of the PRD rules: ``python -m tests.make_fixtures.predictions``."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from tests.make_fixtures.counts import Tree, contract, write

ACTIONS = ["fold towel", "rinse cup", "stack plates", "wipe shelf"]
SUBTASKS = ["tidy up", "wash up"]
LINK = '[[run]]\npath = "run"\ncontract = "toy_lab"\n'
MANIFEST = {"run_id": "toy", "action_options": ACTIONS, "subtask_options": SUBTASKS}


def qa_contract(**more: Any) -> dict[str, Any]:
    return {**contract(), "dataset_contract": "toy_episode_qa_v1", **more}


WITH_CONTRACT: Tree = {"omnicheck.toml": LINK, "contracts/toy_lab.json": qa_contract()}


def answer(at: int, **changes: Any) -> dict[str, Any]:
    found = {
        "action": ACTIONS[at % 4],
        "subtask": SUBTASKS[at % 2],
        "objects": ["towel", "cup"],
        "contact": "yes",
        "transition": "no",
        "next_action": ACTIONS[(at + 1) % 4],
        "evidence_window": {"start_frame": at * 50 + 3, "end_frame": at * 50 + 20},
        **changes,
    }
    return {key: value for key, value in found.items() if value is not ...}


def row(at: int, predicted: Any = None, **more: Any) -> dict[str, Any]:
    """A prediction; ``predicted`` is an answer, a text that is none, or None for a right answer."""
    true = answer(at, evidence_window={"start_frame": at * 50, "end_frame": at * 50 + 29})
    given = answer(at) if predicted is None else predicted
    label = given.get("action") if isinstance(given, dict) else given
    return {
        "id": f"kitchen{at // 2}__ep1:{at}",
        "split": "test",
        "episode_id": f"kitchen{at // 2}__ep1",
        "center_window": {"start_frame": at * 50, "end_frame": at * 50 + 29, "num_frames": 30},
        "true_label": true["action"],
        "raw_prediction": json.dumps(given) if isinstance(given, dict) else given,
        "true_json": true,
        "pred_json": given if isinstance(given, dict) else {},
        "predicted_label": label,
        "correct": int(label == true["action"]),
        **more,
    }


def table(rows: list[dict[str, Any]], **changes: Any) -> str:
    names = ["id", "split", "episode_id", "center_window", "true_label", "raw_prediction", "predicted_label", "correct"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, extrasaction="ignore")
    writer.writeheader()
    for at, each in enumerate(rows):
        writer.writerow({**each, **(changes if at == 1 else {})})
    return stream.getvalue()


def sample(at: int, **changes: Any) -> dict[str, Any]:
    found = {
        "id": f"kitchen{at // 2}__ep1:{at}",
        "episode_id": f"kitchen{at // 2}__ep1",
        "split": "test",
        "answer_json": answer(at, evidence_window={"start_frame": at * 50, "end_frame": at * 50 + 29}),
        "label": ACTIONS[at % 4],
        "action_options": ACTIONS,
        "subtask_options": SUBTASKS,
        **changes,
    }
    return {key: value for key, value in found.items() if value is not ...}


ROWS = [row(at) for at in range(4)]
COPIED = [row(at, answer(at, evidence_window={"start_frame": at * 50, "end_frame": at * 50 + 29})) for at in range(4)]
INVENTED = [*ROWS[:2], row(2, answer(2, action="stacking the plates", subtask="clean")), row(3)]
WORLD = {
    **contract(),
    "dataset_contract": "toy_pairs_v1",
    "sample_contract": {
        "kind": "future_window",
        "horizon_frames": 60,
        "conditioning": ["video"],
        "targets": ["future_labels"],
    },
}


def pair(at: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"pair{at}",
        "episode_id": "kitchen0__ep1",
        "split": "test",
        "window": {"start_frame": at * 20, "end_frame": at * 20 + 19},
        "future_window": {"start_frame": at * 20 + 60, "end_frame": at * 20 + 79},
        "media": {"video_paths": []},
        "future_target": {"action": "rinse cup"},
        **changes,
    }


def evaluated(rows: list[dict[str, Any]], adapter: str) -> Tree:
    metrics = {"num_samples": len(rows), "eval_split": "test", "adapter_dir": f"checkpoints/{adapter}/adapter_lora"}
    return {"metrics.json": metrics, "predictions.jsonl": rows}


def below(folder: str, tree: Tree) -> Tree:
    return {f"run/{folder}/{name}": content for name, content in tree.items()}


FIXTURES: dict[str, Tree] = {
    "PRD101/pass/strict": {**WITH_CONTRACT, "run/predictions.jsonl": ROWS, "run/dataset_manifest.json": MANIFEST},
    "PRD101/fail/causes": {
        **WITH_CONTRACT,
        "run/dataset_manifest.json": MANIFEST,
        "run/metrics.json": {"num_samples": 8, "json_validity_rate": 0.875, "eval_split": "test"},
        "run/predictions.jsonl": [
            row(0),
            row(1, "I think the person rinses a cup."),
            row(2, answer(2, transition=...)),
            row(3, answer(3, mood="calm")),
            row(4, answer(4, objects="cup")),
            row(5, answer(5, objects=[f"object {i}" for i in range(9)])),
            row(6, answer(6, objects=["cup", "Cup "], contact="maybe")),
            row(7, answer(7, action="iron shirt", evidence_window=[1, 2])),
        ],
    },
    "PRD101/fail/no-contract": {"run/predictions.jsonl": [*ROWS[:3], row(3, answer(3, objects=None))]},
    "PRD102/pass/options": {
        "run/predictions.jsonl": [*ROWS[:3], row(3, answer(3, action="unknown"))],
        "run/dataset_manifest.json": MANIFEST,
    },
    "PRD102/pass/another-dataset": {
        "run/predictions.jsonl": INVENTED,
        "run/dataset_manifest.json": {**MANIFEST, "action_options": ["repot"], "subtask_options": ["garden"]},
        "run/dataset.jsonl": [
            sample(at, action_options=[*ACTIONS, "stacking the plates"], subtask_options=[*SUBTASKS, "clean"])
            for at in range(4)
        ],
    },
    "PRD102/fail/invented": {"run/predictions.jsonl": INVENTED, "run/dataset_manifest.json": MANIFEST},
    "PRD102/fail/classifier": {
        "run/predictions.csv": "window_index,true_label,predicted_label,correct\n0,walk,walk,1\n1,run,jog,0\n",
        "run/metadata.json": {"classes": ["run", "walk"]},
    },
    "PRD103/pass/inside": {"run/predictions.jsonl": ROWS},
    "PRD103/fail/outside": {
        "run/predictions.jsonl": [
            row(0),
            row(1, answer(1, evidence_window={"start_frame": 40, "end_frame": 70})),
            row(2, answer(2, evidence_window={"start_frame": 120, "end_frame": 110})),
        ]
    },
    "PRD104/pass/own": {"run/predictions.jsonl": [*COPIED[:3], row(3)]},
    "PRD104/fail/copied": {"run/predictions.jsonl": [*COPIED, row(4, "no idea")]},
    "PRD105/pass/spelling": {
        "run/predictions.jsonl": ROWS,
        "run/predictions.csv": table(ROWS).replace("\r\n", "\n").replace("\n", "\r\n"),
    },
    "PRD105/fail/edited": {
        "run/predictions.jsonl": ROWS,
        "run/predictions.csv": table(ROWS, predicted_label="wipe shelf", correct=0),
    },
    "PRD105/fail/rows": {"run/predictions.jsonl": ROWS, "run/predictions.csv": table(ROWS[:3])},
    "PRD106/pass/consistent": {
        "run/predictions.jsonl": INVENTED,
        "run/dataset.jsonl": [sample(at) for at in range(4)],
    },
    "PRD106/fail/correct": {"run/predictions.jsonl": [*ROWS[:3], row(3, answer(3, action="rinse cup"), correct=1)]},
    "PRD106/fail/dataset": {
        "run/predictions.jsonl": ROWS,
        "run/dataset.jsonl": [*(sample(at) for at in range(3)), sample(3, label="rinse cup")],
    },
    "PRD107/pass/subset": {"run/predictions.jsonl": ROWS, "run/predictions.partial.jsonl": ROWS[:2]},
    "PRD107/fail/unfinished": {"run/predictions.partial.jsonl": ROWS[:2]},
    "PRD107/fail/differs": {
        "run/predictions.jsonl": ROWS,
        "run/predictions.partial.jsonl": [ROWS[0], row(1, answer(1, action="fold towel")), row(9)],
    },
    "PRD108/pass/copy": {
        **below("first", evaluated(INVENTED, "first_lora")),
        **below("first_public", evaluated(INVENTED, "first_lora")),
        **below("second", evaluated(ROWS, "second_lora")),
    },
    "PRD108/fail/clone": {
        **below("first", evaluated(INVENTED, "first_lora")),
        **below("second", evaluated(list(reversed(INVENTED)), "second_lora")),
    },
    "PRD109/pass/answers": {**WITH_CONTRACT, "run/dataset.jsonl": [sample(at) for at in range(4)]},
    "PRD109/pass/pairs": {
        "omnicheck.toml": LINK,
        "contracts/toy_lab.json": WORLD,
        "run/dataset.jsonl": [pair(at) for at in range(3)],
    },
    "PRD109/fail/answers": {
        **WITH_CONTRACT,
        "run/dataset.jsonl": [
            sample(0),
            sample(1, split=...),
            sample(2, split=...),
            sample(3, answer_json=answer(3, objects=["cup", "cup"])),
        ],
    },
    "PRD109/fail/pairs": {
        "omnicheck.toml": LINK,
        "contracts/toy_lab.json": WORLD,
        "run/dataset.jsonl": [pair(0), {**pair(1), "future_window": None}],
    },
}

if __name__ == "__main__":
    write(FIXTURES)
