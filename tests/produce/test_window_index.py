"""The window index: complete records, counted anew, or nothing and every fault with its line."""

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from omnicheck.cli.app import build
from omnicheck.contracts.window_index import IndexRecord
from omnicheck.engine.config import load_config
from omnicheck.produce.window_index import MAX_FAULTS
from tests.checks.trees import check_tree, skipped, spoken, write_tree

ROOT = Path(__file__).parents[2]
SOUND = ROOT / "fixtures/demo/sound/dataset"
REAL = ROOT.parent / "shared/data/xperience10m/results/omni_finetune/dataset.jsonl"
FIELDS = ("action", "subtask", "objects", "contact", "transition", "next_action", "evidence_window")
REQUIRED = (
    *("id", "episode_id", "split", "target", "prompt_type", "center_window", "media", "question"),
    *("action_options", "subtask_options", "answer_json"),
)
MEDIA = (
    *("video_paths", "context_start_frame", "context_end_frame", "max_video_frames"),
    *("mosaic_video_path", "audio_path"),
)
RECORD, MANIFEST = (
    jsonschema.Draft202012Validator(json.loads((ROOT / f"schemas/{name}.schema.json").read_text("utf-8")))
    for name in ("window-index", "window-index-manifest")
)


def row(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"s{number // 4}__ep1:qa:{number % 4}",
        "episode_id": f"s{number // 4}__ep1",
        "split": ("train", "val", "test")[number // 4 % 3],
        "target": "episode_qa",
        "prompt_type": "json_episode_understanding",
        "center_window": {"start_frame": 20 * number, "end_frame": 20 * number + 19, "num_frames": 20},
        "media": {
            "video_paths": [{"name": "front.mp4", "path": f"clips/{number}/front.mp4"}],
            "context_start_frame": 0,
            "context_end_frame": 20 * number + 39,
            "max_video_frames": 16,
            "mosaic_video_path": f"clips/{number}/mosaic.mp4" if number % 2 else None,
            "audio_path": f"clips/{number}/audio.wav" if number % 3 else None,
        },
        "sensor_feature_path": f"features/{number}.npz",
        "sensor_feature_index": number,
        "sensor_feature_dim": 8,
        "question": "What is being done?",
        "answer_json": {
            "action": "pour",
            "subtask": "cook",
            "objects": ["cup"],
            "contact": "yes",
            "transition": "no",
            "next_action": "unknown",
            "evidence_window": {"start_frame": 20 * number, "end_frame": 20 * number + 5},
        },
        "label": "pour",
        "action_options": ["pour", "stir"],
        "subtask_options": ["cook"],
        "messages": [{"role": "user", "content": "What is being done?"}],
        **changes,
    }


def index(folder: Path, *options: str, dataset: str = "dataset.jsonl") -> tuple[int, str]:
    target = folder / "out"
    arguments = [
        *("index", str(folder / dataset), "--isolated", "--run-id", "an_index"),
        *("--out", str(target / "window_index.jsonl"), *options),
    ]
    done = CliRunner().invoke(build("index"), arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def written(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    target = folder / "out"
    lines = (target / "window_index.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines], json.loads((target / "window_index_manifest.json").read_text("utf-8"))


def assert_sound(rows: list[dict[str, Any]], records: list[dict[str, Any]], manifest: dict[str, Any]) -> None:
    """Hold the index against its schema, and every count against one made here from the rows."""
    for given_row, record in zip(rows, records, strict=True):
        RECORD.validate(record)
        assert record["supervision"] == {
            "json_answer": given_row["answer_json"],
            **{name: given_row["answer_json"][name] for name in FIELDS},
        }
        assert record["window"] == given_row["center_window"]
        assert record["provenance"]["dataset_record_fields"] == list(given_row)
    MANIFEST.validate(manifest)
    assert manifest["num_records"] == len(rows)
    assert manifest["num_episodes"] == len({each["episode_id"] for each in rows})
    assert manifest["sample_split_counts"] == Counter(each["split"] for each in rows)
    assert manifest["episode_split_counts"] == Counter(
        split for _, split in {(each["episode_id"], each["split"]) for each in rows}
    )
    assert manifest["modality_record_counts"] == {
        "mosaic_video": sum(each["media"]["mosaic_video_path"] is not None for each in rows),
        "audio": sum(each["media"]["audio_path"] is not None for each in rows),
        "sensor_features": sum("sensor_feature_path" in each for each in rows),
        "language": len(rows),
    }


def test_an_index_meets_its_schema_and_its_counts_are_those_of_the_rows(tmp_path: Path) -> None:
    rows = [row(number) for number in range(24)]
    write_tree(tmp_path, {"dataset.jsonl": rows})
    assert index(tmp_path) == (0, "")
    records, manifest = written(tmp_path)
    assert_sound(rows, records, manifest)
    assert manifest["adapter_contracts"].keys() == records[0]["adapter_views"].keys()
    first, second = records[0]["adapter_views"], records[1]["adapter_views"]
    assert first["qwen3_omni_lora"]["direct_modalities"] == ["video", "language"]
    assert second["qwen3_omni_lora"]["direct_modalities"] == ["video", "audio", "language"]
    assert first["qwen3_omni_lora"]["bridged_modalities"] == ["depth", "pose", "mocap", "imu"]
    assert "audio" not in first["cosmos_world_model"]["available_conditioning"]
    assert first["policy_vla_branch"]["observation_window"] == rows[0]["center_window"]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write_tree(tmp_path, {"dataset.jsonl": [row(number) for number in range(8)]})
    found = []
    for _ in range(2):
        assert index(tmp_path, "--overwrite")[0] == 0
        found.append({path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()})
    assert found[0] == found[1]
    assert sorted(found[0]) == ["window_index.jsonl", "window_index_manifest.json"]


@pytest.mark.parametrize("key", [*REQUIRED, "sensor_feature_path", "sensor_feature_index", "sensor_feature_dim"])
@pytest.mark.parametrize("null", [True, False])
def test_a_missing_value_is_an_error_with_its_line(tmp_path: Path, key: str, null: bool) -> None:
    rows = [row(0), row(1), row(2)]
    if null:
        rows[1][key] = None
    else:
        del rows[1][key]
    write_tree(tmp_path, {"dataset.jsonl": rows})
    code, told = index(tmp_path)
    assert code == 1
    assert f"dataset.jsonl:2 /{key}: " in told
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("key", MEDIA)
def test_a_missing_media_value_is_an_error(tmp_path: Path, key: str) -> None:
    rows = [row(0), row(1)]
    del rows[1]["media"][key]
    write_tree(tmp_path, {"dataset.jsonl": rows})
    code, told = index(tmp_path)
    assert (code, told.count("\n")) == (1, 1)
    assert f"dataset.jsonl:2 /media/{key}: the row has no media.{key}" in told


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "split": ({"split": "unspecified"}, "/split: split is 'unspecified', which names no split"),
    "window": ({"center_window": {"start_frame": 9, "end_frame": 0, "num_frames": 9}}, "/center_window: "),
    "frames": ({"center_window": {"start_frame": 0, "end_frame": 9, "num_frames": 9}}, "/center_window/num_frames: "),
    "boolean": ({"sensor_feature_index": True}, "/sensor_feature_index: "),
    "answer": ({"answer_json": {**row()["answer_json"], "contact": "perhaps"}}, "/answer_json/contact: "),
    "option": ({"answer_json": {**row()["answer_json"], "action": "fly"}}, "/answer_json/action: "),
    "field": ({"answer_json": {**row()["answer_json"], "mood": "good"}}, "/answer_json/mood: "),
    "stream": ({"media": {**row()["media"], "video_paths": [{"name": "front.mp4"}]}}, "/media/video_paths/0/path: "),
    "streams": ({"media": {**row()["media"], "video_paths": []}}, "/media/video_paths: "),
    "leak": ({"split": "test"}, "/split: the episode 's0__ep1' is in test, line 1 has it in train"),
    "twice": ({"id": "s0__ep1:qa:0"}, "/id: the id 's0__ep1:qa:0' is that of line 1 too"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_value_is_an_error(tmp_path: Path, name: str) -> None:
    changes, wanted = BROKEN[name]
    write_tree(tmp_path, {"dataset.jsonl": [row(0), row(1, **changes), row(2)]})
    code, told = index(tmp_path)
    assert code == 1
    assert f"dataset.jsonl:2 {wanted}" in told
    assert not list((tmp_path / "out").iterdir())


def test_sensor_features_are_of_all_rows_or_of_none(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row(n).items() if not key.startswith("sensor_")} for n in range(3)]
    write_tree(tmp_path, {"dataset.jsonl": rows})
    assert index(tmp_path)[0] == 0
    records, manifest = written(tmp_path)
    assert_sound(rows, records, manifest)
    assert "sensor_features" not in records[0]["modalities"]
    write_tree(tmp_path, {"dataset.jsonl": [*rows, row(3)]})
    assert "dataset.jsonl:4 /sensor_feature_dim: " in index(tmp_path, "--overwrite")[1]


def test_faults_are_collected_up_to_a_cap(tmp_path: Path) -> None:
    write_tree(tmp_path, {"dataset.jsonl": [row(n, split=None) for n in range(MAX_FAULTS - 1)]})
    assert index(tmp_path)[1].count("\n") == MAX_FAULTS - 1
    write_tree(tmp_path, {"dataset.jsonl": [row(n, split=None) for n in range(MAX_FAULTS + 9)]})
    assert index(tmp_path)[1].count("\n") == MAX_FAULTS


@pytest.mark.parametrize("text", ["", "\n", "{", '{"id": 1, "id": 2}\n', "[]\n", "\ufeff{}\n"])
def test_broken_lines_are_errors(tmp_path: Path, text: str) -> None:
    write_tree(tmp_path, {"dataset.jsonl": text})
    code, told = index(tmp_path)
    assert code == 1
    assert told


def test_half_a_character_is_an_error(tmp_path: Path) -> None:
    write_tree(tmp_path, {"dataset.jsonl": json.dumps(row(0, question="\ud800")) + "\n"})
    assert index(tmp_path)[0] == 1


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    write_tree(tmp_path, {"dataset.jsonl": [row(0)], "out/window_index_manifest.json": "mine"})
    done = CliRunner().invoke(
        build("index"),
        ["index", str(tmp_path / "dataset.jsonl"), "--run-id", "x", "--out", str(tmp_path / "out/window_index.jsonl")],
    )
    assert "such a file already" in str(done.exception)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["window_index_manifest.json"]
    done = CliRunner().invoke(
        build("index"),
        [
            "index",
            str(tmp_path / "dataset.jsonl"),
            "--run-id",
            "x",
            "--overwrite",
            "--out",
            str(tmp_path / "dataset.jsonl"),
        ],
    )
    assert "made from" in str(done.exception)
    assert json.loads((tmp_path / "dataset.jsonl").read_text("utf-8")) == row(0)


@pytest.mark.parametrize("key", ["num_samples", "num_episodes", "split_counts"])
def test_a_dataset_manifest_must_agree_with_the_rows(tmp_path: Path, key: str) -> None:
    manifest = {"run_id": "data", "num_samples": 8, "num_episodes": 2, "split_counts": {"train": 4, "val": 4}}
    write_tree(tmp_path, {"dataset.jsonl": [row(n) for n in range(8)], "m.json": manifest})
    assert index(tmp_path, "--dataset-manifest", str(tmp_path / "m.json"))[0] == 0
    summary = written(tmp_path)[1]["source_dataset_summary"]
    assert summary == manifest
    write_tree(tmp_path, {"m.json": {**manifest, key: {"train": 8} if key == "split_counts" else 7}})
    code, told = index(tmp_path, "--overwrite", "--dataset-manifest", str(tmp_path / "m.json"))
    assert code == 1
    assert f"m.json /{key}: " in told


def test_a_teams_own_keys_are_read(tmp_path: Path) -> None:
    rows = [{"uid" if key == "id" else key: value for key, value in row(n).items()} for n in range(3)]
    config = '[fields]\nsample_id = ["uid"]\n'
    write_tree(tmp_path, {"dataset.jsonl": rows, "omnicheck.toml": config})
    assert load_config(tmp_path, tmp_path / "omnicheck.toml").config.fields == {"sample_id": ("uid",)}
    done = CliRunner().invoke(
        build("index"),
        [
            *("index", str(tmp_path / "dataset.jsonl"), "--config", str(tmp_path / "omnicheck.toml"), "--run-id", "x"),
            *("--out", str(tmp_path / "out/window_index.jsonl")),
        ],
    )
    assert done.exit_code == 0
    assert [each["id"] for each in written(tmp_path)[0]] == [each["uid"] for each in rows]


def test_the_index_of_the_demo_passes_every_rule_that_judges_rows(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (SOUND / "dataset.jsonl").read_text("utf-8").splitlines()]
    write_tree(tmp_path, {"dataset.jsonl": rows})
    assert index(tmp_path, "--dataset-manifest", str(SOUND / "dataset_manifest.json"))[0] == 0
    records, manifest = written(tmp_path)
    assert_sound(rows, records, manifest)
    tree = {"run/window_index.jsonl": records, "run/window_index_manifest.json": manifest}
    contract = {"dataset_contract": "episode_qa_v1"}
    report = check_tree(tmp_path, {**tree, "run/metrics.json": {"backbone": "qwen3_omni_lora", **contract}}, "PRD109")
    assert not skipped(report)
    assert spoken(report) == []
    missing = copy.deepcopy(records)
    missing[3]["supervision"]["json_answer"]["contact"] = "perhaps"
    report = check_tree(tmp_path, {**tree, "run/window_index.jsonl": missing}, "PRD109")
    assert spoken(report) == [("PRD109", "run/window_index.jsonl")]


@pytest.mark.skipif(not REAL.exists(), reason="the dataset export lies outside the project")
def test_a_real_export_is_indexed(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in REAL.read_text("utf-8").splitlines()]
    write_tree(tmp_path, {"dataset.jsonl": rows})
    assert index(tmp_path)[0] == 0
    assert_sound(rows, *written(tmp_path))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.sampled_from([*row(), "parallel_export_shard"]), JUNK, max_size=3),
    dropped=st.sets(st.sampled_from([*row()]), max_size=2),
    media=st.dictionaries(st.sampled_from(MEDIA), JUNK, max_size=2),
)
def test_any_row_gives_a_record_of_the_schema_or_an_error(
    tmp_path: Path, changes: dict[str, Any], dropped: set[str], media: dict[str, Any]
) -> None:
    one = {key: value for key, value in row(1, **changes).items() if key not in dropped}
    if isinstance(one.get("media"), dict):
        one["media"] = {**one["media"], **media}
    write_tree(tmp_path, {"dataset.jsonl": [row(0), one]})
    code, told = index(tmp_path, "--overwrite")
    if code:
        assert code == 1
        assert "dataset.jsonl:2" in told
    else:
        records, manifest = written(tmp_path)
        for record in records:
            RECORD.validate(record)
        MANIFEST.validate(manifest)
        assert IndexRecord.__struct_fields__[0] == next(iter(records[1]))
