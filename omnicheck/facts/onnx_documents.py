"""What is written down about exported models, gathered for rules that judge any of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.contracts.issue import Issue
from omnicheck.facts.io_contracts import Bound, IoContract
from omnicheck.facts.kv_caches import KvCaches
from omnicheck.facts.onnx_manifest import ManifestEntry, OnnxManifest, QuantisedEntry
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile


class WrittenPath(Struct, frozen=True):
    """A path that a contract or manifest names.

    Attributes:
        file: the contract or manifest.
        pointer: where it stands.
        path: as written.
        escapes: whether it leads out of the artifacts.
    """

    file: RunFile
    pointer: str
    path: str
    escapes: bool


class OnnxDocuments(Struct, frozen=True):
    """Contracts and manifests of ONNX models.

    Attributes:
        contracts: I/O contracts.
        issues: what is wrong with the form of any of them, with the file.
        paths: every path that they name.
    """

    contracts: tuple[IoContract, ...]
    issues: tuple[tuple[RunFile, Issue], ...]
    paths: tuple[WrittenPath, ...]


class RelatedSizes(Struct, frozen=True):
    """What relates sizes: contracts of version 2, edges, and caches that a mask covers."""

    bound: tuple[Bound, ...]
    contracts: tuple[IoContract, ...]
    caches: tuple[KvCaches, ...]


@fact(absent="no I/O contract and no manifest of ONNX models")
def onnx_documents(
    contracts: tuple[IoContract, ...] | None, manifests: tuple[OnnxManifest, ...] | None
) -> OnnxDocuments | None:
    """Gather contracts and manifests."""
    if not contracts and not manifests:
        return None
    issues = [(each.file, issue) for each in contracts or () for issue in each.form.issues]
    issues += [(each.file, issue) for each in manifests or () for issue in each.issues]
    paths = [path for each in contracts or () for path in _of_contract(each)]
    paths += [path for each in manifests or () for path in _of_manifest(each)]
    return OnnxDocuments(contracts or (), tuple(issues), tuple(paths))


@fact(absent="no sizes that a contract or a cache relates")
def related_sizes(
    bound: tuple[Bound, ...] | None, contracts: tuple[IoContract, ...] | None, caches: tuple[KvCaches, ...] | None
) -> RelatedSizes | None:
    """Gather what relates sizes."""
    described = tuple(each for each in bound or () if each.version == 2)
    decoders = tuple(each for each in caches or () if each.pasts and each.presents)
    edges = tuple(each for each in contracts or () if each.form.version == 2)
    return RelatedSizes(described, edges, decoders) if described or decoders else None


def _of_contract(contract: IoContract) -> Iterator[WrittenPath]:
    for said in contract.form.models:
        if said.path:
            yield WrittenPath(contract.file, said.path_pointer, said.path, contract.names[said.name] is None)
        for i, side in enumerate(said.sidecars or ()):
            pointer = f"{said.pointer}/external_files/{i}/path"
            yield WrittenPath(contract.file, pointer, side.path, _escapes(side.path))


def _of_manifest(manifest: OnnxManifest) -> Iterator[WrittenPath]:
    entries: tuple[ManifestEntry | QuantisedEntry, ...] = (*manifest.entries, *manifest.quantised)
    for entry in entries:
        yield WrittenPath(manifest.file, entry.pointer, entry.path, entry.name is None)
    for each in manifest.entries:
        for i, side in enumerate(each.sidecars or ()):
            pointer = f"{each.pointer}/external_files/{i}"
            yield WrittenPath(manifest.file, pointer, side.path, _escapes(side.path))


def _escapes(path: str) -> bool:
    return path.startswith("/") or "\\" in path or "\0" in path or path[1:2] == ":" or ".." in path.split("/")
