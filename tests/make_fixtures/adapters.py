"""Writes the fixture trees of the LOR rules: ``python -m tests.make_fixtures.adapters``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
RANK, HIDDEN, LAYERS = 4, 8, 8
TARGETS = ["q_proj", "v_proj"]
PREFIX = "base_model.model.model.layers"
Array = NDArray[Any]
Tensors = dict[str, Array]
Files = dict[str, bytes]


def matrix(rows: int, columns: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def tensors(layers: int = LAYERS, targets: list[str] = TARGETS, prefix: str = PREFIX) -> Tensors:
    """A and B of every target in every layer."""
    found: Tensors = {}
    for layer in range(layers):
        for at, target in enumerate(targets):
            key = f"{prefix}.{layer}.self_attn.{target}"
            found[f"{key}.lora_A.weight"] = matrix(RANK, HIDDEN, layer * 10 + at)
            found[f"{key}.lora_B.weight"] = matrix(HIDDEN, RANK, layer * 10 + at + 1000)
    return found


def config(**changes: Any) -> dict[str, Any]:
    value = {
        "peft_type": "LORA",
        "peft_version": "0.18.0",
        "base_model_name_or_path": "toy-lab/toy-1b",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": 8,
        "lora_dropout": 0.0,
        "target_modules": TARGETS,
        "modules_to_save": None,
        "bias": "none",
        "use_dora": False,
        "use_rslora": False,
        **changes,
    }
    return {key: each for key, each in value.items() if each is not ...}


def adapter(found: Tensors | bytes, **changes: Any) -> Files:
    """The files of an adapter: weights and configuration."""
    data = found if isinstance(found, bytes) else save(found, metadata={"format": "pt"})
    return {"adapter_model.safetensors": data, "adapter_config.json": json.dumps(config(**changes), indent=1).encode()}


def changed(name: str, array: Array | None, **more: Array) -> Tensors:
    """The clean tensors with one replaced, removed (None) or added."""
    found = tensors() | more
    if array is None:
        del found[name]
    else:
        found[name] = array
    return found


def doubled() -> bytes:
    """A header with one key twice over the same bytes: the library takes the last."""
    data = save({"x.lora_A.weight": matrix(4, 8, 1), "x.lora_B.weight": matrix(8, 4, 2)})
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length].decode().rstrip()
    entry = json.dumps(json.loads(header)["x.lora_A.weight"]).replace("F32", "I32")
    text = (header[:-1] + f',"x.lora_A.weight":{entry}}}').encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


Q3 = f"{PREFIX}.3.self_attn.q_proj"
A3, B3 = f"{Q3}.lora_A.weight", f"{Q3}.lora_B.weight"
ZEROED = {name: (np.zeros_like(array) if "lora_B" in name else array) for name, array in tensors().items()}
NAN = matrix(RANK, HIDDEN, 30)
NAN[1, 2] = np.nan
EMBEDDING = {
    "base_model.model.model.embed_tokens.lora_embedding_A": matrix(RANK, 32, 5),
    "base_model.model.model.embed_tokens.lora_embedding_B": matrix(HIDDEN, RANK, 6),
}
BASE = {"base_model.model.model.embed_tokens.base_layer.weight": matrix(32, HIDDEN, 7)}
DORA = {
    **tensors(1),
    **{
        name.replace("lora_B.weight", "lora_magnitude_vector"): np.ones(HIDDEN, np.float32)
        for name in tensors(1)
        if "lora_B" in name
    },
}
EXPERTS = {
    f"{PREFIX}.0.mlp.experts.base_layer.lora_A.weight": matrix(3 * RANK, HIDDEN, 8),
    f"{PREFIX}.0.mlp.experts.base_layer.lora_B.weight": matrix(HIDDEN, 3 * RANK, 9),
    f"{PREFIX}.0.mlp.experts.lora_A.weight": matrix(3 * RANK, HIDDEN, 10),
    f"{PREFIX}.0.mlp.experts.lora_B.weight": matrix(HIDDEN, 3 * RANK, 11),
}


def summary(**changes: Any) -> dict[str, Any]:
    # Eight layers: q 8 to 8, k and v 8 to 2, o 8 to 8.
    counts = {"(4, 8)": 32, "(8, 4)": 16, "(2, 4)": 16}
    return {"status": "pass", "num_tensors": 64, "num_bad_tensors": 0, "shape_counts": counts, **changes}


def told(shapes: dict[str, Any], lora: dict[str, Any]) -> Files:
    return {
        "adapter_shape_check.json": json.dumps(shapes, indent=1).encode(),
        "training_metadata.json": json.dumps({"run_id": "toy", "lora": lora}, indent=1).encode(),
    }


ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
LORA = {"r": 4, "alpha": 8, "target_modules": ATTENTION}
SCORE = {"base_model.model.score.weight": matrix(2, 8, 3)}

CASES: dict[str, Files] = {
    "LOR101/pass/as-written": adapter(tensors()),
    "LOR101/fail/doubled-key": adapter(doubled(), target_modules=["x"]),
    "LOR101/fail/trailing": adapter(save(tensors()) + b"\0" * 16),
    "LOR102/pass/matrices": adapter(tensors()),
    "LOR102/pass/summary": told(summary(), LORA),
    "LOR102/fail/flat": adapter(changed(A3, matrix(RANK, HIDDEN, 1).reshape(-1))),
    "LOR102/fail/inner": adapter(changed(B3, matrix(HIDDEN, RANK + 2, 1))),
    "LOR102/fail/summary": told(summary(shape_counts={"(32,)": 64}), LORA),
    "LOR103/pass/pairs": adapter(tensors()),
    "LOR103/fail/no-b": adapter(changed(B3, None)),
    "LOR104/pass/patterns": adapter(
        changed(A3, matrix(2, HIDDEN, 1), **{B3: matrix(HIDDEN, 2, 2)}), rank_pattern={r"layers\.3\..*q_proj": 2}
    ),
    "LOR104/pass/dora": adapter(DORA, use_dora=True),
    "LOR104/pass/experts": adapter(EXPERTS, target_modules=[], target_parameters=["mlp.experts.gate_up_proj"]),
    "LOR104/fail/rank": adapter(tensors(), r=16),
    "LOR104/fail/dora": adapter(tensors(), use_dora=True),
    "LOR104/fail/summary": told(summary(), {**LORA, "r": 16}),
    "LOR105/pass/all": adapter(tensors()),
    "LOR105/pass/summary": told(summary(), LORA),
    "LOR105/fail/typo": adapter(tensors(), target_modules=["q_proj", "v_porj"]),
    "LOR105/fail/gap": adapter({name: array for name, array in tensors().items() if ".5.self_attn.v" not in name}),
    "LOR105/fail/summary": told(
        summary(), {**LORA, "target_modules": [*LORA["target_modules"], "gate_proj", "up_proj"]}
    ),
    "LOR106/pass/trained": adapter(tensors()),
    "LOR106/fail/zero": adapter(ZEROED),
    "LOR107/pass/finite": adapter(tensors()),
    "LOR107/fail/nan": adapter(changed(A3, NAN)),
    "LOR108/pass/declared": adapter(
        tensors() | {"base_model.model.score.weight": matrix(2, 8, 3)}, modules_to_save=["score"]
    ),
    "LOR108/fail/base-layer": adapter(tensors() | {f"{Q3}.base_layer.weight": matrix(8, 8, 3)}),
    "LOR109/pass/one-type": adapter({name: array.astype(np.float16) for name, array in tensors().items()}),
    "LOR109/fail/mixed": adapter(changed(A3, matrix(RANK, HIDDEN, 1).astype(np.float16))),
    "LOR110/pass/recorded": adapter(tensors()),
    "LOR110/fail/plain": adapter(tensors(), peft_version=...),
    "LOR110/fail/experts": adapter(EXPERTS, target_modules=[], target_parameters=["mlp.experts.gate_up_proj"]),
    "LOR111/pass/known": adapter(tensors(), target_modules=r".*\.(q|v)_proj"),
    "LOR111/fail/keys": adapter(
        tensors(), base_model_name_or_path="/data/models/toy", lora_aplha=8, lora_alpha="8", auto_mapping={"a": "b"}
    ),
    "LOR111/fail/runaway": adapter(tensors(), target_modules="(.*q_proj|.*v_proj)+|(a+)+b"),
    "LOR112/pass/alike": adapter(tensors()),
    "LOR112/fail/far": adapter(changed(B3, matrix(HIDDEN, RANK, 1) * 400)),
    "LOR113/pass/own-only": adapter(tensors(1) | EMBEDDING, target_modules=["q_proj", "v_proj", "embed_tokens"]),
    "LOR113/fail/base": adapter(tensors(1) | EMBEDDING | BASE, target_modules=["q_proj", "v_proj", "embed_tokens"]),
}


def write(cases: dict[str, Files]) -> None:
    for case, files in cases.items():
        folder = ROOT / case / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    write(CASES)
