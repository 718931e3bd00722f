"""Clean models, contracts and manifests, one defect each: the rule that names it speaks, no other of level error."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from omnicheck.produce.io_contract import derive
from tests.checks.onnx_trees import edited, errors, judge, renamed, reordered, rules, typed, without
from tests.make_fixtures.onnx import (
    CONTRACT,
    DATA,
    DENOISER,
    LM,
    MASK_LONG,
    MASK_SHORT,
    PREFILL,
    SIDECAR,
    SOUND,
    Tree,
    described,
    edged,
    encoder,
    entry,
    lm,
    manifest,
    names,
    noted,
    one,
    profile,
    sha256,
    weights,
    with_data,
)
from tests.make_fixtures.onnx import contract as contract_of
from tests.onnx_graphs import (
    BOOL,
    FLOAT,
    FLOAT16,
    INT64,
    at,
    constant,
    decoder,
    denoiser,
    external,
    model,
    node,
    plain,
    port,
)

DECODER, PLAIN = decoder(), plain()
V2 = contract_of({"model": described(DENOISER, "model.onnx")})
PIPELINE: Tree = {
    "run/condition_encoder.onnx": encoder(FLOAT),
    "run/dit_decoder.onnx": DENOISER,
    CONTRACT: edged(encoder(FLOAT)),
}
HASHED: Tree = {**with_data(SOUND), "run/manifest.json": manifest(SOUND, external_files=[SIDECAR])}
LM_TREE: Tree = {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2)}
TWO = "model.onnx.data"


def pair(left: dict[str, str], right: dict[str, str]) -> onnx.ModelProto:
    return external([("a", (4,), left), ("b", (4,), right)])


def set_at(value: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """Return a copy with one value replaced."""
    changed = copy.deepcopy(value)
    here: Any = changed
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = to
    return changed


def hidden_in(where: str) -> onnx.ModelProto:
    """Return a model whose external tensor leads out, inside an attribute, a subgraph, a function or sparse values."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in at("../w.bin").items():
        tensor.external_data.add(key=key, value=value)
    held = node("Constant", [], ["w"], value=tensor)
    add = node("Add", ["x", "w"], ["y"])
    if where == "attribute":
        return plain(nodes=[held, add])
    if where == "subgraph":
        branch = helper.make_graph([held, node("Add", ["x", "w"], ["z"])], "b", [], [port("z")])
        choice = node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
        return plain(nodes=[choice], inputs=[port("x"), port("c", BOOL, [])])
    if where == "function":
        body = helper.make_function("own", "Shift", ["x"], ["y"], [held, add], [helper.make_opsetid("", 17)])
        made = plain(nodes=[node("Shift", ["x"], ["y"], domain="own")], own=1)
        made.functions.append(body)
        return made
    made = plain(nodes=[add])
    indices = constant("i", [0, 1, 2, 3], (4,), INT64)
    made.graph.sparse_initializer.add(values=tensor, indices=indices, dims=[4])
    return made


def zeroed(how: str) -> onnx.ModelProto:
    """Return a model whose mask is kept alive for show."""
    tricks = {
        "initialiser": [node("Mul", ["attention_mask", "zero"], ["n"])],
        "constant": [
            node("Constant", [], ["z"], value_float=0.0),
            node("Mul", ["z", "attention_mask"], ["n"]),
        ],
        "cast": [node("Cast", ["zero"], ["z"], to=FLOAT), node("Mul", ["attention_mask", "z"], ["n"])],
        "difference": [node("Sub", ["attention_mask", "attention_mask"], ["n"])],
    }
    nodes = [*tricks[how], node("Add", ["x", "n"], ["s"]), node("Softmax", ["s"], ["y"])]
    return model(nodes, [port("x"), port("attention_mask")], [port("y")], [constant("zero", [0.0])])


def uneven_branches() -> onnx.ModelProto:
    """Return a model whose If gives one value in one branch and two in the other."""
    branches = [
        helper.make_graph([node("Abs", ["x"], [f"z{i}"])], f"b{i}", [], [port(f"z{i}")] * (i + 1)) for i in range(2)
    ]
    choice = node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    return plain(nodes=[choice], inputs=[port("x"), port("c", BOOL, [])])


def idle_mask() -> onnx.ModelProto:
    """Return the decoder with a mask that is added to the result, after the last attention."""

    def change(graph: onnx.GraphProto) -> None:
        for each in graph.node:
            if each.op_type == "Add":
                each.op_type = "Identity"
                del each.input[1:]
        graph.node[-1].op_type = "Add"
        graph.node[-1].input.append("attention_mask")

    return edited(DECODER, change)


