"""Dataset manifests with the rows beside them that they describe."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.documents import DatasetManifest
from omnicheck.facts.registry import fact
from omnicheck.facts.row_counts import RowCounts
from omnicheck.model.run import RunFile


class DescribedRows(Struct, frozen=True):
    """A dataset manifest with the rows beside it that it describes."""

    manifest: DatasetManifest
    rows: RowCounts


@fact(absent="no dataset rows beside their manifest")
def described_rows(manifests: tuple[DatasetManifest, ...], rows: tuple[RowCounts, ...]) -> tuple[DescribedRows, ...]:
    """Pair each manifest with its rows; rows that belong to another export are left to rule RUN105."""
    found = []
    for manifest in manifests:
        near = [each for each in rows if each.file.role == "dataset_rows" and _beside(each.file, manifest.file)]
        named = (manifest.record.text("dataset_path") or "").rsplit("/", 1)[-1]
        own = [each for each in near if each.file.base == named] or (near if len(near) == 1 else [])
        if own and not foreign(manifest, own[0]):
            found.append(DescribedRows(manifest, own[0]))
    return tuple(found)


def foreign(manifest: DatasetManifest, rows: RowCounts) -> bool:
    """Whether rows beside a manifest are of another export.

    They are when the manifest names none of the exports that their paths lead into, and their number differs too:
    an export may reuse the media of an older one.
    """
    stated = manifest.record.count("num_samples")
    if not rows.exports or stated is None or stated == rows.rows:
        return False
    text = " ".join(_strings(manifest.record.value))
    return not any(name in text for name in rows.exports)


def _beside(file: RunFile, other: RunFile) -> bool:
    return file.location.rpartition("/")[0] == other.location.rpartition("/")[0]


def _strings(value: object) -> Iterator[str]:
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            stack.extend(found.values())
        elif isinstance(found, list):
            stack.extend(found)
