"""Rows against their sample contracts: one thing broken, exactly that told."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.contracts.registry import Registry
from omnicheck.contracts.sample_qa import judge_answer
from omnicheck.contracts.samples import (
    EpisodeQa,
    FutureWindow,
    ObservationAction,
    judge_sample,
    sample_contract_from,
    sample_contract_of,
)

ANSWER = {
    "action": "Stir soup",
    "subtask": "cook",
    "objects": ["spoon", "pot"],
    "contact": "yes",
    "transition": "no",
    "next_action": "unknown",
    "evidence_window": {"start_frame": 0, "end_frame": 19},
}
QA = {
    "id": "s__ep1:qa:0",
    "episode_id": "s__ep1",
    "split": "train",
    "media": {"video_paths": []},
    "messages": [{}],
    "label_options": ["Stir soup"],
    "action_options": ["Stir soup", "Wash pot"],
    "subtask_options": ["cook"],
    "answer_json": ANSWER,
}
PAIR = {
    "id": "s__ep1:future:0",
    "episode_id": "s__ep1",
    "split": "train",
    "context_window": {"start_frame": 0, "end_frame": 19},
    "target_window": {"start_frame": 40, "end_frame": 59},
    "horizon_windows": 2,
    "conditioning": {"video": "a.mp4", "imu": [0.1], "language": "stir"},
    "target": {"future_video": "b.mp4", "transition": "no"},
}
EXPORTED_PAIR = {
    "id": "s__ep1:future:0:h2",
    "episode_id": "s__ep1",
    "split": "train",
    "target": "future_window_world_model",
    "window": {"start_frame": 0, "end_frame": 19, "num_frames": 20},
    "future_window": {"start_frame": 40, "end_frame": 59, "num_frames": 20},
    "horizon_windows": 2,
    "media": {"video_paths": ["a"]},
    "conditioning": {"question": "what next", "action": "Stir soup", "objects": [], "contact": "yes"},
    "future_target": {"action": "Wash pot", "subtask": "cook", "contact": "no", "transition": "yes"},
    "future_sensor_feature_path": "f.npz",
}
MOTION = {
    "id": "s__ep1:0",
    "episode_id": "s__ep1",
    "split": "train",
    "observation_window": {"start_frame": 0, "end_frame": 19},
    "instruction": "stir the soup",
    "action_target": {
        "kind": "hand_trajectory",
        "chunk_size": 2,
        "values": [[0.0, 1.0, 2.0], [0.5, 1.5, 2.5]],
        "normalization": {"fit_split": "train"},
        "source": {"kind": "hand_pose", "fields": ["wrist"]},
    },
}
POSE = {
    **{key: value for key, value in MOTION.items() if key != "action_target"},
    "cosmos_action_target": {
        "mode": "forward_dynamics",
        "domain_name": "camera_pose",
        "chunk_size": 2,
        "raw_action_dim": 9,
        "raw_actions": [[0.0] * 9, [0.1] * 9],
        "resolution_tier": 480,
        "view_point": "ego_view",
        "source": {"kind": "slam"},
    },
}
NORMALIZATION = {"fit_split": "train", "stats_file": "normalization_stats.json"}
POLICY = sample_contract_from(
    {
        "kind": "observation_action",
        "action_targets": [
            {"kind": "hand_trajectory", "dims": 3, "normalization": NORMALIZATION},
            {"kind": "action_class"},
            {"kind": "robot_token"},
        ],
        "provenance": ["kind"],
    }
)
WORLD = sample_contract_from(
    {
        "kind": "future_window",
        "horizon_windows": 2,
        "conditioning": ["video", "imu", "language"],
        "targets": ["future_video", "future_sensor_features", "transition"],
    }
)
DYNAMICS = sample_contract_of({"dataset_contract": "kitchen_camera_pose_forward_dynamics_v1"})
EPISODE = EpisodeQa()


def put(*path: str | int, to: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for part in path[:-1]:
            value = value[part]
        value[path[-1]] = to

    return change


def drop(*path: str) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for part in path[:-1]:
            value = value[part]
        del value[path[-1]]

    return change


POSE_KEY = "cosmos_action_target"
CASES: list[tuple[str, Any, dict[str, Any], Callable[[Any], None], list[str]]] = [
    ("no id", EPISODE, QA, drop("id"), ["/id"]),
    ("no answer", EPISODE, QA, put("answer_json", to=None), ["/answer_json"]),
    ("answer is prose", EPISODE, QA, put("answer_json", to="I think so"), ["/answer_json"]),
    ("answer repeats a key", EPISODE, QA, put("answer_json", to='{"action":1,"action":2}'), ["/answer_json"]),
    ("answer is a list", EPISODE, QA, put("answer_json", to=[1]), ["/answer_json"]),
    ("field missing", EPISODE, QA, drop("answer_json", "contact"), ["/answer_json/contact"]),
    ("field too many", EPISODE, QA, put("answer_json", "mood", to="x"), ["/answer_json/mood"]),
    ("contact maybe", EPISODE, QA, put("answer_json", "contact", to="maybe"), ["/answer_json/contact"]),
    ("contact true", EPISODE, QA, put("answer_json", "contact", to=True), ["/answer_json/contact"]),
    ("label reworded", EPISODE, QA, put("answer_json", "action", to="stir soup"), ["/answer_json/action"]),
    ("label number", EPISODE, QA, put("answer_json", "action", to=3), ["/answer_json/action"]),
    ("nine objects", EPISODE, QA, put("answer_json", "objects", to=list("abcdefghi")), ["/answer_json/objects"]),
    ("object twice", EPISODE, QA, put("answer_json", "objects", to=["Pot", "pot "]), ["/answer_json/objects"]),
    ("window reversed", EPISODE, QA,
     put("answer_json", "evidence_window", "start_frame", to=30), ["/answer_json/evidence_window"]),
    ("frame as bool", EPISODE, QA,
     put("answer_json", "evidence_window", "start_frame", to=True), ["/answer_json/evidence_window/start_frame"]),
    ("no target window", WORLD, PAIR, drop("target_window"), [""]),
    ("context as list", WORLD, PAIR, put("context_window", to=[0, 19]), ["/context_window"]),
    ("other horizon", WORLD, PAIR, put("horizon_windows", to=5), ["/horizon_windows"]),
    ("undeclared input", WORLD, PAIR, put("conditioning", "depth", to="d.npz"), ["/conditioning/depth"]),
    ("no input", WORLD, PAIR, put("conditioning", to={}), ["/conditioning"]),
    ("undeclared target", WORLD, PAIR, put("target", "weather", to="rain"), ["/target/weather"]),
    ("null targets", WORLD, PAIR, put("target", to={"future_video": None}), ["/target"]),
    ("no instruction", POLICY, MOTION, put("instruction", to=" "), ["/instruction"]),
    ("no observation", POLICY, MOTION, drop("observation_window"), [""]),
    ("no action target", POLICY, MOTION, drop("action_target"), [""]),
    ("target not named", POLICY, MOTION, put("action_target", "kind", to="motion"), ["/action_target/kind"]),
    ("normaliser of test", POLICY, MOTION,
     put("action_target", "normalization", "fit_split", to="all"), ["/action_target/normalization/fit_split"]),
    ("no provenance", POLICY, MOTION, drop("action_target", "source"), ["/action_target/source"]),
    ("provenance without kind", POLICY, MOTION,
     put("action_target", "source", to={"fields": ["w"]}), ["/action_target/source/kind"]),
    ("step too many", POLICY, MOTION, put("action_target", "chunk_size", to=3), ["/action_target/values"]),
    ("two dimensions", POLICY, MOTION,
     put("action_target", "values", to=[[0.0, 1.0], [0.0, 1.0]]), ["/action_target/values/0"]),
    ("bool in values", POLICY, MOTION, put("action_target", "values", 0, 1, to=True), ["/action_target/values/0/1"]),
    ("no values", POLICY, MOTION, drop("action_target", "values"), ["/action_target/raw_actions"]),
    ("nan", DYNAMICS, POSE, put(POSE_KEY, "raw_actions", 1, 2, to=math.nan), [f"/{POSE_KEY}/raw_actions/1/2"]),
    ("T is not chunk_size", DYNAMICS, POSE, put(POSE_KEY, "chunk_size", to=16), [f"/{POSE_KEY}/raw_actions"]),
    ("chunk_size true", DYNAMICS, POSE, put(POSE_KEY, "chunk_size", to=True), [f"/{POSE_KEY}/chunk_size"]),
    ("ragged", DYNAMICS, POSE, put(POSE_KEY, "raw_actions", 1, to=[0.0] * 8), [f"/{POSE_KEY}/raw_actions/1"]),
    ("no raw actions", DYNAMICS, POSE, drop(POSE_KEY, "raw_actions"), [f"/{POSE_KEY}/raw_actions"]),
    ("mode of its own", DYNAMICS, POSE, put(POSE_KEY, "mode", to="dream"), [f"/{POSE_KEY}/mode"]),
    ("tier 481", DYNAMICS, POSE, put(POSE_KEY, "resolution_tier", to=481), [f"/{POSE_KEY}/resolution_tier"]),
    ("two targets", DYNAMICS, POSE, put("action_target", to={"kind": "contact"}), [""]),
]  # fmt: skip


@pytest.mark.parametrize(("contract", "row"), [(EPISODE, QA), (WORLD, PAIR), (POLICY, MOTION), (DYNAMICS, POSE)])
def test_sound_rows_are_silent(contract: Any, row: dict[str, Any]) -> None:
    assert judge_sample(contract, row) == []


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_broken_row_tells_exactly_what_is_broken(case: Any) -> None:
    _, contract, row, change, expected = case
    broken = copy.deepcopy(row)
    change(broken)
    issues = judge_sample(contract, broken)
    assert [issue.pointer for issue in issues] == expected
    assert {issue.rule for issue in issues} == {"PRD109"}


@pytest.mark.parametrize(
    "alias", ["cosmos_action_target", "cosmos3_action_target", "cosmos_action_condition", "action_target"]
)
def test_every_alias_of_an_action_target_is_read(alias: str) -> None:
    row = {key: value for key, value in POSE.items() if key != POSE_KEY}
    assert DYNAMICS is not None
    assert judge_sample(DYNAMICS, row | {alias: POSE[POSE_KEY]}) == []
    broken = {**POSE[POSE_KEY], "chunk_size": 7}
    assert [issue.pointer for issue in judge_sample(DYNAMICS, row | {alias: broken})] == [f"/{alias}/raw_actions"]


def test_an_answer_may_be_json_text() -> None:
    assert judge_sample(EPISODE, {**QA, "answer_json": json.dumps(ANSWER)}) == []


def test_a_label_target_needs_a_label() -> None:
    target = {"kind": "action_class", "source": {"kind": "annotation"}}
    assert [issue.pointer for issue in judge_sample(POLICY, {**MOTION, "action_target": target})] == [
        "/action_target/value"
    ]
    assert judge_sample(POLICY, {**MOTION, "action_target": {**target, "value": "stir"}}) == []


@pytest.mark.parametrize(("tokens", "sound"), [([1, 2], True), ([[1], [2]], True), ([], False), ([1.5], False)])
def test_robot_tokens_are_whole_numbers(tokens: list[Any], *, sound: bool) -> None:
    target = {"kind": "robot_token", "tokens": tokens, "source": {"kind": "tokenizer"}}
    assert (judge_sample(POLICY, {**MOTION, "action_target": target}) == []) is sound


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("kitchen_episode_json_qa_v1", EpisodeQa),
        ("kitchen_future_window_world_model_v0", FutureWindow),
        ("kitchen_observation_action_v0", ObservationAction),
        ("kitchen_camera_pose_forward_dynamics_v1", ObservationAction),
        ("kitchen_photos", type(None)),
    ],
)
def test_a_family_has_a_plain_sample_contract(name: str, kind: type) -> None:
    assert isinstance(sample_contract_of({"dataset_contract": name}), kind)


def test_an_exported_pair_fits_its_family_and_the_built_in_contract() -> None:
    family = sample_contract_of({"dataset_contract": "future_window_v1"})
    built_in = sample_contract_of(Registry.load([]).get("cosmos_world_model").value)
    assert family is not None
    assert built_in is not None
    assert judge_sample(family, EXPORTED_PAIR) == []
    assert judge_sample(built_in, EXPORTED_PAIR) == []
    assert [each.pointer for each in judge_sample(built_in, {**EXPORTED_PAIR, "horizon_windows": 0})] == [
        "/horizon_windows"
    ]


def test_the_answer_schema_of_the_contract_is_the_answer() -> None:
    value = {
        "sample_contract": {"kind": "episode_qa"},
        "answer_schema": {"fields": {"mood": {"type": "choice", "choices": ["good"]}}},
    }
    contract = sample_contract_of(value)
    assert isinstance(contract, EpisodeQa)
    assert judge_answer(contract.answer, {"mood": "good"}, {}) == []
    assert [issue.pointer for issue in judge_answer(contract.answer, {"mood": "bad", "action": ""}, {})] == [
        "/action",
        "/mood",
    ]


def test_a_malformed_sample_contract_judges_nothing() -> None:
    assert sample_contract_of({"sample_contract": {"kind": "photo"}}) is None
    assert sample_contract_of({"sample_contract": []}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
ROWS = [(EPISODE, QA), (WORLD, PAIR), (WORLD, EXPORTED_PAIR), (POLICY, MOTION), (DYNAMICS, POSE)]


@given(st.sampled_from(ROWS), st.data())
def test_no_row_raises(pair: Any, data: st.DataObject) -> None:
    contract, row = pair
    judge_sample(contract, data.draw(JSON))
    key = data.draw(st.sampled_from(sorted(row)))
    value = copy.deepcopy(row)
    if isinstance(value[key], dict) and data.draw(st.booleans()):
        value[key][data.draw(st.sampled_from(sorted(value[key])))] = data.draw(JSON)
    else:
        value[key] = data.draw(JSON)
    judge_sample(contract, value)
