"""How many layers contracts and runtime configurations state, beside the caches of the models they speak of."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.contracts.issue import mapping
from omnicheck.facts.io_contracts import IoContract
from omnicheck.facts.kv_caches import KvCaches
from omnicheck.facts.onnx_models import beside
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class StatedLayers(Struct, frozen=True):
    """A stated number of layers, and the layers that have caches.

    Attributes:
        by: the file that states it.
        pointer: where.
        model: the model's file.
        stated: a count, or numbers of layers.
        found: numbers of layers that have caches.
    """

    by: RunFile
    pointer: str
    model: RunFile
    stated: int | tuple[int, ...]
    found: tuple[int, ...]


class StatedVariant(Struct, frozen=True):
    """A contract's variant, and the path of a model of it."""

    by: RunFile
    pointer: str
    variant: str
    path: str


class LayerStatements(Struct, frozen=True):
    """Everything that is stated of layers and variants."""

    layers: tuple[StatedLayers, ...]
    variants: tuple[StatedVariant, ...]


@fact(absent="no stated number of layers, and no variant, of a model with a cache")
def layer_statements(
    source: Source, contracts: tuple[IoContract, ...] | None, caches: tuple[KvCaches, ...] | None
) -> LayerStatements | None:
    """Gather what contracts and ``genai_config.json`` state."""
    by_name = {each.file.name: each for each in caches or ()}
    layers = [each for contract in contracts or () for each in _of_contract(contract, by_name)]
    layers += [each for file in source.run.of("genai_config") for each in _of_config(source, file, by_name)]
    variants = [
        StatedVariant(contract.file, said.path_pointer, contract.form.variant, said.path)
        for contract in contracts or ()
        for said in contract.form.models
        if contract.form.variant
    ]
    return LayerStatements(tuple(layers), tuple(variants)) if layers or variants else None


def _of_contract(contract: IoContract, by_name: dict[str, KvCaches]) -> Iterator[StatedLayers]:
    for said in contract.form.models:
        found = by_name.get(contract.names[said.name] or "")
        own = said.cache.layers
        stated = own if own is not None else contract.form.num_layers
        if found is not None and stated is not None:
            pointer = f"{said.pointer}/cache/layers" if own is not None else "/num_layers"
            yield StatedLayers(contract.file, pointer, found.file, stated, _layers(found))


def _of_config(source: Source, file: RunFile, by_name: dict[str, KvCaches]) -> Iterator[StatedLayers]:
    decoder = mapping(mapping(mapping(source.json(file).value).get("model")).get("decoder"))
    stated, path = decoder.get("num_hidden_layers"), decoder.get("filename")
    found = by_name.get(beside(file.folder, path) or "") if isinstance(path, str) else None
    if found is not None and type(stated) is int and stated > 0:
        yield StatedLayers(file, "/model/decoder/num_hidden_layers", found.file, stated, _layers(found))


def _layers(caches: KvCaches) -> tuple[int, ...]:
    return tuple(sorted({held.cache.layer for held in (*caches.pasts, *caches.presents)}))
