"""Manifests of exported models: which files there are, with digests, and which profile they claim to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.contracts.io_form import SidecarForm
from omnicheck.contracts.issue import Issue, mapping, pointer_of, shown
from omnicheck.facts.onnx_models import beside
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class ManifestEntry(Struct, frozen=True):
    """A model as a manifest records it.

    Attributes:
        pointer: JSON pointer of the entry.
        path: as written.
        name: in the run; None when the path leads out of it.
        sha256: digest of the model file, as written.
        size: bytes.
        sidecars: files of its external data; None when the manifest says nothing of them.
        external: the flag ``external_data``.
        inputs: names, or None.
        outputs: names, or None.
    """

    pointer: str
    path: str
    name: str | None
    sha256: str | None
    size: int | None
    sidecars: tuple[SidecarForm, ...] | None
    external: bool | None
    inputs: tuple[str, ...] | None
    outputs: tuple[str, ...] | None


class QuantisedEntry(Struct, frozen=True):
    """A model of a quantised profile.

    Attributes:
        pointer: JSON pointer of the entry.
        path: as written.
        name: in the run, or None.
        profile: such as ``int8_static``.
        converted: the flag.
        source_sha256: digest of what was converted.
        output_sha256: digest of what came out.
        output_size: bytes of what came out.
        note: why it was not converted.
    """

    pointer: str
    path: str
    name: str | None
    profile: str
    converted: bool | None
    source_sha256: str | None
    output_sha256: str | None
    output_size: int | None
    note: str


class OnnxManifest(Struct, frozen=True):
    """A manifest.

    Attributes:
        file: the file.
        entries: models with their digests.
        quantised: models of a quantised profile.
        issues: what is wrong with its form.
    """

    file: RunFile
    entries: tuple[ManifestEntry, ...]
    quantised: tuple[QuantisedEntry, ...]
    issues: tuple[Issue, ...]


class QuantisedProfile(Struct, frozen=True):
    """The quantised models of one manifest."""

    file: RunFile
    entries: tuple[QuantisedEntry, ...]


@fact(absent="no manifest of ONNX models")
def onnx_manifests(source: Source) -> tuple[OnnxManifest, ...]:
    """Read every manifest that speaks of ONNX models; other files of that name are left alone."""
    found = []
    for file in source.run.of("onnx_manifest"):
        value = source.json(file).value
        if isinstance(value, dict) and _is_ours(value):
            issues: list[Issue] = []
            profiles = [(value, "", file.folder)]
            for name, each in mapping(value.get("profiles")).items():
                inner = mapping(mapping(each).get("manifest")) or mapping(each)
                at = pointer_of(("profiles", name, *(("manifest",) if "manifest" in mapping(each) else ())))
                folder = beside(file.folder, name) or ""
                profiles.append(({"profile": name, **inner}, at, folder))
            entries = tuple(_entries(value, file.folder, issues))
            quantised = tuple(entry for part, at, folder in profiles for entry in _quantised(part, at, folder, issues))
            found.append(OnnxManifest(file, entries, quantised, tuple(issues)))
    return tuple(found)


@fact(absent="no manifest of a quantised profile")
def quantised_profiles(manifests: tuple[OnnxManifest, ...]) -> tuple[QuantisedProfile, ...]:
    """Return the manifests that record a quantisation."""
    return tuple(QuantisedProfile(each.file, each.quantised) for each in manifests if each.quantised)


def _is_ours(value: dict[str, Any]) -> bool:
    models = value.get("models")
    if isinstance(models, list):
        return "profile" in value or any("model_relpath" in mapping(each) for each in models)
    if isinstance(value.get("profiles"), dict):
        return "source_dir" in value
    groups = [each for each in mapping(models).values() if isinstance(each, dict)]
    return any(str(name).endswith(".onnx") for group in groups for name in group)


def _entries(value: dict[str, Any], folder: str, issues: list[Issue]) -> Iterator[ManifestEntry]:
    for group, members in mapping(value.get("models")).items():
        for key, each in mapping(members).items():
            at = pointer_of(("models", group, key))
            if not isinstance(each, dict):
                issues.append(Issue("ONX101", at, f"the entry of {key} is {shown(each)}, not an object"))
                continue
            path = _typed(each, "path", str, at, issues) or key
            yield ManifestEntry(
                pointer=at,
                path=path,
                name=beside(folder, path),
                sha256=_typed(each, "sha256", str, at, issues),
                size=_typed(each, "size_bytes", int, at, issues),
                sidecars=_sidecars(each, at, issues),
                external=_typed(each, "external_data", bool, at, issues),
                inputs=_names(each.get("inputs")),
                outputs=_names(each.get("outputs")),
            )


def _sidecars(entry: dict[str, Any], at: str, issues: list[Issue]) -> tuple[SidecarForm, ...] | None:
    listed = entry.get("external_files")
    if listed is None:
        return None
    if not isinstance(listed, list):
        issues.append(Issue("ONX101", f"{at}/external_files", f"`external_files` is {shown(listed)}, not a list"))
        return None
    found = []
    for i, each in enumerate(listed):
        if isinstance(each, str):
            found.append(SidecarForm(each))
        elif isinstance(each, dict) and isinstance(each.get("path"), str):
            here = f"{at}/external_files/{i}"
            size = _typed(each, "size", int, here, issues)
            found.append(SidecarForm(each["path"], _typed(each, "sha256", str, here, issues), size))
        else:
            issues.append(Issue("ONX101", f"{at}/external_files/{i}", f"{shown(each)} names no file"))
    return tuple(found)


def _quantised(value: dict[str, Any], at: str, folder: str, issues: list[Issue]) -> Iterator[QuantisedEntry]:
    listed = value.get("models")
    for i, each in enumerate(listed if isinstance(listed, list) else ()):
        here = f"{at}/models/{i}"
        path = _typed(mapping(each), "model_relpath", str, here, issues)
        if path is None:
            issues.append(Issue("ONX101", here, "the entry names no `model_relpath`", "a path", None))
            continue
        yield QuantisedEntry(
            pointer=here,
            path=path,
            name=beside(folder, path),
            profile=str(each.get("profile") or value.get("profile") or ""),
            converted=_typed(each, "converted", bool, here, issues),
            source_sha256=_typed(each, "source_sha256", str, here, issues),
            output_sha256=_typed(each, "output_sha256", str, here, issues),
            output_size=_typed(each, "output_bytes", int, here, issues),
            note=str(each.get("note") or ""),
        )


def _typed(value: dict[str, Any], key: str, wanted: type, at: str, issues: list[Issue]) -> Any:
    found = value.get(key)
    if found is None or type(found) is wanted:
        return found
    words = {str: "a text", int: "a whole number", bool: "true or false"}[wanted]
    issues.append(Issue("ONX101", f"{at}/{key}", f"`{key}` is {shown(found)}, not {words}", words, None))
    return None


def _names(value: Any) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else None
