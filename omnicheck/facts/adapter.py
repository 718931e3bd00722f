"""An adapter's tensors in canonical form: modules and their parts, from the headers of all its shards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.contracts.adapter_keys import Key, Place, key_of, place_of
from omnicheck.facts.adapter_spec import AdapterSpec
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source, cause
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.problem import Problem
from omnicheck.readers.safetensors import Header, Tensor, read_header

LOW_RANK = frozenset({"A", "B", "embedding_A", "embedding_B", "magnitude", "bias"})


class WeightsHeader(Struct, frozen=True):
    """The header of one file of adapter weights."""

    file: RunFile
    header: Header


class Part(Struct, frozen=True):
    """One tensor: what its key means, its header entry, and the file it is in."""

    key: Key
    tensor: Tensor
    file: RunFile


class Module(Struct, frozen=True):
    """One adapted module, or one wrapped parameter of it.

    Attributes:
        path: in the base model.
        depth: how deep its parameter is wrapped; 0 for ordinary modules.
        place: tower, layer and kind.
        parts: by what they are.
    """

    path: str
    depth: int
    place: Place
    parts: dict[str, Part]

    @property
    def first(self) -> Part:
        """A part of it, to point at."""
        return self.parts[min(self.parts)]

    def pair(self) -> tuple[Part, Part] | None:
        """Return A and B, of embeddings too; None when one is missing."""
        for a, b in (("A", "B"), ("embedding_A", "embedding_B")):
            if a in self.parts and b in self.parts:
                return self.parts[a], self.parts[b]
        return None


class Adapter(Struct, frozen=True):
    """All files of adapter weights of one directory.

    Attributes:
        folder: the directory, relative to the run.
        files: its weights.
        modules: those with low-rank parts, sorted by path.
        others: tensors that are no low-rank part.
        spec: what is declared of it, or None.
    """

    folder: str
    files: tuple[RunFile, ...]
    modules: tuple[Module, ...]
    others: tuple[Part, ...]
    spec: AdapterSpec | None


@fact(absent="no adapter weights")
def weights_headers(source: Source) -> tuple[WeightsHeader, ...]:
    """Read the header of every file of adapter weights."""
    found = []
    for file in source.run.of("adapter_weights"):
        if file.size == 0:
            continue
        try:
            found.append(WeightsHeader(file, read_header(file)))
        except (ReadError, OSError) as error:
            source.note(file, Problem(message=f"cannot be read: {cause(error)}", kind="unreadable"))
    return tuple(found)


@fact(absent="no low-rank adapter weights whose header can be read")
def adapters(headers: tuple[WeightsHeader, ...], specs: tuple[AdapterSpec, ...] | None) -> tuple[Adapter, ...]:
    """Put the tensors of each directory's files together; weights without any low-rank part are no adapter."""
    by_folder: dict[str, list[WeightsHeader]] = defaultdict(list)
    for each in headers:
        by_folder[each.file.folder].append(each)
    return tuple(
        adapter
        for folder, group in sorted(by_folder.items())
        if (adapter := _adapter(folder, group, _spec(folder, specs or ()))) is not None
    )


def _adapter(folder: str, group: list[WeightsHeader], spec: AdapterSpec | None) -> Adapter | None:
    parts = list(_parts(group))
    if not any(part.key.part in LOW_RANK for part in parts):
        return None
    grouped: dict[tuple[str, int], dict[str, Part]] = defaultdict(dict)
    for part in parts:
        if part.key.part in LOW_RANK or part.key.part == "alpha":
            grouped[part.key.module, part.key.depth][part.key.part] = part
    modules = tuple(Module(path, depth, place_of(path), found) for (path, depth), found in sorted(grouped.items()))
    others = tuple(part for part in parts if part.key.part in ("base", "other", "tokens"))
    return Adapter(folder, tuple(each.file for each in group), modules, others, spec)


def _parts(group: list[WeightsHeader]) -> Iterator[Part]:
    for each in group:
        for tensor in each.header.tensors:
            yield Part(key_of(tensor.name), tensor, each.file)


def _spec(folder: str, specs: tuple[AdapterSpec, ...]) -> AdapterSpec | None:
    beside = [each for each in specs if each.config and each.folder == folder]
    if beside:
        return beside[0]
    return specs[0] if len(specs) == 1 else None
