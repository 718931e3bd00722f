"""The card of a run: front matter of its README, its licence file, and the licences of what it is made from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_KEY = re.compile(r"^([A-Za-z_][\w-]*):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_LICENCE = re.compile(r"(?:LICEN[CS]E|COPYING)(?:[.-].*)?\Z", re.IGNORECASE)
_ORIGINS = ("base_model_license", "base_model_licence", "dataset_license", "dataset_licence", "model_license")
_SAYING = ("training_metadata", "dataset_manifest", "verified_summary", "model_config")


class Origin(Struct, frozen=True):
    """A licence that binds the run: who names it, where, and which."""

    path: str
    pointer: str
    licence: str


class Card(Struct, frozen=True):
    """What the run says of itself to strangers.

    Attributes:
        path: display path of the README, or of the run when there is none.
        exists: whether there is a README.
        front: top-level scalars of its front matter, or None when it has none.
        licence_file: display path of a licence file, or None.
        origins: licences of base model and dataset.
    """

    path: str
    exists: bool
    front: dict[str, str] | None
    licence_file: str | None
    origins: tuple[Origin, ...] = ()


@fact(absent="no README.md and no licence file (asked for in profile publish)")
def card(source: Source) -> Card | None:
    """Read README.md and LICENSE at the root of the run; in profile ``lint`` a run without both is not judged."""
    if source.run.layout == "tree":
        return None
    top = {file.name: file for file in source.run.files if "/" not in file.name}
    readme = top.get("README.md")
    licence = next((file.path for name, file in sorted(top.items()) if _LICENCE.match(name)), None)
    if readme is None and licence is None and source.profile == "lint":
        return None
    text = (source.text(readme) or "") if readme else ""
    match = _FRONT.match(text)
    front = {key: _bare(value) for key, value in _KEY.findall(match.group(1))} if match else None
    return Card(
        path=readme.path if readme else source.run.path,
        exists=readme is not None,
        front=front,
        licence_file=licence,
        origins=tuple(_origins(source)),
    )


def _origins(source: Source) -> Iterator[Origin]:
    for file in source.run.of(*_SAYING):
        value = source.json(file).value if file.base.endswith(".json") else None
        yield from _named(file, value)


def _named(file: RunFile, value: object) -> Iterator[Origin]:
    if isinstance(value, dict):
        for key in _ORIGINS:
            named = value.get(key)
            if isinstance(named, str) and named.strip():
                yield Origin(file.path, f"/{key}", named.strip())


def _bare(value: str) -> str:
    return value.strip().strip("'\"")
