"""The LoRA gate: an adapter's tensors are matrices, none is empty, and A and B come in pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omnicheck.facts.adapter_tensors import AdapterTensors
from omnicheck.facts.documents import ShapeCheck, TrainingMetadata
from omnicheck.model.run import RunFile

Fault = tuple[RunFile, str | None, str, Any, Any, str | None]

MATRIX = re.compile(r"lora_(?:embedding_)?([AB])(?=[./]|$)")
ANY = re.compile(r"lora", re.IGNORECASE)
SHAPE = re.compile(r"[\[(]\s*((?:\d+\s*,?\s*)*)[\])]")
FAILED = frozenset({"fail", "failed", "error", "invalid", "bad"})


def adapter_faults(
    checks: Sequence[ShapeCheck], tensors: Sequence[AdapterTensors], training: Sequence[TrainingMetadata]
) -> Iterator[Fault] | None:
    """Return what is wrong with an adapter; None when the checkpoint is no adapter, or nothing shows its tensors."""
    if no_adapter(training):
        return None
    adapters = [each for each in tensors if any(ANY.search(name) for name in each.shapes)]
    if tensors and not adapters:
        return None
    if not adapters and not checks:
        return None
    return _faults(checks, adapters)


def no_adapter(training: Sequence[TrainingMetadata]) -> bool:
    """Whether the training says that it tuned all parameters, and so made no adapter."""
    return bool(training) and all(each.record.raw("tuning_mode") == "full" for each in training)


def _faults(checks: Sequence[ShapeCheck], adapters: Sequence[AdapterTensors]) -> Iterator[Fault]:
    for each in adapters:
        for name, shape in each.shapes.items():
            if MATRIX.search(name) and len(shape) < 2:
                yield each.file, None, f"{name} is flat: its shape is {list(shape)}", "a matrix", list(shape), name
            elif 0 in shape:
                yield each.file, None, f"{name} is empty: its shape is {list(shape)}", "numbers", list(shape), name
        yield from _pairs(each.file, each.shapes, None)
    for check in checks:
        yield from _summary(check)


def _pairs(file: RunFile, names: Mapping[str, Any], pointer: str | None) -> Iterator[Fault]:
    for name in names:
        match = MATRIX.search(name)
        if match is None:
            continue
        twin = f"{name[: match.start(1)]}{'B' if match[1] == 'A' else 'A'}{name[match.end(1) :]}"
        if twin not in names:
            yield file, pointer, f"{name} has no {twin} beside it", twin, None, name


def _summary(check: ShapeCheck) -> Iterator[Fault]:
    record = check.record
    status = record.raw("status")
    if isinstance(status, str) and status.lower() in FAILED:
        yield check.file, "/status", f"the shape check says {status!r}", "pass", status, None
        return
    bad = record.count("num_bad_tensors")
    if bad:
        yield check.file, "/num_bad_tensors", f"status is {status!r} with {bad:,} bad tensors", 0, bad, None
    for key in ("num_tensors", "total_bytes", "numel", "bytes"):
        if record.raw(key) == 0:
            yield check.file, f"/{key}", f"status is {status!r} with {key} 0", "> 0", 0, None
    yield from _counted(check, status)
    shapes = record.raw("shapes")
    if isinstance(shapes, dict):
        for name, shape in shapes.items():
            if isinstance(shape, list) and MATRIX.search(name) and (len(shape) < 2 or 0 in shape):
                yield check.file, "/shapes", f"{name} is no matrix: its shape is {shape}", "a matrix", shape, name
        yield from _pairs(check.file, shapes, "/shapes")


def _counted(check: ShapeCheck, status: Any) -> Iterator[Fault]:
    counted = check.record.raw("shape_counts")
    if not isinstance(counted, dict):
        return
    for text in counted:
        dims = shape_of_text(text)
        if dims is not None and (len(dims) < 2 or 0 in dims):
            said = f"status is {status!r}, but {counted[text]} tensors have the shape {text}"
            yield check.file, "/shape_counts", said, "matrices", text, None
    total = check.record.count("num_tensors")
    summed = sum(each for each in counted.values() if type(each) is int)
    if total is not None and summed != total:
        said = f"num_tensors is {total:,}, the shapes add up to {summed:,}"
        yield check.file, "/num_tensors", said, summed, total, None


def shape_of_text(text: str) -> tuple[int, ...] | None:
    """Return the shape that a text such as ``(16, 2048)`` spells, or None."""
    match = SHAPE.fullmatch(text.strip())
    return tuple(int(each) for each in re.findall(r"\d+", match[1])) if match else None
