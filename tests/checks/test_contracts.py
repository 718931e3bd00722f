"""CTR: a sound contract is silent, one broken thing makes its rule speak, and junk crashes nothing."""

from __future__ import annotations

import copy
import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnicheck.checks.contracts import drift
from omnicheck.contracts.backbone import validate_backbone
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.facts.contract import Contract, contract
from omnicheck.facts.contract_file import contract_file
from omnicheck.facts.embedded_contract import embedded_contract
from omnicheck.facts.source import Source
from omnicheck.model.errors import ContractError
from omnicheck.model.finding import Finding
from omnicheck.model.run import Run, RunFile
from omnicheck.report import render
from tests.checks.trees import Tree, check_tree, skipped, spoken
from tests.make_fixtures.contracts import ARTIFACTS, CONTRACT, FILE, METADATA, TREE, beside, changed, without

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"


def fired(folder: Path, tree: Tree) -> list[str]:
    return sorted({rule for rule, _ in spoken(check_tree(folder, tree, "CTR", "OMN003"))})


def test_a_sound_contract_is_silent_under_every_rule(tmp_path: Path) -> None:
    report = check_tree(tmp_path, TREE, "CTR")
    assert report.findings == ()
    wanted = {"CTR101", "CTR103", "CTR104", "CTR105", "CTR106", "CTR107", "CTR110"}
    assert wanted <= set(report.coverage.rules_run)


@pytest.mark.parametrize(
    ("tree", "rules"),
    [
        (changed("/model_family", ...), ["CTR101"]),
        (changed("/split_policy/default_counts/train", "8"), ["CTR101"]),
        (changed("/split_policy/default_counts/train", 8.5), ["CTR101"]),
        (changed("/split_policy/default_counts/train", value=True), ["CTR101"]),
        (changed("/split_policy/default_counts/train", -8), ["CTR104"]),
        (changed("/split_policy/unit", "window"), ["CTR101"]),
        (changed("/primary_metrics/2", "accuracy"), ["CTR101"]),
        (changed("/modalities/direct_inputs/0", None), ["CTR101"]),
        (changed("/publish", {"ship": [{"role": "adapter", "kind": "safetensors", "sha256": "0"}]}), ["CTR101"]),
        (changed("/primery_metrics", []), ["CTR101"]),
        ({**TREE, "contracts/b.json": CONTRACT}, ["CTR102"]),
        (without("scripts/train.py"), ["CTR103"]),
        (changed("/entrypoints/eval", "scripts/../../eval.py"), ["CTR103"]),
        (changed("/entrypoints/eval", ""), ["CTR103"]),
        (changed("/split_policy/leakage_guard", ""), ["CTR104"]),
        (changed("/primary_metrics/1", "held_out_count"), ["CTR104"]),
        (changed(f"{ARTIFACTS}/required_eval_files/0", "metrics.csv"), ["CTR104"]),
        (changed(f"{ARTIFACTS}/required_eval_files/1", "predictions.csv"), ["CTR104"]),
        (changed(f"{ARTIFACTS}/required_eval_files/2", "notes.md"), ["CTR104"]),
        (changed(f"{ARTIFACTS}/required_training_files/0", "meta.json"), ["CTR104"]),
        (changed(f"{ARTIFACTS}/required_training_files/1", "progress.txt"), ["CTR104"]),
        (changed(f"{ARTIFACTS}/required_training_files/2", "C:/adapter.json"), ["CTR105"]),
        (changed(f"{ARTIFACTS}/required_eval_files/3", "tables/../../x.csv"), ["CTR105"]),
        (changed(f"{ARTIFACTS}/public_package_allowed/3", "full checkpoints"), ["CTR106"]),
        (changed(f"{ARTIFACTS}/public_package_forbidden/1", "HDF5 is allowed"), ["CTR106"]),
        (changed(f"{ARTIFACTS}/checkpoint_gate", "none"), ["CTR107"]),
        (beside("metrics.json", {"backbone": "garden_robot", "dataset_contract": "x"}), ["CTR110"]),
        (changed("/backbone/display_name", "Robot", file="run/training_metadata.json"), ["CTR110"]),
    ],
)
def test_one_broken_thing_makes_exactly_its_rule_speak(tmp_path: Path, tree: Tree, rules: list[str]) -> None:
    assert fired(tmp_path, tree) == rules


def test_every_violation_is_listed(tmp_path: Path) -> None:
    value = copy.deepcopy(CONTRACT)
    for key in ("display_name", "model_family", "dataset_contract"):
        del value[key]
    report = check_tree(tmp_path, {**TREE, FILE: value}, "CTR101")
    assert [each.pointer for each in report.findings] == ["/dataset_contract", "/display_name", "/model_family"]


