"""KVC: types, shapes and wiring of key-value caches, and what prefill hands to decode."""

from __future__ import annotations

from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.contracts.kv_families import Cache
from omnicheck.facts.kv_caches import Held, KvCaches, KvDecoder, KvPair
from omnicheck.measures.symbols import Linear, System, parse
from omnicheck.model.finding import Finding
from omnicheck.readers.onnx_values import Dimension, Shape

Halves = list[tuple[Held, Held]]


def _halves(each: KvCaches) -> Halves:
    presents = {held.cache: held for held in each.presents}
    return [(held, presents[held.cache]) for held in each.pasts if held.cache in presents]


@check("kv_tensors.past_present_dtype")
def past_present_dtype(decoders: tuple[KvDecoder, ...]) -> Iterator[Finding]:
    """Yield a finding for each model whose cache changes its type on the way."""
    for decoder in decoders:
        each = decoder.caches
        wrong = [
            (past, present)
            for past, present in _halves(each)
            if past.port.dtype and present.port.dtype and past.port.dtype != present.port.dtype
        ]
        if wrong:
            past, present = wrong[0]
            yield Finding(
                path=each.file.path,
                message=f"{past.port.name} is {past.port.dtype}, {present.port.name} is {present.port.dtype}; "
                f"the next step cannot take it{_more(len(wrong))}",
                expected=past.port.dtype,
                actual=present.port.dtype,
                tensor=present.port.name,
                key=present.port.name,
            )
            continue
        wanted = each.declared.dtype
        off = next((held for held in (*each.pasts, *each.presents) if held.port.dtype not in ("", wanted)), None)
        if wanted is not None and off is not None:
            yield Finding(
                path=each.file.path,
                message=f"{off.port.name} is {off.port.dtype}, the contract declares a cache of {wanted}",
                expected=wanted,
                actual=off.port.dtype,
                tensor=off.port.name,
                key=off.port.name,
            )


@check("kv_tensors.past_present_shape")
def past_present_shape(decoders: tuple[KvDecoder, ...]) -> Iterator[Finding]:
    """Yield a finding for each kind of cache whose shape does not behave as its mode asks."""
    for decoder in decoders:
        each = decoder.caches
        wrong: dict[str, list[tuple[Held, str, Shape | None, Shape | None]]] = {}
        for past, present in _halves(each):
            told = _misshapen(each, past, present)
            if told:
                mode = each.mode(past.cache)
                wrong.setdefault(mode, []).append((present, told, past.port.shape, present.port.shape))
        for found in wrong.values():
            present, message, before, after = found[0]
            yield Finding(
                path=each.file.path,
                message=message + _more(len(found)),
                expected=list(before or ()),
                actual=list(after or ()),
                tensor=present.port.name,
                key=present.port.name,
            )


def _misshapen(each: KvCaches, past: Held, present: Held) -> str:
    """Return what is wrong with the shapes of one cache; empty when nothing is."""
    mode = each.mode(past.cache)
    names = f"{past.port.name} and {present.port.name}"
    if mode == "stateful":
        return f"the cache is declared stateful, but {names} stand among inputs and outputs"
    before, after = past.port.shape, present.port.shape
    if before is None or after is None:
        return ""
    if len(before) != len(after):
        return f"{past.port.name} has {len(before)} axes, {present.port.name} has {len(after)}"
    axis = each.family.time
    for at, (left, right) in enumerate(zip(before, after, strict=True)):
        if at != axis and isinstance(left, int) and isinstance(right, int) and left != right:
            return f"{names} differ on axis {at}, which is not the time: {left} and {right}"
    if axis is None or axis >= len(before):
        return ""
    return _time(each, mode, past, present, before[axis], after[axis])


def _time(each: KvCaches, mode: str, past: Held, present: Held, before: Dimension, after: Dimension) -> str:
    if before is None or after is None:
        return ""
    left, right = parse(before), parse(after)
    grown = right - left
    names = f"{past.port.name} has {before} steps, {present.port.name} {after}"
    window = each.declared.window
    if mode == "growing":
        if System().refutes(right, left + Linear((("new", 1),))):
            return f"{names}: the cache is declared growing and does not grow"
    elif mode in ("shared", "constant"):
        literal = not grown.terms and grown.constant != 0
        if literal or (grown.terms and System().refutes(left, right)):
            return f"{names}: the cache is declared {mode} and does not keep its size"
    elif mode == "sliding" and window is not None:
        if (not right.terms and right.constant > window) or (not left.terms and left.constant > window):
            return f"{names}: the cache is declared sliding over {window} steps at most"
    elif not grown.terms and grown.constant < 0:
        return f"{names}: the cache shrinks"
    return ""


