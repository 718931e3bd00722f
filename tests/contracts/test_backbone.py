"""Break one thing in a sound contract: exactly that is told, at its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.contracts.backbone import Backbone, validate_backbone
from omnicheck.contracts.entrypoints import judge_entrypoints
from omnicheck.contracts.policy import judge_policy, kinds_of_phrase
from omnicheck.contracts.registry import Registry
from omnicheck.contracts.schema import json_schema, schema_text

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "xperience10m" / "configs" / "omni_backbones"
SOUND = Registry.load([]).get("qwen3_omni_lora").value
WHAT = "artifact_contract"

Change = Callable[[dict[str, Any]], Any]


def implemented(value: dict[str, Any]) -> None:
    value["status"] = "implemented"
    value["entrypoints"] |= {"train": "train.py", "eval": "eval.py"}


def put(*path: str | int, to: Any) -> Change:
    def change(value: dict[str, Any]) -> None:
        here: Any = value
        for part in path[:-1]:
            here = here[part]
        here[path[-1]] = to

    return change


def drop(*path: str) -> Change:
    def change(value: dict[str, Any]) -> None:
        here: Any = value
        for part in path[:-1]:
            here = here[part]
        del here[path[-1]]

    return change


def extend(*path: str, by: Any) -> Change:
    def change(value: dict[str, Any]) -> None:
        here: Any = value
        for part in path:
            here = here[part]
        here.append(by)

    return change


def without(*path: str, item: str) -> Change:
    def change(value: dict[str, Any]) -> None:
        here: Any = value
        for part in path:
            here = here[part]
        here.remove(item)

    return change


def told(change: Change) -> list[tuple[str, str]]:
    value = copy.deepcopy(SOUND)
    change(value)
    return [(issue.rule, issue.pointer) for issue in validate_backbone(value)[1]]


COUNTS = "/split_policy/default_counts"
FORBIDDEN = f"/{WHAT}/public_package_forbidden"
MUTATIONS: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "no id": (drop("id"), [("CTR101", "/id")]),
    "id with a slash": (put("id", to="../x"), [("CTR101", "/id")]),
    "id with a line break": (put("id", to="a\n"), [("CTR101", "/id")]),
    "status of its own": (put("status", to="done"), [("CTR101", "/status")]),
    "count as text": (put("split_policy", "default_counts", "train", to="96"), [("CTR101", f"{COUNTS}/train")]),
    "count in words": (put("split_policy", "default_counts", "val", to="ninety"), [("CTR101", f"{COUNTS}/val")]),
    "count as bool": (put("split_policy", "default_counts", "test", to=True), [("CTR101", f"{COUNTS}/test")]),
    "count false": (put("split_policy", "default_counts", "test", to=False), [("CTR101", f"{COUNTS}/test")]),
    "count as float": (put("split_policy", "default_counts", "test", to=16.0), [("CTR101", f"{COUNTS}/test")]),
    "count zero": (put("split_policy", "default_counts", "test", to=0), [("CTR104", f"{COUNTS}/test")]),
    "no val count": (drop("split_policy", "default_counts", "val"), [("CTR104", f"{COUNTS}/val")]),
    "empty guard": (put("split_policy", "leakage_guard", to=" "), [("CTR104", "/split_policy/leakage_guard")]),
    "unit window": (put("split_policy", "unit", to="window"), [("CTR101", "/split_policy/unit")]),
    "unknown key": (put("colour", to=1), [("CTR101", "/colour")]),
    "unknown inner key": (put(WHAT, "gate", to=1), [("CTR101", f"/{WHAT}/gate")]),
    "metric as number": (extend("primary_metrics", by=3), [("CTR101", "/primary_metrics/8")]),
    "metric twice": (extend("primary_metrics", by="contact_accuracy"), [("CTR101", "/primary_metrics/8")]),
    "no metrics": (put("primary_metrics", to=[]), [("CTR104", "/primary_metrics")]),
    "no held-out count": (
        without("primary_metrics", item="held_out_episode_count"),
        [("CTR104", "/primary_metrics")],
    ),
    "no metrics.json": (
        without(WHAT, "required_eval_files", item="metrics.json"),
        [("CTR104", f"/{WHAT}/required_eval_files")],
    ),
    "no prediction rows": (
        without(WHAT, "required_eval_files", item="predictions.jsonl"),
        [("CTR104", f"/{WHAT}/required_eval_files")],
    ),
    "no progress log": (
        without(WHAT, "required_training_files", item="progress.jsonl"),
        [("CTR104", f"/{WHAT}/required_training_files")],
    ),
    "climbing file": (
        extend(WHAT, "required_eval_files", by="../../etc/passwd"),
        [("CTR105", f"/{WHAT}/required_eval_files/6")],
    ),
    "absolute file": (
        extend(WHAT, "required_training_files", by="/etc/passwd"),
        [("CTR105", f"/{WHAT}/required_training_files/4")],
    ),
    "file of a drive": (
        extend(WHAT, "required_eval_files", by="C:x.json"),
        [("CTR105", f"/{WHAT}/required_eval_files/6")],
    ),
    "shell as entrypoint": (put("entrypoints", "train", to="/bin/sh"), [("CTR103", "/entrypoints/train")]),
    "entrypoint as list": (put("entrypoints", "train", to=["sh"]), [("CTR101", "/entrypoints/train")]),
    "implemented without scripts": (
        put("status", to="implemented"),
        [("CTR103", "/entrypoints/eval"), ("CTR103", "/entrypoints/train")],
    ),
    "implemented": (implemented, []),
    "everything allowed in the forbidden list": (
        put(WHAT, "public_package_forbidden", to=["mp4 hdf5 rrd weights checkpoints archives are all allowed"]),
        [("CTR106", FORBIDDEN)] * 6 + [("CTR106", f"{FORBIDDEN}/0")],
    ),
    "weights allowed": (
        extend(WHAT, "public_package_allowed", by="LoRA adapter weights"),
        [("CTR106", f"/{WHAT}/public_package_allowed/7")],
    ),
    "phrase of nothing": (
        extend(WHAT, "public_package_allowed", by="the good stuff"),
        [("CTR106", f"/{WHAT}/public_package_allowed/7")],
    ),
    "no HDF5 denied": (
        without(WHAT, "public_package_forbidden", item="HDF5 files"),
        [("CTR106", FORBIDDEN)],
    ),
    "gate of its own": (put(WHAT, "checkpoint_gate", to="trust_me"), [("CTR107", f"/{WHAT}/checkpoint_gate")]),
    "sample of no kind": (put("sample_contract", to={"kind": "photo"}), [("CTR101", "/sample_contract/kind")]),
    "sample with a typo": (put("sample_contract", "anser", to=1), [("CTR101", "/sample_contract/anser")]),
    "normaliser fit on test": (
        put(
            "sample_contract",
            to={
                "kind": "observation_action",
                "action_targets": [
                    {"kind": "hand_trajectory", "normalization": {"fit_split": "test", "stats_file": "s.json"}}
                ],
            },
        ),
        [("CTR101", "/sample_contract/action_targets/0/normalization/fit_split")],
    ),
    "normaliser missing": (
        put("sample_contract", to={"kind": "observation_action", "action_targets": [{"kind": "retargeted_humanoid"}]}),
        [("CTR101", "/sample_contract")],
    ),
    "window without horizon": (
        put("sample_contract", to={"kind": "future_window", "conditioning": ["video"], "targets": ["future_video"]}),
        [("CTR101", "/sample_contract")],
    ),
    "definition without a variant": (
        put("metric_definitions", "accuracy", to="accuracy"),
        [("CTR101", "/metric_definitions/accuracy")],
    ),
    "shipment without digest": (
        put("publish", to={"ship": [{"role": "adapter", "kind": "adapter_weights"}]}),
        [("CTR101", "/publish/ship/0/sha256")],
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_contract_tells_exactly_what_is_broken(name: str) -> None:
    change, expected = MUTATIONS[name]
    assert told(change) == expected


def test_no_violation_hides_another() -> None:
    value = copy.deepcopy(SOUND)
    for name in ("count as text", "metric twice", "climbing file", "shell as entrypoint", "gate of its own"):
        MUTATIONS[name][0](value)
    del value["model_family"]
    model, issues = validate_backbone(value)
    assert model is None
    assert [issue.rule for issue in issues] == ["CTR101", "CTR101", "CTR101", "CTR103", "CTR105", "CTR107"]


def test_unknown_keys_are_kept_and_do_not_void_the_model() -> None:
    model, issues = validate_backbone({**SOUND, "colour": "red"})
    assert isinstance(model, Backbone)
    assert [issue.variant for issue in issues] == ["unknown-key"]
    assert (model.model_extra or {})["colour"] == "red"


@pytest.mark.parametrize("name", Registry.load([]).ids())
def test_built_in_contracts_are_sound(name: str) -> None:
    model, issues = validate_backbone(Registry.load([]).get(name).value)
    assert issues == ()
    assert model is not None
    assert model.sample_contract is not None


@pytest.mark.skipif(not REAL.is_dir(), reason="the real contracts are not here")
def test_real_contracts_load_as_they_are() -> None:
    registry = Registry.load([REAL])
    users = [entry for entry in registry.entries.values() if entry.origin == "user"]
    assert len(users) == 5
    assert not registry.unusable
    assert not registry.ignored
    for entry in users:
        assert validate_backbone(entry.value)[1] == (), entry.id


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from([*Backbone.model_fields, "nonsense"])


@given(JSON | st.dictionaries(KEYS, JSON, max_size=6))
def test_no_value_raises(value: Any) -> None:
    model, issues = validate_backbone(value)
    assert model is None
    assert issues


@given(st.sampled_from(sorted(Backbone.model_fields)), JSON)
def test_no_single_key_raises(key: str, value: Any) -> None:
    validate_backbone({**SOUND, key: value})


@given(st.lists(JSON | st.text(), max_size=4), JSON)
def test_no_policy_raises(allowed: list[Any], forbidden: Any) -> None:
    judge_policy(allowed, forbidden)
    judge_policy(forbidden, allowed)


@pytest.mark.parametrize(
    ("phrase", "kinds"),
    [
        ("LoRA adapter weights", {"adapter_weights"}),
        ("base-model weights", {"base_weights"}),
        ("adapter shape/load audits", {"reports"}),
        ("policy prediction summaries", {"predictions"}),
        ("generated raw video unless explicitly licensed and size-bounded", {"generated_video"}),
        ("raw MP4 and HDF5 metadata", {"raw_video", "training_metadata"}),
        ("server/model setup metadata", {"training_metadata"}),
        ("everything except weights", set()),
        ("poetry", set()),
    ],
)
def test_phrases_name_kinds(phrase: str, kinds: set[str]) -> None:
    assert kinds_of_phrase(phrase) == kinds


@pytest.mark.parametrize(
    ("phrase", "denies"),
    [
        ("HDF5 files", True),
        ("HDF5 must never be published", True),
        ("no HDF5", True),
        ("HDF5 unless licensed", True),
        ("HDF5 unless convenient", False),
        ("HDF5 is fine", False),
        ("HDF5 is not forbidden", False),
        ("HDF5 may ship", False),
        ("all data but HDF5 is allowed", False),
        ("allowed: HDF5", False),
        ("not forbidden: HDF5", False),
        ("not excluded: HDF5", False),
        ("everything without HDF5", False),
        ("released HDF5", True),
        ("HDF5 released", False),
    ],
)
def test_only_a_denial_denies(phrase: str, *, denies: bool) -> None:
    others = ["raw MP4", "RRD", "base weights", "checkpoints", "archives"]
    uncovered = [issue for issue in judge_policy(["metrics"], [*others, phrase]) if issue.expected == "HDF5"]
    assert bool(uncovered) is not denies


def test_entrypoints_are_looked_up_in_a_known_workspace(tmp_path: Path) -> None:
    value = copy.deepcopy(SOUND)
    implemented(value)
    value["entrypoints"]["export"] = "scripts"
    assert judge_entrypoints(value, None) == ()
    assert [issue.variant for issue in judge_entrypoints(value, tmp_path)] == ["other-workspace"]
    (tmp_path / "train.py").touch()
    (tmp_path / "scripts").mkdir()
    assert [issue.pointer for issue in judge_entrypoints(value, tmp_path)] == [
        "/entrypoints/eval",
        "/entrypoints/export",
    ]
    outside = tmp_path.parent / f"{tmp_path.name}-outside.py"
    outside.touch()
    (tmp_path / "eval.py").symlink_to(outside)
    messages = [issue.message for issue in judge_entrypoints(Backbone.model_validate(value), tmp_path)]
    assert "through a link" in messages[0]
    value["status"] = "planned_adapter"
    assert judge_entrypoints(value, tmp_path) == ()


def test_the_published_schema_is_current_and_accepts_sound_contracts() -> None:
    assert (ROOT / "schemas" / "backbone.schema.json").read_text("utf-8") == schema_text()
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(SOUND)
    assert not validator.is_valid({**SOUND, "primary_metrics": []})
    assert not validator.is_valid({**SOUND, "status": "done"})
    assert json.loads(schema_text())["$id"] == "https://omnicheck.dev/schemas/backbone.schema.json"
