"""PUB: archives that contradict themselves, names that lie or clash, placeholders and copies."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.phrases import count_of, size_of, some_of
from omnicheck.content.groups import kinds_in, words_for
from omnicheck.facts.content_parts import ScannedFile
from omnicheck.facts.file_names import NamedEntry
from omnicheck.facts.file_twins import Twins
from omnicheck.model.finding import Finding

_TORCH = frozenset({"torch_zip", "torch_script", "torch_legacy", "pickle", "safetensors"})
_EXPECTED: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("json", "jsonl", "csv", "tsv", "txt", "md", "log", "yaml", "yml", "toml", "rst"), kinds_in("text")
    ),
    "ipynb": kinds_in("text"),
    "py": kinds_in("text"),
    "sh": kinds_in("text"),
    "html": kinds_in("text") | {"svg"},
    "png": frozenset({"png"}),
    "jpg": frozenset({"jpeg"}),
    "jpeg": frozenset({"jpeg"}),
    "gif": frozenset({"gif"}),
    "webp": frozenset({"webp"}),
    "svg": frozenset({"svg"}),
    "pdf": frozenset({"pdf"}),
    "npy": frozenset({"npy"}),
    "npz": frozenset({"npz"}),
    "zip": kinds_in("weights") | {"zip", "npz", "office"},
    "tar": frozenset({"tar"}),
    **dict.fromkeys(("gz", "tgz"), frozenset({"gzip"})),
    "bz2": frozenset({"bzip2"}),
    "xz": frozenset({"xz"}),
    "zst": frozenset({"zstd"}),
    "7z": frozenset({"7z"}),
    **dict.fromkeys(("h5", "hdf5"), frozenset({"hdf5"})),
    "mp4": frozenset({"mp4", "mov"}),
    "mov": frozenset({"mov", "mp4"}),
    "mkv": frozenset({"mkv"}),
    "wav": frozenset({"wav"}),
    "rrd": frozenset({"rrd"}),
    "parquet": frozenset({"parquet"}),
    "arrow": frozenset({"arrow"}),
    "sqlite": frozenset({"sqlite"}),
    "tfrecord": frozenset({"tfrecord", "gzip"}),
}
_MODELS: dict[str, frozenset[str]] = {
    "safetensors": frozenset({"safetensors"}),
    "gguf": frozenset({"gguf"}),
    "onnx": frozenset({"onnx"}),
    **dict.fromkeys(("pt", "pth", "ckpt"), _TORCH | {"tf_checkpoint"}),
    "tflite": frozenset({"tflite"}),
    "pte": frozenset({"pte"}),
    "hef": frozenset({"hef"}),
    "keras": frozenset({"keras", "hdf5", "keras_hdf5"}),
    "pkl": frozenset({"pickle", "joblib"}),
    "joblib": frozenset({"pickle", "joblib"}) | kinds_in("archive"),
    "mlmodel": frozenset({"mlmodel"}),
}
_PLACEHOLDERS = frozenset({"empty", "lfs_pointer"}) | kinds_in("text")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(?:\..*)?\Z", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_REFUSED = re.compile(r'[<>:"|?*\\]')


@check("publication_form.type_mismatch")
def type_mismatch(scanned: tuple[ScannedFile, ...]) -> Iterator[Finding]:
    """Yield a finding for each file whose name ending says one kind and whose bytes are another."""
    for each in scanned:
        if not each.parts or each.split:
            continue
        ending = _ending(each.file.base)
        expected = _EXPECTED.get(ending) or _MODELS.get(ending)
        part = each.parts[0]
        if expected is None or part.groups & {"unknown", "empty"} or expected & set(part.kinds):
            continue
        if ending in _MODELS and part.kind in _PLACEHOLDERS:
            continue  # told by placeholder-artifact
        yield Finding(
            path=each.file.path,
            message=f"the name ends in .{ending}, but the bytes are {words_for(part.kind)}",
            expected=sorted(expected) if len(expected) < 6 else "text" if "text" in expected else ending,
            actual=part.kind,
        )


@check("publication_form.archive_anomaly")
def archive_anomaly(scanned: tuple[ScannedFile, ...]) -> Iterator[Finding]:
    """Yield a finding for each way in which a file contradicts itself, with the member it shows at."""
    for each in scanned:
        met = [(part, odd) for part in each.parts for odd in part.anomalies if not odd.unscannable]
        for code in dict.fromkeys(odd.code for _, odd in met):
            same = [(part, odd) for part, odd in met if odd.code == code]
            part, odd = same[0]
            place = f"its content {'!/'.join(part.members)}: " if part.members else ""
            more = f" (and {count_of(len(same) - 1, 'more place')})" if len(same) > 1 else ""
            yield Finding(
                path=each.file.path, members=part.members, message=f"{place}{odd.detail}{more}", actual=code, key=code
            )


class DuplicateContent(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of duplicate-content.

    Attributes:
        min_bytes: smaller files are alike by chance.
    """

    min_bytes: int = 512


