"""Digests and sizes that contracts and manifests record of model files, beside those of the files."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.contracts.io_form import SidecarForm
from omnicheck.facts.io_contracts import IoContract
from omnicheck.facts.onnx_external import ExternalData
from omnicheck.facts.onnx_manifest import OnnxManifest
from omnicheck.facts.onnx_models import beside
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile


class RecordedFile(Struct, frozen=True):
    """A file, as recorded and as it is.

    Attributes:
        by: the contract or manifest.
        pointer: JSON pointer of the record.
        path: as written.
        file: the file in the run, or None when it is not there.
        sha256: recorded digest.
        size: recorded bytes.
        actual: the file's digest; None when none is recorded, or its size differs already.
        sidecar: whether it holds external data.
        model: name in the run of the model that it belongs to.
    """

    by: RunFile
    pointer: str
    path: str
    file: RunFile | None
    sha256: str | None
    size: int | None
    actual: str | None
    sidecar: bool
    model: str


class RecordedFiles(Struct, frozen=True):
    """Everything that one contract or manifest records of files.

    Attributes:
        by: the contract or manifest.
        files: what it records.
        unrecorded: model, pointer of its record and sidecar, where the model refers to a file without a digest.
    """

    by: RunFile
    files: tuple[RecordedFile, ...]
    unrecorded: tuple[tuple[str, str, str], ...]


class _Record(Struct, frozen=True):
    pointer: str
    path: str
    name: str
    sha256: str | None
    size: int | None
    sidecars: tuple[SidecarForm, ...] | None


@fact(absent="no recorded digest of an ONNX model")
def recorded_files(
    source: Source,
    contracts: tuple[IoContract, ...] | None,
    manifests: tuple[OnnxManifest, ...] | None,
    data: tuple[ExternalData, ...] | None,
) -> tuple[RecordedFiles, ...]:
    """Hash every file that a digest is recorded of."""
    external = {each.file.name: each for each in data or ()}
    groups = [(each.file, list(_of_contract(each))) for each in contracts or ()]
    groups += [(each.file, list(_of_manifest(each))) for each in manifests or ()]
    found = []
    for by, records in groups:
        if any(record.sha256 or record.size is not None or record.sidecars for record in records):
            found.append(_group(source, by, records, external))
    return tuple(found)


def _of_contract(contract: IoContract) -> Iterator[_Record]:
    for said in contract.form.models:
        name = contract.names[said.name]
        if name is not None and (said.sha256 or said.size is not None or said.sidecars is not None):
            yield _Record(said.pointer, said.path, name, said.sha256, said.size, said.sidecars)


def _of_manifest(manifest: OnnxManifest) -> Iterator[_Record]:
    for entry in manifest.entries:
        if entry.name is not None:
            yield _Record(entry.pointer, entry.path, entry.name, entry.sha256, entry.size, entry.sidecars)


def _group(source: Source, by: RunFile, records: list[_Record], external: dict[str, ExternalData]) -> RecordedFiles:
    files = {file.name: file for file in source.run.files}
    found: list[RecordedFile] = []
    unrecorded: list[tuple[str, str, str]] = []
    for record in records:
        found.append(_judged(source, by, record.pointer, record, files.get(record.name), record.name, sidecar=False))
        hashed: set[str] = set()
        folder = record.name.rpartition("/")[0]
        for i, side in enumerate(record.sidecars or ()):
            choices = [name for name in (beside(by.folder, side.path), beside(folder, side.path)) if name is not None]
            name = next((each for each in choices if each in files), choices[0] if choices else None)
            if name is None:
                continue
            at = f"{record.pointer}/external_files/{i}"
            if side.sha256 is not None:
                hashed.update(choices)
                found.append(_judged(source, by, at, side, files.get(name), record.name, sidecar=True))
            elif side.size is not None:
                found.append(_judged(source, by, at, side, files.get(name), record.name, sidecar=True))
        if record.name in external:
            for location, sidecar in external[record.name].sidecars.items():
                if sidecar.name is not None and not sidecar.itself and sidecar.name not in hashed:
                    unrecorded.append((record.path, record.pointer, location))
    return RecordedFiles(by, tuple(found), tuple(unrecorded))


def _judged(
    source: Source,
    by: RunFile,
    pointer: str,
    record: _Record | SidecarForm,
    file: RunFile | None,
    model: str,
    *,
    sidecar: bool,
) -> RecordedFile:
    same_size = file is not None and record.size in (None, file.size)
    actual = source.sha256(file) if file is not None and same_size and record.sha256 else None
    return RecordedFile(
        by=by,
        pointer=pointer,
        path=record.path,
        file=file,
        sha256=record.sha256,
        size=record.size,
        actual=actual,
        sidecar=sidecar,
        model=model,
    )
