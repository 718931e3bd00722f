"""Features that rows keep in NumPy archives of the run, summed by split for normalisation statistics."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from omnicheck.facts.normalizer import LARGEST, FeatureMoments, Fit, Moments
from omnicheck.facts.registry import fact, fold
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import split_name, split_of_file
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular
from omnicheck.readers.problem import Problem

if TYPE_CHECKING:
    import numpy as np

NAMES = ("features", "sensor_features")
"""Statistics under these names, or without a name, are those of the archive's ``features`` array."""

MAX_BYTES = 256 << 20
MAX_ROWS = 1_000_000


class FeatureRows(Struct, frozen=True):
    """Rows of archives that a row file refers to: path to (split, index) of each."""

    file: RunFile
    archives: dict[str, tuple[tuple[str | None, int], ...]]


@fold(FeatureRows, absent="no rows that refer to feature archives")
class FeatureRowFold:
    """Collects ``sensor_feature_path`` and ``sensor_feature_index`` of rows."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows",)
    needs: ClassVar[tuple[type, ...]] = (Fit,)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        fitted = given[Fit]
        fits = fitted if isinstance(fitted, tuple) else ()
        self._wanted = any(each.name in ("", *NAMES) for fit in fits for each in fit.statistics)
        self._told = split_of_file(self._file.base)
        self._rows: dict[str, list[tuple[str | None, int]]] = {}
        self._count = 0

    def idle(self) -> bool:
        """Whether no statistics speak of such features."""
        return not self._wanted

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - rows are counted, not placed
        """Take rows."""
        for row in rows:
            path, index = row.get("sensor_feature_path"), row.get("sensor_feature_index")
            if isinstance(path, str) and isinstance(index, int) and self._count < MAX_ROWS:
                split = row.get("split")
                key = split_name(split) if isinstance(split, str) else self._told
                self._rows.setdefault(path, []).append((key, index))
                self._count += 1

    def merge(self, other: FeatureRowFold) -> None:
        """Append what the later part held."""
        for path, found in other._rows.items():
            self._rows.setdefault(path, []).extend(found)
        self._count += other._count

    def fact(self) -> FeatureRows | None:
        """Return the references; None when there are none, or too many to add up."""
        if not self._rows or self._count >= MAX_ROWS:
            return None
        return FeatureRows(self._file, {path: tuple(found) for path, found in self._rows.items()})


class ArchivedMoments(FeatureMoments, frozen=True):
    """Statistics of features in archives, over all rows of a file."""


@fact(absent="no feature archives in the run")
def archived_moments(source: Source, rows: tuple[FeatureRows, ...]) -> tuple[ArchivedMoments, ...]:
    """Add up archived features; a row file counts only when every archive that it names is in the run."""
    found = []
    for each in rows:
        by_split: dict[str | None, Moments] = {}
        named = [source.in_run(path) for path in each.archives]
        # Paths of other machines may end alike: then it is not known which archive is meant.
        whole = len({file.location for file in named if file is not None}) == len(each.archives)
        for path, places in sorted(each.archives.items()) if whole else ():
            file = source.in_run(path)
            array = _features(source, file) if file is not None else None
            if array is None or not all(0 <= index < len(array) for _, index in places):
                whole = False
                break
            wanted: defaultdict[str | None, list[int]] = defaultdict(list)
            for split, index in places:
                wanted[split].append(index)
            for split, indexes in wanted.items():
                summed = _summed(array[indexes])
                if split in by_split and len(by_split[split].origin) == len(summed.origin):
                    by_split[split].join(summed)
                else:
                    by_split[split] = summed
        widths = {len(moments.origin) for moments in by_split.values()}
        if whole and len(widths) == 1:
            found.append(ArchivedMoments(each.file, dict.fromkeys(NAMES, by_split)))
    return tuple(found)


def _features(source: Source, file: RunFile) -> np.ndarray[Any, Any] | None:
    """Read the ``features`` array of an archive, within bounds and without ever unpickling."""
    if file.size > MAX_BYTES or not file.base.endswith(".npz"):
        return None
    import numpy as np  # noqa: PLC0415 - only where archives are read

    try:
        with open_regular(file.disk) as stream, zipfile.ZipFile(stream) as members:
            member = next((each for each in members.infolist() if each.filename == "features.npy"), None)
            if member is None or member.file_size > MAX_BYTES:
                return None
            with members.open(member) as data:
                array = np.lib.format.read_array(data, allow_pickle=False)
    except (ReadError, OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        source.note(file, Problem(message="not a NumPy archive with a numeric array of features", kind="unreadable"))
        return None
    usable = array.ndim == 2 and array.dtype.kind in "fiu" and bool((np.abs(array) < LARGEST).all())
    return array.astype(np.float64) if usable else None


def _summed(rows: np.ndarray[Any, Any]) -> Moments:
    shifted = rows - rows[0]
    return Moments(tuple(rows[0].tolist()), len(rows), shifted.sum(axis=0).tolist(), (shifted**2).sum(axis=0).tolist())
