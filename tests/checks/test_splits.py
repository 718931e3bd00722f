"""SPL: mutations of a clean run, oracles for what is recomputed, and the pass in several processes."""

from __future__ import annotations

import itertools
import json
import random
import statistics
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.facts import passes, row_index
from omnicheck.facts.normalizer import moments
from omnicheck.facts.split_names import comparable, split_name, split_of_file
from omnicheck.measures.numbered import proven_overlaps
from omnicheck.model.report import Report
from tests.make_fixtures.splits import episode, future, manifest, mp4, prediction, rows, window, write

Files = dict[str, Any]


def check(folder: Path, files: Files, jobs: int = 1) -> Report:
    for name, value in files.items():
        write(folder / "run" / name, value)
    loaded = load_config(folder, isolated=True)
    request = Request(
        paths=(Path("run"),), cwd=folder, select=("SPL",), today=date(2026, 1, 31), use_cache=False, jobs=jobs
    )
    return check_paths(request, loaded)


def spoken(report: Report) -> set[str]:
    return {each.rule for each in report.findings}


def clean() -> Files:
    """Return a run on which every rule of the family can judge, and has nothing to say."""
    sides = ("train", "train", "val", "test")
    labelled = [dict(row, label="lift", action_options=["lift"], state=[float(n), 1.0]) for n, row in enumerate(rows())]
    train = [row["state"][0] for row in labelled if row["split"] == "train"]
    return {
        "episode_manifest.json": manifest(
            *(
                episode(f"hall-{n}", 1, split, main_task=f"task {n}", **mp4("abcd"[n], f"{n}.mp4"))
                for n, split in enumerate(sides)
            )
        ),
        "dataset_manifest.json": {
            "num_samples": 12,
            "num_episodes": 4,
            "split_counts": {"train": 6, "val": 3, "test": 3},
            "action_options": ["lift"],
            "horizon_windows": 5,
        },
        "dataset.jsonl": labelled,
        "predictions.jsonl": [prediction("hall-3", n, true_label_seen_in_train=1) for n in range(3)],
        "future_predictions.jsonl": [future(n, 5) for n in range(3)],
        "norm_stats.json": {
            "state": {"mean": [statistics.fmean(train), 1.0], "std": [statistics.pstdev(train), 0.0]},
            "fit_episode_ids": ["hall-0__ep1", "hall-1__ep1"],
        },
        "trainer_state.json": {"metric_for_best_model": "eval_loss"},
    }


def test_clean_run_is_silent_and_fully_judged(tmp_path: Path) -> None:
    report = check(tmp_path, clean())
    assert spoken(report) == set()
    assert set(report.coverage.rules_run) == {f"SPL{n}" for n in range(101, 117)}


def lines(files: Files, name: str = "dataset.jsonl") -> list[dict[str, Any]]:
    return files[name]  # type: ignore[no-any-return]


def leak_manifest(files: Files) -> None:
    listed = files["episode_manifest.json"]["episodes"]
    listed.append({**listed[3], "split": "val", "main_task": None, "videos": []})


def leak_session(files: Files) -> None:
    listed = files["episode_manifest.json"]["episodes"]
    listed.append(episode("hall-2", 2, "test"))


def no_session(files: Files) -> None:
    for each in files["episode_manifest.json"]["episodes"]:
        del each["top_level_session"]


def same_task(files: Files) -> None:
    files["episode_manifest.json"]["episodes"][3]["main_task"] = "task 0"


def same_video(files: Files) -> None:
    files["episode_manifest.json"]["episodes"][3].update(mp4("a", "copy.mp4"))


def unknown_episode(files: Files) -> None:
    lines(files, "predictions.jsonl")[0]["episode_id"] = "attic-9__ep1"


def trained_episode(files: Files) -> None:
    lines(files, "predictions.jsonl")[0]["episode_id"] = "hall-0__ep1"


def repeated_row(files: Files) -> None:
    lines(files)[1] = dict(lines(files)[0])
    # The feature is constant within the rows that count, so that its statistics stay what they were.
    files["norm_stats.json"].pop("state")


def near_evaluation(files: Files) -> None:
    lines(files, "predictions.jsonl")[1]["center_window"] = {"start_frame": 5, "end_frame": 24}


