"""Which checkpoint was trained, and which one was evaluated or checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from omnicheck.facts.documents import Metrics, ShapeCheck, TrainingMetadata
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

GENERIC = re.compile(
    r"(?:\.|adapter(?:_lora|_model)?|lora|checkpoints?|best|latest|last|final|weights|model"
    r"|(?:checkpoint|global_step|step|epoch)[-_]?\d+|[^/]+\.(?:safetensors|pt|pth|bin|ckpt))",
    re.IGNORECASE,
)
"""Names at the end of a path that tell no training from another: a step belongs to the training above it."""

PLACEHOLDER = re.compile(r"<[^<>]*>|\$\{?\w+\}?")


class CheckpointUse(Struct, frozen=True):
    """A checkpoint that was evaluated or checked, beside those that were trained.

    Attributes:
        file: where the use stands.
        pointer: JSON pointer in that file.
        use: what was done with it.
        used: path as stated; None when the file says that no adapter was loaded.
        trained: paths of the training, as stated.
        training: the file that states them.
    """

    file: RunFile
    pointer: str
    use: Literal["evaluated", "checked"]
    used: str | None
    trained: tuple[str, ...]
    training: RunFile


@fact(absent="no evaluated checkpoint is named beside a trained one")
def checkpoint_uses(
    training: tuple[TrainingMetadata, ...],
    metrics: tuple[Metrics, ...] | None,
    checks: tuple[ShapeCheck, ...] | None,
) -> tuple[CheckpointUse, ...]:
    """Set each evaluated or checked checkpoint beside the trained ones."""
    trained = [path for each in training for path in _trained(each.record)]
    if not trained:
        return ()
    bare = len(metrics or ()) == 1 and all(_trains_adapter(each.record) for each in training)
    found = []
    for each in metrics or ():
        for name in ("adapter", "checkpoint"):
            used = each.record.raw(name)
            if (each.record.key(name) or "").endswith("_id"):
                continue  # an id in a registry says nothing about a directory
            # A null adapter says that the base model was evaluated; only an adapter's training is missed by that.
            if isinstance(used, str) or (used is None and name == "adapter" and each.record.has(name) and bare):
                pointer = each.record.pointer(name)
                found.append(CheckpointUse(each.file, pointer, "evaluated", used, tuple(trained), training[0].file))
    for check in checks or ():
        used = check.record.raw("adapter_file")
        if isinstance(used, str):
            folder = used.replace("\\", "/").rpartition("/")[0]
            pointer = check.record.pointer("adapter_file")
            found.append(CheckpointUse(check.file, pointer, "checked", folder, tuple(trained), training[0].file))
    return tuple(found)


def _trained(record: Record) -> Iterator[str]:
    for name in ("checkpoint", "adapter"):
        stated = record.raw(name)
        if isinstance(stated, str) and parts_of(stated):
            yield stated


def _trains_adapter(record: Record) -> bool:
    if (
        record.raw("weights_updated") is False
        or record.raw("save_mode") == "none"
        or record.raw("tuning_mode") == "full"
    ):
        return False
    return isinstance(record.raw("lora"), dict) or record.raw("lora_rank") is not None


def same_checkpoint(one: str, other: str) -> bool:
    """Whether two paths name the same checkpoint, as far as they tell.

    Placeholders and directories above are ignored, and so are generic names at the end (``adapter_lora``). They are
    the same when the last telling name of one occurs in the other: what lies below a trained directory belongs to it.
    Paths without any telling name cannot differ.
    """
    first, second = parts_of(one), parts_of(other)
    if not first or not second:
        return True
    return first[-1] in second or second[-1] in first


def parts_of(path: str) -> list[str]:
    """Return the parts of a checkpoint's path down to the last telling one; empty when none is."""
    parts = [part for part in PLACEHOLDER.sub("", path).replace("\\", "/").split("/") if part]
    while parts and GENERIC.fullmatch(parts[-1]):
        parts.pop()
    return parts