@check("kv_tensors.prefill_decode_disagree")
def prefill_decode_disagree(pairs: tuple[KvPair, ...]) -> Iterator[Finding]:
    """Yield a finding for each pair where decode does not take what prefill gives."""
    for pair in pairs:
        given = {held.cache: held for held in pair.prefill.presents}
        taken = {held.cache: held for held in pair.decode.pasts}
        who = f"{pair.prefill.file.base} gives"
        lost, unfed = sorted(given.keys() - taken.keys()), sorted(taken.keys() - given.keys())
        if lost or unfed:
            parts = []
            if lost:
                parts.append(f"{who} {_caches(lost)} that this model does not take")
            if unfed:
                parts.append(f"it takes {_caches(unfed)} that {pair.prefill.file.base} does not give")
            yield _disagreement(pair, " and ".join(parts), len(given), len(taken), "set")
            continue
        for cache, past in taken.items():
            told = _unlike(given[cache], past, pair.decode.family.time)
            if told:
                yield _disagreement(pair, f"{who} {told}", None, None, past.port.name)
                break
        order = [held.cache for held in pair.prefill.presents]
        if order != [held.cache for held in pair.decode.pasts]:
            yield _disagreement(
                pair, f"{who} its caches in another order than this model takes them", None, None, "order"
            )


def _unlike(given: Held, taken: Held, axis: int | None) -> str:
    made, wanted = given.port, taken.port
    if made.dtype and wanted.dtype and made.dtype != wanted.dtype:
        return f"{made.name} as {made.dtype}, this model takes {wanted.name} as {wanted.dtype}"
    if made.shape is None or wanted.shape is None:
        return ""
    fits = len(made.shape) == len(wanted.shape) and not any(
        isinstance(left, int) and isinstance(right, int) and left != right and at != axis
        for at, (left, right) in enumerate(zip(made.shape, wanted.shape, strict=True))
    )
    return "" if fits else f"{made.name} as {list(made.shape)}, this model takes {wanted.name} as {list(wanted.shape)}"


def _disagreement(pair: KvPair, message: str, expected: object, actual: object, key: str) -> Finding:
    return Finding(path=pair.decode.file.path, message=message, expected=expected, actual=actual, key=key)


@check("kv_tensors.wiring")
def wiring(decoders: tuple[KvDecoder, ...]) -> Iterator[Finding]:
    """Yield a finding for each cache output that is not computed from the cache input of its name."""
    for decoder in decoders:
        each = decoder.caches
        crossed: list[tuple[Held, str]] = []
        for past, present in _halves(each):
            told = _miswired(decoder, past, present)
            if told:
                crossed.append((present, told))
        if crossed:
            present, message = crossed[0]
            yield Finding(
                path=each.file.path,
                message=message + _more(len(crossed)),
                tensor=present.port.name,
                actual=[held.port.name for held, _ in crossed],
                key=present.port.name,
                help="Wire each cache output to the cache input of the same layer and slot, and export again.",
            )


def _miswired(decoder: KvDecoder, past: Held, present: Held) -> str:
    """Return what is wrong with where a cache output comes from; empty when nothing is, or nobody can tell."""
    name, wanted = present.port.name, past.port.name
    origin = decoder.origins[name]
    if wanted in origin.sources:
        mode = decoder.caches.mode(past.cache)
        if not origin.joined and not origin.opaque and mode in ("growing", "sliding") and origin.sources == {wanted}:
            return f"{name} is only a copy of {wanted}: no new step is appended"
        return ""
    if origin.sources:
        shown = ", ".join(sorted(origin.sources)[:3])
        return f"{name} is computed from {shown}, not from {wanted}"
    if origin.opaque or wanted in decoder.behind.get(name, frozenset()):
        return ""
    return f"{name} does not depend on {wanted}: earlier steps are forgotten"


def _caches(caches: list[Cache]) -> str:
    shown = ", ".join(f"the {cache.text()}" for cache in caches[:3])
    return f"{shown} and {len(caches) - 3} more" if len(caches) > 3 else shown


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""
