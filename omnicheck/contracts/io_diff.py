"""What changed between two I/O contracts, and whether a host that was built for the first breaks with the second."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.contracts.io_form import IoForm, ModelForm, PortForm
from omnicheck.readers.onnx_values import Dimension


class Change(Struct, frozen=True):
    """One difference.

    Attributes:
        breaks: whether a host that was built for the first contract fails, or errs, with the second.
        where: model, and input or output.
        message: what was and what is.
    """

    breaks: bool
    where: str
    message: str


def changes(old: IoForm, new: IoForm) -> Iterator[Change]:
    """Yield the differences from ``old`` to ``new``, model by model."""
    before, after = ({model.name: model for model in form.models} for form in (old, new))
    for name in before.keys() - after.keys():
        yield Change(breaks=True, where=name, message="the model is gone")
    for name in before:
        if name in after:
            yield from _model(name, before[name], after[name])
    for name in after:
        if name not in before:
            yield Change(breaks=False, where=name, message="a new model")
    yield from _value("num_layers", old.num_layers, new.num_layers)
    yield from _value("variant", old.variant, new.variant)
    yield from _edges(old, new)
    if old.pairs != new.pairs and old.version == new.version:
        yield Change(breaks=True, where="cache_pairs", message=f"{_pairs(old)} became {_pairs(new)}")


def _model(name: str, old: ModelForm, new: ModelForm) -> Iterator[Change]:
    if old.path != new.path:
        yield Change(breaks=False, where=name, message=f"the path {old.path} became {new.path}")
    yield from _side(name, "input", old.inputs, new.inputs)
    yield from _side(name, "output", old.outputs, new.outputs)
    for domain in sorted(old.opset.keys() | new.opset.keys()):
        was, now = old.opset.get(domain), new.opset.get(domain)
        if was != now and old.opset and new.opset:
            # A runtime that knew the old version need not know a later one, nor a domain that was not used.
            breaks = now is not None and (was is None or now > was)
            shown = domain or "ai.onnx"
            yield Change(breaks=breaks, where=name, message=f"opset {shown} {_shown(was)} became {_shown(now)}")
    for key in ("mode", "modes", "layers", "window", "dtype"):
        was, now = getattr(old.cache, key), getattr(new.cache, key)
        if was != now and was not in (None, {}):
            yield Change(breaks=True, where=name, message=f"the cache's {key} {_shown(was)} became {_shown(now)}")
    if old.sha256 and new.sha256 and (old.sha256 != new.sha256 or old.sidecars != new.sidecars):
        yield Change(breaks=False, where=name, message="other weights or another graph (the digest changed)")


def _side(
    model: str, side: str, old: tuple[PortForm, ...] | None, new: tuple[PortForm, ...] | None
) -> Iterator[Change]:
    if old is None or new is None:
        return
    before, after = ({port.name: port for port in ports} for ports in (old, new))
    for name in before:
        if name not in after:
            what = "hosts feed it in vain" if side == "input" else "hosts ask for it in vain"
            yield Change(breaks=True, where=f"{model}:{name}", message=f"the {side} is gone; {what}")
    names = [port.name for port in new]
    for name, port in after.items():
        if name not in before:
            last = all(other not in before for other in names[names.index(name) :])
            breaks = port.required or not last if side == "input" else not last
            how = "hosts do not feed it" if side == "input" else "at the end" if last else "others move"
            yield Change(breaks=breaks, where=f"{model}:{name}", message=f"a new {side}; {how}")
    was, now = [name for name in before if name in after], [name for name in after if name in before]
    if was != now:
        at = next(i for i, (left, right) in enumerate(zip(was, now, strict=True)) if left != right)
        text = f"the {side}s changed their order: {was[at]} was before {now[at]}"
        yield Change(breaks=True, where=model, message=text)
    for name in was:
        for breaks, message in _port(side, before[name], after[name]):
            yield Change(breaks=breaks, where=f"{model}:{name}", message=message)


def _port(side: str, old: PortForm, new: PortForm) -> Iterator[tuple[bool, str]]:
    if old.dtype != new.dtype and old.dtype is not None:
        yield True, f"{old.dtype} became {_shown(new.dtype)}"
    if old.kind != new.kind:
        yield True, f"a {old.kind} became a {new.kind}"
    if old.shape is None or new.shape is None or old.shape == new.shape:
        return
    text = f"{_sizes(old.shape)} became {_sizes(new.shape)}"
    if len(old.shape) != len(new.shape):
        yield True, text
        return
    yield any(_narrows(side, left, right) for left, right in zip(old.shape, new.shape, strict=True)), text


def _narrows(side: str, old: Dimension, new: Dimension) -> bool:
    """Whether a size that a host relied on is no longer good: inputs may get freer, outputs may get tighter."""
    if isinstance(old, int) and isinstance(new, int):
        return old != new
    if isinstance(old, int):
        return side == "output"
    return isinstance(new, int) and side == "input"


def _edges(old: IoForm, new: IoForm) -> Iterator[Change]:
    before = {(edge.source, edge.target): edge.host_cast for edge in old.edges}
    after = {(edge.source, edge.target): edge.host_cast for edge in new.edges}
    for (source, target), cast in after.items():
        where = f"{':'.join(source)} to {':'.join(target)}"
        if (source, target) not in before:
            if old.version == new.version:
                yield Change(breaks=True, where=where, message="a new edge, which hosts do not serve")
        elif before[source, target] != cast:
            was = before[source, target]
            yield Change(breaks=True, where=where, message=f"host_cast {_shown(was)} became {_shown(cast)}")
    for source, target in before.keys() - after.keys():
        yield Change(breaks=False, where=f"{':'.join(source)} to {':'.join(target)}", message="the edge is gone")


def _value(name: str, old: object, new: object) -> Iterator[Change]:
    if old != new and old is not None:
        yield Change(breaks=True, where=name, message=f"{_shown(old)} became {_shown(new)}")


def _pairs(form: IoForm) -> str:
    return ", ".join(f"{prefill} with {decode}" for prefill, decode in form.pairs) or "none"


def _sizes(shape: tuple[Dimension, ...]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