def unseen_label(files: Files) -> None:
    lines(files, "predictions.jsonl")[1].update(true_label="pour", true_label_seen_in_train=0)


def late_future(files: Files) -> None:
    lines(files, "future_predictions.jsonl")[1]["future_record_id"] = "hall-3__ep1:qa:13"


def empty_split(files: Files) -> None:
    files["dataset_manifest.json"]["split_counts"] = {"train": 6, "test": 6}


def wide_fit(files: Files) -> None:
    files["norm_stats.json"]["fit_episode_ids"].append("hall-2__ep1")


def other_values(files: Files) -> None:
    files["norm_stats.json"]["state"]["mean"][0] += 0.5


def chosen_on_test(files: Files) -> None:
    files["trainer_state.json"]["metric_for_best_model"] = "test_loss"


@pytest.mark.parametrize(
    ("mutate", "rule"),
    [
        (leak_manifest, "SPL101"),
        (leak_session, "SPL102"),
        (near_evaluation, "SPL105"),
        (unseen_label, "SPL106"),
        (same_task, "SPL107"),
        (late_future, "SPL108"),
        (no_session, "SPL109"),
        (repeated_row, "SPL110"),
        (trained_episode, "SPL111"),
        (unknown_episode, "SPL112"),
        (empty_split, "SPL113"),
        (wide_fit, "SPL114"),
        (other_values, "SPL114"),
        (same_video, "SPL115"),
        (chosen_on_test, "SPL116"),
    ],
)
def test_one_mutation_one_rule(tmp_path: Path, mutate: Callable[[Files], None], rule: str) -> None:
    files = clean()
    mutate(files)
    assert spoken(check(tmp_path, files)) == {rule}


def test_overlap_and_embargo_are_told_apart(tmp_path: Path) -> None:
    overlapping = rows(window("hall-0", 9, "test", start=59))
    touching = rows(window("hall-0", 9, "test", start=60))
    assert spoken(check(tmp_path / "a", {"dataset.jsonl": overlapping})) == {"SPL101", "SPL103"}
    assert spoken(check(tmp_path / "b", {"dataset.jsonl": touching})) == {"SPL101", "SPL104"}


def test_bare_ids_of_two_sessions_are_two_episodes(tmp_path: Path) -> None:
    listed = [
        {"id": f"{session}{n}", "episode_id": "ep1", "session_id": session, "split": split}
        for n, (session, split) in enumerate((("a", "train"), ("b", "test"), ("c", "val")))
    ]
    assert spoken(check(tmp_path, {"dataset.jsonl": listed})) == set()


def test_rows_that_differ_in_their_keys_are_all_read(tmp_path: Path) -> None:
    listed: list[dict[str, Any]] = rows()
    listed[4] = {"sample_id": 5, "episode_id": "hall-0__ep1", "split": "test", "more": 1}
    report = check(tmp_path, {"dataset.jsonl": listed})
    assert [each.actual for each in report.findings] == [{"train": 3, "test": 1}]


def index(count: int) -> str:
    made = []
    for number in range(count):
        name = f"s{number // 50:04}__ep1"
        split = "test" if number % 50 == 7 and number // 50 % 9 == 0 else "train"
        start = number % 50 * 10
        sample = f"{name}:{number % 50 if number % 97 else 3}"
        made.append(
            json.dumps(
                {
                    "id": sample,
                    "episode_id": name,
                    "session_id": f"s{number // 50:04}",
                    "split": split,
                    "start_frame": start,
                    "end_frame": start + 14,
                }
            )
        )
    return "\n".join(made) + "\n"


def test_parts_in_several_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = index(20_000)
    whole = check(tmp_path / "a", {"window_index.jsonl": text})
    monkeypatch.setattr(passes, "WORTH_SPLITTING", 1)
    monkeypatch.setattr(row_index, "SORT_IN_NUMPY", 10)
    parts = check(tmp_path / "b", {"window_index.jsonl": text}, jobs=3)
    assert {"SPL101", "SPL103", "SPL110"} <= spoken(whole)
    assert parts.findings == whole.findings


