"""A team's own key and file names: the same run under other names is judged the same."""

import csv
import io
import json
import shutil
from ast import literal_eval
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.facts.own_keys import OwnKeys, all_names
from omnicheck.model.report import Report

DEMO = Path(__file__).parents[1] / "fixtures/demo"
OWN = {
    "sample_id": "uid",
    "episode": "clip",
    "session": "visit",
    "episode_path": "clip_folder",
    "split": "fold",
    "window": "span",
    "start_frame": "first",
    "end_frame": "last",
    "true_label": "gold",
    "predicted_label": "guess",
    "true_answer": "gold_reply",
    "predicted_answer": "guess_reply",
    "raw_prediction": "said",
    "correct": "hit",
    "true_label_seen_in_train": "familiar",
    "label": "verb",
    "action_options": "verbs",
    "subtask_options": "chores",
    "media": "clips",
    "time": "at",
    "event": "what",
    "run_id": "job",
    "held_out_episode_count": "clips_held_out",
    "num_samples": "rows_judged",
    "num_train_samples": "rows_learnt",
    "num_val_samples": "rows_watched",
    "window_frames": "span_frames",
    "model_id": "base",
    "adapter": "lora_folder",
    "dataset_path": "rows_file",
    "eval_split": "judged_fold",
    "accuracy": "hit_rate",
    "macro_f1": "mean_f1",
    "json_validity_rate": "parse_rate",
    "split_counts": "fold_sizes",
    "num_episodes": "clip_total",
}
"""Canonical or built-in name to the team's own."""

BUILTIN = {
    "sample_id": "id",
    "episode": "episode_id",
    "session": "top_level_session",
    "window": "center_window",
    "true_answer": "true_json",
    "predicted_answer": "pred_json",
    "time": "timestamp",
    "window_frames": "label_window_frames",
    "adapter": "adapter_dir",
    "dataset_path": "dataset_jsonl",
}
FILES = {
    "eval/predictions.jsonl": ("eval/outputs.jsonl", "predictions"),
    "eval/predictions.csv": ("eval/outputs.csv", "predictions_table"),
    "eval/metrics.json": ("eval/scores.json", "metrics"),
    "training/progress.jsonl": ("training/diary.jsonl", "progress_log"),
    "training/training_metadata.json": ("training/about.json", "training_metadata"),
    "dataset/dataset.jsonl": ("dataset/records.jsonl", "dataset_rows"),
    "dataset/dataset_manifest.json": ("dataset/dataset_about.json", "dataset_manifest"),
    "dataset/episode_manifest.json": ("dataset/clips.json", "episode_manifest"),
    "training/adapter_config.json": ("training/lora.json", "adapter_config"),
}
RENAMED = {BUILTIN.get(name, name): own for name, own in OWN.items()} | {"answer_json": OWN["true_answer"]}
KEPT = frozenset({"true_json", "pred_json", "answer_json", "messages", "metric_definitions"})


def renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {RENAMED.get(key, key): inner if key in KEPT else renamed(inner) for key, inner in value.items()}


def renamed_table(text: str) -> str:
    header, *rows = csv.reader(io.StringIO(text))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([RENAMED.get(name, name) for name in header])
    at = header.index("center_window")
    writer.writerows([*row[:at], repr(renamed(literal_eval(row[at]))), *row[at + 1 :]] for row in rows)
    return out.getvalue()


