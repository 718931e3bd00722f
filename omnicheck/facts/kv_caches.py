"""Key-value caches of models: which inputs and outputs they are, by name, and how they are declared to behave."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.contracts.io_form import CacheForm
from omnicheck.contracts.kv_families import Cache, Family, family_of, meaning
from omnicheck.facts.io_contracts import Bound, IoContract
from omnicheck.facts.onnx_models import OnnxModel
from omnicheck.facts.registry import fact
from omnicheck.measures.kv_wiring import Origin, Wiring
from omnicheck.model.run import RunFile
from omnicheck.readers.onnx_values import Model, Port


class Held(Struct, frozen=True):
    """An input or output that is a cache.

    Attributes:
        cache: what it holds.
        port: the input or output.
        digits: its layer as the name spells it.
        position: among the caches of its side, from 0.
    """

    cache: Cache
    port: Port
    digits: str
    position: int


class KvCaches(Struct, frozen=True):
    """The caches of one model.

    Attributes:
        file: the model.
        model: what it holds.
        family: how the caches are named.
        pasts: inputs, in order.
        presents: outputs, in order.
        declared: what a contract declares.
        layers: layers that have a cache, where a contract lists them.
    """

    file: RunFile
    model: Model
    family: Family
    pasts: tuple[Held, ...]
    presents: tuple[Held, ...]
    declared: CacheForm

    def mode(self, cache: Cache) -> str:
        """Return how a cache is declared to behave; empty when nobody says."""
        fixed = self.family.kinds.get(cache.kind, "")
        by_kind = self.declared.modes.get(cache.kind, "")
        return by_kind or fixed or self.declared.mode or ""


class KvDecoder(Struct, frozen=True):
    """A model with cache inputs and outputs, and where each output comes from.

    Attributes:
        caches: its caches.
        origins: present output to its origin.
        behind: present output to the cache inputs that it depends on in any way, where its origin is empty.
    """

    caches: KvCaches
    origins: dict[str, Origin]
    behind: dict[str, frozenset[str]]


class KvPair(Struct, frozen=True):
    """A prefill model and the decode model that takes its caches.

    Attributes:
        prefill: makes the caches.
        decode: takes them.
    """

    prefill: KvCaches
    decode: KvCaches


@fact(absent="no ONNX model with a key-value cache")
def kv_caches(
    models: tuple[OnnxModel, ...], bound: tuple[Bound, ...] | None, contracts: tuple[IoContract, ...] | None
) -> tuple[KvCaches, ...]:
    """Find the caches of every model by the names of its inputs and outputs."""
    own = [family for contract in contracts or () for family in contract.form.families]
    declared = {each.onnx.file.name: each.said.cache for each in bound or ()}
    found = []
    for onnx in models:
        feeds, outputs = onnx.model.graph.feeds(), onnx.model.graph.outputs
        family = family_of([port.name for port in feeds], [port.name for port in outputs], own)
        if family is None:
            continue
        found.append(
            KvCaches(
                file=onnx.file,
                model=onnx.model,
                family=family,
                pasts=_held(feeds, family, family.past),
                presents=_held(outputs, family, family.present),
                declared=declared.get(onnx.file.name, CacheForm()),
            )
        )
    return tuple(found)


@fact(absent="no ONNX model that takes and gives a key-value cache")
def kv_decoders(caches: tuple[KvCaches, ...]) -> tuple[KvDecoder, ...]:
    """Walk back from every cache output."""
    from omnicheck.measures.onnx_flow import Flow  # noqa: PLC0415 - needed only where a cache is there

    found = []
    for each in caches:
        if not each.pasts or not each.presents:
            continue
        sources = frozenset(held.port.name for held in each.pasts)
        wiring = Wiring(each.model, sources)
        origins = {held.port.name: wiring.origin(held.port.name) for held in each.presents}
        flow = Flow(each.model.graph)
        behind = {
            name: frozenset(flow.behind([name]) & sources)
            for name, origin in origins.items()
            if not origin.sources and not origin.opaque
        }
        found.append(KvDecoder(each, origins, behind))
    return tuple(found)


@fact(absent="no prefill and decode models that share a key-value cache")
def kv_pairs(caches: tuple[KvCaches, ...], contracts: tuple[IoContract, ...] | None) -> tuple[KvPair, ...]:
    """Pair prefill with decode: as contracts declare, else by file names in one directory."""
    by_name = {each.file.name: each for each in caches}
    names = [
        (contract.names[prefill], contract.names[decode])
        for contract in contracts or ()
        for prefill, decode in contract.form.pairs
        if prefill in contract.names and decode in contract.names
    ]
    declared = {name for pair in names for name in pair}
    for name in by_name:
        other = next((each for each in _decoders_of(name) if each in by_name), None)
        if other is not None and name not in declared and other not in declared:
            names.append((name, other))
    return tuple(
        KvPair(by_name[prefill], by_name[decode])
        for prefill, decode in dict.fromkeys(names)
        if prefill in by_name and decode in by_name and by_name[prefill].presents and by_name[decode].pasts
    )


def _decoders_of(name: str) -> tuple[str, ...]:
    folder, _, base = name.rpartition("/")
    at = f"{folder}/" if folder else ""
    if base == "decoder_model.onnx":
        return (f"{at}decoder_with_past_model.onnx",)
    return (name.replace("prefill", "decode"),) if "prefill" in name else ()


def _held(ports: tuple[Port, ...], family: Family, template: str) -> tuple[Held, ...]:
    found: list[Held] = []
    for port in ports:
        named = meaning(family, template, port.name)
        if named is not None:
            found.append(Held(named.cache, port, named.digits, len(found)))
    return tuple(found)
