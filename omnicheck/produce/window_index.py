"""The model-neutral window index of a dataset: written whole, or not at all and everything that is wrong told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import msgspec
from msgspec import UNSET, Struct

from omnicheck.contracts.window_index import DatasetSummary, IndexManifest, IndexRecord, ModalityCounts
from omnicheck.model.errors import ReadError, UsageError
from omnicheck.produce.window_counts import Tally, repeated_ids
from omnicheck.produce.window_record import SENSOR_KEYS, record_of
from omnicheck.produce.window_views import Views
from omnicheck.readers.json_document import read_json
from omnicheck.readers.jsonl import read_jsonl
from omnicheck.readers.problem import Problem

MAX_FAULTS = 100
"""Faults that are told; reading stops there."""

Translate = Callable[[Sequence[dict[str, Any]]], Sequence[dict[str, Any]]]


class Request(Struct, frozen=True, kw_only=True):
    """What to index, and where to.

    Attributes:
        dataset: the rows.
        manifest: the dataset's manifest, or None.
        out: the index to write.
        out_manifest: the manifest of the index.
        run_id: over that of the dataset's manifest.
        overwrite: whether files that are there may be replaced.
        shown: how the manifest of the index calls a path.
        translate: renames a team's own keys.
    """

    dataset: Path
    manifest: Path | None
    out: Path
    out_manifest: Path
    run_id: str | None
    overwrite: bool
    shown: Callable[[Path], str]
    translate: Translate


class Fault(Struct, frozen=True):
    """Something that forbids the index.

    Attributes:
        path: the file, as it was given.
        message: one sentence.
        line: 1-based, or None.
        pointer: JSON pointer into the row or the manifest.
    """

    path: Path
    message: str
    line: int | None = None
    pointer: str | None = None


class Outcome(Struct, frozen=True):
    """The manifest that was written, or the faults for which nothing was; ``more`` when reading stopped at them."""

    manifest: IndexManifest | None
    faults: tuple[Fault, ...] = ()
    more: bool = False


def write_index(request: Request, views: Views) -> Outcome:
    """Write the index and its manifest, each whole; the manifest comes last.

    Memory does not grow with rows but for 8 bytes each, and for the episodes.

    Args:
        request: what to index.
        views: what each backbone takes of a record.

    Raises:
        UsageError: a file is there already or cannot be written, or there is no run id.
        ReadError: the dataset or its manifest cannot be opened.
    """
    _refuse_clashes(request)
    summary = _DatasetManifest.read(request.manifest) if request.manifest is not None else None
    run_id = request.run_id or (summary.run_id if summary is not None else None)
    if not run_id:
        raise UsageError(
            "the index has no run id", hint="give --run-id, or --dataset-manifest with a manifest that has one"
        )
    tally = Tally()
    faults: list[Fault] = []
    with ExitStack() as stack:
        try:
            rows = _Temporary(request.out, stack)
            _write_records(request, views, rows.stream, tally, faults)
            if summary is not None and not faults:
                faults += _disagreements(summary, tally, request.manifest or request.dataset)
            if faults:
                return Outcome(None, tuple(faults[:MAX_FAULTS]), more=len(faults) >= MAX_FAULTS)
            manifest = _manifest_of(request, run_id, views, tally, summary)
            about = _Temporary(request.out_manifest, stack)
            about.stream.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
            for each in (rows, about):
                each.flush()
            for each in (rows, about):
                each.publish(overwrite=request.overwrite)
        except FileExistsError as error:
            raise UsageError(
                "there is such a file already", path=Path(str(error.filename2 or "")).name, hint="add --overwrite"
            ) from None
        except OSError as error:
            raise UsageError(f"cannot write: {error.strerror}", path=request.out.name) from error
    return Outcome(manifest)


def _write_records(request: Request, views: Views, out: IO[bytes], tally: Tally, faults: list[Fault]) -> None:
    encoder = msgspec.json.Encoder()
    problems: list[Problem] = []
    sensors: bool | None = None
    chunks = read_jsonl(request.dataset, problems)
    for chunk in chunks:
        records: list[IndexRecord] = []
        for line, row in enumerate(request.translate(chunk.rows), chunk.first):
            if sensors is None:
                sensors = any(key in row for key in SENSOR_KEYS)
            made = record_of(row, views, sensors=sensors)
            if isinstance(made, list):
                faults += [Fault(request.dataset, each.message, line, each.pointer) for each in made]
                continue
            told = tally.take(made, line)
            if told is not None:
                faults.append(Fault(request.dataset, told, line, "/split"))
            records.append(made)
        if len(faults) >= MAX_FAULTS:
            chunks.close()  # type: ignore[attr-defined]
            break
        try:
            out.write(encoder.encode_lines(records))
        except UnicodeEncodeError:
            faults.append(Fault(request.dataset, "a text holds half a character", chunk.first))
    faults += [Fault(request.dataset, each.message, each.line, each.pointer) for each in problems]
    if not faults and not tally.records:
        faults.append(Fault(request.dataset, "holds no records"))
    faults += _repeated(request, tally.repeated())
    faults.sort(key=lambda fault: (fault.line or 0, fault.pointer or ""))


def _repeated(request: Request, hashes: frozenset[int]) -> Iterator[Fault]:
    """Read the rows again, only where ids may be repeated."""
    if not hashes:
        return
    rows = (
        (line, row.get("id"))
        for chunk in read_jsonl(request.dataset, [], guard=False)
        for line, row in enumerate(request.translate(chunk.rows), chunk.first)
    )
    for line, name, first in repeated_ids(rows, hashes, MAX_FAULTS):
        yield Fault(request.dataset, f"the id {name!a} is that of line {first} too", line, "/id")


def _manifest_of(
    request: Request, run_id: str, views: Views, tally: Tally, summary: _DatasetManifest | None
) -> IndexManifest:
    return IndexManifest(
        run_id=run_id,
        source_dataset_jsonl=request.shown(request.dataset),
        source_dataset_manifest=UNSET if request.manifest is None else request.shown(request.manifest),
        output_jsonl=request.shown(request.out),
        num_records=tally.records,
        num_episodes=len(tally.episodes),
        sample_split_counts=dict(sorted(tally.samples.items())),
        episode_split_counts=tally.episode_counts(),
        modality_record_counts=ModalityCounts(
            mosaic_video=tally.mosaic, audio=tally.audio, sensor_features=tally.sensors, language=tally.records
        ),
        adapter_contracts=views.contracts,
        source_dataset_summary=UNSET
        if summary is None
        else DatasetSummary(
            run_id=summary.run_id or UNSET,
            num_samples=tally.records,
            num_episodes=len(tally.episodes),
            split_counts=dict(sorted(tally.samples.items())),
        ),
    )


class _DatasetManifest(Struct, frozen=True):
    """What a dataset's manifest claims; every claim is held against the rows."""

    run_id: str | None = None
    num_samples: Any = None
    num_episodes: Any = None
    split_counts: Any = None

    @classmethod
    def read(cls, path: Path) -> _DatasetManifest:
        document = read_json(path)
        if not document.readable or not isinstance(document.value, dict):
            why = document.problems[0].message if document.problems else "not an object"
            raise ReadError(f"the dataset's manifest cannot be used: {why}", path=path.name)
        found = {name: document.value.get(name) for name in cls.__struct_fields__}
        if not isinstance(found["run_id"], str):
            found["run_id"] = None
        return cls(**found)


