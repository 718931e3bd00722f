"""PUB: profiles, contracts, releases, splits, links and the files outside every run; one broken thing, one rule."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest

from omnicheck.content.part import Part
from omnicheck.contracts.licences import conflict
from omnicheck.contracts.policy_phrases import KINDS
from omnicheck.contracts.publication import compile_policy, decide
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.report import Diagnostic
from tests.content import constructs as made

CARD = "---\nlicense: apache-2.0\n---\n\n# Run\n"
CLEAN: dict[str, bytes | str] = {
    "metrics.json": "{}",
    "predictions.csv": "id,label\na,b\n",
    "RUN_REPORT.md": "# Report\n",
    "README.md": CARD,
    "LICENSE": "Apache License\n",
    "figures/loss.png": made.png(),
}
Profile = Literal["lint", "publish"]


def check(folder: Path, files: dict[str, Any], profile: Profile = "lint", config: str = "") -> list[Diagnostic]:
    for name, content in files.items():
        path = folder / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    own = folder / "omnicheck.toml"
    if config:
        own.write_text(config)
    loaded = load_config(folder, own if config else None, isolated=not config)
    request = Request(
        paths=(Path(),), cwd=folder, select=("PUB",), profile=profile, today=date(2026, 1, 31), use_cache=False, jobs=1
    )
    return list(check_paths(request, loaded).findings)


def spoken(found: list[Diagnostic]) -> list[tuple[str, str, str]]:
    return [(each.rule, each.severity, each.path) for each in found if each.rule.startswith("PUB")]


@pytest.mark.parametrize("profile", ["lint", "publish"])
def test_a_clean_run_is_silent(tmp_path: Path, profile: Profile) -> None:
    assert spoken(check(tmp_path, CLEAN, profile)) == []


MUTATIONS: list[tuple[str, Any, list[str]]] = [
    ("model.gguf", made.gguf(), ["PUB101"]),
    ("clip.mp4", made.mp4(), ["PUB102"]),
    ("state.pkl", made.evil(), ["PUB103"]),
    ("a.zip", made.zipped(("a.txt", b"hello")), ["PUB104"]),
    ("a.npy", made.npy(), ["PUB105"]),
    ("tool", b"\x7fELF" + bytes(60), ["PUB105"]),
    ("loss.png", made.jpeg(), ["PUB106"]),
    ("loss.png", made.png() + b"\x01tail\x02" * 9, ["PUB107"]),
    ("data.bin", b"\xf1" + bytes(range(200, 256)) * 3, ["PUB109"]),
    ("metrics_eval.json", json.dumps({"note": "x" * 600}), []),
    ("graph.onnx", b"", ["PUB111"]),
    ("METRICS.json", "{}", ["PUB112"]),
    ("README.md", "# Run\n", ["PUB113"]),
]


@pytest.mark.parametrize(("name", "content", "rules"), MUTATIONS)
def test_one_broken_thing_makes_its_rule_speak(tmp_path: Path, name: str, content: Any, rules: list[str]) -> None:
    found = check(tmp_path, {**CLEAN, name: content})
    assert [rule for rule, _, _ in spoken(found)] == rules


def test_severities_of_the_profiles(tmp_path: Path) -> None:
    files = {
        **CLEAN,
        "a.gguf": made.gguf(),
        "b.mp4": made.mp4(),
        "c.zip": made.zipped(("c.txt", b"c")),
        "d.npy": made.npy(),
    }
    files["e.pkl"] = made.evil()
    lint = {rule: severity for rule, severity, _ in spoken(check(tmp_path, files))}
    assert lint == {"PUB101": "info", "PUB102": "info", "PUB104": "info", "PUB105": "info", "PUB103": "error"}
    publish = {rule: severity for rule, severity, _ in spoken(check(tmp_path, files, "publish"))}
    assert publish == dict.fromkeys(lint, "error")


def test_adapter_weights_are_told_only_before_publication(tmp_path: Path) -> None:
    files = {**CLEAN, "adapter_model.safetensors": made.safetensors()}
    assert spoken(check(tmp_path, files)) == []
    assert spoken(check(tmp_path, files, "publish")) == [("PUB101", "error", "run/adapter_model.safetensors")]


def contract(**artifacts: Any) -> dict[str, Any]:
    return {"id": "toy", "artifact_contract": artifacts}


def test_a_contract_releases_a_file_by_its_digest(tmp_path: Path) -> None:
    weights = made.safetensors()
    ship = [{"role": "adapter_weights", "kind": "safetensors", "sha256": hashlib.sha256(weights).hexdigest()}]
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "toy.json").write_text(json.dumps({**contract(), "publish": {"ship": ship}}))
    config = '[[run]]\npath = "run"\ncontract = "toy"\n'
    files = {**CLEAN, "adapter_model.safetensors": weights, "other.safetensors": made.safetensors(8)}
    found = spoken(check(tmp_path, files, "publish", config))
    assert [entry for entry in found if entry[2].startswith("run")] == [
        ("PUB101", "error", "run/other.safetensors"),
    ]


@pytest.mark.parametrize(
    ("kinds", "path", "cause"),
    [
        (("json",), "metrics.json", "allowed"),
        (("json",), "eval/deep/metrics_test.json", "allowed"),
        (("text",), ".env", "undeclared"),
        (("png",), "figure.png", "allowed"),
        (("png",), "figure.json", "undeclared"),
        (("npz",), "features.npz", "undeclared"),
        (("safetensors",), "metrics.json", "forbidden"),
        (("png", "zip"), "figure.png", "forbidden"),
        (("jpeg", "pickle"), "figure.jpg", "forbidden"),
        (("lfs_pointer",), "notes.txt", "undeclared"),
        (("unknown", "text"), "notes.txt", "undeclared"),
    ],
)
def test_the_default_policy(kinds: tuple[str, ...], path: str, cause: str) -> None:
    assert decide(compile_policy(), path, kinds, 100).cause == cause


def test_a_contract_widens_and_narrows_the_policy() -> None:
    policy = compile_policy(
        contract(
            public_package_allowed=["feature arrays", "onnx models", "raw MP4", "metrics"],
            public_package_forbidden=["predictions", "adapter weights"],
        )
    )
    assert decide(policy, "features.npz", ("npz",), 9).ships
    assert decide(policy, "model.onnx", ("onnx",), 9).ships
    assert decide(policy, "clip.mp4", ("mp4",), 9).cause == "forbidden"
    assert decide(policy, "predictions.jsonl", ("jsonl",), 9).cause == "forbidden"
    assert decide(policy, "metrics.json", ("json",), 9).ships
    assert decide(policy, "metrics.json", ("json",), 1 << 50).cause == "too_large"
    assert all(grant.what in KINDS | {"", "figures"} for grant in policy.grants)


def test_a_pickle_is_never_released() -> None:
    shipped = {**contract(), "publish": {"ship": [{"role": "x", "kind": "y", "sha256": "ab"}]}}
    policy = compile_policy(shipped)
    assert decide(policy, "a.gguf", ("gguf",), 9, "ab").cause == "released"
    assert not decide(policy, "a.pt", ("torch_legacy", "pickle"), 9, "ab").ships


def test_parts_of_a_split_are_judged_as_the_whole(tmp_path: Path) -> None:
    video = made.zipped(("clip.mp4", made.mp4()))
    files = {**CLEAN, "v.zip.001": video[:40], "v.zip.002": video[40:90], "v.zip.003": video[90:]}
    found = check(tmp_path, files)
    assert ("PUB102", ("v.zip", "clip.mp4")) in {(each.rule, each.members) for each in found}
    assert {each.path for each in found if each.rule in ("PUB105", "PUB109")} <= {"run/v.zip.001"}


def test_the_data_of_an_orbax_checkpoint_is_told_with_its_manifest(tmp_path: Path) -> None:
    manifest = b"\x0c\xdb\x3a\x2a" + (76).to_bytes(8, "little") + bytes(64)
    noise = b"\xf1" + bytes(range(200, 256)) * 9
    files = {**CLEAN, "ckpt/manifest.ocdbt": manifest, "ckpt/d/0a1b": noise, "other/0a1b": noise[:-1]}
    assert spoken(check(tmp_path, files)) == [
        ("PUB101", "info", "run/ckpt/manifest.ocdbt"),
        ("PUB109", "error", "run/other/0a1b"),
    ]


def test_links_and_names_of_other_systems(tmp_path: Path) -> None:
    check(tmp_path, CLEAN)
    (tmp_path / "run" / "link.md").symlink_to("RUN_REPORT.md")
    for name in ("aux.csv", "a:b.txt", "end.txt ", "up\ndown.txt", "re\u0301sume\u0301.md", "résumé.md"):
        (tmp_path / "run" / name).write_text("x\n")
    messages = {each.path: each.message for each in check(tmp_path, {}) if each.rule == "PUB112"}
    assert "symbolic link" in messages["run/link.md"]
    assert "reserved" in messages["run/aux.csv"]
    assert "refuses" in messages["run/a:b.txt"]
    assert "drop" in messages["run/end.txt "]
    assert "control" in messages["run/up\ndown.txt"]
    assert any("one name" in message for message in messages.values())
    assert len(messages) == 6


def test_files_outside_every_run_are_judged(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "notes").write_bytes(made.evil(0))
    assert spoken(check(tmp_path, {})) == [("PUB103", "error", "loose/notes")]


@pytest.mark.parametrize(
    ("own", "origin", "breaks"),
    [
        ("mit", "mit", False),
        ("mit", "apache-2.0", False),
        ("apache-2.0", "cc-by-nc-4.0", True),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", False),
        ("cc-by-nc-sa-4.0", "cc-by-nc-4.0", False),
        ("mit", "cc-by-nd-4.0", True),
        ("mit", "gpl-3.0", True),
        ("gpl-3.0", "gpl-3.0", False),
        ("mit", "llama3.1", True),
        ("other", "llama3.1", False),
        ("mit", "", False),
        ("", "cc-by-nc-4.0", False),
    ],
)
def test_terms_of_licences(own: str, origin: str, breaks: bool) -> None:
    assert (conflict(own, origin) is not None) is breaks


def test_every_group_has_words() -> None:
    from omnicheck.content.groups import _KINDS, words_for  # noqa: PLC0415 - the table itself

    for group, kinds in _KINDS.items():
        for kind in kinds:
            assert words_for(kind) != kind or group == "text"
            assert Part((), (kind,), 0).groups == {group}
