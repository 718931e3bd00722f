"""KVC: names, pairs, layers and order of key-value caches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from omnicheck.checks.declare import check
from omnicheck.contracts.kv_families import Cache, name_of
from omnicheck.facts.io_contracts import Bound
from omnicheck.facts.kv_caches import Held, KvCaches
from omnicheck.facts.onnx_models import OnnxModel
from omnicheck.measures.onnx_structure import odd_letters
from omnicheck.model.finding import Finding

_GENERIC = re.compile(r"(?:cat|concat|linear|add|mul|view|reshape|transpose|index_put|scatter|clone|copy)(?:_\d+)?")


@check("kv_names.pair_incomplete")
def pair_incomplete(caches: tuple[KvCaches, ...]) -> Iterator[Finding]:
    """Yield a finding for each cache that lacks its other half: key or value, past or present."""
    for each in caches:
        if _meaningless(each) or _forged(each):
            continue  # names without meaning, and names that look like others, are other rules'
        lost = [*_halves(each), *_sides(each)]
        if lost:
            more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
            yield Finding(
                path=each.file.path,
                message=lost[0][1] + more,
                tensor=lost[0][0],
                actual=[name for name, _ in lost],
                key=lost[0][0],
            )


def _halves(each: KvCaches) -> Iterator[tuple[str, str]]:
    """Yield keys without values and values without keys: the name, and a sentence."""
    for side, helds, template in (
        ("input", each.pasts, each.family.past),
        ("output", each.presents, each.family.present),
    ):
        found = {held.cache for held in helds}
        for cache in sorted(found):
            other = _other(cache)
            if other is not None and other not in found:
                have, miss = (name_of(each.family, template, one) for one in (cache, other))
                yield have, f"the {side} {have} has no {miss} beside it"


def _sides(each: KvCaches) -> Iterator[tuple[str, str]]:
    """Yield inputs without outputs and outputs without inputs, of caches that are whole on their own side."""
    family = each.family
    pasts, presents = ({held.cache for held in side} for side in (each.pasts, each.presents))
    if pasts and not presents:
        if not family.optional:
            have = each.pasts[0].port.name
            yield have, f"takes {have}, but gives no cache back"
        return
    for cache in sorted(pasts ^ presents) if pasts else ():
        side = pasts if cache in pasts else presents
        other = _other(cache)
        if (cache in pasts and cache.kind in family.optional) or (other is not None and other not in side):
            continue
        past, present = (name_of(family, template, cache) for template in (family.past, family.present))
        if cache in pasts:
            yield past, f"the input {past} has no output {present}"
        else:
            yield present, f"the output {present} has no input {past}"


def _other(cache: Cache) -> Cache | None:
    if cache.slot == "both":
        return None
    return Cache(cache.layer, cache.kind, "value" if cache.slot == "key" else "key")


@check("kv_names.layer_gap")
def layer_gap(caches: tuple[KvCaches, ...]) -> Iterator[Finding]:
    """Yield a finding for each model whose layers leave out a number, or spell one in another way."""
    for each in caches:
        odd = [held for held in (*each.pasts, *each.presents) if held.digits != str(held.cache.layer)]
        if odd and not each.family.single:
            name = odd[0].port.name
            yield Finding(
                path=each.file.path,
                message=f"{name!a} spells layer {odd[0].cache.layer} as {odd[0].digits!a}; hosts build the name from "
                "the plain number",
                expected=str(odd[0].cache.layer),
                actual=odd[0].digits,
                tensor=name,
                key=name,
            )
        pasts, presents = ({held.cache for held in side} for side in (each.pasts, each.presents))
        layers = {cache.layer for cache in (pasts & presents if pasts and presents else pasts | presents)}
        listed = each.declared.layers
        wanted = set(listed) if isinstance(listed, tuple) else set(range(max(layers, default=-1) + 1))
        missing = sorted(wanted - layers)
        if missing and layers:
            shown = ", ".join(map(str, missing[:8])) + (" and more" if len(missing) > 8 else "")
            yield Finding(
                path=each.file.path,
                message=f"has caches of layers up to {max(layers)}, but none of layer {shown}",
                expected=sorted(wanted),
                actual=sorted(layers),
                key="layers",
            )


@check("kv_names.meaningless_names")
def meaningless_names(
    models: tuple[OnnxModel, ...], caches: tuple[KvCaches, ...] | None, bound: tuple[Bound, ...] | None
) -> Iterator[Finding]:
    """Yield a finding for each model with a cache whose names tell neither layer nor key and value."""
    found = {each.file.name: each for each in caches or ()}
    declared = {
        each.onnx.file.name for each in bound or () if each.said.cache.mode is not None or each.said.cache.layers
    }
    for onnx in models:
        named = found.get(onnx.file.name)
        outputs = [port.name for port in onnx.model.graph.outputs]
        if named is not None and _meaningless(named):
            generic = [name for name in outputs if _GENERIC.fullmatch(name)]
            past = named.pasts[0].port.name
            message = f"takes caches as {past}, … and gives them as {generic[0]}, …: names of operators, not of layers"
        elif named is None and onnx.file.name in declared:
            message = "the contract declares a cache, but no input or output is named as one"
        else:
            continue
        yield Finding(
            path=onnx.file.path,
            message=message,
            expected="names of a known family, such as past_key_0 and present_key_0",
            actual=outputs,
            tensor=outputs[0] if outputs else None,
            key="names",
        )


def _forged(each: KvCaches) -> bool:
    graph = each.model.graph
    return any(odd_letters(port.name) for port in (*graph.feeds(), *graph.outputs))


def _meaningless(each: KvCaches) -> bool:
    outputs = [port.name for port in each.model.graph.outputs]
    return bool(each.pasts) and not each.presents and any(_GENERIC.fullmatch(name) for name in outputs)


@check("kv_names.order")
def order(caches: tuple[KvCaches, ...]) -> Iterator[Finding]:
    """Yield a finding for each side whose caches do not stand in the order in which hosts count them."""
    for each in caches:
        sides = (("inputs", each.pasts), ("outputs", each.presents))
        wrong = [(side, helds, found) for side, helds in sides if (found := _disorder(each, helds)) is not None]
        if wrong:
            yield _disordered(each, " and ".join(side for side, *_ in wrong), *wrong[0][1:])
            continue
        common = {held.cache for held in each.pasts} & {held.cache for held in each.presents}
        taken, given = ([held.cache for held in side if held.cache in common] for side in (each.pasts, each.presents))
        if taken != given:
            at = next(i for i, (left, right) in enumerate(zip(taken, given, strict=True)) if left != right)
            yield Finding(
                path=each.file.path,
                message=f"cache output {at + 1} is the {given[at].text()}, "
                f"cache input {at + 1} the {taken[at].text()}; hosts pass them on by position",
                expected=[held.port.name for held in each.pasts],
                actual=[held.port.name for held in each.presents],
                key="order",
            )


def _disordered(each: KvCaches, side: str, helds: tuple[Held, ...], wrong: Held) -> Finding:
    how = "key, value, key, value, layer by layer" if each.family.interleaved else "by ascending layer"
    return Finding(
        path=each.file.path,
        message=f"among the {side} {wrong.port.name} stands at place {wrong.position + 1} of the caches; "
        f"hosts of this family count them {how}",
        expected=[held.port.name for held in sorted(helds, key=lambda held: held.cache.layer)],
        actual=[held.port.name for held in helds],
        tensor=wrong.port.name,
        key=side,
    )


def _disorder(each: KvCaches, helds: Sequence[Held]) -> Held | None:
    """Return the first cache that does not stand where a host expects it."""
    if each.family.interleaved:
        layers = [held.cache.layer for held in helds]
        known = {held.cache for held in helds}
        for i, held in enumerate(helds):
            if i and layers[i] < layers[i - 1]:
                return held
            key = _other(held.cache)  # a key that is missing is another rule's
            if held.cache.slot == "value" and key in known and (not i or helds[i - 1].cache != key):
                return held
        return None
    seen: dict[tuple[str, str], int] = {}
    for held in helds:
        lane = held.cache.kind, held.cache.slot
        if held.cache.layer < seen.get(lane, -1):
            return held
        seen[lane] = held.cache.layer
    return None
