"""ONX: files of exported models against manifests: digests, entries that went stale, profiles that are copies."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.onnx_digests import RecordedFile, RecordedFiles
from omnicheck.facts.onnx_external import ExternalData
from omnicheck.facts.onnx_manifest import ManifestEntry, OnnxManifest, QuantisedEntry, QuantisedProfile
from omnicheck.facts.onnx_models import OnnxFile, OnnxModel
from omnicheck.facts.quantisation import DtypeCensus
from omnicheck.model.finding import Finding
from omnicheck.readers.onnx_values import Graph

_INTEGER = frozenset({"int8", "uint8", "int4", "uint4", "int2", "uint2"})
_WANTED: tuple[tuple[str, frozenset[str]], ...] = (
    ("int8", frozenset({"int8", "uint8"})),
    ("uint8", frozenset({"int8", "uint8"})),
    ("int4", _INTEGER),
    ("q4", _INTEGER),
    ("fp16", frozenset({"float16"})),
    ("float16", frozenset({"float16"})),
    ("bf16", frozenset({"bfloat16"})),
)
"""Element types of which a profile of that name holds some."""


@check("onnx_files.manifest_digest")
def manifest_digest(recorded: tuple[RecordedFiles, ...]) -> Iterator[Finding]:
    """Yield a finding for each file that is not the recorded one, and for each sidecar without a digest."""
    for each in recorded:
        for file in each.files:
            yield from _differing(file)
        for path, pointer, location in each.unrecorded:
            yield Finding(
                path=each.by.path,
                pointer=pointer,
                message=f"records no SHA-256 of {location}: weights of {path} can be exchanged unseen",
                expected="path, sha256 and size of every external file",
                actual=location,
                variant="unhashed",
                key=f"{path}:{location}",
            )


def _differing(file: RecordedFile) -> Iterator[Finding]:
    if file.file is None:
        return  # stale entries are another rule's
    what = f"{file.path}, which holds weights," if file.sidecar else f"the model {file.path}"
    if file.size is not None and file.size != file.file.size:
        message = f"{what} has {file.file.size:,} bytes, {file.size:,} are recorded"
        expected: object = file.size
        actual: object = file.file.size
    elif file.sha256 is not None and file.actual is not None and file.actual != file.sha256.lower():
        message = f"{what} has another SHA-256 than recorded"
        expected, actual = file.sha256, file.actual
    else:
        return
    yield Finding(
        path=file.by.path, pointer=file.pointer, message=message, expected=expected, actual=actual, key=file.path
    )


@check("onnx_files.stale_manifest")
def stale_manifest(
    manifests: tuple[OnnxManifest, ...], files: tuple[OnnxFile, ...], data: tuple[ExternalData, ...] | None
) -> Iterator[Finding]:
    """Yield a finding for each entry without a file, for each model without an entry, and for flags that are untrue."""
    present = {each.file.name: each for each in files}
    external = {each.file.name for each in data or ()}
    for manifest in manifests:
        listings: tuple[ManifestEntry | QuantisedEntry, ...] = (*manifest.entries, *manifest.quantised)
        known = {entry.name for entry in listings}
        for entry in listings:
            if entry.name is not None and entry.name not in present:
                yield Finding(
                    path=manifest.file.path,
                    pointer=entry.pointer,
                    message=f"lists {entry.path}, and there is no such file",
                    actual=entry.path,
                    key=entry.path,
                )
        folder = f"{manifest.file.folder}/" if manifest.file.folder else ""
        unlisted = sorted(name for name in present if name.startswith(folder) and name not in known)
        if unlisted and not manifest.issues:
            more = f" and {len(unlisted) - 1} more" if len(unlisted) > 1 else ""
            yield Finding(
                path=manifest.file.path,
                message=f"does not list the model {unlisted[0].removeprefix(folder)}{more}",
                actual=unlisted,
                key="unlisted",
            )
        for listed in manifest.entries:
            onnx = present.get(listed.name or "")
            if onnx is not None and onnx.model is not None:
                yield from _untrue(manifest, listed, onnx.model.graph, outside=listed.name in external)


def _untrue(manifest: OnnxManifest, listed: ManifestEntry, graph: Graph, *, outside: bool) -> Iterator[Finding]:
    """Yield what an entry says of a graph and is not so."""
    sides = (("inputs", listed.inputs, graph.feeds()), ("outputs", listed.outputs, graph.outputs))
    for side, said, ports in sides:
        names = [port.name for port in ports]
        if said is not None and list(said) != names:
            yield Finding(
                path=manifest.file.path,
                pointer=f"{listed.pointer}/{side}",
                message=f"lists other {side} of {listed.path} than the graph has",
                expected=names,
                actual=list(said),
                key=f"{listed.path}:{side}",
            )
    if listed.external is not None and listed.external != outside:
        held = "refers to external data" if outside else "has no external data"
        yield Finding(
            path=manifest.file.path,
            pointer=f"{listed.pointer}/external_data",
            message=f"says external_data {str(listed.external).lower()}, but {listed.path} {held}",
            expected=outside,
            actual=listed.external,
            key=f"{listed.path}:external_data",
        )


class QuantisedCopy(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters.

    Attributes:
        minimum_elements: weights below this many elements tell nothing of a profile.
    """

    minimum_elements: int = 64


@check("onnx_files.quantised_copy")
def quantised_copy(
    profiles: tuple[QuantisedProfile, ...],
    models: tuple[OnnxModel, ...] | None,
    census: tuple[DtypeCensus, ...] | None,
    params: QuantisedCopy,
) -> Iterator[Finding]:
    """Yield a finding for each model of a quantised profile that was not quantised."""
    del models
    counts = {each.file.name: each for each in census or ()}
    for profile in profiles:
        for entry in profile.entries:
            found = counts.get(entry.name or "")
            reason = ""
            if entry.converted is False:
                reason = "is recorded as not converted" + (f" ({entry.note})" if entry.note else "")
            elif entry.source_sha256 and entry.source_sha256 == entry.output_sha256:
                reason = "has the SHA-256 of its source"
            elif found is not None and found.elements >= params.minimum_elements:
                wanted = next((kinds for name, kinds in _WANTED if name in entry.profile.lower()), None)
                if wanted is not None and not wanted & found.dtypes.keys():
                    held = ", ".join(f"{count:,} {dtype}" for dtype, count in sorted(found.dtypes.items()))
                    reason = f"holds no {' or '.join(sorted(wanted))} weights, but {held} elements"
            if reason:
                yield Finding(
                    path=profile.file.path,
                    pointer=entry.pointer,
                    message=f"{entry.path} stands in the profile {entry.profile}, but {reason}",
                    expected=entry.profile,
                    actual=reason,
                    key=entry.path,
                )