@check("publication_form.duplicate_content")
def duplicate_content(twins: Twins, params: DuplicateContent) -> Iterator[Finding]:
    """Yield a finding for each group of files that are the same byte for byte."""
    for size, paths in twins.groups:
        if size >= params.min_bytes:
            others = some_of(list(paths[1:]))
            message = f"the same {size_of(size)} stand in {count_of(len(paths), 'file')}: this one, {others}"
            yield Finding(path=paths[0], message=message, actual=list(paths), key=paths[1])


@check("publication_form.placeholder_artifact")
def placeholder_artifact(scanned: tuple[ScannedFile, ...]) -> Iterator[Finding]:
    """Yield a finding for each file that is named as a model and holds nothing, text, or a Git LFS pointer."""
    for each in scanned:
        if not each.parts:
            continue
        ending = _ending(each.file.base)
        kind = each.parts[0].kind
        declared = ending in _MODELS or each.file.role == "adapter_weights"
        if kind == "lfs_pointer" or (declared and kind in _PLACEHOLDERS):
            stands = "the real file was never fetched" if kind == "lfs_pointer" else "no model"
            size = f" ({size_of(each.file.size)})" if each.file.size else ""
            message = f"holds {words_for(kind)}{size}: {stands}"
            expected = sorted(_MODELS.get(ending, frozenset())) or "the file itself"
            yield Finding(path=each.file.path, message=message, expected=expected, actual=kind)


@check("publication_form.unsafe_name")
def unsafe_name(entries: tuple[NamedEntry, ...]) -> Iterator[Finding]:
    """Yield a finding for each name that another system reads differently or refuses, and for each link."""
    for entry in entries:
        reason = entry.problem or next(filter(None, map(_flaw, entry.name.split("/"))), None)
        if reason:
            yield Finding(path=entry.path, message=reason, actual=entry.name, key="name")
    for place, spellings in _twins(entry.name for entry in entries):
        paths = [next(e.path for e in entries if e.name == s or e.name.startswith(s + "/")) for s in spellings]
        message = f"{some_of([repr(s) for s in spellings])} are one name where case or Unicode form does not count"
        yield Finding(path=paths[0], message=message, actual=list(spellings), key=place)


def _flaw(part: str) -> str | None:
    if _CONTROL.search(part):
        return f"the name {part!a} holds control or invisible characters"
    if _RESERVED.match(part):
        return f"{part!r} is a reserved name on Windows"
    if _REFUSED.search(part):
        return f"the name {part!r} holds characters that Windows refuses or reads as separators"
    if part.endswith((".", " ")) or part.startswith(" "):
        return f"the name {part!r} begins or ends with a character that some systems drop"
    if len(part.encode("utf-8", "surrogatepass")) > 255:
        return "a part of the name is longer than 255 bytes"
    return None


def _twins(names: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    folded: dict[str, set[str]] = defaultdict(set)
    for name in names:
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            prefix = "/".join(parts[:depth])
            folded[unicodedata.normalize("NFC", prefix).casefold()].add(prefix)
    for place, spellings in sorted(folded.items()):
        # Below a clash everything clashes: only the last part is new.
        if len({spelling.rsplit("/", 1)[-1] for spelling in spellings}) > 1:
            yield place, tuple(sorted(spellings))


def _ending(base: str) -> str:
    return base.rsplit(".", 1)[-1].lower() if "." in base else ""
