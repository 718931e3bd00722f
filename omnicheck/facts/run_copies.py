"""The text files of a run by content, so that a package can be held against the runs it was made from."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from omnicheck.facts.documents import VerifiedSummary
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular

KINDS = frozenset({"text", "json", "jsonl", "csv", "yaml", "notebook"})
MAX_BYTES = 16 << 20
MAX_TOTAL = 64 << 20
MAX_LINES = 5_000
STAGES = {"dataset_run_id": "dataset", "train_run_id": "training", "eval_run_id": "eval"}
"""The key that names the run, and the directory that holds its files in a package."""
RECORDS = re.compile(r"redact|sanitis|sanitiz", re.IGNORECASE)


class Copy(Struct, frozen=True):
    """One text file.

    Attributes:
        name: in the run.
        path: display path.
        size: bytes.
        sha256: of the bytes, hex.
        plain: of the bytes with CRLF read as LF, hex.
        crlf: whether its lines end in CRLF.
        lines: checksum of each line, line endings apart, to count those that differ; empty for a long file.
    """

    name: str
    path: str
    size: int
    sha256: str
    plain: str
    crlf: bool
    lines: tuple[int, ...]

    @property
    def ending(self) -> str:
        """What ends its lines."""
        return "CRLF" if self.crlf else "LF"


class RunCopies(Struct, frozen=True):
    """A run for comparison with others.

    Attributes:
        path: display path.
        name: last part of its directory, which is the id of a run.
        files: its text files.
        made_from: (stage, run id) of the runs a package says it was made from; empty for what is no package.
        recorded: names of files whose edits the package records, with the digest of the original; empty text where
            it records none.
        is_bundle: whether it is a bundle of omnicheck.
    """

    path: str
    name: str
    files: tuple[Copy, ...]
    made_from: tuple[tuple[str, str], ...] = ()
    recorded: dict[str, str] = {}
    is_bundle: bool = False

    def comes_from(self, run: RunCopies) -> bool:
        """Whether this bundle was made of a run: most of its files have the same name and the same bytes there."""
        theirs = {copy.name: copy.sha256 for copy in run.files}
        common = [copy for copy in self.files if copy.name in theirs]
        same = sum(theirs[copy.name] in (copy.sha256, self.recorded.get(copy.name)) for copy in common)
        return not run.is_bundle and 2 * len(common) >= len(self.files) and 2 * same > len(common)

    def names_of(self, name: str, stage: str, run_id: str) -> Iterator[str]:
        """Yield under which names a packaged file may stand in the run it comes from."""
        folder, _, base = name.rpartition("/")
        if stage == "":
            yield name
        elif folder == stage:
            yield base
            yield name
        elif folder == "validation":
            stem, dot, suffix = base.rpartition(".")
            evaluated = dict(self.made_from)
            for each in dict.fromkeys((run_id, *evaluated.values())):
                yield f"validation_{stem}_{each}{dot}{suffix}"
            yield f"validation_{base}"


@fact(absent="no text file")
def run_copies(source: Source, summaries: tuple[VerifiedSummary, ...] | None) -> RunCopies | None:
    """Digest the text files of the run, the smallest first, up to a bound."""
    total = 0
    files = []
    for file in sorted(source.run.files, key=lambda each: (each.size, each.name)):
        if file.kind in KINDS and file.size <= MAX_BYTES and total + file.size <= MAX_TOTAL:
            total += file.size
            copy = _copy(file)
            files += [copy] if copy is not None else []
    if not files:
        return None
    made_from: list[tuple[str, str]] = []
    recorded: dict[str, str] = {}
    for summary in summaries or ():
        named = ((stage, summary.record.raw(key)) for key, stage in STAGES.items())
        made_from += [(stage, run_id) for stage, run_id in named if isinstance(run_id, str) and run_id]
        recorded.update(_recorded(summary.record.value))
    bundles = [table for report in source.run.of("carried_report") if (table := _bundle(source.json(report).value))]
    for table in bundles:
        recorded.update(_edits(table))
    return RunCopies(
        path=source.run.path,
        name=source.run.location.rpartition("/")[2],
        files=tuple(sorted(files, key=lambda copy: copy.name)),
        made_from=tuple(dict.fromkeys(made_from)),
        recorded=recorded,
        is_bundle=bool(bundles),
    )


def _copy(file: RunFile) -> Copy | None:
    try:
        with open_regular(file.disk, MAX_BYTES) as stream:
            data = stream.read()
    except ReadError:
        return None
    crlf = b"\r\n" in data
    plain = data.replace(b"\r\n", b"\n") if crlf else data
    digest = hashlib.sha256(data).hexdigest()
    lines = plain.removesuffix(b"\n").split(b"\n") if plain.count(b"\n") <= MAX_LINES else []
    return Copy(
        name=file.name,
        path=file.path,
        size=len(data),
        sha256=digest,
        plain=hashlib.sha256(plain).hexdigest() if crlf else digest,
        crlf=crlf,
        lines=tuple(map(zlib.crc32, lines)),
    )


def _recorded(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, each in value.items():
        if RECORDS.search(key):
            for item in each if isinstance(each, list | dict) else ():
                name = item.get("path") if isinstance(item, dict) else item
                if isinstance(name, str):
                    yield name, ""


def _bundle(report: Any) -> Mapping[str, Any]:
    bundle = report.get("bundle") if isinstance(report, dict) else None
    return bundle if isinstance(bundle, dict) else {}


def _edits(bundle: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the files whose edits a bundle of omnicheck records, with the digest of the original."""
    files = bundle.get("files")
    for each in files if isinstance(files, list) else ():
        if isinstance(each, dict) and isinstance(each.get("path"), str) and each.get("edits"):
            yield each["path"], str(each.get("original_sha256") or "none")
