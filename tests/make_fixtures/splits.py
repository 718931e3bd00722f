"""Write the fixtures of the SPL rules: ``python -m tests.make_fixtures.splits``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
SPLITS = ("train", "train", "val", "test")
Row = dict[str, Any]


def episode(session: str, number: int, split: str, **more: Any) -> Row:
    """Return an episode of a manifest."""
    return {"episode_id": f"{session}__ep{number}", "split": split, "top_level_session": session, **more}


def manifest(*episodes: Row, **summary: Any) -> Row:
    """Return an episode manifest."""
    listed = list(episodes) or [episode(f"hall-{n}", 1, split) for n, split in enumerate(SPLITS)]
    return {"summary": {"included_episode_count": len(listed), **summary}, "episodes": listed}


def window(session: str, index: int, split: str, *, start: int | None = None, **more: Any) -> Row:
    """Return a row of a dataset: windows of 20 frames."""
    first = index * 20 if start is None else start
    name = f"{session}__ep1"
    return {
        "id": f"{name}:qa:{index}",
        "episode_id": name,
        "split": split,
        "center_window": {"start_frame": first, "end_frame": first + 19},
        **more,
    }


def rows(*more: Row) -> list[Row]:
    """Return rows of four sessions, two in train, one in val, one in test, and further ones."""
    return [window(f"hall-{n}", index, split) for n, split in enumerate(SPLITS) for index in range(3)] + list(more)


def prediction(session: str, index: int, truth: str = "lift", answer: str = "lift", **more: Any) -> Row:
    """Return a row of predictions on the test split."""
    return {**window(session, index, "test"), "true_label": truth, "predicted_label": answer, **more}


def future(index: int, ahead: int, **more: Any) -> Row:
    """Return a pair of context and future windows of one episode."""
    return {
        "id": f"hall-3__ep1:future:{index:05}:h5",
        "episode_id": "hall-3__ep1",
        "split": "test",
        "context_record_id": f"hall-3__ep1:qa:{index}",
        "future_record_id": f"hall-3__ep1:qa:{index + ahead}",
        **more,
    }


def numbered(starts: Sequence[int], held: Sequence[int]) -> str:
    """Return a prediction table on numbered windows of one recording."""
    lines = ["window_index,start_frame,end_frame,true_label,predicted_label"]
    lines += [f"{index},{starts[index]},{starts[index] + 19},lift,lift" for index in held]
    return "\n".join(lines) + "\n"


def counts(windows: int, train: int, stride: int) -> Row:
    """Return metadata that count the windows of one recording."""
    return {"num_windows": windows, "num_train_windows": train, "window_frames": 20, "stride_frames": stride}


def moved(vector: Sequence[float]) -> list[Row]:
    """Return rows with a feature: two training rows and the given test row."""
    state = [[0.0, 2.0], [2.0, 4.0], list(vector)]
    sides = (("hall-0", "train"), ("hall-1", "train"), ("hall-3", "test"))
    return [window(name, 0, split, state=value) for (name, split), value in zip(sides, state, strict=True)]


def mp4(digest: str, name: str) -> Row:
    """Return an entry of a manifest's videos."""
    return {"videos": [{"name": name, "path": f"videos/{name}", "bytes": 1000, "sha256": digest * 64}]}


EPISODE = {"task-a": {"main_task": "fold a boat"}, "task-b": {"main_task": "pour tea"}}
STATE = {"mean": [1.0, 3.0], "std": [1.0, 1.0]}
ALL_ROWS = {"mean": [4.0, 4.0], "std": [4.320493799, 1.632993162]}
OPTIONS = {"num_samples": 12, "action_options": ["lift", "pour"], "split_counts": {"train": 6, "val": 3, "test": 3}}
LABELS = [dict(row, label="lift") for row in rows()]

