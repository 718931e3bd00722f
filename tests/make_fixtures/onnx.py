"""Writes the fixture trees of the ONX and KVC rules: ``python -m tests.make_fixtures.onnx``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx

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
    rewired,
)

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
Tree = dict[str, Any]


def ports(given: onnx.ModelProto, side: str) -> list[str]:
    return [each.name for each in getattr(given.graph, side)]


def described(given: onnx.ModelProto, path: str, **more: Any) -> dict[str, Any]:
    """Return a model of a version 2 contract as the graph has it."""

    def told(each: onnx.ValueInfoProto) -> dict[str, Any]:
        tensor = each.type.tensor_type
        dtype = {FLOAT: "float32", INT64: "int64", BOOL: "bool", FLOAT16: "float16"}[tensor.elem_type]
        return {"name": each.name, "dtype": dtype, "shape": [d.dim_param or d.dim_value for d in tensor.shape.dim]}

    sides = {side: [told(each) for each in getattr(given.graph, side[:-1])] for side in ("inputs", "outputs")}
    return {"path": path, **sides, **more}


def contract(models: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schema_version": "2", "models": models, **more}


def names(**models: onnx.ModelProto) -> dict[str, Any]:
    """Return a version 1 contract that binds models to files by their keys."""
    return {
        "inputs": {key: ports(each, "input") for key, each in models.items()},
        "outputs": {key: ports(each, "output") for key, each in models.items()},
    }


def lm(prefill: onnx.ModelProto, decode: onnx.ModelProto, layers: int, variant: str = "0.6B") -> dict[str, Any]:
    return {
        "variant": variant,
        "num_layers": layers,
        "prefill_path": "prefill/lm_0p6_prefill.onnx",
        "decode_path": "decode/lm_0p6_decode.onnx",
        "prefill": {"inputs": ports(prefill, "input"), "outputs": ports(prefill, "output")},
        "decode": {"inputs": ports(decode, "input"), "outputs": ports(decode, "output")},
    }


def one(given: onnx.ModelProto | bytes, **files: Any) -> Tree:
    """Return a run with one model; further files by name, where ``__`` stands for a dot."""
    return {"run/model.onnx": given, **{f"run/{key.replace('__', '.')}": value for key, value in files.items()}}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(path: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"path": path, "sha256": sha256(data), "size_bytes": len(data), **more}


PLAIN, DENOISER, DECODER = plain(), denoiser(), decoder()
PREFILL = decoder(prefill=True, steps=("", "T_new"), total="T_new")
LM = {"run/prefill/lm_0p6_prefill.onnx": PREFILL, "run/decode/lm_0p6_decode.onnx": DECODER}
PAIR = {"run/lm_prefill.onnx": PREFILL, "run/lm_decode.onnx": DECODER}
CONTRACT = "run/io_contract.json"
DATA = bytes(range(64))
SOUND = external([("a", (4,), at("model.onnx.data")), ("b", (4,), at("model.onnx.data", 16))])
SIDECAR = {"path": "model.onnx.data", "sha256": sha256(DATA[:32]), "size": 32}


def with_data(given: onnx.ModelProto, size: int = 32, name: str = "model.onnx.data") -> Tree:
    return {"run/model.onnx": given, f"run/{name}": DATA[:size]}


def manifest(given: onnx.ModelProto, **more: Any) -> dict[str, Any]:
    data = given.SerializeToString()
    return {
        "generated_at": "2026-01-05T10:00:00Z",
        "models": {"core": {"model.onnx": entry("model.onnx", data, **more)}},
    }


def profile(given: onnx.ModelProto, name: str, **more: Any) -> dict[str, Any]:
    output = sha256(given.SerializeToString())
    told = {"profile": name, "model_relpath": "model.onnx", "source_sha256": "0" * 64, "output_sha256": output}
    return {"profile": name, "models": [{**told, "converted": True, "note": "", **more}]}


def weights(dtype: int) -> onnx.ModelProto:
    held = constant("w", [1] * 64, (64,), dtype)
    nodes = [node("Cast", ["w"], ["c"], to=FLOAT), node("Add", ["x", "c"], ["y"])]
    return model(nodes, [port("x", shape=("B", 64))], [port("y", shape=("B", 64))], [held])


def masked(*nodes: onnx.NodeProto, held: list[onnx.TensorProto] | None = None) -> onnx.ModelProto:
    """Return a model of ``x`` and ``attention_mask`` that ends in ``y``."""
    return model(nodes, [port("x"), port("attention_mask")], [port("y")], held or [])


def encoder(dtype: int) -> onnx.ModelProto:
    nodes = [node("Cast", ["text"], ["encoder_attention_mask"], to=dtype)]
    return model(nodes, [port("text", shape=("B", "T", 4))], [port("encoder_attention_mask", dtype, ("B", "T", 4))])


def changed(given: onnx.ModelProto, **sides: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
    """Return a copy with other inputs or outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(given)
    for side, values in sides.items():
        held = getattr(copy.graph, side)
        del held[:]
        held.extend(values)
    return copy


