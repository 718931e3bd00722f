"""Which layers and modules an adapter covers, and whether that is what was declared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from omnicheck.facts.adapter import Adapter
from omnicheck.facts.adapter_spec import AdapterSpec
from omnicheck.facts.documents import ShapeCheck
from omnicheck.facts.gate_adapter import shape_of_text
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

ATTENTION = frozenset({"q_proj", "k_proj", "v_proj", "o_proj"})
FEED_FORWARD = frozenset({"gate_proj", "up_proj", "down_proj"})


class TowerCoverage(Struct, frozen=True):
    """The adapted modules of one tower.

    Attributes:
        tower: path before the layers' numbers.
        layers: every layer that has an adapted module.
        kinds: kind of module to the layers in which it is adapted; None for modules outside of layers.
    """

    tower: str
    layers: tuple[int, ...]
    kinds: dict[str, tuple[int, ...] | None]

    def gaps(self) -> dict[str, tuple[int, ...]]:
        """Return kind to the layers in which it is missing although the tower has them."""
        return {
            kind: missing
            for kind, layers in self.kinds.items()
            if layers is not None and (missing := tuple(sorted(set(self.layers) - set(layers))))
        }


class AdapterCoverage(Struct, frozen=True):
    """What an adapter covers of what was declared.

    Attributes:
        file: where the targets are declared.
        pointer: JSON pointer of the declaration.
        weights: a file of the weights, or the summary that stands for them.
        summary: whether only a summary of shapes was there.
        declared: the declared names, or the expression.
        untouched: declared names without any tensor.
        undeclared: adapted modules that no target means.
        towers: the coverage by tower; empty for a summary.
    """

    file: RunFile
    pointer: str
    weights: RunFile
    summary: bool
    declared: tuple[str, ...]
    untouched: tuple[str, ...]
    undeclared: tuple[str, ...]
    towers: tuple[TowerCoverage, ...] = ()


@fact(absent="no adapter weights, or shape summary, beside declared target modules")
def adapter_coverage(
    adapters: tuple[Adapter, ...] | None,
    specs: tuple[AdapterSpec, ...] | None,
    summaries: tuple[ShapeCheck, ...] | None,
) -> tuple[AdapterCoverage, ...]:
    """Compare tensors with targets; where there are none, the summary of their shapes."""
    found = [_of_tensors(each, each.spec) for each in adapters or () if each.spec is not None and each.spec.targets]
    if not adapters:
        found += [
            coverage
            for spec in specs or ()
            for summary in summaries or ()
            if (coverage := _of_summary(spec, summary)) is not None
        ]
    return tuple(found)


def towers_of(adapter: Adapter) -> tuple[TowerCoverage, ...]:
    """Return the coverage matrix of an adapter: tower, layer, module."""
    layers: dict[str, set[int]] = defaultdict(set)
    kinds: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for module in adapter.modules:
        place = module.place
        found = kinds[place.tower][place.kind]
        if place.layer is not None:
            layers[place.tower].add(place.layer)
            found.add(place.layer)
    return tuple(
        TowerCoverage(
            tower,
            tuple(sorted(layers[tower])),
            {kind: tuple(sorted(found)) or None for kind, found in sorted(of_tower.items())},
        )
        for tower, of_tower in sorted(kinds.items())
    )


def _of_tensors(adapter: Adapter, spec: AdapterSpec) -> AdapterCoverage:
    means = {module.path: spec.means(module.path, module.place.layer) for module in adapter.modules}
    names = spec.targets if isinstance(spec.targets, tuple) else ()
    untouched = tuple(name for name in names if not any(path == name or path.endswith(f".{name}") for path in means))
    return AdapterCoverage(
        spec.file,
        f"{spec.at}/target_modules",
        adapter.files[0],
        summary=False,
        declared=names or (str(spec.targets),),
        untouched=untouched,
        undeclared=tuple(path for path, meant in means.items() if meant is False),
        towers=towers_of(adapter),
    )


def _of_summary(spec: AdapterSpec, summary: ShapeCheck) -> AdapterCoverage | None:
    """Tell which declared modules a summary rules out; None where it says too little.

    The shapes of a layer's matrices tell which modules are there: attention is explained by inputs H and Q, outputs
    Q, K and H. Where attention alone explains every counted matrix, nothing is left for the feed-forward modules.
    """
    counted, rank = summary.record.raw("shape_counts"), spec.r
    if not isinstance(counted, dict) or rank is None or not isinstance(spec.targets, tuple):
        return None
    declared = set(spec.targets)
    if not declared >= ATTENTION or declared - ATTENTION - FEED_FORWARD:
        return None
    inputs, outputs = _sides(counted, rank)
    if inputs is None or outputs is None or not _attention_explains(inputs, outputs):
        return None
    return AdapterCoverage(
        spec.file,
        f"{spec.at}/target_modules",
        summary.file,
        summary=True,
        declared=spec.targets,
        untouched=tuple(name for name in spec.targets if name in FEED_FORWARD),
        undeclared=(),
    )


def _sides(counted: Mapping[str, object], rank: int) -> tuple[Counter[int] | None, Counter[int] | None]:
    inputs: Counter[int] = Counter()
    outputs: Counter[int] = Counter()
    for text, count in counted.items():
        dims = shape_of_text(text)
        if dims is None or len(dims) != 2 or type(count) is not int or rank not in dims or dims == (rank, rank):
            return None, None
        (inputs if dims[0] == rank else outputs)[dims[1] if dims[0] == rank else dims[0]] += count
    return inputs, outputs


def _attention_explains(inputs: Counter[int], outputs: Counter[int]) -> bool:
    """Whether towers of attention alone (q, k, v and perhaps o) use up every counted matrix."""
    if sum(inputs.values()) != sum(outputs.values()):
        return False
    return any(_used_up(Counter(inputs), Counter(outputs), towers) for towers in _towers(inputs, outputs))


def _towers(inputs: Counter[int], outputs: Counter[int]) -> Iterator[Sequence[tuple[int, int, int]]]:
    """Yield candidates (hidden size, size of q, size of k and v) of one tower with o, alone or beside one without."""
    sizes = sorted(set(inputs) | set(outputs))
    single = [(h, q, k) for h in sizes for q in sizes for k in sizes]
    for first in single:
        yield (first,)
    for first in single:
        for size in sizes:
            yield (first, (size, 0, 0))


def _used_up(inputs: Counter[int], outputs: Counter[int], towers: Sequence[tuple[int, int, int]]) -> bool:
    for hidden, query, key in towers:
        if not query:  # a tower whose q, k and v are square and whose output has another name
            layers, rest = divmod(inputs[hidden], 3)
            if rest or outputs[hidden] != 3 * layers or not layers:
                return False
            inputs[hidden] -= 3 * layers
            outputs[hidden] -= 3 * layers
            continue
        layers = inputs[query] if query != hidden else inputs[query] // 4
        inputs.subtract({hidden: 3 * layers})
        inputs.subtract({query: layers})
        outputs.subtract({query: layers})
        outputs.subtract({key: 2 * layers})
        outputs.subtract({hidden: layers})
        if not layers or min(inputs.values()) < 0 or min(outputs.values()) < 0:
            return False
    return not any(inputs.values()) and not any(outputs.values())