def test_repeated_ids_are_those_of_a_plain_count(tmp_path: Path) -> None:
    text = index(5_000)
    samples = [json.loads(line)["id"] for line in text.splitlines()]
    expected = len({each for each in samples if samples.count(each) > 1})
    report = check(tmp_path, {"window_index.jsonl": text})
    assert sum(each.actual for each in report.findings if each.rule == "SPL110") == expected


@given(
    st.integers(min_value=1, max_value=3),
    st.integers(min_value=2, max_value=9),
    st.lists(st.integers(min_value=0, max_value=2), min_size=4, max_size=7),
    st.randoms(use_true_random=False),
)
def test_proven_overlaps_hold_wherever_windows_lie(
    stride: int, frames: int, gaps: list[int], chance: random.Random
) -> None:
    """Oracle: place the unlisted windows in every possible way; what is proven must hold in each."""
    places = list(itertools.accumulate(1 + gap for gap in gaps))
    held = sorted(chance.sample(range(len(places)), 2))
    starts = {number: places[number] * stride for number in held}
    found = proven_overlaps(starts, count=len(places), stride=stride, frames=frames)
    assert found is not None
    free = [number for number in range(len(places)) if number not in starts]
    last = places[-1] + 3
    for chosen in itertools.combinations([p for p in range(last) if p * stride not in starts.values()], len(free)):
        layout = dict(zip(free, (place * stride for place in chosen), strict=True)) | starts
        if [layout[number] for number in range(len(places))] != sorted(layout.values()):
            continue
        for each in found:
            apart = abs(layout[each.index] - layout[each.other])
            assert frames - apart >= each.shared > 0


def test_contradicting_numbers_prove_nothing() -> None:
    assert proven_overlaps({0: 0, 2: 5}, count=4, stride=5, frames=20) is None
    assert proven_overlaps({9: 0}, count=4, stride=5, frames=20) is None


@given(
    st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=2, max_size=40), st.integers(min_value=1, max_value=39)
)
def test_moments_agree_with_the_standard_library(values: list[float], cut: int) -> None:
    parts = [part for part in (values[:cut], values[cut:]) if part]
    joined = moments([parts[0][0]])
    for part in parts:
        collected = moments([part[0]])
        for value in part:
            collected.add([value])
        joined.join(collected)
    assert joined.mean()[0] == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-6)
    assert joined.std(0)[0] == pytest.approx(statistics.pstdev(values), rel=1e-6, abs=1e-2)


def test_names_of_splits_and_episodes() -> None:
    assert [split_name(each) for each in ("Training", "dev", " test ", "unspecified", None, "ood")] == [
        "train",
        "val",
        "test",
        None,
        None,
        "ood",
    ]
    assert [split_of_file(each) for each in ("dataset_train.jsonl", "latest.jsonl", "dataset.test.jsonl")] == [
        "train",
        None,
        "test",
    ]
    assert [comparable(each) for each in ("ep1", "demo_12", "episode_000123", "a__ep1", "hall")] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_features_in_archives_are_recomputed(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    features = numpy.random.default_rng(3).normal(5.0, 2.0, size=(4, 3))
    (tmp_path / "run" / "features").mkdir(parents=True)
    numpy.savez(tmp_path / "run" / "features" / "all.npz", features=features)
    listed = [
        window(f"s{n}", 0, split, sensor_feature_path="/elsewhere/features/all.npz", sensor_feature_index=n)
        for n, split in enumerate(("train", "train", "val", "test"))
    ]
    train, every = features[:2], features

    def stats(of: Any) -> dict[str, Any]:
        return {"mean": of.mean(axis=0).tolist(), "std": of.std(axis=0).tolist()}

    assert spoken(check(tmp_path, {"dataset.jsonl": listed, "norm_stats.json": stats(train)})) == set()
    report = check(tmp_path, {"dataset.jsonl": listed, "norm_stats.json": stats(every)})
    assert spoken(report) == {"SPL114"}
    assert "all 4 rows" in report.findings[0].message


def test_one_file_under_two_paths_is_no_duplicate(tmp_path: Path) -> None:
    listed = [window(n, 0, s, video=f"/host/{n}/cam.npy") for n, s in (("a", "train"), ("b", "val"), ("c", "test"))]
    assert spoken(check(tmp_path, {"dataset.jsonl": listed, "cam.npy": "bytes"})) == set()