def noted(given: onnx.ModelProto, text: str) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(given)
    copy.graph.node[0].metadata_props.add(key="pkg.torch.onnx.stack_trace", value=text)
    return copy


HOMOGLYPH = "p\u0430st"
BY_OPTIMUM = decoder(past="past_key_values.{layer}.{slot}", present="present.{layer}.{slot}")
COPY = rewired(decoder(1), {})
del COPY.graph.node[:]
COPY.graph.node.extend(
    [
        node("Identity", ["past_key_0"], ["present_key_0"]),
        node("Identity", ["past_value_0"], ["present_value_0"]),
        node("Softmax", ["hidden"], ["s"]),
        node("Add", ["s", "attention_mask"], ["logits"]),
    ]
)
SWAPPED = rewired(DECODER, {"past_key_0": "past_key_1", "past_key_1": "past_key_0"})
CROSSED = rewired(DECODER, {"past_key_1": "past_value_1", "past_value_1": "past_key_1"})
UNNAMED = model(
    [node("Concat", [f"past_{i}", "x"], [f"cat_{i + 7}"], axis=2) for i in range(2)],
    [port("x", shape=("B", 2, "s", 4)), *(port(f"past_{i}", shape=("B", 2, "t", 4)) for i in range(2))],
    [port(f"cat_{i + 7}", shape=("B", 2, "t + s", 4)) for i in range(2)],
)
EDGED = {"run/condition_encoder.onnx": encoder(FLOAT), "run/dit_decoder.onnx": DENOISER}
UNEVEN = {"run/condition_encoder.onnx": encoder(BOOL), "run/dit_decoder.onnx": DENOISER}
EDGE = {"from": "condition_encoder:encoder_attention_mask", "to": "dit_decoder:encoder_attention_mask"}


def edged(maker: onnx.ModelProto, **edge: Any) -> dict[str, Any]:
    models = {
        "condition_encoder": described(maker, "condition_encoder.onnx"),
        "dit_decoder": described(DENOISER, "dit_decoder.onnx"),
    }
    return contract(models, edges=[{**EDGE, **edge}])


def kv_contract(given: onnx.ModelProto, cache: dict[str, Any], **more: Any) -> Tree:
    return one(given, io_contract__json=contract({"decode": described(given, "model.onnx", cache=cache)}, **more))


NARROW = changed(DENOISER, input=[port("hidden_states", shape=("B", "T")), *DENOISER.graph.input[1:]])
HALF = changed(DENOISER, input=[port("hidden_states", FLOAT16, ("B", "T", 4)), *DENOISER.graph.input[1:]])
FIXED = changed(DENOISER, input=[port("hidden_states", shape=(1, "T", 4)), *DENOISER.graph.input[1:]])
OTHER_BATCH = changed(DENOISER, input=[port("hidden_states", shape=("s43", "T", 4)), *DENOISER.graph.input[1:]])
PRUNED = denoiser(("hidden_states", "encoder_hidden_states", "attention_mask"))
TWICE = changed(PLAIN, output=[port("y"), port("y")])
MASK_SHORT = model(
    [
        node("Cast", ["input_ids"], ["i"], to=FLOAT),
        node("Cast", ["attention_mask"], ["m"], to=FLOAT),
        node("Add", ["i", "m"], ["s"]),
        node("Softmax", ["s"], ["logits"]),
        node("Concat", ["past_key_0", "past_key_0"], ["present_key_0"], axis=2),
        node("Concat", ["past_value_0", "past_value_0"], ["present_value_0"], axis=2),
    ],
    [
        port("input_ids", INT64, ("B", "T_new")),
        port("attention_mask", INT64, ("B", "T_new")),
        *(port(f"past_{slot}_0", shape=("B", 2, "T_cache", 4)) for slot in ("key", "value")),
    ],
    [
        port("logits", shape=("B", "T_new")),
        *(port(f"present_{slot}_0", shape=("B", 2, "T_cache + T_new", 4)) for slot in ("key", "value")),
    ],
)
MASK_LONG = changed(
    MASK_SHORT,
    input=[
        MASK_SHORT.graph.input[0],
        port("attention_mask", INT64, ("B", "T_cache + T_new")),
        *MASK_SHORT.graph.input[2:],
    ],
)

