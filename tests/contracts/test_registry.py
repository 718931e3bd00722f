"""Exact ids, loud conflicts, nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omnicheck.contracts.gates import GATES, gate_of
from omnicheck.contracts.registry import BUILTIN, Registry
from omnicheck.model.errors import ContractError

BUILTIN_IDS = ("cosmos_world_model", "policy_vla_branch", "qwen3_omni_lora")
TEMPLATE = Registry.load([]).get("policy_vla_branch").value


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps({**TEMPLATE, **changes}), "utf-8")
    return path


def test_built_in_contracts_are_always_there(tmp_path: Path) -> None:
    registry = Registry.load([tmp_path / "absent"])
    assert registry.ids() == BUILTIN_IDS
    assert {entry.origin for entry in registry.entries.values()} == {"builtin"}


def test_ids_are_exact_and_a_near_one_is_suggested() -> None:
    with pytest.raises(ContractError) as raised:
        Registry.load([]).get("Policy_VLA_branch")
    assert "'policy_vla_branch'" in str(raised.value)
    assert "known: cosmos_world_model, policy_vla_branch, qwen3_omni_lora" in str(raised.value)


def test_a_contract_of_the_user_wins_over_a_built_in_one(tmp_path: Path) -> None:
    write(tmp_path / "mine.json", display_name="mine")
    registry = Registry.load([tmp_path])
    assert registry.get("policy_vla_branch").value["display_name"] == "mine"
    assert [entry.origin for entry in registry.shadowed] == ["builtin"]
    assert not registry.conflicts


def test_two_files_with_one_id_conflict(tmp_path: Path) -> None:
    write(tmp_path / "a.json", id="twin")
    write(tmp_path / "b.json", id="twin")
    registry = Registry.load([tmp_path, tmp_path / "a.json"])
    assert [path.name for path in registry.conflicts["twin"]] == ["a.json", "b.json"]
    assert "twin" in registry.ids()
    with pytest.raises(ContractError, match="2 files claim the id 'twin'"):
        registry.get("twin")


def test_one_file_named_twice_is_no_conflict(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", id="one")
    assert not Registry.load([tmp_path, path, tmp_path]).conflicts


def test_other_json_is_ignored_and_listed(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"id": "x", "name": "y"}')
    (tmp_path / "list.json").write_text("[]")
    registry = Registry.load([tmp_path])
    assert sorted(path.name for path, _ in registry.ignored) == ["list.json", "package.json"]
    assert registry.ids() == BUILTIN_IDS


def test_a_repeated_key_makes_a_contract_unusable(tmp_path: Path) -> None:
    text = json.dumps({**TEMPLATE, "status": "implemented"})
    (tmp_path / "a.json").write_text(text[:-1] + ', "status": "planned_adapter"}')
    registry = Registry.load([tmp_path])
    # Neither reading of the file may judge, nor may the built-in contract in its stead.
    with pytest.raises(ContractError, match="cannot be used"):
        registry.get("policy_vla_branch")
    assert "policy_vla_branch" in registry.ids()


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"id": "\xff"}'])
def test_an_unreadable_file_is_told_with_its_path(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    registry = Registry.load([tmp_path])
    assert [each.path.name for each in registry.unusable] == ["a.json"]
    assert registry.ids() == BUILTIN_IDS


def test_a_contract_without_an_id_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.json", id=None)
    assert [each.message for each in Registry.load([tmp_path]).unusable] == ["a backbone contract without an id"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    target = write(tmp_path / "elsewhere", id="linked")
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "a.json").symlink_to(target)
    (folder / "b.json").symlink_to(folder / "b.json")
    registry = Registry.load([folder])
    assert "linked" not in registry.ids()
    assert registry.unusable


def test_the_digest_follows_the_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", id="one")
    before = Registry.load([tmp_path]).digest()
    assert Registry.load([tmp_path]).digest() == before
    path.write_text(path.read_text() + "\n")
    assert Registry.load([tmp_path]).digest() != before
    assert Registry.load([]).digest() != before


def test_a_registry_loads_without_heavy_libraries() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from omnicheck.contracts import gates, policy\n"
        "from omnicheck.contracts.registry import Registry\n"
        "assert Registry.load([Path()]).get('qwen3_omni_lora')\n"
        "print(sorted({'pydantic', 'numpy', 'rich', 'typer', 'jsonschema'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_built_in_files_are_named_by_their_ids() -> None:
    assert sorted(path.stem for path in BUILTIN.glob("*.json")) == list(BUILTIN_IDS)


def test_every_gate_is_proven_by_some_file() -> None:
    assert set(GATES) >= {
        Registry.load([]).get(name).value["artifact_contract"]["checkpoint_gate"] for name in BUILTIN_IDS
    }
    for gate in GATES.values():
        assert gate.missing([]) == gate.evidence
        assert gate.missing([f"training/{group[0].replace('*', '-1')}" for group in gate.evidence]) == ()


def test_a_gate_accepts_the_audit_of_an_adapter_that_may_not_ship() -> None:
    gate = gate_of("lora_safetensors_shape_check")
    assert gate is not None
    assert gate.kind == "lora"
    assert gate.missing(["training/adapter_shape_check.json"]) == ()
    assert gate.missing(["training/metrics.json"]) != ()
    assert gate_of("trust_me") is None
