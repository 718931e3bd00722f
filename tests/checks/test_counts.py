"""CNT: a ledger that adds up is silent; each broken number makes exactly one rule speak."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from omnicheck.facts.row_counts import RowCountFold, export_of
from omnicheck.model.run import RunFile
from tests.checks.trees import Tree, check_tree, skipped, spoken
from tests.make_fixtures.counts import WITH_CONTRACT, dataset, manifest, rows, skip

SUMMARY = "run/verified_result_summary.json"
DATASET = "run/dataset/dataset_manifest.json"
ROWS = "run/dataset/dataset.jsonl"
EPISODES = "run/dataset/episode_manifest.json"
METRICS = "run/eval/metrics.json"
PREDICTIONS = "run/eval/predictions.jsonl"
TRAINING = "run/training/training_metadata.json"


def clean() -> Tree:
    """Return a package of 12 selected and 11 exported episodes, one skipped with a reason."""
    episodes = manifest()
    for each in episodes["episodes"]:
        each.update(has_annotation=True, has_all_videos=True)
    tested = [row for row in rows(11) if row["split"] == "test"]
    return {
        **WITH_CONTRACT,
        EPISODES: episodes,
        DATASET: dataset(11, [skip(0)]),
        ROWS: rows(11),
        TRAINING: {"run_id": "toy_lora", "num_train_samples": 14, "num_val_samples": 4},
        METRICS: {"num_samples": 4, "held_out_episode_count": 2, "eval_split": "test", "accuracy": 1.0},
        PREDICTIONS: [{**row, "true_label": "sit", "predicted_label": "sit"} for row in tested],
        SUMMARY: {
            "status": "verified",
            "dataset": {"num_samples": 22, "num_episodes": 11, "skipped_episodes": 1},
            "eval": {
                "num_samples": 4,
                "prediction_file": "predictions.jsonl",
                "prediction_rows": 4,
                "held_out_episode_count": 2,
            },
        },
    }


def test_clean_package_is_silent(tmp_path: Path) -> None:
    report = check_tree(tmp_path, clean(), "CNT")
    assert spoken(report) == []
    assert set(report.coverage.rules_run) == {f"CNT10{i}" for i in range(1, 8)}


def test_contracts_default_counts_do_not_convict_a_smaller_selection(tmp_path: Path) -> None:
    tree = {**WITH_CONTRACT, DATASET: dataset(5, episode_split_counts={"train": 1, "val": 2, "test": 2})}
    assert spoken(check_tree(tmp_path, tree, "CNT102")) == []


Change = Callable[[Tree], object]


def put(path: str, *keys: Any, value: Any) -> Change:
    """Return a change that sets one value in one file."""

    def change(tree: Tree) -> None:
        found = tree[path]
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value

    return change


MUTATIONS: dict[str, tuple[Change, str, str]] = {
    "stated episodes": (put(DATASET, "num_episodes", value=10), "CNT101", DATASET),
    "included episodes": (put(EPISODES, "summary", "included_episode_count", value=13), "CNT101", EPISODES),
    "held-out episodes": (put(METRICS, "held_out_episode_count", value=3), "CNT101", METRICS),
    "summary's held-out episodes": (put(SUMMARY, "eval", "held_out_episode_count", value=4), "CNT101", SUMMARY),
    "summary's skips": (put(SUMMARY, "dataset", "skipped_episodes", value=0), "CNT101", SUMMARY),
    "reason of a skip": (put(DATASET, "skipped_episodes", 0, "reason", value=""), "CNT102", DATASET),
    "training rows": (put(TRAINING, "num_train_samples", value=10), "CNT103", TRAINING),
    "validation rows": (put(TRAINING, "num_val_samples", value=0), "CNT103", TRAINING),
    "an episode id": (put(PREDICTIONS, 1, "episode_id", value=None), "CNT104", METRICS),
    "dataset rows": (put(SUMMARY, "dataset", "num_samples", value=24), "CNT105", SUMMARY),
    "prediction rows": (put(SUMMARY, "eval", "prediction_rows", value=3), "CNT105", SUMMARY),
    "rows per split": (
        lambda tree: tree[ROWS].__setitem__(0, {**tree[ROWS][0], "split": "val"}),
        "CNT105",
        DATASET,
    ),
    "annotation": (put(EPISODES, "episodes", 3, "has_annotation", value=False), "CNT107", EPISODES),
    "videos": (put(EPISODES, "episodes", 3, "has_all_videos", value=False), "CNT107", EPISODES),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_broken_number(name: str, tmp_path: Path) -> None:
    tree = deepcopy(clean())
    change, rule, path = MUTATIONS[name]
    change(tree)
    found = set(spoken(check_tree(tmp_path, tree, "CNT")))
    assert (rule, path) in found
    assert {each for each, _ in found} == {rule}


def test_a_reason_explains_unused_rows(tmp_path: Path) -> None:
    tree = clean()
    tree[TRAINING] |= {"num_train_samples": 8, "max_train_samples": 8}
    assert spoken(check_tree(tmp_path, tree, "CNT103")) == []


def test_selection_other_than_the_contract(tmp_path: Path) -> None:
    tree = clean()
    counts = {"train": 9, "val": 1, "test": 2}
    tree[EPISODES]["summary"] |= {"selected_split_counts": counts, "included_split_counts": counts}
    assert spoken(check_tree(tmp_path, tree, "CNT106")) == [("CNT106", EPISODES)]


def test_expected_counts_of_the_configuration(tmp_path: Path) -> None:
    tree = clean()
    tree["omnicheck.toml"] += "[rules.params.CNT106.expected]\ntrain = 8\nval = 2\ntest = 2\n"
    report = check_tree(tmp_path, tree, "CNT106")
    assert [(each.expected, each.actual) for each in report.findings] == [
        ({"train": 8, "val": 2, "test": 2}, {"train": 7, "val": 2, "test": 2})
    ]


def test_sealed_test_split_is_not_lost(tmp_path: Path) -> None:
    tree = clean()
    tree[EPISODES] = manifest(["train"] * 8 + ["val"] * 2, selected_episode_count=12)
    tree[EPISODES]["summary"] |= {
        "selected_split_counts": {"train": 8, "val": 2, "test": 2},
        "included_splits": ["train", "val"],
    }
    tree[DATASET] = dataset(10, [], episode_split_counts={"train": 8, "val": 2})
    tree[ROWS] = None
    assert spoken(check_tree(tmp_path, tree, "CNT102", "CNT106")) == []


def test_splits_counted_in_episodes_are_no_rows(tmp_path: Path) -> None:
    manifest_of_episodes = dataset(11, split_counts={"train": 7, "val": 2, "test": 2})
    report = check_tree(tmp_path, {DATASET: manifest_of_episodes, ROWS: rows(11)}, "CNT105", "CNT103")
    assert spoken(report) == []


def test_skipped_with_reasons_when_nothing_can_be_compared(tmp_path: Path) -> None:
    reasons = skipped(check_tree(tmp_path, {METRICS: {"accuracy": 0.5}}, "CNT"))
    assert set(reasons) == {f"CNT10{i}" for i in range(1, 8)}
    assert reasons["CNT104"] == "no held-out episode count is stated"


def test_row_fold_agrees_with_counting_by_hand_however_it_is_split() -> None:
    names = ["a", "b", None, "c", "a", None, "b"]
    found = [{"episode_id": names[i % 7], "split": "train" if i % 3 else "test"} for i in range(200)]
    file = RunFile(path="d", name="d", location="/d", kind="jsonl", size=1, mtime_ns=0, ctime_ns=0, inode=0)
    for cut in (0, 1, 77, 200):
        one, other = RowCountFold({RunFile: file}), RowCountFold({RunFile: file})
        one.feed(found[:cut], 1)
        other.feed(found[cut:], cut + 1)
        one.merge(other)
        fact = one.fact()
        assert fact.rows == 200
        assert fact.by_split == {s: sum(row["split"] == s for row in found) for s in ("test", "train")}
        assert fact.num_episodes == len({row["episode_id"] for row in found} - {None})
        assert fact.without_episode == sum(row["episode_id"] is None for row in found)


@pytest.mark.parametrize(
    ("path", "export"),
    [
        ("/x/out/walk_v1/sensor_features/a.npz", "walk_v1"),
        ("walk_v1\\media\\e\\a.mp4", "walk_v1"),
        ("walk_v1/shards/shard_00/sensor_features/a.npz", "walk_v1"),
        ("media/a.mp4", None),
        ("data/a.npz", None),
    ],
)
def test_export_of(path: str, export: str | None) -> None:
    assert export_of(path) == export