def twin(folder: Path, name: str) -> None:
    """Write the demo's run under other key and file names, with the configuration that tells them."""
    shutil.copytree(DEMO / "contracts", folder / "contracts")
    for path in sorted((DEMO / name).rglob("*")):
        inner = path.relative_to(DEMO / name).as_posix()
        if not path.is_file():
            continue
        target = folder / name / FILES.get(inner, (inner, ""))[0]
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".jsonl":
            rows = [json.dumps(renamed(json.loads(line))) for line in path.read_text("utf-8").splitlines()]
            target.write_text("\n".join(rows) + "\n", "utf-8")
        elif inner in FILES and path.suffix == ".json":
            target.write_text(json.dumps(renamed(json.loads(path.read_text("utf-8"))), indent=1), "utf-8")
        elif inner in FILES:
            target.write_text(renamed_table(path.read_text("utf-8")), "utf-8", newline="")
        else:
            shutil.copyfile(path, target)
    roles: dict[str, list[str]] = {}
    for new, role in FILES.values():
        roles.setdefault(role, []).append(new.rpartition("/")[2])
    lines = ["[roles]", *(f"{role} = {json.dumps(globs)}" for role, globs in roles.items())]
    lines += ["[fields]", *(f"{key} = {json.dumps([own])}" for key, own in OWN.items())]
    (folder / "omnicheck.toml").write_text("\n".join(lines) + "\n", "utf-8")


def report_of(cwd: Path, name: str, **options: Any) -> Report:
    own = cwd / "omnicheck.toml"
    if not own.exists():
        shutil.copytree(DEMO, cwd, dirs_exist_ok=True)
        own.write_text("", "utf-8")
    request = Request(paths=(Path(name),), cwd=cwd, today=date(2026, 1, 31), use_cache=False, jobs=1, **options)
    return check_paths(request, load_config(cwd, own))


@pytest.mark.parametrize("name", ["sound", "flawed"])
def test_a_twin_under_other_names_is_judged_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain").mkdir()
    twin(tmp_path / "own", name)
    plain = report_of(tmp_path / "plain", name)
    own = report_of(tmp_path / "own", name)
    said = [[(each.rule, each.row, each.expected) for each in report.findings] for report in (plain, own)]
    assert sorted(map(repr, said[1])) == sorted(map(repr, said[0]))
    assert (own.verdict, bool(own.findings)) == (("pass", False) if name == "sound" else ("fail", True))
    assert own.coverage.rules_run == plain.coverage.rules_run
    assert [(each.rule, each.reason) for each in own.coverage.rules_skipped] == [
        (each.rule, each.reason) for each in plain.coverage.rules_skipped
    ]


def test_without_the_configuration_the_twin_is_not_understood(tmp_path: Path) -> None:
    twin(tmp_path, "sound")
    understood = set(report_of(tmp_path, "sound").coverage.rules_run)
    (tmp_path / "omnicheck.toml").write_text("", "utf-8")
    assert len(understood - set(report_of(tmp_path, "sound").coverage.rules_run)) > 20


def test_a_teams_own_name_wins_over_a_built_in_one_beside_it() -> None:
    keys = OwnKeys({"sample_id": ("uid", "key"), "episode": ("episode_id", "clip")})
    row = {"id": 1, "key": 2, "uid": 3, "clip": 4, "note": {"uid": 5}}
    assert list(keys.translate([row])[0].items()) == [("id", 3), ("episode_id", 4), ("note", {"id": 5})]


def test_answers_keep_their_fields() -> None:
    keys = OwnKeys({"split": ("fold",), "predicted_answer": ("guess",)})
    assert keys.translate([{"guess": {"fold": 1}, "other": {"fold": 1}}]) == [
        {"pred_json": {"fold": 1}, "other": {"split": 1}}
    ]


def test_a_built_in_name_speaks_for_its_canonical_one() -> None:
    names = all_names({"episode_id": ("clip",), "time": ("at",)})
    assert names["episode"] == ("clip", "episode_id")
    assert names["episode_id"] == ("clip", "episode_id")
    assert names["timestamp"] == ("at", "timestamp")


@given(rows=st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3)), max_size=4))
def test_without_own_keys_rows_stay_as_they_are(rows: list[dict[str, Any]]) -> None:
    assert OwnKeys({}).translate(rows) is rows
    assert OwnKeys({"split": ("the fold",)}).translate(rows) == rows