CASES: dict[tuple[str, str, str], dict[str, Any]] = {
    ("SPL101", "pass", "bare_ids"): {
        "selection.json": {
            "selected_episodes": [
                {"episode_id": "ep1", "episode_path": f"{s}/ep1", "top_level_session": s, "split": split}
                for s, split in (("a", "train"), ("b", "val"), ("c", "test"))
            ]
        }
    },
    ("SPL101", "pass", "rows"): {"dataset.jsonl": rows(), "episode_manifest.json": manifest()},
    ("SPL101", "fail", "manifest"): {
        "episode_manifest.json": manifest(episode("a", 1, "train"), episode("b", 1, "val"), episode("a", 1, "test"))
    },
    ("SPL101", "fail", "rows"): {"dataset.jsonl": rows(window("hall-0", 9, "test"), window("hall-1", 9, "validation"))},
    ("SPL101", "fail", "two_files"): {
        "dataset_train.jsonl": [{k: v for k, v in window("a", n, "").items() if k != "split"} for n in (0, 1)],
        "dataset_test.jsonl": [{k: v for k, v in window("a", n, "").items() if k != "split"} for n in (2, 3)],
    },
    ("SPL101", "fail", "many"): {
        "dataset.jsonl": [window(f"s{n}", i, split) for n in range(12) for i, split in enumerate(("train", "test"))]
    },
    ("SPL102", "pass", "apart"): {"episode_manifest.json": manifest(), "dataset.jsonl": rows()},
    ("SPL102", "fail", "manifest"): {
        "episode_manifest.json": manifest(episode("a", 1, "train"), episode("a", 2, "test"), episode("b", 1, "val"))
    },
    ("SPL102", "fail", "rows"): {
        "window_index.jsonl": [
            {"id": f"w{n}", "episode_id": f"ep{n}", "session_id": "a", "split": split}
            for n, split in enumerate(("train", "test"))
        ]
    },
    ("SPL103", "pass", "apart"): {"dataset.jsonl": rows()},
    ("SPL103", "pass", "blocks_with_gap"): {
        "metadata.json": counts(12, 8, 20),
        "predictions.csv": numbered([20 * n for n in range(12)], range(4, 8)),
    },
    ("SPL103", "fail", "rows"): {"dataset.jsonl": rows(window("hall-0", 9, "test", start=30))},
    ("SPL103", "fail", "context"): {
        "dataset.jsonl": rows(
            window("hall-0", 9, "test", start=100, media={"context_start_frame": 50, "context_end_frame": 119})
        )
    },
    ("SPL103", "fail", "numbered"): {
        "metadata.json": counts(12, 8, 5),
        "predictions.csv": numbered([5 * n + (40 if n > 6 else 0) for n in range(12)], (1, 2, 5, 10)),
    },
    ("SPL104", "pass", "gap"): {"dataset.jsonl": rows(window("hall-0", 9, "test", start=80))},
    ("SPL104", "fail", "touching"): {"dataset.jsonl": rows(window("hall-0", 9, "test", start=60))},
    ("SPL104", "fail", "declared"): {
        "dataset.jsonl": rows(window("hall-0", 9, "test", start=80)),
        "dataset_manifest.json": {"clip_policy": {"embargo_frames": 30}},
    },
    ("SPL105", "pass", "disjoint"): {"predictions.jsonl": [prediction("hall-3", n) for n in range(3)]},
    ("SPL105", "fail", "overlapping"): {
        "predictions.jsonl": [
            {**prediction(f"hall-{s}", n), "center_window": {"start_frame": 5 * n, "end_frame": 5 * n + 19}}
            for s in (2, 3)
            for n in range(6)
        ]
    },
    ("SPL106", "pass", "seen"): {
        "dataset.jsonl": LABELS,
        "dataset_manifest.json": {**OPTIONS, "action_options": ["lift"]},
    },
    ("SPL106", "fail", "rows"): {
        "dataset.jsonl": [*LABELS[:-1], {**LABELS[-1], "label": "pour"}],
        "dataset_manifest.json": {**OPTIONS, "label_counts": {"lift": 11, "pour": 1}},
    },
    ("SPL106", "fail", "predictions"): {
        "predictions.jsonl": [
            prediction("hall-3", n, truth=truth, true_label_seen_in_train=seen)
            for n, (truth, seen) in enumerate((("lift", 1), ("pour", 0), ("stir", 0)))
        ]
    },
    ("SPL107", "pass", "apart"): {
        "episode_manifest.json": manifest(
            episode("a", 1, "train", **EPISODE["task-a"]), episode("b", 1, "test", **EPISODE["task-b"])
        )
    },
    ("SPL107", "fail", "same"): {
        "episode_manifest.json": manifest(
            episode("a", 1, "train", **EPISODE["task-a"]),
            episode("b", 1, "test", **EPISODE["task-a"]),
            episode("c", 1, "val", **EPISODE["task-b"]),
        )
    },
    ("SPL108", "pass", "five"): {
        "future_predictions.jsonl": [future(n, 5) for n in range(3)],
        "dataset_manifest.json": {"horizon_windows": 5},
    },
    ("SPL108", "fail", "kept_rows"): {
        "future_predictions.jsonl": [future(n, ahead) for n, ahead in enumerate((12, 12, 5, 7))],
        "dataset_manifest.json": {"horizon_windows": 5},
    },
    ("SPL108", "fail", "crossing"): {
        "future_predictions.jsonl": [future(0, 5), future(1, 5, future_record_id="hall-0__ep1:qa:6")],
        "episode_manifest.json": manifest(),
    },
    ("SPL108", "fail", "overlap"): {
        "samples.jsonl": [
            future(0, 5, window={"start_frame": 0, "end_frame": 39}, future_window={"start_frame": 30, "end_frame": 69})
        ]
    },
    ("SPL109", "pass", "stated"): {"episode_manifest.json": manifest()},
    ("SPL109", "fail", "manifest"): {
        "episode_manifest.json": {
            "episodes": [{"episode_id": f"hall-{n}__ep1", "split": s} for n, s in enumerate(SPLITS)]
        }
    },
    ("SPL109", "fail", "rows"): {
        "dataset.jsonl": [{"id": f"w{n}", "episode_id": f"ep{n}", "split": s} for n, s in enumerate(SPLITS)]
    },
    ("SPL110", "pass", "once"): {
        "dataset.jsonl": rows(),
        "predictions.jsonl": [prediction("hall-3", n) for n in (0, 1)],
    },
    ("SPL110", "fail", "rows"): {
        "dataset.jsonl": rows(window("hall-0", 1, "train"), window("hall-3", 1, "test", note="x"))
    },
    ("SPL110", "fail", "number_and_text"): {
        "dataset.jsonl": [{"id": 7, "split": "train"}, {"id": "7", "split": "test"}]
    },
    ("SPL110", "fail", "predictions"): {
        "predictions.jsonl": [prediction("hall-3", 0), prediction("hall-3", 1), prediction("hall-3", 0, answer="pour")]
    },
    ("SPL111", "pass", "held_out"): {
        "episode_manifest.json": manifest(),
        "predictions.jsonl": [prediction("hall-3", n) for n in (0, 1)],
    },
    ("SPL111", "pass", "bare_ids"): {
        "selection.json": {
            "selected_episodes": [
                {"episode_id": "ep1", "top_level_session": s, "split": split}
                for s, split in (("a", "train"), ("b", "val"), ("c", "test"))
            ]
        },
        "predictions.jsonl": [{**prediction("c", 0), "episode_id": "ep1"}],
    },
    ("SPL111", "fail", "manifest"): {
        "episode_manifest.json": manifest(),
        "predictions.jsonl": [prediction("hall-3", 0), prediction("hall-1", 1)],
    },
    ("SPL112", "pass", "known"): {
        "episode_manifest.json": manifest(),
        "predictions.jsonl": [prediction("hall-3", 0)],
    },
    ("SPL112", "fail", "unknown"): {
        "episode_manifest.json": manifest(),
        "predictions.jsonl": [prediction("hall-3", 0), prediction("attic-9", 0)],
    },
    ("SPL113", "pass", "three"): {
        "episode_manifest.json": manifest(),
        "dataset_manifest.json": {"split_counts": {"train": 6, "validation": 3, "test": 3, "test_unlit": 2}},
    },
    ("SPL113", "fail", "missing"): {
        "dataset_manifest.json": {"split_counts": {"train": 6, "val": 0, "test": 3}},
    },
    ("SPL113", "fail", "misspelt"): {
        "dataset.jsonl": [{"id": n, "split": s} for n, s in enumerate(("train", "val", "tset", "unspecified"))]
    },
    ("SPL114", "pass", "train_alone"): {
        "norm_stats.json": {"state": STATE, "fit_episode_ids": ["hall-0__ep1", "hall-1__ep1"]},
        "dataset.jsonl": moved((10.0, 6.0)),
        "episode_manifest.json": manifest(),
    },
    ("SPL114", "fail", "episodes"): {
        "norm_stats.json": {"state": STATE, "fit_episode_ids": ["hall-0__ep1", "hall-3__ep1", "attic-9__ep1"]},
        "episode_manifest.json": manifest(),
    },
    ("SPL114", "fail", "values"): {"norm_stats.json": {"state": ALL_ROWS}, "dataset.jsonl": moved((10.0, 6.0))},
    ("SPL114", "fail", "split"): {"normalization_stats.json": {"state": STATE, "fit_split": "all"}},
    ("SPL114", "fail", "no_provenance"): {"normalization_stats.json": {"state": STATE}},
    ("SPL115", "pass", "different"): {
        "episode_manifest.json": manifest(
            episode("a", 1, "train", **mp4("a", "one.mp4")), episode("b", 1, "test", **mp4("b", "two.mp4"))
        )
    },
    ("SPL115", "fail", "recorded"): {
        "episode_manifest.json": manifest(
            episode("a", 1, "train", **mp4("a", "one.mp4")), episode("b", 1, "test", **mp4("a", "two.mp4"))
        )
    },
    ("SPL115", "fail", "bytes"): {
        "dataset.jsonl": [
            window("a", 0, "train", video="media/one.npy"),
            window("b", 0, "test", video="media/two.npy"),
        ],
        "media/one.npy": "the same bytes\n",
        "media/two.npy": "the same bytes\n",
    },
    ("SPL116", "pass", "validation"): {
        "trainer_state.json": {"metric_for_best_model": "eval_latest_loss", "best_metric": 0.5},
    },
    ("SPL116", "fail", "named"): {
        "training_metadata.json": {"checkpoint_selection": {"split": "test", "metric": "accuracy"}},
    },
    ("SPL116", "fail", "history"): {
        "trainer_state.json": {
            "best_metric": 0.875,
            "log_history": [
                {"step": 1, "eval_accuracy": 0.8, "test_accuracy": 0.75},
                {"step": 2, "test_accuracy": 0.875},
            ],
        },
    },
}


def write(path: Path, value: Any) -> None:
    """Write text, rows as JSON Lines, or an object as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, list):
        value = "".join(json.dumps(row) + "\n" for row in value)
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Write every case; ``expect.json`` beside them stays."""
    for (rule, outcome, case), files in CASES.items():
        folder = ROOT / rule / outcome / case
        shutil.rmtree(folder / "run", ignore_errors=True)
        for name, value in files.items():
            write(folder / "run" / name, value)


if __name__ == "__main__":
    main()
