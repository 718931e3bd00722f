"""I/O contracts: both versions read into one form, derived from graphs, and compared."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.__main__ import main
from omnicheck.contracts.io_contract import json_schema
from omnicheck.contracts.io_diff import changes
from omnicheck.contracts.io_form import read_form
from omnicheck.contracts.kv_families import Cache, built_in, family_of, meaning, name_of
from omnicheck.measures.symbols import parse, value_of
from omnicheck.model.errors import UsageError
from omnicheck.produce.io_contract import derive
from tests.make_fixtures.onnx import DECODER, DENOISER, LM, PREFILL, SOUND, edged, encoder, lm, names, with_data, write
from tests.onnx_graphs import BOOL, FLOAT, decoder, denoiser

CORE = {
    "inputs": {"dit_prefill_kv": ["x"], "dit_decode_kv": ["x", "past_self_key_0"], "vae_decoder": ["latents"]},
    "outputs": {"dit_prefill_kv": ["vt"], "dit_decode_kv": ["vt"], "vae_decoder": ["audio"]},
    "num_layers": 24,
    "dit_prefill_kv_path": "kv/dit_prefill_kv.onnx",
    "dit_decode_kv_path": "dit_decode_kv.onnx",
}
EMBEDDING = {
    "path": "embedding.onnx",
    "inputs": ["input_ids", "attention_mask"],
    "outputs": ["hidden"],
    "token_embedding_path": "token.onnx",
    "token_embedding_inputs": ["input_ids"],
    "token_embedding_outputs": ["token_embeddings"],
}


def test_names_by_model() -> None:
    form = read_form(CORE)
    assert form.issues == ()
    assert [(each.name, each.path, each.stated) for each in form.models] == [
        ("dit_prefill_kv", "kv/dit_prefill_kv.onnx", True),
        ("dit_decode_kv", "dit_decode_kv.onnx", True),
        ("vae_decoder", "vae_decoder.onnx", False),
    ]
    assert form.pairs == (("dit_prefill_kv", "dit_decode_kv"),)
    assert form.num_layers == 24


def test_names_of_prefill_and_decode() -> None:
    form = read_form(lm(PREFILL, DECODER, 2))
    assert form.issues == ()
    assert [(each.name, each.path) for each in form.models] == [
        ("prefill", "prefill/lm_0p6_prefill.onnx"),
        ("decode", "decode/lm_0p6_decode.onnx"),
    ]
    assert form.pairs == (("prefill", "decode"),)
    legacy = {key: value for key, value in lm(PREFILL, DECODER, 2).items() if key != "decode_path"}
    assert read_form({**legacy, "decoder_path": "d.onnx"}).models[1].path == "d.onnx"
    assert [each.message for each in read_form(legacy).issues] == [
        "has no `decode_path`, so no file is bound to decode"
    ]


def test_names_of_one_model_and_another() -> None:
    form = read_form(EMBEDDING)
    assert form.issues == ()
    assert [(each.name, each.path, len(each.inputs or ())) for each in form.models] == [
        ("model", "embedding.onnx", 2),
        ("token_embedding", "token.onnx", 1),
    ]


@pytest.mark.parametrize("value", [None, 7, [], "x", {}, {"a": 1}])
def test_what_names_nothing_is_told(value: Any) -> None:
    assert [issue.rule for issue in read_form(value).issues] == ["ONX101"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*CORE, *EMBEDDING, "prefill", "decode", "models", "schema_version", "edges", "variant"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_value_makes_the_reader_fail(value: Any) -> None:
    read_form(value)


@given(st.sampled_from(sorted(edged(encoder(FLOAT)))), JSON)
def test_version_2_is_what_its_schema_says(key: str, value: Any) -> None:
    changed = {**edged(encoder(FLOAT)), key: value}
    fits = jsonschema.Draft202012Validator(json_schema()).is_valid(changed)
    form = read_form(changed)
    if not fits and form.version == 2:
        assert form.issues
    if not form.issues:
        assert fits


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    write(tmp_path, LM)
    return tmp_path / "run"


def test_a_derived_contract_tells_what_the_graphs_are(exported: Path) -> None:
    value = derive(sorted(exported.rglob("*.onnx")), exported).value
    assert read_form(value).issues == ()
    assert value["num_layers"] == 2
    assert value["cache_pairs"] == [{"prefill": "lm_0p6_prefill", "decode": "lm_0p6_decode"}]
    decode = value["models"]["lm_0p6_decode"]
    assert decode["cache"] == {"layers": 2, "mode": "growing"}
    assert decode["opset"] == {"ai.onnx": 17}
    assert decode["inputs"][2] == {
        "name": "past_key_0",
        "dtype": "float32",
        "shape": ["B", 2, "T_cache", 4],
        "required": True,
    }
    sizes = value["feed_sizes"]
    assert value_of("T_cache + T_new", sizes) == sizes["T_cache"] + sizes["T_new"]
    assert parse("T_cache").terms
    assert len(set(sizes.values())) == len(sizes)


def test_derived_digests_cover_the_weights(tmp_path: Path) -> None:
    write(tmp_path, with_data(SOUND))
    value = derive([tmp_path / "run" / "model.onnx"], tmp_path / "run").value
    assert [(each["path"], each["size"]) for each in value["models"]["model"]["external_files"]] == [
        ("model.onnx.data", 32)
    ]


def test_an_edge_that_does_not_fit_is_noted_and_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"run/condition_encoder.onnx": encoder(BOOL), "run/dit_decoder.onnx": DENOISER})
    found = derive(sorted((tmp_path / "run").glob("*.onnx")), tmp_path / "run")
    assert "edges" not in found.value
    assert any("host_cast" in note for note in found.notes)
    write(tmp_path, {"run/condition_encoder.onnx": encoder(FLOAT)})
    found = derive(sorted((tmp_path / "run").glob("*.onnx")), tmp_path / "run")
    name = "encoder_attention_mask"
    assert found.value["edges"] == [{"from": f"condition_encoder:{name}", "to": f"dit_decoder:{name}"}]


def test_a_model_outside_its_contract_is_refused(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="outside"):
        derive(sorted(exported.rglob("*.onnx")), tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="no such file"):
        derive([exported / "none.onnx"], exported)


def described(tmp_path: Path) -> dict[str, Any]:
    write(tmp_path, {**LM, "run/dit_decoder.onnx": DENOISER})
    return derive(sorted((tmp_path / "run").rglob("*.onnx")), tmp_path / "run").value


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[bool, str]]:
    return [(each.breaks, each.where) for each in changes(read_form(old), read_form(new))]


def test_a_contract_does_not_differ_from_itself(tmp_path: Path) -> None:
    value = described(tmp_path)
    assert compare(value, value) == []
    assert compare(CORE, CORE) == []


@pytest.mark.parametrize(
    ("breaks", "where", "change"),
    [
        (True, "dit_decoder", lambda models: models.pop("dit_decoder")),
        (False, "new", lambda models: models.update(new=models["dit_decoder"])),
        (False, "dit_decoder", lambda models: models["dit_decoder"].update(path="moved/dit_decoder.onnx")),
        (True, "dit_decoder:attention_mask", lambda models: models["dit_decoder"]["inputs"].pop()),
        (True, "dit_decoder:new", lambda models: models["dit_decoder"]["inputs"].append({"name": "new"})),
        (
            False,
            "dit_decoder:new",
            lambda models: models["dit_decoder"]["inputs"].append({"name": "new", "required": False}),
        ),
        (False, "dit_decoder:new", lambda models: models["dit_decoder"]["outputs"].append({"name": "new"})),
        (True, "dit_decoder:new", lambda models: models["dit_decoder"]["outputs"].insert(0, {"name": "new"})),
        (True, "dit_decoder", lambda models: models["dit_decoder"]["inputs"].reverse()),
        (True, "dit_decoder:vt", lambda models: models["dit_decoder"]["outputs"][0].update(dtype="float16")),
        (True, "dit_decoder:vt", lambda models: models["dit_decoder"]["outputs"][0].update(shape=["B", "T", 8])),
        (True, "dit_decoder:vt", lambda models: models["dit_decoder"]["outputs"][0].update(shape=["B", "T", "D"])),
        (False, "dit_decoder:vt", lambda models: models["dit_decoder"]["outputs"][0].update(shape=["N", "T", 4])),
        (
            True,
            "dit_decoder:hidden_states",
            lambda models: models["dit_decoder"]["inputs"][0].update(shape=[1, "T", 4]),
        ),
        (
            False,
            "dit_decoder:hidden_states",
            lambda models: models["dit_decoder"]["inputs"][0].update(shape=["B", "T", "D"]),
        ),
        (True, "dit_decoder", lambda models: models["dit_decoder"]["opset"].update({"ai.onnx": 20})),
        (False, "dit_decoder", lambda models: models["dit_decoder"]["opset"].update({"ai.onnx": 16})),
        (True, "lm_0p6_decode", lambda models: models["lm_0p6_decode"]["cache"].update(mode="shared")),
        (False, "dit_decoder", lambda models: models["dit_decoder"].update(sha256="0" * 64)),
    ],
)
def test_a_difference_is_told_with_what_it_means(breaks: bool, where: str, change: Any, tmp_path: Path) -> None:
    old = described(tmp_path)
    new = copy.deepcopy(old)
    change(new["models"])
    assert read_form(new).issues == ()
    assert compare(old, new) == [(breaks, where)]


def test_version_1_is_compared_by_names(tmp_path: Path) -> None:
    pruned = denoiser(("hidden_states", "encoder_hidden_states", "attention_mask"))
    found = compare(names(dit_decoder=DENOISER), names(dit_decoder=pruned))
    assert found == [(True, "dit_decoder:encoder_attention_mask")]
    assert compare(lm(PREFILL, DECODER, 2), lm(PREFILL, DECODER, 3)) == [(True, "num_layers")]


# typer imports what click will drop; it pins the versions that still have it.
@pytest.mark.filterwarnings("ignore:.*removed in Click 9:DeprecationWarning")
def test_the_commands_write_and_compare(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[Any, str]:
        monkeypatch.setattr(sys, "argv", ["omnicheck", "contracts", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, capsys.readouterr().out

    monkeypatch.chdir(exported)
    models = ["prefill/lm_0p6_prefill.onnx", "decode/lm_0p6_decode.onnx"]
    assert run("derive", *models, "--out", "io_contract.json")[0] in (0, None)
    value = json.loads((exported / "io_contract.json").read_text())
    assert run("derive", *models, "--out", "io_contract.json")[0] == 2
    assert json.loads(run("derive", *models)[1]) == value
    value["models"]["lm_0p6_decode"]["outputs"][1]["dtype"] = "float16"
    (exported / "io_contract_new.json").write_text(json.dumps(value))
    code, told = run("diff", "io_contract.json", "io_contract_new.json")
    assert code == 1
    assert "breaks  lm_0p6_decode:present_key_0: float32 became float16" in told
    code, told = run("diff", "io_contract.json", "io_contract.json", "--format", "json")
    assert (code, json.loads(told)) == (0, {"breaking": 0, "changes": []})


@pytest.mark.parametrize("family", built_in(), ids=lambda family: family.name)
def test_names_of_a_family_mean_what_they_were_made_from(family: Any) -> None:
    layers = (0,) if family.single else (0, 7, 31)
    caches = [
        Cache(layer, kind, slot)
        for layer in layers
        for kind in family.kinds or [""]
        for slot in (("key", "value") if family.slots else ("both",))
    ]
    for template in (family.past, family.present):
        for cache in caches:
            named = meaning(family, template, name_of(family, template, cache))
            assert named is not None
            assert named.cache == cache
    found = family_of(
        [name_of(family, family.past, cache) for cache in caches],
        [name_of(family, family.present, cache) for cache in caches],
    )
    assert found == family


@pytest.mark.parametrize("name", ["past_key_", "past_key_x", "past_key_-1", "Past_key_0", "past_key_0 ", "xpast_key_0"])
def test_other_names_mean_nothing(name: str) -> None:
    assert family_of([name], []) is None


def test_a_decoder_of_optimum_names_is_of_its_family() -> None:
    graph = decoder(past="past_key_values.{layer}.{slot}", present="present.{layer}.{slot}").graph
    found = family_of([each.name for each in graph.input], [each.name for each in graph.output])
    assert found is not None
    assert found.name == "optimum"
