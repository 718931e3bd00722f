"""LOR: adapters by the headers of their weights: shapes, pairs, rank, and what does not belong there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.numbers import counted
from omnicheck.facts.adapter import Adapter, Module, Part, WeightsHeader
from omnicheck.facts.adapter_summary import AdapterSummary, DeclaredAdapters, ShownAdapters, SummaryShape
from omnicheck.model.finding import Finding

FEW = 3


@check("adapters.header")
def header(headers: tuple[WeightsHeader, ...]) -> Iterator[Finding]:
    """Yield a finding for each fault of a header."""
    for each in headers:
        for fault in each.header.faults:
            yield Finding(path=each.file.path, tensor=fault.tensor, message=fault.message, key=fault.message)


@check("adapters.shape")
def shape(shown: ShownAdapters) -> Iterator[Finding]:
    """Yield a finding for each low-rank part that is no matrix, is empty, or does not fit its partner."""
    for adapter in shown.adapters:
        for module in adapter.modules:
            yield from _shapes(module)
    for summary in shown.summaries:
        for each in summary.shapes:
            if len(each.dims) < 2 and "magnitude" not in each.name and "bias" not in each.name:
                yield _from_summary(summary, each, f"{counted(each.count, 'flat tensor')}", "2 axes")
            elif 0 in each.dims:
                yield _from_summary(summary, each, f"{counted(each.count, 'empty tensor')}", "numbers")


def _from_summary(summary: AdapterSummary, each: SummaryShape, what: str, expected: object) -> Finding:
    of = f" ({each.name})" if each.pointer == "/shapes" else ""
    return Finding(
        path=summary.file.path,
        pointer=each.pointer,
        message=f"from summary: {what} of shape {list(each.dims)}{of}",
        expected=expected,
        actual=list(each.dims),
        key=f"{each.pointer} {each.name}",
    )


def _shapes(module: Module) -> Iterator[Finding]:
    pair = module.pair()
    for part in module.parts.values():
        dims = part.tensor.shape
        wanted = 1 if part.key.part in ("magnitude", "bias") else 2
        if part.key.part == "alpha":
            continue
        if 0 in dims:
            yield _at(part, f"{part.key.name} is empty: its shape is {list(dims)}", "numbers", list(dims))
        elif len(dims) < wanted or (wanted == 2 and len(dims) > 2 and not _convolution(pair)):
            said = "flat" if len(dims) < wanted else "no matrix"
            yield _at(part, f"{part.key.name} is {said}: its shape is {list(dims)}", f"{wanted} axes", list(dims))
    if pair is not None:
        a, b = pair
        inner_a, inner_b = a.tensor.shape[:1], b.tensor.shape[1:2]
        if len(a.tensor.shape) > 1 and len(b.tensor.shape) > 1 and inner_a != inner_b:
            yield _at(
                b,
                f"{module.path}: A is {list(a.tensor.shape)} and B is {list(b.tensor.shape)}, so that B times A is "
                f"undefined",
                f"B of shape [outputs, {inner_a[0]}]",
                list(b.tensor.shape),
            )
        magnitude = module.parts.get("magnitude")
        if magnitude is not None and len(b.tensor.shape) > 1 and magnitude.tensor.elements != b.tensor.shape[0]:
            yield _at(
                magnitude,
                f"{magnitude.key.name} has {magnitude.tensor.elements:,} elements for {b.tensor.shape[0]:,} outputs",
                b.tensor.shape[0],
                magnitude.tensor.elements,
            )


def _convolution(pair: tuple[Part, Part] | None) -> bool:
    return pair is not None and all(len(part.tensor.shape) in (3, 4, 5) for part in pair)


@check("adapters.pairing")
def pairing(adapters: tuple[Adapter, ...]) -> Iterator[Finding]:
    """Yield a finding for each part without the part it needs."""
    for adapter in adapters:
        for module in adapter.modules:
            has = module.parts
            for one, other in (("A", "B"), ("B", "A"), ("embedding_A", "embedding_B"), ("embedding_B", "embedding_A")):
                if one in has and other not in has:
                    yield _at(has[one], f"{has[one].key.name} has no {other} beside it", other, sorted(has))
            if module.pair() is None:
                for one in ("magnitude", "bias", "alpha"):
                    if one in has and not {"A", "B", "embedding_A", "embedding_B"} & set(has):
                        yield _at(has[one], f"{has[one].key.name} has no A and B beside it", ["A", "B"], sorted(has))


@check("adapters.rank")
def rank(declared: DeclaredAdapters) -> Iterator[Finding]:
    """Yield a finding for each rank that is not the declared one, and for each flag that the tensors contradict."""
    for summary in declared.summaries:
        yield from _summary_rank(summary)
    for adapter in declared.adapters:
        spec = adapter.spec
        if spec is None:
            continue
        wrong: dict[tuple[int, int], list[Module]] = defaultdict(list)
        for module in adapter.modules:
            pair, wanted = module.pair(), spec.rank_of(module.path)
            if pair is None or wanted is None or len(pair[0].tensor.shape) < 2:
                continue
            found = pair[0].tensor.shape[0]
            # Fused experts hold one update for each expert, stacked: the rank divides the axis.
            if found != wanted and not (_fused(module) and found % wanted == 0):
                wrong[wanted, found].append(module)
        for (wanted, found), modules in sorted(wrong.items()):
            yield Finding(
                path=modules[0].first.file.path,
                tensor=modules[0].first.key.name,
                message=f"{_many(modules)} of rank {found}; {spec.file.base} declares {wanted}",
                expected=wanted,
                actual=found,
                key=f"rank {wanted} {found}",
            )
        yield from _flags(adapter)


def _summary_rank(summary: AdapterSummary) -> Iterator[Finding]:
    spec = summary.spec
    if spec is None or spec.r is None:
        return
    ranks = {spec.r, *spec.ranks.values()}
    wrong = [each for each in summary.shapes if len(each.dims) == 2 and not ranks & set(each.dims)]
    if wrong:
        few = ", ".join(str(list(each.dims)) for each in wrong[:FEW])
        yield Finding(
            path=summary.file.path,
            pointer=wrong[0].pointer,
            message=f"from summary: {spec.file.base} declares the rank {spec.r}, which is no side of "
            f"{counted(sum(each.count for each in wrong), 'tensor')} of shape {few}{', …' if len(wrong) > FEW else ''}",
            expected=spec.r,
            actual=[list(each.dims) for each in wrong],
            key="rank",
        )


def _flags(adapter: Adapter) -> Iterator[Finding]:
    spec = adapter.spec
    if spec is None:
        return
    for flag, part, what in (("use_dora", "magnitude", "magnitude vectors"), ("lora_bias", "bias", "biases of B")):
        having = [module for module in adapter.modules if part in module.parts and module.pair() is not None]
        declared = spec.flags.get(flag, False)
        if (declared and len(having) < len(adapter.modules)) or (having and spec.config and not declared):
            yield Finding(
                path=spec.file.path,
                pointer=f"{spec.at}/{flag}",
                message=f"{flag} is {str(declared).lower()}, but {len(having):,} of {len(adapter.modules):,} adapted "
                f"modules have {what}",
                expected=len(adapter.modules) if declared else 0,
                actual=len(having),
                key=flag,
            )
    if spec.alpha is not None and spec.alpha <= 0:
        yield Finding(
            path=spec.file.path,
            pointer=f"{spec.at}/{'lora_alpha' if spec.record.has('lora_alpha') else 'alpha'}",
            message=f"alpha is {spec.alpha:g}, so that the update is scaled to nothing or against itself",
            expected="> 0",
            actual=spec.alpha,
            key="alpha",
        )


def _fused(module: Module) -> bool:
    return module.depth > 0 or module.path.endswith("experts")


class DtypePolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """Types that an adapter may have."""

    allowed: tuple[str, ...] = ("F32", "F16", "BF16")


@check("adapters.dtype")
def dtype(adapters: tuple[Adapter, ...], params: DtypePolicy) -> Iterator[Finding]:
    """Yield a finding for types outside the policy, and for an adapter of several types."""
    for adapter in adapters:
        parts = [part for module in adapter.modules for part in module.parts.values() if part.key.part != "alpha"]
        counts = Counter(part.tensor.dtype for part in parts)
        outside = sorted(set(counts) - set(params.allowed))
        if outside or len(counts) > 1:
            shown = ", ".join(f"{count:,} of {name}" for name, count in sorted(counts.items()))
            rare = min(parts, key=lambda part: (counts[part.tensor.dtype], part.key.name))
            yield Finding(
                path=rare.file.path,
                tensor=rare.key.name,
                message=f"the low-rank tensors are of {'an unusual type' if len(counts) == 1 else 'several types'}: "
                f"{shown}",
                expected=list(params.allowed),
                actual=dict(sorted(counts.items())),
                key="dtype",
            )


@check("adapters.smuggled")
def smuggled(adapters: tuple[Adapter, ...]) -> Iterator[Finding]:
    """Yield one finding for each file with whole tensors that a loader would put over the base model's."""
    for adapter in adapters:
        saved = adapter.spec.saved if adapter.spec is not None else ()
        tokens = adapter.spec is not None and adapter.spec.tokens
        by_file: dict[str, list[Part]] = defaultdict(list)
        for part in adapter.others:
            declared = any(part.key.module == name or part.key.module.endswith(f".{name}") for name in saved)
            embedding = part.key.part == "base" and _adapts_embedding(adapter, part.key.module)
            if not declared and not embedding and not (part.key.part == "tokens" and tokens):
                by_file[part.file.path].append(part)
        for path, parts in sorted(by_file.items()):
            names = ", ".join(part.key.name for part in parts[:FEW])
            yield Finding(
                path=path,
                tensor=parts[0].key.name,
                message=f"{len(parts):,} tensors are no part of a low-rank update, and a loader puts them over the "
                "base "
                f"model's without a word: {names}{', …' if len(parts) > FEW else ''}",
                expected=f"low-rank parts, or modules_to_save {list(saved)}",
                actual=len(parts),
                key="smuggled",
            )


@check("adapters.embedded_base")
def embedded_base(adapters: tuple[Adapter, ...]) -> Iterator[Finding]:
    """Yield a finding for each embedding of the base model that was saved inside the adapter."""
    for adapter in adapters:
        for part in adapter.others:
            if part.key.part == "base" and _adapts_embedding(adapter, part.key.module):
                size = part.tensor.end - part.tensor.begin
                yield _at(
                    part,
                    f"{part.key.name} is the base model's own embedding, {size:,} bytes, saved inside the adapter",
                    None,
                    list(part.tensor.shape),
                )


def _adapts_embedding(adapter: Adapter, path: str) -> bool:
    return any(module.path == path and "embedding_A" in module.parts for module in adapter.modules)


def _many(modules: list[Module]) -> str:
    names = ", ".join(module.path for module in modules[:FEW])
    more = f" and {len(modules) - FEW:,} more" if len(modules) > FEW else ""
    return f"{names}{more} {'are' if len(modules) > 1 else 'is'}"


def _at(part: Part, message: str, expected: object, actual: object) -> Finding:
    return Finding(
        path=part.file.path, tensor=part.key.name, message=message, expected=expected, actual=actual, key=part.key.name
    )
