"""LOR: a clean adapter is silent, and each defect makes the rule speak that names it, and no other of level error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from omnicheck.contracts.adapter_keys import key_of, place_of
from omnicheck.contracts.module_names import compiled, named, runs_away
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.model.errors import ContractError
from tests.fixture_cases import TODAY
from tests.make_fixtures.adapters import A3, B3, DORA, EXPERTS, Q3, Files, Tensors, adapter, changed, matrix, tensors


def fired(files: Files, folder: Path) -> dict[str, str]:
    """Return rule to severity of what speaks."""
    for name, data in files.items():
        place = folder / "run" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    report = check_paths(
        Request(paths=(Path("run"),), cwd=folder, select=("LOR", "OMN003"), today=TODAY, use_cache=False, jobs=1),
        load_config(folder, isolated=True),
    )
    return {each.rule: each.severity for each in report.findings}


def cast(kind: type[np.generic]) -> Tensors:
    return {name: array.astype(kind) for name, array in tensors().items()}


def infinite(kind: type[np.generic]) -> Tensors:
    found = cast(kind)
    found[B3] = np.full((8, 4), np.inf, kind)
    return found


def only(keep: Callable[[str], bool]) -> Tensors:
    return {name: array for name, array in tensors().items() if keep(name)}


CLEAN: dict[str, Files] = {
    "plain": adapter(tensors()),
    "float16": adapter(cast(np.float16)),
    "dora": adapter(DORA, use_dora=True),
    "rslora": adapter(tensors(), use_rslora=True),
    "some layers": adapter(only(lambda name: ".2." in name or ".5." in name), layers_to_transform=[2, 5]),
    "an expression": adapter(tensors(), target_modules=r"model\.layers\.\d+\.self_attn\.(q|v)_proj"),
    "look-ahead": adapter(tensors(), target_modules=r"^(?!.*visual).*\.(q|v)_proj$"),
    "two shards": {
        **adapter(only(lambda name: ".q_proj" in name)),
        "adapter_model-00002-of-00002.safetensors": save(only(lambda name: ".v_proj" in name)),
    },
    "convolution": adapter(
        {"base_model.model.conv.lora_A.weight": np.ones((4, 3, 3, 3), np.float32)}
        | {"base_model.model.conv.lora_B.weight": np.ones((8, 4, 1, 1), np.float32)},
        target_modules=["conv"],
    ),
    "bias": adapter(
        tensors(1)
        | {name.replace("weight", "bias"): np.ones(8, np.float32) for name in tensors(1) if "lora_B" in name},
        lora_bias=True,
    ),
    "kohya": {
        "adapter_model.safetensors": save(
            {"lora_unet_to_q.lora_down.weight": matrix(4, 8, 1), "lora_unet_to_q.lora_up.weight": matrix(8, 4, 2)}
            | {"lora_unet_to_q.alpha": np.array(4, np.float32)}
        )
    },
    "diffusers": adapter(tensors(prefix="transformer_blocks")),
}

CONTROL = {"a\nb.lora_A.weight": matrix(4, 8, 1), "a\nb.lora_B.weight": matrix(8, 4, 1)}

MUTANTS: dict[str, tuple[Files, str]] = {
    "trailing bytes": (adapter(save(tensors()) + b"x"), "LOR101"),
    "cut": (adapter(save(tensors())[:-8]), "LOR101"),
    "control character": (adapter(tensors() | CONTROL, target_modules=["q_proj", "v_proj", "a\nb"]), "LOR101"),
    "no header": (adapter(b"\x00" * 64), "LOR101"),
    "flat A": (adapter(changed(A3, matrix(4, 8, 1).reshape(-1))), "LOR102"),
    "flat B": (adapter(changed(B3, matrix(4, 8, 1).reshape(-1))), "LOR102"),
    "empty B": (adapter(changed(B3, np.zeros((0, 4), np.float32))), "LOR102"),
    "three axes": (adapter(changed(A3, matrix(4, 8, 1).reshape(4, 4, 2))), "LOR102"),
    "inner sizes": (adapter(changed(B3, matrix(8, 6, 1))), "LOR102"),
    "short magnitude": (
        adapter({**DORA, f"{Q3.replace('.3.', '.0.')}.lora_magnitude_vector": np.ones(5, np.float32)}, use_dora=True),
        "LOR102",
    ),
    "no B": (adapter(changed(B3, None)), "LOR103"),
    "no A": (adapter(changed(A3, None)), "LOR103"),
    "magnitude alone": (
        adapter(tensors() | {f"{Q3.replace('q_', 'k_')}.lora_magnitude_vector": np.ones(8, np.float32)}, use_dora=...),
        "LOR103",
    ),
    "rank of all": (adapter(tensors(), r=8), "LOR104"),
    "rank of one": (adapter(changed(A3, matrix(2, 8, 1), **{B3: matrix(8, 2, 1)})), "LOR104"),
    "pattern of none": (adapter(tensors(), rank_pattern={"q_proj": 2}), "LOR104"),
    "dora undeclared": (adapter(DORA), "LOR104"),
    "dora without vectors": (adapter(tensors(), use_dora=True), "LOR104"),
    "every B zero": (
        adapter({name: np.zeros_like(array) if "_B" in name else array for name, array in tensors().items()}),
        "LOR106",
    ),
    "infinite float16": (adapter(infinite(np.float16)), "LOR107"),
    "infinite float64": (adapter(infinite(np.float64)), "LOR107"),
    "base layer": (adapter(tensors() | {f"{Q3}.base_layer.weight": matrix(8, 8, 1)}), "LOR108"),
    "head": (adapter(tensors() | {"base_model.model.lm_head.weight": matrix(8, 8, 1)}), "LOR108"),
    "norm": (adapter(tensors() | {"base_model.model.model.norm.weight": np.ones(8, np.float32)}), "LOR108"),
    "saved but of another module": (
        adapter(tensors() | {"base_model.model.lm_head.weight": matrix(8, 8, 1)}, modules_to_save=["score"]),
        "LOR108",
    ),
    "experts without version": (
        adapter(EXPERTS, target_modules=[], target_parameters=["mlp.experts.gate_up_proj"]),
        "LOR110",
    ),
    "unknown key": (adapter(tensors(), lora_aplha=4), "LOR111"),
    "text for a rank": (adapter(tensors(), r="4"), "LOR111"),
    "foreign code": (adapter(tensors(), auto_mapping={"parent_library": "os"}), "LOR111"),
    "local path": (adapter(tensors(), base_model_name_or_path="../models/base"), "LOR111"),
    "runaway expression": (adapter(tensors(), target_modules="(a+)+b|.*(q|v)_proj"), "LOR111"),
    "no expression": (adapter(tensors(), rank_pattern={"(": 4}), "LOR111"),
}
WARNED: dict[str, tuple[Files, str]] = {
    "typo": (adapter(tensors(), target_modules=["q_proj", "v_proj", "k_porj"]), "LOR105"),
    "gap": (adapter(only(lambda name: ".4.self_attn.v" not in name)), "LOR105"),
    "undeclared": (adapter(tensors(), target_modules=["q_proj"]), "LOR105"),
    "excluded": (adapter(tensors(), exclude_modules=["v_proj"]), "LOR105"),
    "mixed types": (adapter(changed(A3, matrix(4, 8, 1).astype(np.float16))), "LOR109"),
    "integers": (adapter(cast(np.int8)), "LOR109"),
    "far from its peers": (adapter(changed(B3, matrix(8, 4, 1) * 1000)), "LOR112"),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_adapter_is_silent(name: str, tmp_path: Path) -> None:
    assert fired(CLEAN[name], tmp_path) == {}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_defect_is_caught_by_the_rule_that_names_it(name: str, tmp_path: Path) -> None:
    files, rule = MUTANTS[name]
    found = fired(files, tmp_path)
    assert [each for each, severity in found.items() if severity == "error"] == [rule]


@pytest.mark.parametrize("name", WARNED)
def test_a_flaw_is_warned_of_and_is_no_error(name: str, tmp_path: Path) -> None:
    files, rule = WARNED[name]
    found = fired(files, tmp_path)
    assert found[rule] == "warning"
    assert "error" not in found.values()


def test_an_infinite_bfloat16_is_found_in_its_bits(tmp_path: Path) -> None:
    clean = save({A3: matrix(4, 8, 1).astype(np.float16), B3: matrix(8, 4, 2).astype(np.float16)})
    as_bits = clean.replace(b'"F16"', b'"BF16"').replace(b"  ", b"", 1)
    length = int.from_bytes(as_bits[:8], "little")
    header = as_bits[8 : 8 + length]
    assert header.count(b"BF16") == 2
    bad = bytearray(as_bits)
    bad[-2:] = b"\x80\x7f"
    assert "LOR107" not in fired(adapter(as_bits, target_modules=["q_proj"]), tmp_path / "a")
    assert fired(adapter(bytes(bad), target_modules=["q_proj"]), tmp_path / "b").get("LOR107") == "error"


@given(st.text(max_size=60))
def test_every_key_means_something(name: str) -> None:
    place_of(key_of(name).module)


@pytest.mark.parametrize(
    ("name", "module", "part"),
    [
        (
            "base_model.model.model.layers.3.mlp.experts.7.up_proj.lora_A.weight",
            "model.layers.3.mlp.experts.7.up_proj",
            "A",
        ),
        ("base_model.model.x.lora_B.default.weight", "x", "B"),
        ("base_model.model.e.lora_embedding_A", "e", "embedding_A"),
        ("layers.1.q.lora_a.weight", "layers.1.q", "A"),
        ("lora_te_text_q.lora_up.weight", "lora_te_text_q", "B"),
        ("x.to_q_lora.down.weight", "x.to_q", "A"),
        ("base_model.model.e.token_adapter.trainable_tokens_delta", "e", "tokens"),
        ("base_model.model.q.base_layer.weight", "q", "base"),
        ("base_model.model.norm.weight", "norm", "other"),
    ],
)
def test_what_a_key_means(name: str, module: str, part: str) -> None:
    assert (key_of(name).module, key_of(name).part) == (module, part)


def test_expert_numbers_are_no_layers() -> None:
    place = place_of("model.layers.3.mlp.experts.7.up_proj")
    assert (place.tower, place.layer, place.kind) == ("model.layers", 3, "mlp.experts.*.up_proj")


def test_expressions_are_bounded() -> None:
    assert named("model.layers.1.q_proj", r".*\.(q|v)_proj")
    assert not named("model.visual.q_proj", r"^(?!.*visual).*q_proj$")
    assert runs_away(r"(x+)*y")
    assert not runs_away(r".*\.(q|v)_proj")
    with pytest.raises(ContractError, match="repeats a repetition"):
        compiled(r"(?!z)(x+)*y")
    # Linear in the name, where a backtracking engine would not come back.
    assert not compiled(r"(x+x+)+y")("x" * 400)
