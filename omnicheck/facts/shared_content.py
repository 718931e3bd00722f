"""Media and feature files by digest: which of them serve two splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.episodes import EpisodeManifest
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact, fold
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import split_name, split_of_file
from omnicheck.model.run import RunFile

DIGESTS = ("sha256", "digest", "blake3", "blake2b", "sha1", "md5", "checksum", "content_hash")
MEDIA = (
    ".mp4 .mov .avi .mkv .webm .wav .flac .mp3 .aac .m4a .jpg .jpeg .png .webp .bmp .hdf5 .h5 .npz .npy .parquet .rrd "
    ".mcap .bag .arrow .tfrecord .zarr"
)
SUFFIXES = tuple(MEDIA.split())
MAX_BYTES = 1 << 30
MAX_PATHS = 500_000


class Content(Struct, frozen=True):
    """One file's content that serves several splits.

    Attributes:
        file: the manifest or row file that names it.
        digest: what the contents have in common.
        recorded: whether the digest is one that a manifest records; else it is of the bytes themselves.
        uses: (split, episode or None, path) of each use, sorted.
    """

    file: RunFile
    digest: str
    recorded: bool
    uses: tuple[tuple[str, str | None, str], ...]


class SharedContent(Struct, frozen=True):
    """Contents that serve several splits.

    Attributes:
        compared: how many files could be compared.
        shared: those in several splits.
    """

    compared: int
    shared: tuple[Content, ...]


class MediaPaths(Struct, frozen=True):
    """Media and feature files that rows of a file name: (split, path) to rows."""

    file: RunFile
    paths: dict[tuple[str, str], int]


@fold(MediaPaths, absent="no rows that name media files of the run")
class MediaPathFold:
    """Collects the paths of media, when the run holds media at all."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows", "window_index")
    needs: ClassVar[tuple[type, ...]] = (Source,)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        source: Source = given[Source]
        self._media = any(file.base.lower().endswith(SUFFIXES) for file in source.run.files)
        self._told = split_of_file(self._file.base)
        self._paths: Counter[tuple[str, str]] = Counter()

    def idle(self) -> bool:
        """Whether the run holds no media file."""
        return not self._media

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - paths are counted, not placed
        """Take rows."""
        if len(self._paths) > MAX_PATHS:
            return
        for row in rows:
            stated = row.get("split")
            split = split_name(stated) if isinstance(stated, str) else self._told
            if split is not None:
                self._paths.update((split, path) for path in _paths(row, 0))

    def merge(self, other: MediaPathFold) -> None:
        """Add the paths of the later part."""
        self._paths.update(other._paths)

    def fact(self) -> MediaPaths | None:
        """Return the paths; None when rows name none."""
        return MediaPaths(self._file, dict(self._paths)) if self._paths else None


@fact(absent="no media or feature file with a recorded digest, and none in the run")
def shared_content(
    source: Source, manifests: tuple[EpisodeManifest, ...], rows: tuple[MediaPaths, ...]
) -> SharedContent | None:
    """Compare recorded digests of manifests, and the bytes of files in the run that rows name."""
    compared = 0
    shared: list[Content] = []
    for manifest in manifests:
        recorded = list(_recorded(manifest))
        compared += len(recorded)
        shared.extend(_several(manifest.file, recorded, recorded=True))
    for each in rows:
        hashed = list(_hashed(source, each))
        compared += len(hashed)
        shared.extend(_several(each.file, hashed, recorded=False))
    return SharedContent(compared, tuple(shared)) if compared else None


Use = tuple[str, tuple[str, str | None, str]]


def _recorded(manifest: EpisodeManifest) -> Iterator[Use]:
    for episode in manifest.episodes:
        split = split_name(episode.split)
        if split is None:
            continue
        for item in _files(episode.record):
            name = str(item.value.get("path") or item.value.get("name") or "")
            digest = next((item.value[key] for key in DIGESTS if isinstance(item.value.get(key), str)), "")
            if digest and name.lower().endswith(SUFFIXES) and item.value.get("bytes") != 0:
                yield digest.lower(), (split, episode.key, name)


def _files(record: Record) -> Iterator[Record]:
    for key in ("files", "videos", "media", "features"):
        if isinstance(record.value.get(key), list):
            yield from record.objects(key)


def _hashed(source: Source, rows: MediaPaths) -> Iterator[Use]:
    by_name = {file.name: file for file in source.run.files if file.base.lower().endswith(SUFFIXES)}
    # Two paths may mean one file (its last parts decide), so that files count, not paths.
    found: set[tuple[str, RunFile]] = set()
    for split, path in sorted(rows.paths):
        file = _meant(by_name, path)
        if file is not None and 0 < file.size <= MAX_BYTES:
            found.add((split, file))
    sizes: defaultdict[int, set[str]] = defaultdict(set)
    for _, file in found:
        sizes[file.size].add(file.location)
    for split, file in sorted(found, key=lambda use: (use[1].name, use[0])):
        # A file whose size no other has needs no digest.
        digest = source.sha256(file) if len(sizes[file.size]) > 1 else file.location
        if digest is not None:
            yield digest, (split, None, file.path)


def _meant(by_name: Mapping[str, RunFile], path: str) -> RunFile | None:
    """Return the file of the run that a path means, by its whole name or its last parts."""
    name = path.replace("\\", "/")
    while name:
        if name in by_name:
            return by_name[name]
        name = name.partition("/")[2]
    return None


def _several(file: RunFile, uses: Sequence[Use], *, recorded: bool) -> Iterator[Content]:
    by_digest: defaultdict[str, set[tuple[str, str | None, str]]] = defaultdict(set)
    for digest, use in uses:
        by_digest[digest].add(use)
    for digest, found in by_digest.items():
        # One path in two splits is a file of many samples, or an episode in two splits (SPL101).
        places = {episode if recorded else path for _, episode, path in found}
        if len({split for split, _, _ in found}) > 1 and len(places) > 1:
            yield Content(file, digest, recorded, tuple(sorted(found, key=lambda use: (use[0], use[1] or "", use[2]))))


def _paths(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) < 4096 and value.lower().endswith(SUFFIXES):
            yield value
    elif depth < 4 and isinstance(value, dict):
        for key, inner in value.items():
            if key != "messages":
                yield from _paths(inner, depth + 1)
    elif depth < 4 and isinstance(value, list):
        for inner in value[:64]:
            yield from _paths(inner, depth + 1)