def _disagreements(claimed: _DatasetManifest, tally: Tally, path: Path) -> Iterator[Fault]:
    for name, counted in (("num_samples", tally.records), ("num_episodes", len(tally.episodes))):
        stated = getattr(claimed, name)
        if type(stated) is not int or stated != counted:
            yield Fault(path, f"{name} is {stated!a}, the rows make {counted}", pointer=f"/{name}")
    stated = claimed.split_counts
    same = isinstance(stated, Mapping) and {k: v for k, v in stated.items() if v != 0} == tally.samples
    if not same:
        yield Fault(path, f"split_counts are {stated!a}, the rows make {dict(tally.samples)}", pointer="/split_counts")


class _Temporary:
    """A file beside its target that takes the target's place, or goes."""

    def __init__(self, target: Path, stack: ExitStack) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        self._target = target
        made = NamedTemporaryFile(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent, delete=False)  # noqa: SIM115 - closed by the stack
        self.stream: IO[bytes] = made
        self._path = Path(made.name)
        stack.callback(self._path.unlink, missing_ok=True)
        stack.callback(made.close)

    def flush(self) -> None:
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self._path.chmod(0o644)

    def publish(self, *, overwrite: bool) -> None:
        if overwrite:
            self._path.replace(self._target)
        else:
            self._target.hardlink_to(self._path)  # unlike a rename, this never replaces a file


def _refuse_clashes(request: Request) -> None:
    inputs = [request.dataset, *([request.manifest] if request.manifest is not None else [])]
    outputs = [request.out, request.out_manifest]
    real = [Path(os.path.realpath(path)) for path in (*inputs, *outputs)]
    if len(set(real)) < len(real):
        raise UsageError("the index cannot be written over what it is made from", hint="choose another --out")
    for path in outputs:
        if path.exists() and not request.overwrite:
            raise UsageError("there is such a file already", path=path.name, hint="add --overwrite")
