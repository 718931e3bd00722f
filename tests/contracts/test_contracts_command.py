"""The command, and what it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from omnicheck.__main__ import main
from omnicheck.contracts.backbone import validate_backbone
from omnicheck.contracts.registry import Registry
from omnicheck.model.errors import ContractError, UsageError
from omnicheck.produce.scaffold import scaffold, write_scaffold

# typer imports what click will drop; it pins the versions that still have it.
pytestmark = pytest.mark.filterwarnings("ignore:.*removed in Click 9:DeprecationWarning")

OPTIONS = {
    "id": "my_policy",
    "display_name": "My policy",
    "model_family": "policies",
    "dataset_contract": "kitchen_v1",
    "training_objective": "stir",
    "checkpoint_gate": "policy_checkpoint_action_space_and_normalizer",
}
ARGUMENTS = [word for key, value in OPTIONS.items() for word in (f"--{key.replace('_', '-')}", value)]
TEMPLATE = Registry.load([]).get("policy_vla_branch")


class Shell:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch = monkeypatch
        self._capture = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._patch.setattr(sys, "argv", ["omnicheck", "contracts", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = self._capture.readouterr()
        code = stop.value.code
        return code if isinstance(code, int) else int(code is not None), captured.out, captured.err


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "omnicheck.toml").touch()
    return Shell(monkeypatch, capsys)


def write(path: Path, **changes: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**TEMPLATE.value, **changes}), "utf-8")


def test_scaffold_makes_a_sound_contract() -> None:
    value = scaffold(TEMPLATE, **OPTIONS)
    assert validate_backbone(value)[1] == ()
    assert value["default_model_id"] is None
    assert value["local_model_env"] == "MY_POLICY_MODEL_DIR"
    assert value["primary_metrics"] == ["held_out_episode_count"]
    assert {name for name, path in value["entrypoints"].items() if path is None} >= {"export", "train", "eval", "watch"}
    assert "sample_contract" not in value
    assert TEMPLATE.value["id"] == "policy_vla_branch"


def test_scaffold_keeps_the_sample_contract_of_the_same_dataset() -> None:
    value = scaffold(TEMPLATE, **{**OPTIONS, "dataset_contract": TEMPLATE.value["dataset_contract"]})
    assert value["sample_contract"] == TEMPLATE.value["sample_contract"]


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "", "a\n", "_a", "a" * 101])
def test_an_id_cannot_lead_out_of_the_target(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        scaffold(TEMPLATE, **{**OPTIONS, "id": name})
    with pytest.raises(UsageError):
        write_scaffold({**scaffold(TEMPLATE, **OPTIONS), "id": name}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_when_a_rule_fires(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="CTR103 /entrypoints/train"):
        scaffold(TEMPLATE, **OPTIONS, status="implemented")
    with pytest.raises(ContractError, match="CTR101 /display_name"):
        write_scaffold({**scaffold(TEMPLATE, **OPTIONS), "display_name": ""}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_contract_is_replaced_only_when_asked(tmp_path: Path) -> None:
    value = scaffold(TEMPLATE, **OPTIONS)
    path = write_scaffold(value, tmp_path)
    first = path.read_bytes()
    with pytest.raises(UsageError, match="already"):
        write_scaffold({**value, "display_name": "Other"}, tmp_path)
    assert path.read_bytes() == first
    write_scaffold({**value, "display_name": "Other"}, tmp_path, overwrite=True)
    assert json.loads(path.read_bytes())["display_name"] == "Other"
    assert [each.name for each in tmp_path.iterdir()] == ["my_policy.json"]


def test_a_link_at_the_target_is_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("keep")
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "my_policy.json").symlink_to(outside)
    with pytest.raises(UsageError):
        write_scaffold(scaffold(TEMPLATE, **OPTIONS), folder)
    write_scaffold(scaffold(TEMPLATE, **OPTIONS), folder, overwrite=True)
    assert outside.read_text() == "keep"
    assert not (folder / "my_policy.json").is_symlink()


def test_dry_run_prints_and_writes_nothing(shell: Shell, tmp_path: Path) -> None:
    code, out, _ = shell("scaffold", *ARGUMENTS, "--dry-run")
    assert code == 0
    assert json.loads(out) == scaffold(TEMPLATE, **OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["omnicheck.toml"]


def test_a_scaffolded_contract_is_found_and_valid(shell: Shell, tmp_path: Path) -> None:
    assert shell("scaffold", *ARGUMENTS)[0] == 0
    assert (tmp_path / "contracts" / "my_policy.json").is_file()
    code, out, _ = shell("validate", "my_policy")
    assert (code, out) == (0, "1 contracts, 0 errors, 0 warnings\n")
    code, _, err = shell("scaffold", *ARGUMENTS)
    assert code == 2
    assert "is taken" in err


def test_list_tells_conflicts_loudly(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path / "contracts" / "a.json", id="twin")
    write(tmp_path / "contracts" / "b.json", id="twin")
    code, out, err = shell("list")
    assert code == 1
    assert "CTR102 2 files claim the id twin: contracts/a.json, contracts/b.json" in err
    code, out, _ = shell("list", "--format", "json")
    assert code == 1
    assert json.loads(out)["conflicts"] == {"twin": ["contracts/a.json", "contracts/b.json"]}
    code, _, err = shell("show", "twin")
    assert code == 2
    assert "claim the id" in err


def test_validate_names_place_rule_and_mend(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path / "contracts" / "a.json", id="mine", status="done", primary_metrics=["x\x1b[2J"], colour=1)
    (tmp_path / "contracts" / "broken.json").write_text("{")
    code, out, _ = shell("validate")
    assert code == 1
    assert "contracts/a.json:/status: error CTR101" in out
    assert "contracts/a.json:/primary_metrics: error CTR104" in out
    assert "contracts/a.json:/colour: warning CTR101" in out
    assert "contracts/broken.json" in out
    assert "\x1b" not in out
    code, out, _ = shell("validate", "mine", "--format", "json")
    assert [issue["pointer"] for issue in json.loads(out)["issues"]] == ["/colour", "/status", "/primary_metrics"]


def test_validate_without_contracts_is_no_pass(shell: Shell) -> None:
    assert shell("validate")[0] == 3
    assert shell("validate", "qwen3_omni_lora")[0] == 0


def test_unknown_ids_and_paths_are_errors(shell: Shell) -> None:
    code, _, err = shell("show", "qwen3_omni_lore")
    assert code == 2
    assert "did you mean 'qwen3_omni_lora'" in err
    code, _, err = shell("list", "--path", "nowhere")
    assert code == 2
    assert "no such file or directory" in err


def test_show_survives_a_contract_of_wrong_types(shell: Shell, tmp_path: Path) -> None:
    wrong = {"artifact_contract": [], "entrypoints": "x", "split_policy": 3, "modalities": None, "status": {"a": 1}}
    write(tmp_path / "contracts" / "a.json", id="odd", **wrong)
    for format_ in ("text", "json"):
        assert shell("show", "odd", "--format", format_)[0] == 0
        assert shell("list", "--format", format_)[0] == 0
    assert shell("validate", "odd")[0] == 1
