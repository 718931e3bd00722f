"""Version 2 I/O contracts derived from graphs: what a model takes and gives, with digests of all its files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from omnicheck.contracts.kv_families import Family, family_of, meaning
from omnicheck.facts.onnx_external import placed
from omnicheck.measures.symbols import System, parse
from omnicheck.model.errors import ContractError, EscapeError, UsageError
from omnicheck.readers.gate import inside, open_regular
from omnicheck.readers.onnx_model import read_model
from omnicheck.readers.onnx_values import BITS, Dimension, Model, Port, all_tensors


class Derived(Struct, frozen=True):
    """A contract, and what a person should look at before it is used.

    Attributes:
        value: the contract as plain data.
        notes: one sentence each.
    """

    value: dict[str, Any]
    notes: tuple[str, ...]


class _Read(Struct, frozen=True):
    name: str
    path: Path
    model: Model


def derive(paths: Sequence[Path], root: Path) -> Derived:
    """Return a version 2 contract of models.

    Args:
        paths: ONNX files.
        root: directory in which the contract will lie; every model must lie below it.

    Raises:
        UsageError: two models would have one name, or one lies outside ``root``.
        ReadError: a file is no model.
        ContractError: an external file is missing or leads out.
    """
    reads = [_Read(name, path, read_model(path)) for name, path in _named(paths, root).items()]
    notes: list[str] = []
    models = {each.name: _graph(each, root) for each in reads}
    value: dict[str, Any] = {"schema_version": "2"}
    families = {each.name: _family(each.model) for each in reads}
    layers = {name: _layers(each.model, families[name]) for name, each in zip(models, reads, strict=True)}
    counts = {len(found) for found in layers.values() if found}
    if len(counts) == 1:
        value["num_layers"] = counts.pop()
    relations: dict[str, str] = {}
    for each in reads:
        family = families[each.name]
        if family is not None:
            models[each.name]["cache"] = _cache(each, family, layers[each.name], relations)
    value["models"] = models
    edges = _edges(reads, notes)
    if edges:
        value["edges"] = edges
    pairs = _pairs(models, families)
    if pairs:
        value["cache_pairs"] = pairs
    if relations:
        value["symbols"] = relations
    sizes = _sizes(reads, relations)
    if sizes:
        value["feed_sizes"] = sizes
    if not any(each.get("required_inputs") for each in models.values()):
        notes.append("required_inputs are empty: list the inputs that must be there whatever an exporter prunes")
    return Derived(value, tuple(notes))


def _named(paths: Sequence[Path], root: Path) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in paths:
        if not path.is_file():
            raise UsageError("no such file", path=str(path), hint="name the ONNX files themselves")
        if not path.resolve().is_relative_to(root.resolve()):
            raise UsageError(
                "lies outside the directory of the contract", path=str(path), hint="write the contract above its models"
            )
        stems = [other for other in paths if other.stem == path.stem]
        name = path.stem if len(stems) == 1 else f"{path.resolve().parent.name}_{path.stem}"
        if name in named:
            raise UsageError(f"two models would be called {name}", path=str(path), hint="rename one of the files")
        named[name] = path
    return named


def _graph(each: _Read, root: Path) -> dict[str, Any]:
    model = each.model
    value: dict[str, Any] = {
        "path": each.path.resolve().relative_to(root.resolve()).as_posix(),
        "sha256": _digest(each.path),
        "size": model.size,
    }
    if model.ir_version > 0:
        value["ir_version"] = model.ir_version
    opset = {domain or "ai.onnx": version for domain, version in model.opsets if version > 0}
    if opset:
        value["opset"] = opset
    value["inputs"] = [{**_port(port), "required": True} for port in model.graph.feeds()]
    value["outputs"] = [_port(port) for port in model.graph.outputs]
    sidecars = _sidecars(each, root)
    if sidecars:
        value["external_files"] = sidecars
    return value


def _port(port: Port) -> dict[str, Any]:
    value: dict[str, Any] = {"name": port.name}
    if port.dtype in BITS:
        value["dtype"] = port.dtype
    if port.shape is not None:
        value["shape"] = [None if isinstance(size, int) and size < 0 else size for size in port.shape]
    if port.kind not in ("", "tensor"):
        value["kind"] = port.kind
    return value


def _sidecars(each: _Read, root: Path) -> list[dict[str, Any]]:
    locations = sorted(
        {placed(tensor).location for tensor in all_tensors(each.model) if tensor.external is not None} - {""}
    )
    found = []
    for location in locations:
        try:
            place = inside(each.path.parent, location)
        except EscapeError as error:
            raise ContractError(error.message, path=each.path.name, hint="export the model again") from error
        if not place.is_file():
            raise ContractError(f"its weights in {location} are not there", path=each.path.name)
        relative = place.resolve().relative_to(root.resolve()).as_posix()
        found.append({"path": relative, "sha256": _digest(place), "size": place.stat().st_size})
    return found


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _family(model: Model) -> Family | None:
    graph = model.graph
    return family_of([port.name for port in graph.feeds()], [port.name for port in graph.outputs])


def _layers(model: Model, family: Family | None) -> set[int]:
    if family is None:
        return set()
    sides = ((model.graph.feeds(), family.past), (model.graph.outputs, family.present))
    named = [meaning(family, template, port.name) for ports, template in sides for port in ports]
    return {each.cache.layer for each in named if each is not None}


def _cache(each: _Read, family: Family, layers: set[int], relations: dict[str, str]) -> dict[str, Any]:
    """Return what the graph proves of its cache, and note the relations of sizes that it implies."""
    graph = each.model.graph
    value: dict[str, Any] = {"layers": len(layers) if layers == set(range(len(layers))) else sorted(layers)}
    modes = {kind: mode for kind, mode in family.kinds.items() if mode}
    if modes:
        value["modes"] = modes
    pasts = {
        named.cache: port for port in graph.feeds() if (named := meaning(family, family.past, port.name)) is not None
    }
    grown: set[tuple[Dimension, Dimension]] = set()
    for port in graph.outputs:
        named = meaning(family, family.present, port.name)
        if named is None or named.cache not in pasts or family.kinds.get(named.cache.kind):
            continue
        before, after = (_at(other, family.time) for other in (pasts[named.cache], port))
        if before is not None and after is not None:
            grown.add((before, after))
    new = next((_at(port, 1) for port in graph.feeds() if port.name == "input_ids"), None)
    mode = _mode(grown)
    if mode:
        value["mode"] = mode
    if len(grown) == 1 and isinstance(new, str):
        before, after = next(iter(grown))
        mask = next((_at(port, 1) for port in graph.feeds() if port.name == "attention_mask"), None)
        for size in (after, mask):
            if isinstance(size, str) and _opaque(size) and size not in (before, new) and isinstance(before, str):
                relations.setdefault(size, f"{before} + {new}")
    return value


def _mode(grown: set[tuple[Dimension, Dimension]]) -> str | None:
    proven = set()
    for before, after in grown:
        difference = parse(after or 0) - parse(before or 0)
        if not difference.terms and difference.constant == 0:
            proven.add("shared")
        elif all(count > 0 for _, count in difference.terms) and difference.constant >= 0:
            proven.add("growing")
        else:
            proven.add("")
    return proven.pop() if len(proven) == 1 and "" not in proven else None


def _at(port: Port, axis: int | None) -> Dimension:
    return port.shape[axis] if axis is not None and port.shape is not None and len(port.shape) > axis else None


def _opaque(size: str) -> bool:
    return parse(size).terms == ((size, 1),)


def _edges(reads: list[_Read], notes: list[str]) -> list[dict[str, Any]]:
    edges = []
    for maker in reads:
        for taker in reads:
            taken = {port.name: port for port in taker.model.graph.feeds()} if taker is not maker else {}
            for port in maker.model.graph.outputs:
                other = taken.get(port.name)
                if other is None:
                    continue
                source, target = f"{maker.name}:{port.name}", f"{taker.name}:{port.name}"
                if port.dtype == other.dtype and _fits(port, other):
                    edges.append({"from": source, "to": target})
                else:
                    notes.append(f"{source} and {target} differ in type or shape: declare the edge with its host_cast")
    return edges


def _fits(given: Port, taken: Port) -> bool:
    if given.shape is None or taken.shape is None:
        return True
    return len(given.shape) == len(taken.shape) and not any(
        isinstance(left, int) and isinstance(right, int) and left != right
        for left, right in zip(given.shape, taken.shape, strict=True)
    )


def _pairs(models: dict[str, Any], families: dict[str, Family | None]) -> list[dict[str, str]]:
    return [
        {"prefill": name, "decode": other}
        for name in models
        if "prefill" in name and families[name] is not None
        for other in (name.replace("prefill", "decode"),)
        if families.get(other) is not None
    ]


def _sizes(reads: list[_Read], relations: dict[str, str]) -> dict[str, int]:
    """Return a size for each symbol, distinct primes where they are free."""
    system = System()
    for symbol, size in relations.items():
        system.add(parse(symbol), parse(size))
    for each in reads:
        for port in (*each.model.graph.feeds(), *each.model.graph.outputs):
            for dimension in port.shape or ():
                if isinstance(dimension, str):
                    system.know(parse(dimension))
    return system.sizes() or {}
