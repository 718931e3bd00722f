"""What the keys of an adapter's tensors mean: PEFT, diffusers, torchtune and kohya layouts in one canonical form.

A key is a module's path and a part of its update: ``A`` (rank by inputs) and ``B`` (outputs by rank) of a low-rank
update, the magnitude vector of DoRA (https://arxiv.org/abs/2402.09353), a bias, a scalar alpha. What is none of these
is a whole tensor that a loader would put in the place of the base model's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

PREFIX = "base_model.model."


class Place(Struct, frozen=True):
    """Where a module sits in its model.

    Attributes:
        tower: path before the layer's number, such as ``model.audio_tower``; the whole path without one.
        layer: number of the layer, or None.
        kind: path after the number, with the numbers of experts as ``*``.
    """

    tower: str
    layer: int | None
    kind: str


class Key(Struct, frozen=True):
    """What one key means.

    Attributes:
        name: the key as it stands.
        module: path of the module in the base model.
        part: ``A``, ``B``, ``embedding_A``, ``embedding_B``, ``magnitude``, ``bias``, ``alpha``, ``tokens``
            (trainable token vectors), ``base`` (weights of an adapted module) or ``other`` (any whole tensor).
        layout: ``peft``, ``kohya`` or ``torchtune``; diffusers writes PEFT's parts without its prefix.
        adapter: an adapter's name that was left in the key, or None.
        depth: how many parameters of the module are wrapped below this one (fused experts).
    """

    name: str
    module: str
    part: str
    layout: str = "peft"
    adapter: str | None = None
    depth: int = 0


_PEFT = re.compile(
    r"(?P<module>.+)\.lora_(?:(?P<ab>[AB])|embedding_(?P<embedding>[AB])|(?P<magnitude>magnitude_vector))"
    r"(?:\.(?P<adapter>(?!weight$|bias$)[^.]+))?(?:\.(?P<leaf>weight|bias))?",
    re.DOTALL,
)
_TUNE = re.compile(r"(?P<module>.+)\.lora_(?P<ab>[ab])\.(?P<leaf>weight)")
_KOHYA = re.compile(
    r"(?P<module>.+?)(?:\.lora_(?P<way>down|up)\.weight|[._]lora\.(?P<old>down|up)\.weight"
    r"|\.(?P<scalar>alpha)|\.(?P<dora>dora_scale))"
)
_TOKENS = re.compile(r"(?P<module>.+?)\.(?:token_adapter\.)?trainable_tokens_delta(?:\.[^.]+)?")
_BASE = re.compile(r"(?P<module>.+?)(?P<nested>(?:\.base_layer)+)\.(?:weight|bias)")
_SAVED = re.compile(r"(?P<module>.+)\.modules_to_save(?:\.[^.]+)?\.(?:weight|bias)")
_NUMBER = re.compile(r"(?:^|\.)(\d+)(?=\.|$)")
_EXPERT = re.compile(r"(?<=experts\.)\d+(?=\.|$)")


def key_of(name: str) -> Key:
    """Return what a key means; every string means something."""
    bare = name.removeprefix(PREFIX)
    for pattern, read in _READERS:
        match = pattern.fullmatch(bare)
        if match is not None:
            return read(name, match)
    return Key(name, re.sub(r"\.(?:weight|bias)$", "", bare), "other")


def place_of(module: str) -> Place:
    """Return where a module sits: the first number of its path is its layer's, those after ``experts`` are experts'."""
    numbers = [match for match in _NUMBER.finditer(module) if not _EXPERT.match(module, match.start(1))]
    if not numbers:
        return Place(module.rpartition(".")[0], None, module.rpartition(".")[2])
    first = numbers[0]
    kind = _EXPERT.sub("*", module)[first.end(1) :].lstrip(".") if first.end(1) < len(module) else ""
    return Place(module[: first.start(1)].rstrip("."), int(first[1]), kind)


def layouts_of(keys: Iterable[Key]) -> tuple[str, ...]:
    """Return the layouts that occur among low-rank parts, sorted."""
    return tuple(sorted({key.layout for key in keys if key.part != "other"}))


def _peft(name: str, match: re.Match[str]) -> Key:
    module, depth = match["module"], 0
    while module.endswith(".base_layer"):
        module, depth = module.removesuffix(".base_layer"), depth + 1
    if match["magnitude"]:
        part = "magnitude"
    elif match["embedding"]:
        part = f"embedding_{match['embedding']}"
    else:
        part = "bias" if match["leaf"] == "bias" else match["ab"]
    return Key(name, module, part, adapter=match["adapter"], depth=depth)


def _torchtune(name: str, match: re.Match[str]) -> Key:
    return Key(name, match["module"], match["ab"].upper(), "torchtune")


def _kohya(name: str, match: re.Match[str]) -> Key:
    way = match["way"] or match["old"]
    part = {"down": "A", "up": "B"}[way] if way else "alpha" if match["scalar"] else "magnitude"
    return Key(name, match["module"], part, "kohya")


def _tokens(name: str, match: re.Match[str]) -> Key:
    return Key(name, match["module"], "tokens")


def _base(name: str, match: re.Match[str]) -> Key:
    return Key(name, match["module"], "base", depth=match["nested"].count("base_layer"))


def _saved(name: str, match: re.Match[str]) -> Key:
    return Key(name, match["module"], "other", adapter="modules_to_save")


_READERS = (
    (_PEFT, _peft),
    (_TUNE, _torchtune),
    (_KOHYA, _kohya),
    (_TOKENS, _tokens),
    (_SAVED, _saved),
    (_BASE, _base),
)