def test_a_script_that_comes_or_goes_is_noticed_on_the_next_check(
    tmp_path: Path,
) -> None:
    for name in ("train", "eval"):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        (tmp_path / "scripts" / f"{name}.py").write_text("", "utf-8")
    file = _file(tmp_path / "garden_robot.json", "backbone_contract")
    run = Run(path="garden_robot.json", location=str(tmp_path), files=(file,), layout="contract", contract="x")
    source = Source(run, contract=CONTRACT, workspace=tmp_path)
    assert contract_file(source) is not None
    assert {(Path(seen.location).name, seen.state) for seen in source.observed} == {
        ("train.py", "present"),
        ("eval.py", "present"),
    }


def test_an_unknown_contract_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    tree = {**TREE, "run/training_metadata.json": {**METADATA, "backbone": "garden_robt"}}
    report = check_tree(tmp_path, tree, "CTR")
    assert report.runs[0].contract is None
    text = " ".join(render(report, "text").split())
    assert "no contract: metadata names 'garden_robt', which is not among the contracts" in text
    assert "garden_robot" in text


BROKEN = {
    "truncated": json.dumps(CONTRACT)[:-40],
    "ambiguous": json.dumps(CONTRACT)[:-1] + ', "status": "planned_adapter"}',
    "not text": "\x00",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_contract_that_a_run_names_is_a_finding(tmp_path: Path, text: str) -> None:
    report = check_tree(tmp_path, {**TREE, FILE: text}, "CTR", "EVD101", "OMN003")
    assert spoken(report) == [("CTR101", FILE)]
    assert report.verdict == "fail"
    assert report.runs[0].contract is None
    assert "garden_robot.json cannot be used (CTR101)" in report.runs[0].contract_source
    assert "EVD101" in skipped(report)


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_contract_that_a_person_names_stops_the_check(tmp_path: Path, text: str) -> None:
    config = '[[run]]\npath = "run"\ncontract = "garden_robot"\n'
    with pytest.raises(ContractError, match="the contract 'garden_robot' cannot be used: ") as told:
        check_tree(tmp_path, {**TREE, FILE: text, "omnicheck.toml": config}, "CTR")
    assert told.value.path == "garden_robot.json"
    loaded = load_config(tmp_path, isolated=True)
    request = Request(
        paths=(Path("run"),), cwd=tmp_path, contract="garden_robot", today=date(2026, 1, 31), use_cache=False, jobs=1
    )
    with pytest.raises(ContractError, match="cannot be used"):
        check_paths(request, loaded)


def test_a_broken_contract_that_nobody_names_is_no_finding(tmp_path: Path) -> None:
    tree = {**TREE, "contracts/other.json": "{", "contracts/another.json": BROKEN["ambiguous"].replace("garden", "x")}
    assert spoken(check_tree(tmp_path, tree, "CTR")) == []


def test_a_broken_copy_of_a_built_in_contract_is_not_judged_by_the_built_in_one(tmp_path: Path) -> None:
    tree = {"contracts/qwen3_omni_lora.json": "{", "run/training_metadata.json": {"backbone": "qwen3_omni_lora"}}
    assert spoken(check_tree(tmp_path, tree, "CTR")) == [("CTR101", "contracts/qwen3_omni_lora.json")]


def test_an_unreadable_file_does_not_take_the_id_of_a_sound_contract(tmp_path: Path) -> None:
    tree = {**TREE, "contracts/sound.json": CONTRACT, FILE: "{"}
    report = check_tree(tmp_path, tree, "CTR")
    assert report.runs[0].contract == "garden_robot"
    assert spoken(report) == []


@pytest.mark.parametrize("name", ["run/validation/eval.json", "run/validation_eval.json"])
def test_a_validation_names_the_contract_when_metadata_does_not(tmp_path: Path, name: str) -> None:
    nameless = {key: value for key, value in METADATA.items() if key != "backbone"}
    validation = {"status": "pass", "summary": {"backbone": "garden_robot"}, "issues": []}
    tree = {**TREE, "run/training_metadata.json": nameless, name: validation}
    report = check_tree(tmp_path, tree, "CTR")
    assert (report.runs[0].contract, report.runs[0].contract_source) == ("garden_robot", "metadata")
    validation["summary"] = {"backbone": "another_robot"}
    report = check_tree(tmp_path, {**TREE, name: validation}, "CTR")
    assert report.runs[0].contract == "garden_robot"


def test_a_packages_summary_names_the_contract(tmp_path: Path) -> None:
    nameless = {key: value for key, value in METADATA.items() if key != "backbone"}
    summary = {"status": "verified", "backbone": "garden_robot"}
    tree = {**TREE, "run/training_metadata.json": nameless, "run/verified_result_summary.json": summary}
    assert check_tree(tmp_path, tree, "CTR").runs[0].contract == "garden_robot"


def test_a_contested_contract_judges_nothing_and_the_report_says_so(tmp_path: Path) -> None:
    report = check_tree(tmp_path, {**TREE, "contracts/b.json": CONTRACT}, "CTR")
    assert "2 files answer (CTR102)" in " ".join(render(report, "text").split())
    assert report.runs[0].contract is None


def drifted(kept: dict[str, Any], **present: Any) -> list[Finding]:
    """Return what CTR110 says of a packer summary under a contract with some keys of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "packer_summary.json"
        path.write_text(json.dumps(kept), "utf-8")
        run = Run(path="run", location=folder, files=(_file(path, "packer_summary"),))
        source = Source(run, contract={**CONTRACT, **present}, workspace=Path(folder))
        judged = contract(source)
        assert isinstance(judged, Contract)
        return list(drift(judged, embedded_contract(source)))


def _file(path: Path, role: str) -> RunFile:
    return RunFile(
        path=path.name,
        name=path.name,
        location=str(path),
        kind="json",
        size=1,
        mtime_ns=0,
        ctime_ns=0,
        inode=0,
        role=role,
    )


@pytest.mark.parametrize(
    ("kept", "keys"),
    [
        ({"backbone": CONTRACT}, None),
        ({"backbone": {**CONTRACT, "config_path": "x", "exists": True}}, None),
        ({"backbone": {"id": "garden_robot"}}, None),
        ({"backbone": {**CONTRACT, "entrypoints": {"train": "scripts/train.py", "upload": ""}}}, None),
        ({"backbone": {**CONTRACT, "entrypoints": {"train": {"path": "scripts/train.py", "exists": True}}}}, None),
        ({"backbone": {**CONTRACT, "status": "planned_adapter"}}, ["status"]),
        ({"backbone": {**CONTRACT, "default_model_id": "garden-base-1b"}}, ["default_model_id"]),
        ({"backbone": {**CONTRACT, "extension_requirements": ["later"]}}, ["extension_requirements"]),
        (
            {"backbone": {"split_policy": {"default_counts": {"train": 9, "val": 2}}}},
            ["split_policy.default_counts.train"],
        ),
        ({"training_objective": "other"}, ["training_objective"]),
        ({"status": "pass", "display_name": "other"}, None),
        ({"rows": {"dataset_contract": "other"}}, None),
        ({"checkpoint_gate": "other"}, ["artifact_contract.checkpoint_gate"]),
        ({"backbone": "garden_robot", "backbone_status": "planned_adapter"}, ["status"]),
        ({"backbone": "resnet", "layers": 50}, None),
    ],
)
def test_drift_names_the_keys_that_differ(kept: dict[str, Any], keys: list[str] | None) -> None:
    found = drifted(kept)
    assert [sorted(each.actual) for each in found] == ([keys] if keys else [])


@given(st.permutations(CONTRACT["artifact_contract"]["public_package_forbidden"]))
def test_the_order_of_a_list_is_no_drift(items: list[str]) -> None:
    assert drifted({"public_package_forbidden": items}) == []
    assert len(drifted({"public_package_forbidden": items[1:]})) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*CONTRACT, "train", "x"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*CONTRACT, "backbone", "summary", "eval", "required_eval_files"]), JSON))
def test_no_kept_text_crashes_the_check(kept: dict[str, Any]) -> None:
    for each in drifted(kept):
        assert each.message


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from([key for key in CONTRACT if key != "id"]), JSON)
def test_no_contract_crashes_its_checks(key: str, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = check_tree(Path(folder), {**TREE, FILE: {**CONTRACT, key: value}}, "CTR", "OMN003")
    assert [each.message for each in report.findings if each.rule == "OMN003"] == []
    assert value == CONTRACT[key] or "CTR101" in report.coverage.rules_run


def test_the_contract_of_the_demo_is_clean() -> None:
    value = json.loads((DEMO / "contracts" / "kitchen_episode_qa.json").read_text("utf-8"))
    model, issues = validate_backbone(value)
    assert issues == ()
    assert model is not None
    assert model.sample_contract is not None