CLEAN: dict[str, Tree] = {
    "plain": one(PLAIN),
    "decoder": one(DECODER),
    "contract": one(DENOISER, io_contract__json=V2),
    "names": {"run/dit_decoder.onnx": DENOISER, CONTRACT: names(dit_decoder=DENOISER)},
    "language model": LM_TREE,
    "pipeline": PIPELINE,
    "configuration of a runtime": one(
        DECODER, genai_config__json={"model": {"decoder": {"filename": "model.onnx", "num_hidden_layers": 2}}}
    ),
    "external data": with_data(SOUND),
    "manifest": HASHED,
    "profile": one(weights(3), manifest__json=profile(weights(3), "int8_dynamic")),
    "mask": one(MASK_LONG),
    "doc string": one(noted(PLAIN, "line 7 of model.py, see https://example.org/home/ada")),
    "Greek name": one(renamed(PLAIN, "x", "\u03c3")),
}

MUTANTS: dict[str, tuple[Tree, str]] = {
    "contract: unknown key": (one(DENOISER, io_contract__json={**V2, "model": {}}), "ONX101"),
    "contract: type nobody knows": (
        one(DENOISER, io_contract__json=set_at(V2, "models", "model", "inputs", 0, "shape", to="B")),
        "ONX101",
    ),
    "contract: no file": (
        one(DENOISER, io_contract__json=set_at(V2, "models", "model", "path", to="m.onnx")),
        "ONX101",
    ),
    "contract: names of nothing": (one(PLAIN, io_contract__json={"models": {}}), "ONX101"),
    "contract: absolute path": ({CONTRACT: set_at(V2, "models", "model", "path", to="/m.onnx")}, "ONX102"),
    "contract: climbing path": ({CONTRACT: set_at(V2, "models", "model", "path", to="a/../../m.onnx")}, "ONX102"),
    "contract: drive": ({CONTRACT: set_at(V2, "models", "model", "path", to="C:m.onnx")}, "ONX102"),
    "manifest: climbing sidecar": (
        {**with_data(SOUND), "run/manifest.json": manifest(SOUND, external_files=[SIDECAR, "../x.data"])},
        "ONX102",
    ),
    "inputs swapped": (
        {"run/dit_decoder.onnx": reordered(DENOISER, "input", [0, 2, 1, 3]), CONTRACT: names(dit_decoder=DENOISER)},
        "ONX103",
    ),
    "outputs swapped": (
        {**LM_TREE, "run/prefill/lm_0p6_prefill.onnx": reordered(PREFILL, "output", [1, 0, 2, 3, 4])},
        "ONX103",
    ),
    "input renamed": (one(renamed(DENOISER, "hidden_states", "hidden"), io_contract__json=V2), "ONX103"),
    "output renamed": (one(renamed(DENOISER, "vt", "out"), io_contract__json=V2), "ONX103"),
    "output added": (
        one(edited(DENOISER, lambda graph: graph.output.append(port("s0", shape=("B", "T", 4)))), io_contract__json=V2),
        "ONX103",
    ),
    "input folded into a constant": (
        one(
            edited(
                without(DENOISER, "hidden_states"),
                lambda graph: graph.initializer.append(constant("hidden_states", [1.0] * 4, (1, 1, 4))),
            ),
            io_contract__json=V2,
        ),
        "ONX104",
    ),
    "mask pruned with its contract": (
        {
            "run/dit_decoder.onnx": (pruned := denoiser(("hidden_states", "encoder_hidden_states", "attention_mask"))),
            CONTRACT: names(dit_decoder=pruned),
        },
        "ONX104",
    ),
    "input of another type": (one(typed(DENOISER, "hidden_states", INT64), io_contract__json=V2), "ONX105"),
    "output of another size": (one(typed(DENOISER, "vt", shape={2: 8}), io_contract__json=V2), "ONX105"),
    "input of another rank": (one(typed(DENOISER, "attention_mask", shape={3: 1}), io_contract__json=V2), "ONX105"),
    "two batches": (one(typed(DENOISER, "attention_mask", shape={0: "s43"}), io_contract__json=V2), "ONX105"),
    "fixed size made free": (one(typed(DENOISER, "vt", shape={2: "D"}), io_contract__json=V2), "ONX105"),
    "output that lies about its type": (one(typed(PLAIN, "y", FLOAT16)), "ONX105"),
    "output that lies about its size": (one(typed(PLAIN, "y", shape={1: 5})), "ONX105"),
    "output that lies about its rank": (one(typed(DECODER, "logits", shape={4: 1})), "ONX105"),
    "cast to another type than declared": (
        one(plain(nodes=[node("Cast", ["x"], ["y"], to=INT64)])),
        "ONX105",
    ),
    "layers miscounted": ({**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 1)}, "ONX106"),
    "layers miscounted by the runtime's configuration": (
        one(DECODER, genai_config__json={"model": {"decoder": {"filename": "model.onnx", "num_hidden_layers": 3}}}),
        "ONX106",
    ),
    "other variant": ({**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2, "1.7B")}, "ONX106"),
    "weights exchanged": ({**HASHED, f"run/{TWO}": DATA[1:33]}, "ONX107"),
    "weights cut to another size": (
        {**HASHED, "run/manifest.json": manifest(SOUND, external_files=[{**SIDECAR, "size": 31}])},
        "ONX107",
    ),
    "model exchanged": (one(plain(nodes=[node("Abs", ["x"], ["y"])]), manifest__json=manifest(PLAIN)), "ONX107"),
    "contract digest": (
        one(DENOISER, io_contract__json=set_at(V2, "models", "model", "sha256", to="0" * 64)),
        "ONX107",
    ),
    "external: climbs": (one(external([("a", (4,), at("../w.bin"))])), "ONX108"),
    "external: climbs and returns": (with_data(external([("a", (4,), at(f"sub/../{TWO}"))])), "ONX108"),
    "external: absolute": (one(external([("a", (4,), at("/etc/hostname"))])), "ONX108"),
    "external: backslash": (one(external([("a", (4,), at("..\\w.bin"))])), "ONX108"),
    "external: NUL": (with_data(external([("a", (4,), at(f"{TWO}\0x"))])), "ONX108"),
    "external: drive": (one(external([("a", (4,), at("C:w.bin"))])), "ONX108"),
    "external: offset past the end": (with_data(pair(at(TWO), at(TWO, 4096))), "ONX108"),
    "external: offset below zero": (with_data(pair(at(TWO), at(TWO, -16))), "ONX108"),
    "external: offset no number": (with_data(pair(at(TWO), at(TWO, "16.0"))), "ONX108"),
    "external: length past the end": (with_data(pair(at(TWO), at(TWO, 24))), "ONX108"),
    "external: length too short": (with_data(pair(at(TWO), at(TWO, 16, 12))), "ONX108"),
    "external: overlap": (with_data(pair(at(TWO), at(TWO, 8))), "ONX108"),
    "external: the model itself": (one(external([("a", (4,), at("model.onnx"))])), "ONX108"),
    "external: no location": (one(external([("a", (4,), {"offset": "0"})])), "ONX108"),
    "external: unknown key": (with_data(pair(at(TWO), {**at(TWO, 16), "__class__": "x"})), "ONX108"),
    "external: checksum": (with_data(pair({**at(TWO), "checksum": "0" * 40}, at(TWO, 16))), "ONX108"),
    "external: missing": (one(SOUND), "ONX108"),
    **{
        f"external: in {where}": (one(hidden_in(where)), "ONX108")
        for where in ("attribute", "subgraph", "function", "sparse")
    },
    "empty file": (one(b""), "ONX111"),
    "cut file": (one(DECODER.SerializeToString()[:-40]), "ONX111"),
    "text": (one(b"<html>not found</html>"), "ONX111"),
    "pointer": (one(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"), "ONX111"),
    "output declared twice": (one(edited(PLAIN, lambda graph: graph.output.append(port("y")))), "ONX111"),
    "input declared twice": (one(edited(PLAIN, lambda graph: graph.input.append(port("x")))), "ONX111"),
    "look-alike name": (one(renamed(decoder(1), "past_key_0", "p\u0430st_key_0")), "ONX111"),
    "invisible name": (one(renamed(PLAIN, "x", "x\u200b")), "ONX111"),
    "undeclared domain": (one(plain(nodes=[node("Gelu", ["x"], ["y"], domain="com.microsoft")])), "ONX111"),
    "value made twice": (one(edited(PLAIN, lambda graph: graph.node.append(graph.node[0]))), "ONX111"),
    "value from nowhere": (one(plain(nodes=[node("Add", ["x", "b"], ["y"])])), "ONX111"),
    "nodes out of order": (
        one(plain(nodes=[node("Abs", ["r"], ["y"]), node("Relu", ["x"], ["r"])])),
        "ONX111",
    ),
    "branches of other lengths": (one(uneven_branches()), "ONX111"),
    "negative size": (
        one(
            edited(PLAIN, lambda graph: graph.initializer.add(name="w", data_type=FLOAT, dims=[-4], raw_data=b"")),
        ),
        "ONX111",
    ),
    "sizes that overflow": (
        one(edited(PLAIN, lambda graph: graph.initializer.add(name="w", data_type=FLOAT, dims=[2**40, 2**40]))),
        "ONX111",
    ),
    "short weights": (
        one(edited(PLAIN, lambda graph: graph.initializer.add(name="w", data_type=FLOAT, dims=[4], raw_data=b"1234"))),
        "ONX111",
    ),
    "copied, not quantised": (
        one(weights(1), manifest__json=profile(weights(1), "int8_static", converted=False)),
        "ONX112",
    ),
    "same digest as the source": (
        one(
            weights(3),
            manifest__json=profile(weights(3), "int8_static", source_sha256=sha256(weights(3).SerializeToString())),
        ),
        "ONX112",
    ),
    "no int8 weights": (one(weights(1), manifest__json=profile(weights(1), "int8_dynamic")), "ONX112"),
    "no float16 weights": (one(weights(1), manifest__json=profile(weights(1), "fp16")), "ONX112"),
    "dead input": (one(edited(PLAIN, lambda graph: graph.input.append(port("z")))), "ONX114"),
    **{
        f"times zero by {how}": (one(zeroed(how)), "ONX114")
        for how in ("initialiser", "constant", "cast", "difference")
    },
    "mask after attention": (one(idle_mask()), "ONX114"),
    "mask too short": (one(MASK_SHORT), "ONX115"),
    "relations contradict": (
        one(DENOISER, io_contract__json={**V2, "symbols": {"T": "P + N", "P": "T"}}),
        "ONX115",
    ),
    "edge of another size": (
        {
            **PIPELINE,
            "run/condition_encoder.onnx": typed(encoder(FLOAT), "encoder_attention_mask", shape={2: 2}),
            CONTRACT: set_at(
                edged(encoder(FLOAT)), "models", "condition_encoder", "outputs", 0, "shape", to=["B", "T", 2]
            ),
        },
        "ONX115",
    ),
    "path in a doc string": (one(noted(PLAIN, "C:\\Users\\ada\\model.py")), "ONX116"),
    "path in a node": (one(noted(PLAIN, 'File "/root/project/model.py", line 7')), "ONX116"),
    "edge of another type": (
        {**PIPELINE, "run/condition_encoder.onnx": encoder(BOOL), CONTRACT: edged(encoder(BOOL))},
        "ONX117",
    ),
    "edge with the wrong cast": (
        {**PIPELINE, "run/condition_encoder.onnx": encoder(BOOL), CONTRACT: edged(encoder(BOOL), host_cast="float16")},
        "ONX117",
    ),
    "edge of names": (
        {
            "run/condition_encoder.onnx": encoder(BOOL),
            "run/dit_decoder.onnx": DENOISER,
            CONTRACT: names(condition_encoder=encoder(BOOL), dit_decoder=DENOISER),
        },
        "ONX117",
    ),
}

WARNED: dict[str, tuple[Tree, str]] = {
    "sidecar without a digest": (
        {**with_data(SOUND), "run/manifest.json": manifest(SOUND, external_files=[TWO])},
        "ONX107",
    ),
    "weights of nobody": ({**with_data(SOUND), "run/old.onnx.data": DATA}, "ONX108"),
    "entry without a file": (
        {
            **HASHED,
            "run/manifest.json": set_at(
                manifest(SOUND, external_files=[SIDECAR]), "models", "core", "gone.onnx", to=entry("gone.onnx", b"")
            ),
        },
        "ONX109",
    ),
    "flag that is untrue": (one(PLAIN, manifest__json=manifest(PLAIN, external_data=True)), "ONX109"),
    "model without an entry": ({**HASHED, "run/new.onnx": PLAIN}, "ONX109"),
    "later opset": (
        one(
            plain(opset=20), io_contract__json=contract_of({"m": described(PLAIN, "model.onnx", opset={"ai.onnx": 17})})
        ),
        "ONX110",
    ),
    "custom operators": (one(plain(nodes=[node("F", ["x"], ["y"], domain="acme")], acme=1)), "ONX110"),
    "batch baked in": (one(typed(DENOISER, "attention_mask", shape={0: 1}), io_contract__json=V2), "ONX113"),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_tree_is_clean(name: str, tmp_path: Path) -> None:
    report = judge(tmp_path, CLEAN[name])
    assert [(each.rule, each.message) for each in report.findings] == []
    assert "ONX111" in report.coverage.rules_run


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_by_the_rule_that_names_it(name: str, tmp_path: Path) -> None:
    tree, rule = MUTANTS[name]
    report = judge(tmp_path, tree)
    assert errors(report) == {rule}, [(each.rule, each.message) for each in report.findings]


@pytest.mark.parametrize("name", WARNED)
def test_a_lesser_defect_is_a_warning_of_the_rule_that_names_it(name: str, tmp_path: Path) -> None:
    tree, rule = WARNED[name]
    report = judge(tmp_path, tree)
    assert errors(report) == set()
    assert rules(report) == {rule}, [(each.rule, each.message) for each in report.findings]


def link_out(run: Path) -> None:
    (run.parent / "secret.bin").write_bytes(DATA)
    (run / TWO).unlink()
    (run / TWO).symlink_to("../secret.bin")


def link_inside(run: Path) -> None:
    (run / TWO).rename(run / "blob")
    (run / TWO).symlink_to("blob")


def folder_link(run: Path) -> None:
    (run.parent / "outside").mkdir()
    (run.parent / "outside" / "w.bin").write_bytes(DATA)
    (run / "sub").symlink_to("../outside")


@pytest.mark.parametrize(
    ("change", "tree", "level"),
    [
        (link_out, with_data(SOUND), "error"),
        (folder_link, one(external([("a", (4,), at("sub/w.bin"))])), "error"),
        (lambda run: (run / TWO).replace(run / "x") or (run / TWO).mkdir(), with_data(SOUND), "error"),
        (lambda run: ((run / TWO).unlink(), os.mkfifo(run / TWO)), with_data(SOUND), "error"),
        (link_inside, with_data(SOUND), "warning"),
        (lambda run: (run / "other").hardlink_to(run / TWO), with_data(SOUND), "warning"),
    ],
    ids=["link out", "folder link out", "directory", "pipe", "link inside", "hard link"],
)
def test_external_data_behind_links_and_special_files(
    change: Callable[[Path], object], tree: Tree, level: str, tmp_path: Path
) -> None:
    report = judge(tmp_path, tree, change)
    assert [(each.rule, each.severity) for each in report.findings] == [("ONX108", level)]


@pytest.mark.parametrize(("target", "rule"), [("../m.onnx", "ONX102"), ("real.onnx", "ONX101")])
def test_a_contract_whose_model_is_a_link(target: str, rule: str, tmp_path: Path) -> None:
    def link(run: Path) -> None:
        (run / "model.onnx").rename(run / target)
        (run / "model.onnx").symlink_to(target)
        (run / "other.onnx").write_bytes(PLAIN.SerializeToString())

    assert errors(judge(tmp_path, one(DENOISER, io_contract__json=V2), link)) == {rule}


def test_a_location_that_is_stated_twice_is_told(tmp_path: Path) -> None:
    twice = external([("a", (4,), at(TWO))])
    twice.graph.initializer[0].external_data.add(key="location", value="other.bin")
    assert errors(judge(tmp_path, with_data(twice, 16))) == {"ONX108"}


def test_a_model_over_two_gibibytes_is_told_and_still_judged(tmp_path: Path) -> None:
    from benchmarks.onnx_walk import write_inline  # noqa: PLC0415 - it makes the sparse file of the benchmark

    (tmp_path / "run").mkdir()
    write_inline(tmp_path / "run" / "model.onnx", 33, 64 << 20)
    report = judge(tmp_path, {})
    assert [each.rule for each in report.findings] == ["ONX111"]
    assert "over its limit of 2 GiB" in report.findings[0].message
    assert {"KVC104", "KVC106", "ONX114"} <= set(report.coverage.rules_run)


def test_a_derived_contract_is_kept_and_every_change_of_it_is_seen(tmp_path: Path) -> None:
    judge(tmp_path, LM)
    paths = sorted((tmp_path / "run").rglob("*.onnx"))
    value = derive(paths, tmp_path / "run").value
    (tmp_path / CONTRACT).write_text(json.dumps(value))
    assert judge(tmp_path, {}).findings == ()
    for name, graph in value["models"].items():
        for side in ("inputs", "outputs"):
            for i, each in enumerate(graph[side]):
                other = "int8" if each["dtype"] != "int8" else "bool"
                changed = set_at(value, "models", name, side, i, "dtype", to=other)
                (tmp_path / CONTRACT).write_text(json.dumps(changed))
                assert errors(judge(tmp_path, {})) == {"ONX105"}