FIXTURES: dict[str, Tree] = {
    "ONX101/pass/version-1": {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2)},
    "ONX101/pass/version-2": one(PLAIN, io_contract__json=contract({"model": described(PLAIN, "model.onnx")})),
    "ONX101/fail/unknown-key": one(
        PLAIN, io_contract__json=contract({"model": {**described(PLAIN, "model.onnx"), "ouputs": []}})
    ),
    "ONX101/fail/names-of-numbers": one(
        PLAIN, io_contract__json={"path": "model.onnx", "inputs": [1], "outputs": ["y", "y"], "num_layers": "2"}
    ),
    "ONX101/fail/no-file": {**LM, "run/io_contract_lm_0p6.json": {**lm(PREFILL, DECODER, 2), "decode_path": "d.onnx"}},
    "ONX101/fail/edge-to-nowhere": {
        **EDGED,
        CONTRACT: edged(encoder(FLOAT), to="dit_decoder:encoder_mask"),
    },
    "ONX102/pass/nested": {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2)},
    "ONX102/fail/contract": one(
        PLAIN,
        io_contract__json=contract(
            {"a": described(PLAIN, "/srv/models/a.onnx"), "b": described(PLAIN, "../b.onnx")},
        ),
    ),
    "ONX102/fail/manifest": one(
        PLAIN, manifest__json={"models": {"core": {"model.onnx": entry("core\\model.onnx", b"")}}}
    ),
    "ONX103/pass/same": {"run/dit_decoder.onnx": DENOISER, CONTRACT: names(dit_decoder=DENOISER)},
    "ONX103/fail/order": {
        "run/dit_decoder.onnx": changed(DENOISER, input=[DENOISER.graph.input[i] for i in (1, 0, 2, 3)]),
        CONTRACT: names(dit_decoder=DENOISER),
    },
    "ONX103/fail/renamed": {
        "run/dit_decoder.onnx": denoiser(
            ("hidden", "encoder_hidden_states", "encoder_attention_mask", "attention_mask")
        ),
        CONTRACT: names(dit_decoder=DENOISER),
    },
    "ONX103/fail/output-lost": {
        "run/model.onnx": PLAIN,
        CONTRACT: {"path": "model.onnx", "inputs": ["x"], "outputs": ["y", "z"]},
    },
    "ONX104/pass/all": {"run/dit_decoder.onnx": DENOISER, CONTRACT: names(dit_decoder=DENOISER)},
    "ONX104/fail/pruned-with-its-contract": {"run/dit_decoder.onnx": PRUNED, CONTRACT: names(dit_decoder=PRUNED)},
    "ONX104/fail/required": one(
        PRUNED,
        io_contract__json=contract(
            {"model": described(PRUNED, "model.onnx", required_inputs=["encoder_attention_mask"])}
        ),
    ),
    "ONX105/pass/other-symbols": one(
        denoiser(shape=("batch", "time", 4)), io_contract__json=contract({"model": described(DENOISER, "model.onnx")})
    ),
    "ONX105/fail/dtype": one(HALF, io_contract__json=contract({"model": described(DENOISER, "model.onnx")})),
    "ONX105/fail/rank": one(NARROW, io_contract__json=contract({"model": described(DENOISER, "model.onnx")})),
    "ONX105/fail/two-batches": one(
        OTHER_BATCH, io_contract__json=contract({"model": described(DENOISER, "model.onnx")})
    ),
    "ONX105/fail/untrue-output": one(plain(nodes=[node("Cast", ["x"], ["y"], to=INT64)])),
    "ONX106/pass/equal": {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2)},
    "ONX106/fail/too-many": {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 3)},
    "ONX106/fail/variant": {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2, "1.7B")},
    "ONX107/pass/sidecar": {**with_data(SOUND), "run/manifest.json": manifest(SOUND, external_files=[SIDECAR])},
    "ONX107/fail/exchanged": {
        **with_data(SOUND),
        "run/manifest.json": manifest(SOUND, external_files=[{**SIDECAR, "sha256": sha256(b"before")}]),
    },
    "ONX107/fail/other-model": one(PLAIN, manifest__json=manifest(DENOISER)),
    "ONX107/fail/unhashed": {
        **with_data(SOUND),
        "run/manifest.json": manifest(SOUND, external_data=True, external_files=["model.onnx.data"]),
    },
    "ONX108/pass/one-after-another": with_data(SOUND),
    "ONX108/pass/tied": with_data(
        external([("a", (4,), at("model.onnx.data")), ("b", (4,), at("model.onnx.data"))]), 16
    ),
    "ONX108/pass/weights-at-home": {
        "run/model.onnx": SOUND,
        "run/manifest.json": manifest(SOUND, external_files=[SIDECAR]),
    },
    "ONX108/fail/traversal": one(external([("a", (4,), at("../../weights.bin"))])),
    "ONX108/fail/past-the-end": with_data(external([("a", (4,), at("model.onnx.data", 24))])),
    "ONX108/fail/overlap": with_data(
        external([("a", (4,), at("model.onnx.data")), ("b", (4,), at("model.onnx.data", 8))])
    ),
    "ONX108/fail/short": with_data(external([("a", (4,), at("model.onnx.data", 0, 8))])),
    "ONX108/fail/missing-and-orphan": {"run/model.onnx": SOUND, "run/old.onnx.data": DATA[:16]},
    "ONX109/pass/listed": one(PLAIN, manifest__json=manifest(PLAIN, inputs=["x"], outputs=["y"])),
    "ONX109/fail/gone-and-new": {"run/vae.onnx": PLAIN, "run/manifest.json": manifest(PLAIN)},
    "ONX109/fail/other-names": one(PLAIN, manifest__json=manifest(PLAIN, inputs=["latents"], outputs=["y"])),
    "ONX109/fail/flag": one(PLAIN, manifest__json=manifest(PLAIN, external_data=True, external_files=[])),
    "ONX110/pass/declared": one(
        PLAIN, io_contract__json=contract({"model": described(PLAIN, "model.onnx", opset={"ai.onnx": 17})})
    ),
    "ONX110/fail/later": one(
        plain(opset=20), io_contract__json=contract({"model": described(PLAIN, "model.onnx", opset={"ai.onnx": 17})})
    ),
    "ONX110/fail/too-old-for-hosts": {"run/model.onnx": plain(opset=11), CONTRACT: names(model=PLAIN)},
    "ONX110/fail/custom": one(plain(nodes=[node("FastRelu", ["x"], ["y"], domain="acme")], acme=1)),
    "ONX111/pass/sound": one(DECODER),
    "ONX111/fail/pointer": one(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 1234\n"
    ),
    "ONX111/fail/cut": one(PLAIN.SerializeToString()[:-9]),
    "ONX111/fail/output-twice": one(TWICE),
    "ONX111/fail/look-alike": one(plain(nodes=[node("Relu", [HOMOGLYPH], ["y"])], inputs=[port(HOMOGLYPH)])),
    "ONX111/fail/domain": one(plain(nodes=[node("FastRelu", ["x"], ["y"], domain="acme")])),
    "ONX111/fail/dangling": one(plain(nodes=[node("Add", ["x", "bias"], ["y"])])),
    "ONX112/pass/int8": one(weights(3), manifest__json=profile(weights(3), "int8_dynamic")),
    "ONX112/fail/not-converted": one(
        weights(1),
        manifest__json=profile(
            weights(1), "int8_static", converted=False, note="no calibration data, copied the original"
        ),
    ),
    "ONX112/fail/all-float": one(weights(1), manifest__json=profile(weights(1), "fp16")),
    "ONX112/fail/same-digest": one(
        weights(3), manifest__json=profile(weights(3), "int8", source_sha256=sha256(weights(3).SerializeToString()))
    ),
    "ONX113/pass/free": one(DENOISER, io_contract__json=contract({"model": described(DENOISER, "model.onnx")})),
    "ONX113/fail/contract": one(FIXED, io_contract__json=contract({"model": described(DENOISER, "model.onnx")})),
    "ONX113/fail/beside-free-ones": {"run/dit_decoder.onnx": FIXED, CONTRACT: names(dit_decoder=FIXED)},
    "ONX114/pass/masked": one(DECODER),
    "ONX114/pass/handed-on": one(
        model(
            [node("Softmax", ["x"], ["y"]), node("Identity", ["attention_mask"], ["mask_out"])],
            [port("x"), port("attention_mask")],
            [port("y"), port("mask_out")],
        )
    ),
    "ONX114/fail/dead": one(masked(node("Softmax", ["x"], ["y"]))),
    "ONX114/fail/times-zero": one(
        masked(
            node("Mul", ["attention_mask", "zero"], ["n"]),
            node("Add", ["x", "n"], ["s"]),
            node("Softmax", ["s"], ["y"]),
            held=[constant("zero", [0.0])],
        )
    ),
    "ONX114/fail/after-attention": one(
        masked(node("Softmax", ["x"], ["s"]), node("Mul", ["s", "attention_mask"], ["y"]))
    ),
    "ONX115/pass/sum": one(MASK_LONG),
    "ONX115/fail/mask": one(MASK_SHORT),
    "ONX115/fail/relations": one(
        DENOISER,
        io_contract__json=contract(
            {"model": described(DENOISER, "model.onnx")}, symbols={"T": "T_cache + T_new", "T_cache": "T + 1"}
        ),
    ),
    "ONX115/fail/edge": {
        **EDGED,
        "run/condition_encoder.onnx": changed(
            encoder(FLOAT), output=[port("encoder_attention_mask", shape=("B", "T", 2))]
        ),
        CONTRACT: edged(encoder(FLOAT)),
    },
    "ONX116/pass/neutral": one(noted(PLAIN, 'File "project/model.py", line 7, in forward')),
    "ONX116/fail/stack-trace": one(noted(PLAIN, 'File "/home/ada/project/model.py", line 7, in forward')),
    "ONX117/pass/cast": {**UNEVEN, CONTRACT: edged(encoder(BOOL), host_cast="float32")},
    "ONX117/fail/no-cast": {**UNEVEN, CONTRACT: edged(encoder(BOOL))},
    "ONX117/fail/version-1": {
        **UNEVEN,
        CONTRACT: names(condition_encoder=encoder(BOOL), dit_decoder=DENOISER),
    },
    "KVC101/pass/pairs": one(DECODER),
    "KVC101/fail/no-value": one(changed(DECODER, input=list(DECODER.graph.input)[:-1])),
    "KVC101/fail/no-present": one(changed(DECODER, output=list(DECODER.graph.output)[:-2])),
    "KVC102/pass/by-optimum": one(BY_OPTIMUM),
    "KVC102/pass/listed": kv_contract(decoder([1, 3]), {"layers": [1, 3]}),
    "KVC102/fail/gap": one(decoder([0, 2])),
    "KVC102/fail/zero": one(decoder(1, past="past_{slot}_0{layer}", present="present_{slot}_0{layer}")),
    "KVC103/pass/half": one(decoder(dtype=FLOAT16)),
    "KVC103/fail/wider": one(
        changed(
            decoder(1),
            output=[
                *decoder(1).graph.output[:2],
                port("present_value_0", FLOAT16, ("B", 2, "T_cache + T_new", 4)),
            ],
        )
    ),
    "KVC104/pass/growing": kv_contract(DECODER, {"mode": "growing"}),
    "KVC104/fail/heads": one(
        changed(
            decoder(1),
            output=[*decoder(1).graph.output[:2], port("present_value_0", shape=("B", 4, "T_cache + T_new", 4))],
        )
    ),
    "KVC104/fail/does-not-grow": kv_contract(decoder(1, steps=("T_cache", "T_cache")), {"mode": "growing"}),
    "KVC104/fail/shared-grows": kv_contract(decoder(1, steps=(8, 9)), {"mode": "shared"}),
    "KVC104/fail/window": kv_contract(decoder(1, steps=(8, 9)), {"mode": "sliding", "window": 8}),
    "KVC105/pass/pair": PAIR,
    "KVC105/fail/fewer-layers": {**PAIR, "run/lm_decode.onnx": decoder(1)},
    "KVC105/fail/dtype": {
        **LM,
        "run/prefill/lm_0p6_prefill.onnx": decoder(prefill=True, dtype=FLOAT16, steps=("", "T_new"), total="T_new"),
        "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2),
    },
    "KVC106/pass/decoder": one(DECODER),
    "KVC106/fail/layers-swapped": one(SWAPPED),
    "KVC106/fail/key-and-value": one(CROSSED),
    "KVC106/fail/copy": kv_contract(COPY, {"mode": "growing"}),
    "KVC107/pass/names": one(DECODER),
    "KVC107/fail/operators": one(UNNAMED),
    "KVC107/fail/declared": kv_contract(PLAIN, {"mode": "growing"}),
    "KVC108/pass/interleaved": one(DECODER),
    "KVC108/fail/by-slot": one(decoder(order=(0, 2, 1, 3))),
    "KVC108/fail/layers": one(decoder(order=(2, 3, 0, 1))),
}


def write(folder: Path, tree: Tree) -> None:
    """Write models and bytes as they are and everything else as JSON."""
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, onnx.ModelProto):
            path.write_bytes(content.SerializeToString(deterministic=True))
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for case, files in FIXTURES.items():
        write(ROOT / case, files)
