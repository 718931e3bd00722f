"""SHD: sound shards are silent, one broken thing makes its rule speak, and counts agree with an independent count."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from omnicheck.cli.staged import staged_runs
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.report import Report
from tests.checks.trees import Tree, check_tree, skipped, spoken, write_tree
from tests.make_fixtures.shards import (
    CUT,
    M1,
    P0,
    P1,
    P2,
    apart,
    changed,
    dataset,
    logged,
    merged_metrics,
    padded,
    row,
    shard,
    statement,
    unmerged,
    whole,
)

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "xperience10m"


def fired(report: Report) -> set[str]:
    return {each.rule for each in report.findings}


@pytest.mark.parametrize("tree", [whole, apart, logged], ids=lambda make: make.__name__)
def test_sound_shards_are_silent_and_judged(tmp_path: Path, tree: Callable[[], Tree]) -> None:
    report = check_tree(tmp_path, tree(), "SHD")
    assert spoken(report) == []
    assert {"SHD101", "SHD102", "SHD103", "SHD104", "SHD107"} <= set(report.coverage.rules_run)


MUTATIONS: dict[str, tuple[Callable[[], Tree], set[str]]] = {
    "absent shard": (lambda: unmerged(changed(whole(), **{P2: None, "shard_2/metrics.json": None})), {"SHD101"}),
    "short shard": (lambda: unmerged(changed(whole(), **{P1: shard(1)[:-1]})), {"SHD101", "SHD104"}),
    "repeated row": (lambda: changed(whole(), **{P1: [*shard(1), row(1)]}), {"SHD102"}),
    "padding": (padded, {"SHD102"}),
    "row of train": (
        lambda: changed(whole(), **{P1: [*shard(1), row(1, id="train-kitchen0__ep1:1", split="train")]}),
        {"SHD103"},
    ),
    "exchanged shards": (lambda: changed(whole(), **{P1: shard(2), P2: shard(1)}), {"SHD104"}),
    "other checkpoint": (lambda: changed(whole(), **{M1: statement(1, adapter_dir="checkpoints/noon")}), {"SHD105"}),
    "other temperature": (
        lambda: changed(
            whole(),
            **{f"shard_{at}/metrics.json": statement(at, temperature=0.0 if at else 0.7) for at in range(3)},
        ),
        {"SHD105"},
    ),
    "changed answer": (
        lambda: changed(
            whole(), **{"eval/predictions.jsonl": [row(0, "wipe shelf"), *[row(at) for at in range(1, 10)]]}
        ),
        {"SHD106"},
    ),
    "wrong accuracy": (lambda: changed(whole(), **{"eval/metrics.json": merged_metrics(accuracy=0.9)}), {"SHD106"}),
    "cut line": (lambda: changed(whole(), **{P1: CUT}), {"SHD101", "SHD107"}),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_broken_thing_makes_its_rule_speak(tmp_path: Path, name: str) -> None:
    make, rules = MUTATIONS[name]
    assert fired(check_tree(tmp_path, make(), "SHD")) == rules


def test_missing_and_repeated_ids_agree_with_a_count_of_sets(tmp_path: Path) -> None:
    for seed in range(12):
        chance = random.Random(seed)
        rows = [row(at) for at in range(10)]
        shards = [chance.sample(rows, chance.randint(1, 9)) for _ in range(3)]
        tree: Tree = {"run/dataset/dataset.jsonl": dataset()}
        tree |= {f"run/eval/shard_{at}/predictions.jsonl": part for at, part in enumerate(shards)}
        report = check_tree(tmp_path / str(seed), tree, "SHD101", "SHD102")
        held = [each["id"] for part in shards for each in part]
        counted = {each.rule: each.actual for each in report.findings}
        assert counted.get("SHD101", 10) == len(set(held))
        assert counted.get("SHD102", 0) == sum(held.count(sample) > 1 for sample in set(held))


def test_repeated_ids_are_told_apart_by_their_answers(tmp_path: Path) -> None:
    tree = changed(whole(), **{P1: [*shard(1), row(6), row(3, "stack plates")]})
    messages = [each.message for each in check_tree(tmp_path, tree, "SHD102").findings]
    assert sorted("different" in each for each in messages) == [False, True]
    assert any("'stack plates'" in each for each in messages)


def test_padding_is_named_and_other_repeats_are_not(tmp_path: Path) -> None:
    (named,) = check_tree(tmp_path / "a", padded(), "SHD102").findings
    assert "distributed sampler" in named.message
    tree = changed(whole(), **{P1: [*shard(1), row(6)], P2: [*shard(2), row(7)]})
    (other,) = check_tree(tmp_path / "b", tree, "SHD102").findings
    assert "distributed sampler" not in other.message


def test_shards_in_one_directory_are_found_by_their_numbers(tmp_path: Path) -> None:
    tree: Tree = {"run/dataset.jsonl": dataset()}
    tree |= {f"run/predictions_shard{at}.jsonl": shard(at) for at in (0, 2)}
    report = check_tree(tmp_path, tree, "SHD")
    assert fired(report) == {"SHD101"}
    assert report.findings[0].actual == 7


def test_shards_without_anything_to_compare_are_skipped_with_a_reason(tmp_path: Path) -> None:
    tree = {name: rows for name, rows in apart().items() if "dataset" not in name}
    found = skipped(check_tree(tmp_path, tree, "SHD"))
    assert found["SHD103"] == "no shards beside the dataset rows of their split"
    assert "SHD101" in found


def test_a_run_without_shards_is_skipped(tmp_path: Path) -> None:
    tree: Tree = {"run/dataset.jsonl": dataset(), "run/predictions.jsonl": [row(at) for at in range(4)]}
    report = check_tree(tmp_path, tree, "SHD")
    assert fired(report) == set()
    assert report.coverage.rules_run == ()


def runs_of(folder: Path, tree: Tree) -> dict[str, list[str]]:
    write_tree(folder, tree)
    request = Request(
        paths=(Path("run"),), cwd=folder, select=("SHD",), today=date(2026, 1, 31), use_cache=False, jobs=1
    )
    report = check_paths(request, load_config(folder, None, isolated=True))
    return {each.root: sorted(path for paths in each.roles.values() for path in paths) for each in report.runs}


def test_shards_beside_their_evaluation_belong_to_it(tmp_path: Path) -> None:
    found = runs_of(
        tmp_path,
        {
            "run/night/predictions.jsonl": [row(0)],
            "run/night_shard0/predictions.jsonl": [row(0)],
            "run/night-shard-1-of-2/predictions.jsonl": [row(1)],
            "run/day_shard_3/predictions.jsonl": [row(2)],
            "run/export_shard_0/dataset.jsonl": dataset(),
        },
    )
    assert sorted(found) == ["run/day_shard_3", "run/export_shard_0", "run/night"]
    assert len(found["run/night"]) == 3


def test_shards_that_were_not_merged_yet_are_one_run(tmp_path: Path) -> None:
    tree = {name: rows for name, rows in apart().items() if "dataset" not in name}
    assert list(runs_of(tmp_path, tree)) == ["run/night_eval"]


def test_a_cut_character_counts_as_cut(tmp_path: Path) -> None:
    write_tree(tmp_path, whole())
    place = tmp_path / "run/eval/shard_0/predictions.jsonl"
    place.write_bytes(place.read_bytes() + '{"id": "é'.encode()[:-1])
    request = Request(
        paths=(Path("run"),), cwd=tmp_path, select=("SHD",), today=date(2026, 1, 31), use_cache=False, jobs=1
    )
    report = check_paths(request, load_config(tmp_path, None, isolated=True))
    assert [(each.rule, each.row) for each in report.findings] == [("SHD107", 5)]


def test_blocks_are_no_wrong_residue(tmp_path: Path) -> None:
    tree: Tree = {"run/dataset/dataset.jsonl": dataset()}
    tree |= {
        f"run/eval/shard_{at}/predictions.jsonl": [row(i) for i in part]
        for at, part in enumerate([range(6), range(6, 10)])
    }
    assert fired(check_tree(tmp_path, tree, "SHD")) == set()


def test_nothing_is_said_of_the_real_results() -> None:
    if not REAL.is_dir():
        pytest.skip("the real result directories are not beside the project")
    request = Request(
        paths=(Path("results"),), cwd=REAL, select=("SHD",), today=date(2026, 1, 31), use_cache=False, jobs=1
    )
    assert (
        json.loads(
            json.dumps([each.message for each in check_paths(request, load_config(REAL, None, isolated=True)).findings])
        )
        == []
    )


def test_the_first_shard_may_be_counted_from_one(tmp_path: Path) -> None:
    tree: Tree = {"run/dataset/dataset.jsonl": dataset()}
    tree |= {f"run/eval/shard_{at + 1}_of_3/predictions.jsonl": shard(at) for at in range(3)}
    assert fired(check_tree(tmp_path, tree, "SHD")) == set()
    assert P0.startswith("shard_0")


def test_a_gap_in_the_numbers_of_shards_is_told_without_a_dataset(tmp_path: Path) -> None:
    def numbered(*numbers: int, of: str = "") -> Tree:
        return {f"run/night_eval_shard_{at}{of}/predictions.jsonl": shard(at % 3) for at in numbers}

    assert fired(check_tree(tmp_path / "a", numbered(0, 2), "SHD101")) == {"SHD101"}
    assert fired(check_tree(tmp_path / "b", numbered(0, 1, of="_of_3"), "SHD101")) == {"SHD101"}
    assert fired(check_tree(tmp_path / "c", numbered(0, 1, 2, of="_of_3"), "SHD101")) == set()
    assert fired(check_tree(tmp_path / "d", numbered(1, 2, 3, of="_of_3"), "SHD101")) == set()
    assert fired(check_tree(tmp_path / "e", numbered(1, 2, 3), "SHD101")) == set()


def test_shards_that_merged_metrics_name_belong_to_them(tmp_path: Path) -> None:
    tree: Tree = {
        "run/night/eval/predictions.jsonl": [row(at) for at in range(9)],
        "run/night/eval/metrics.json": merged_metrics(
            num_samples=9, coverage=None, shard_dirs=["/scratch/results/part_a", "results/part_b/", "../part_c"]
        ),
        **{f"run/part_{name}/predictions.jsonl": shard(at) for at, name in enumerate("abc")},
        "run/part_d/predictions.jsonl": shard(0),
    }
    assert sorted(runs_of(tmp_path, tree)) == ["run/night", "run/part_d"]
    report = check_tree(tmp_path, tree, "SHD")
    assert [(each.rule, each.path) for each in report.findings] == [("SHD106", "run/night/eval/predictions.jsonl")]
    assert "1 id of the shards missing" in report.findings[0].message


def test_a_staged_shard_is_checked_with_its_evaluation(tmp_path: Path) -> None:
    write_tree(tmp_path, {name: rows for name, rows in apart().items() if "dataset" not in name})
    for command in (["init", "-q"], ["add", "run/night_eval_shard1"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    found = staged_runs(tmp_path, (Path(),), {})
    assert [path.as_posix() for path in found] == [f"run/night_eval_shard{at}" for at in range(3)]
