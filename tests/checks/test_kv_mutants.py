"""Clean models with a key-value cache, one defect each: the rule that names it speaks, and no other of level error."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests.checks.onnx_trees import edited, errors, judge, renamed, reordered, rules, typed, without
from tests.make_fixtures.onnx import LM, PAIR, PREFILL, Tree, kv_contract, lm, one
from tests.onnx_graphs import FLOAT16, SLOTS, constant, decoder, model, node, port, rewired

DECODER = decoder()
OPTIMUM = decoder(past="past_key_values.{layer}.{slot}", present="present.{layer}.{slot}")
CROSS = decoder(1, past="past_cross_{slot}_{layer}", present="present_cross_{slot}_{layer}", steps=("T_enc", "T_enc"))
GROWING = {"mode": "growing", "layers": 2}
HEADS = ["B", 2, "T_cache", 4]
GROWN = ["B", 2, "T_cache + T_new", 4]


def by_operator(op: str, domain: str, slots: tuple[int, int], *, swap: bool = False) -> onnx.ModelProto:
    """Return two layers of an attention operator with a cache of its own."""
    nodes, pasts, presents, before = [], [], [], "x"
    for layer in range(2):
        held = 1 - layer if swap else layer
        inputs = [before, before, before, *[""] * (slots[1] - 2)]
        inputs[slots[0]], inputs[slots[1]] = f"past_key_{held}", f"past_value_{held}"
        outputs = [f"h{layer}", f"present_key_{layer}", f"present_value_{layer}"]
        nodes.append(node(op, inputs, outputs, domain=domain))
        pasts += [port(f"past_{slot}_{layer}", shape=HEADS) for slot in SLOTS]
        presents += [port(f"present_{slot}_{layer}", shape=GROWN) for slot in SLOTS]
        before = f"h{layer}"
    nodes.append(node("Identity", [before], ["y"]))
    x, y = port("x", shape=["B", 2, "T_new", 4]), port("y", shape=["B", 2, "T_new", 4])
    return model(nodes, [x, *pasts], [y, *presents], opset=23, **({domain: 1} if domain else {}))


def branched(*, swap: bool = False) -> onnx.ModelProto:
    """Return a merged model: without a cache in one branch of If, with it in the other."""
    new = {slot: [f"n_{slot}_{layer}" for layer in range(2)] for slot in SLOTS}
    made = [f"{slot}_{layer}" for layer in range(2) for slot in SLOTS]

    def branch(*, cached: bool) -> onnx.GraphProto:
        nodes, outputs = [], []
        for layer in range(2):
            for slot in SLOTS:
                held = 1 - layer if swap else layer
                past, fresh, name = f"past_{slot}_{held}", new[slot][layer], f"{slot}_{layer}_{cached}"
                nodes.append(
                    node("Concat", [past, fresh], [name], axis=2) if cached else node("Identity", [fresh], [name])
                )
                outputs.append(port(name, shape=["B", 2, None, 4]))
        return helper.make_graph(nodes, f"cached_{cached}", [], outputs)

    fresh = [node("MatMul", ["x", "w"], [name]) for names in new.values() for name in names]
    choice = node("If", ["use_cache_branch"], made, then_branch=branch(cached=True), else_branch=branch(cached=False))
    renames = [node("Identity", [name], [f"present_{name}"]) for name in made]
    inputs = [port("x", shape=["B", 2, "T_new", 4]), port("use_cache_branch", TensorProto.BOOL, [1])]
    inputs += [port(f"past_{name}", shape=HEADS) for name in made]
    outputs = [port(f"present_{name}", shape=["B", 2, "T_next", 4]) for name in made]
    return model([*fresh, choice, *renames], inputs, outputs, [constant("w", [1] * 16, (4, 4))])


def with_function(*, swap: bool = False) -> onnx.ModelProto:
    """Return a model whose function appends to a cache."""
    body = [node("Concat", ["past", "new"], ["grown"], axis=2), node("Identity", ["grown"], ["present"])]
    append = helper.make_function("own", "Append", ["new", "past"], ["present"], body, [helper.make_opsetid("", 17)])
    nodes = []
    for slot in SLOTS:
        past = f"past_{'value' if swap and slot == 'key' else 'key' if swap else slot}_0"
        nodes += [node("MatMul", ["x", "w"], [f"n_{slot}"])]
        nodes += [node("Append", [f"n_{slot}", past], [f"present_{slot}_0"], domain="own")]
    inputs = [port("x", shape=["B", 2, "T_new", 4]), *(port(f"past_{slot}_0", shape=HEADS) for slot in SLOTS)]
    outputs = [port(f"present_{slot}_0", shape=GROWN) for slot in SLOTS]
    made = model(nodes, inputs, outputs, [constant("w", [1] * 16, (4, 4))], own=1)
    made.functions.append(append)
    return made


def combined(*, swap: bool = False) -> onnx.ModelProto:
    """Return caches of key and value in one tensor."""
    nodes = [node("Concat", [f"past_{1 - i if swap else i}", "x"], [f"present_{i}"], axis=3) for i in range(2)]
    inputs = [port("x", shape=[2, "B", 2, "T", 4]), *(port(f"past_{i}", shape=[2, "B", 2, "P", 4]) for i in range(2))]
    return model(nodes, inputs, [port(f"present_{i}", shape=[2, "B", 2, "P + T", 4]) for i in range(2)])


def static_cache(*, swap: bool = False) -> onnx.ModelProto:
    """Return a cache of fixed length that new steps are written into."""
    nodes, inputs, outputs = [], [port("x", shape=[1, 2, 1, 4]), port("at", TensorProto.INT64, [1, 4])], []
    for slot, other in zip(SLOTS, reversed(SLOTS), strict=True):
        held = f"past_{other if swap else slot}_0"
        nodes.append(node("ScatterND", [held, "at", f"n_{slot}"], [f"present_{slot}_0"]))
        nodes.insert(0, node("MatMul", ["x", "w"], [f"n_{slot}"]))
        inputs.append(port(f"past_{slot}_0", shape=[1, 2, 8, 4]))
        outputs.append(port(f"present_{slot}_0", shape=[1, 2, 8, 4]))
    return model(nodes, inputs, outputs, [constant("w", [1] * 16, (4, 4))])


def denoising(*, swap: bool = False, cross_grows: bool = False) -> onnx.ModelProto:
    """Return two layers of a decoder with a growing cache of its own and a constant one of cross attention."""
    nodes, pasts, presents = [node("MatMul", ["x", "w"], ["n"])], [port("x", shape=["B", 2, "T_new", 4])], []
    for layer in range(2):
        for kind in ("self", "cross"):
            for slot in SLOTS:
                name = f"{kind}_{slot}_{layer}"
                held = f"past_{kind}_{slot}_{1 - layer}" if swap and kind == "cross" else f"past_{name}"
                grows = kind == "self" or cross_grows
                nodes.append(
                    node("Concat", [held, "n"], [f"present_{name}"], axis=2)
                    if grows
                    else node("Identity", [held], [f"present_{name}"])
                )
                steps = ("T_cache", "T_cache + T_new") if grows else ("T_enc", "T_enc")
                pasts.append(port(f"past_{name}", shape=["B", 2, steps[0], 4]))
                presents.append(port(f"present_{name}", shape=["B", 2, steps[1], 4]))
    return model(nodes, pasts, presents, [constant("w", [1] * 16, (4, 4))])


def with_past(*, keep: bool = True) -> onnx.ModelProto:
    """Return a decode graph of an encoder-decoder: it takes encoder caches and does not give them back."""
    nodes, pasts, presents = [node("MatMul", ["x", "w"], ["n"])], [port("x", shape=["B", 2, "T_new", 4])], []
    for kind, steps in (("decoder", "past"), ("encoder", "encoder_sequence_length")):
        for slot in SLOTS:
            name = f"past_key_values.0.{kind}.{slot}"
            pasts.append(port(name, shape=["B", 2, steps, 4]))
            if kind == "decoder":
                made = f"present.0.{kind}.{slot}"
                nodes.append(node("Concat", [name, "n"], [made], axis=2))
                presents.append(port(made, shape=["B", 2, "past + T_new", 4]))
            else:
                nodes.append(node("MatMul", ["n", name], [f"a_{slot}"]))
    nodes.append(node("Add", ["a_key", "a_value"], ["logits"]))
    made = model(nodes, pasts, [port("logits", shape=None), *presents], [constant("w", [1] * 16, (4, 4))])
    return made if keep else without(made, "present.0.decoder.value")


def forgets(name: str) -> onnx.ModelProto:
    """Return the decoder with one cache output that is the new step alone."""

    def change(graph: onnx.GraphProto) -> None:
        for each in graph.node:
            if each.output[0] == name:
                each.input[:] = [each.input[1]]
                each.op_type = "Identity"
                del each.attribute[:]

    return edited(DECODER, change)


def folded(name: str) -> onnx.ModelProto:
    """Return the decoder with one cache input that became a constant."""
    return edited(without(DECODER, name), lambda graph: graph.initializer.append(constant(name, [0] * 8, (1, 2, 1, 4))))


def deeper(graph: onnx.GraphProto) -> None:
    """Give every cache one more axis."""
    for each in (*graph.input[2:], *graph.output[1:]):
        each.type.tensor_type.shape.dim.add(dim_value=1)


def swapped(given: onnx.ModelProto, left: str, right: str) -> onnx.ModelProto:
    return rewired(given, {left: right, right: left})


MSFT = "com.microsoft"
CLEAN: dict[str, Tree] = {
    "decoder": one(DECODER),
    "optimum": one(OPTIMUM),
    "cross": one(CROSS),
    "half": one(decoder(dtype=FLOAT16)),
    "opaque": one(decoder(steps=("T_cache", "T_cache_next"), total="T_total")),
    "attention": one(by_operator("Attention", "", (4, 5))),
    "grouped": one(by_operator("GroupQueryAttention", MSFT, (3, 4))),
    "multi-head": one(by_operator("MultiHeadAttention", MSFT, (6, 7))),
    "branches": one(branched()),
    "function": one(with_function()),
    "combined": one(combined()),
    "static": one(static_cache()),
    "self and cross": one(denoising()),
    "encoder-decoder": one(with_past()),
    "pair": PAIR,
    "pair with contract": {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2)},
    "declared growing": kv_contract(DECODER, GROWING),
    "declared shared": kv_contract(static_cache(), {"mode": "shared"}),
    "hybrid layers": kv_contract(decoder([2, 5]), {"layers": [2, 5]}),
    "own names": kv_contract(
        decoder(past="in.{slot}.{layer}", present="out.{slot}.{layer}"),
        GROWING,
        kv_families=[
            {
                "name": "own",
                "past": "in.{slot}.{layer}",
                "present": "out.{slot}.{layer}",
                "slots": {"key": "key", "value": "value"},
                "time": 2,
            }
        ],
    ),
}
PREFILL_AT, DECODE_AT = (f"run/{part}/lm_0p6_{part}.onnx" for part in ("prefill", "decode"))
TIED = {**LM, "run/io_contract_lm_0p6.json": lm(PREFILL, DECODER, 2)}

MUTANTS: dict[str, tuple[Tree, str]] = {
    "value input folded into a constant": (one(folded("past_value_1")), "KVC101"),
    "value output lost": (one(without(DECODER, "present_value_0")), "KVC101"),
    "both outputs of a layer lost": (one(without(DECODER, "present_key_1", "present_value_1")), "KVC101"),
    "all outputs lost": (one(without(DECODER, *(f"present_{s}_{i}" for s in SLOTS for i in range(2)))), "KVC101"),
    "optimum output renamed": (one(renamed(OPTIMUM, "present.1.key", "present_1_key")), "KVC101"),
    "decoder output of an encoder-decoder lost": (one(with_past(keep=False)), "KVC101"),
    "layer left out": (one(decoder([0, 1, 3])), "KVC102"),
    "layer with a zero": (one(decoder(1, past="past_{slot}_0{layer}", present="present_{slot}_0{layer}")), "KVC102"),
    "layer in other digits": (one(renamed(decoder(1), "present_key_0", "present_key_\u0660")), "KVC102"),
    "other layers than listed": (kv_contract(decoder([2, 5]), {"layers": [2, 4, 5]}), "KVC102"),
    "output of another type": (one(typed(DECODER, "present_key_1", FLOAT16)), "KVC103"),
    "input of another type": (one(typed(OPTIMUM, "past_key_values.0.value", FLOAT16)), "KVC103"),
    "not the declared type": (kv_contract(DECODER, {**GROWING, "dtype": "float16"}), "KVC103"),
    "other heads": (one(typed(DECODER, "present_key_0", shape={1: 4})), "KVC104"),
    "other head size": (one(typed(OPTIMUM, "present.1.value", shape={3: 8})), "KVC104"),
    "another axis": (one(typed(DECODER, "present_key_0", shape={4: 1})), "KVC104"),
    "shrinks": (one(decoder(1, steps=(8, 7), total=8)), "KVC104"),
    "declared growing, fixed": (kv_contract(static_cache(), {"mode": "growing"}), "KVC104"),
    "declared shared, grows": (kv_contract(decoder(1), {"mode": "shared"}), "KVC104"),
    "declared sliding, wider": (kv_contract(static_cache(), {"mode": "sliding", "window": 4}), "KVC104"),
    "declared stateful, exposed": (kv_contract(static_cache(), {"mode": "stateful"}), "KVC104"),
    "cross attention grows": (
        one(decoder(1, past="past_cross_{slot}_{layer}", present="present_cross_{slot}_{layer}")),
        "KVC104",
    ),
    "cross attention of a denoiser grows": (one(denoising(cross_grows=True)), "KVC104"),
    "prefill of more layers": (
        {**PAIR, "run/lm_prefill.onnx": decoder(3, prefill=True, steps=("", "T_new"), total="T_new")},
        "KVC105",
    ),
    "prefill of another type": (
        {**TIED, PREFILL_AT: decoder(prefill=True, dtype=FLOAT16, steps=("", "T_new"), total="T_new")},
        "KVC105",
    ),
    "prefill of other heads": (
        {**TIED, PREFILL_AT: decoder(prefill=True, heads=4, steps=("", "T_new"), total="T_new")},
        "KVC105",
    ),
    "decode of another rank": (
        {**PAIR, "run/lm_decode.onnx": edited(DECODER, deeper)},
        "KVC105",
    ),
    "layers swapped": (one(swapped(DECODER, "past_key_0", "past_key_1")), "KVC106"),
    "layers swapped, optimum": (
        one(swapped(OPTIMUM, "past_key_values.0.value", "past_key_values.1.value")),
        "KVC106",
    ),
    "key and value swapped": (one(swapped(DECODER, "past_key_0", "past_value_0")), "KVC106"),
    "layers swapped in Attention": (one(by_operator("Attention", "", (4, 5), swap=True)), "KVC106"),
    "layers swapped in GroupQueryAttention": (
        one(by_operator("GroupQueryAttention", MSFT, (3, 4), swap=True)),
        "KVC106",
    ),
    "layers swapped in MultiHeadAttention": (one(by_operator("MultiHeadAttention", MSFT, (6, 7), swap=True)), "KVC106"),
    "layers swapped in a branch": (one(branched(swap=True)), "KVC106"),
    "key and value swapped in calls": (one(with_function(swap=True)), "KVC106"),
    "combined caches swapped": (one(combined(swap=True)), "KVC106"),
    "static caches swapped": (one(static_cache(swap=True)), "KVC106"),
    "cross caches swapped": (one(denoising(swap=True)), "KVC106"),
    "cache forgotten": (one(forgets("present_value_1")), "KVC106"),
    "swapped under a contract": (
        {**TIED, DECODE_AT: swapped(DECODER, "past_value_0", "past_value_1")},
        "KVC106",
    ),
    "names of operators": (
        one(renamed(renamed(combined(), "present_0", "cat_7"), "present_1", "cat_8")),
        "KVC107",
    ),
    "declared, but not named": (
        kv_contract(decoder(1, past="state_{slot}", present="new_state_{slot}"), GROWING),
        "KVC107",
    ),
    "inputs by slot": (one(reordered(DECODER, "input", [0, 1, 2, 4, 3, 5])), "KVC108"),
    "outputs by slot": (one(reordered(DECODER, "output", [0, 1, 3, 2, 4])), "KVC108"),
    "layers backwards": (one(decoder(order=(2, 3, 0, 1))), "KVC108"),
    "value before key": (one(decoder(1, order=(1, 0))), "KVC108"),
    "combined caches backwards": (one(reordered(combined(), "output", [1, 0])), "KVC108"),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_model_is_clean(name: str, tmp_path: Path) -> None:
    report = judge(tmp_path, CLEAN[name])
    assert [(each.rule, each.message) for each in report.findings] == []
    assert "KVC102" in report.coverage.rules_run


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_by_the_rule_that_names_it(name: str, tmp_path: Path) -> None:
    tree, rule = MUTANTS[name]
    report = judge(tmp_path, tree)
    assert errors(report) == {rule}, [(each.rule, each.message) for each in report.findings]
    assert rules(report) == {rule}


def test_a_cache_behind_an_operator_that_nobody_knows_is_left_alone(tmp_path: Path) -> None:
    hidden = rewired(DECODER, {})
    for each in hidden.graph.node:
        if each.op_type == "Concat":
            each.op_type, each.domain = "AppendCache", "acme"
            each.input[0] = each.input[0].replace("0", "#").replace("1", "0").replace("#", "1")
    hidden.opset_import.add(domain="acme", version=1)
    assert errors(judge(tmp_path, one(hidden))) == set()
