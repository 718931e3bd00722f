"""Stored summaries of adapter tensors, for runs that do not hold the tensors themselves."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.adapter import Adapter
from omnicheck.facts.adapter_spec import AdapterSpec
from omnicheck.facts.documents import ShapeCheck
from omnicheck.facts.gate_adapter import shape_of_text
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile


class SummaryShape(Struct, frozen=True):
    """One entry of a summary: the name of a tensor or the text of a shape, its dimensions, how many, and where."""

    name: str
    dims: tuple[int, ...]
    count: int
    pointer: str


class AdapterSummary(Struct, frozen=True):
    """A summary of shapes, and what is declared of the adapter that it is about.

    Attributes:
        file: the summary.
        shapes: its entries.
        spec: the declaration, or None.
    """

    file: RunFile
    shapes: tuple[SummaryShape, ...]
    spec: AdapterSpec | None


@fact(absent="no summary of shapes of an adapter whose tensors are elsewhere")
def adapter_summaries(
    checks: tuple[ShapeCheck, ...], adapters: tuple[Adapter, ...] | None, specs: tuple[AdapterSpec, ...] | None
) -> tuple[AdapterSummary, ...]:
    """Read the shapes of every summary; nothing where the tensors are there to be judged themselves."""
    if adapters:
        return ()
    spec = specs[0] if specs and len(specs) == 1 else None
    found = [AdapterSummary(each.file, _shapes(each), spec) for each in checks]
    return tuple(each for each in found if each.shapes)


def _shapes(check: ShapeCheck) -> tuple[SummaryShape, ...]:
    named, counted = check.record.raw("shapes"), check.record.raw("shape_counts")
    found: list[SummaryShape] = []
    if isinstance(named, dict):
        for name, dims in named.items():
            if isinstance(dims, list) and all(type(each) is int for each in dims):
                found.append(SummaryShape(name, tuple(dims), 1, "/shapes"))
    if isinstance(counted, dict):
        for text, count in counted.items():
            shape = shape_of_text(text)
            if shape is not None and type(count) is int:
                found.append(SummaryShape(text, shape, count, "/shape_counts"))
    return tuple(found)


class ShownAdapters(Struct, frozen=True):
    """Adapters by their tensors, and those that only a summary shows."""

    adapters: tuple[Adapter, ...]
    summaries: tuple[AdapterSummary, ...]


class DeclaredAdapters(Struct, frozen=True):
    """Those of them whose rank is declared."""

    adapters: tuple[Adapter, ...]
    summaries: tuple[AdapterSummary, ...]


@fact(absent="no low-rank adapter weights whose header can be read, and no summary of their shapes")
def shown_adapters(
    adapters: tuple[Adapter, ...] | None, summaries: tuple[AdapterSummary, ...] | None
) -> ShownAdapters | None:
    """Put both together."""
    return ShownAdapters(adapters or (), summaries or ()) if adapters or summaries else None


@fact(absent="no adapter, or summary of its shapes, whose rank is declared")
def declared_adapters(shown: ShownAdapters) -> DeclaredAdapters | None:
    """Keep those with a declaration."""
    adapters = tuple(each for each in shown.adapters if each.spec is not None)
    summaries = tuple(each for each in shown.summaries if each.spec is not None and each.spec.r is not None)
    return DeclaredAdapters(adapters, summaries) if adapters or summaries else None
