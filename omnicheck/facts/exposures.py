"""What of a run must not leave the house: leaks in its texts, in the metadata of its files, and in its pictures."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any, BinaryIO

from msgspec import Struct

from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular
from omnicheck.readers.problem import Problem

TEXTS = frozenset({"json", "jsonl", "csv", "text", "yaml", "markdown", "log", "xml", "html", "toml"})
IMAGES = frozenset({"jpeg", "png", "webp", "heic", "tiff", "gif", "mp4", "mov", "video"})
STRUCTURED = frozenset({"safetensors", "onnx", "hdf5", "npz", "npy", "png", "jpeg", "webp"})
WHOLE = 1 << 28
"""Bytes of a notebook or of UTF-16 text that are taken at once; both must be decoded before they can be read."""


class Leak(Struct, frozen=True):
    """Something that must not leave.

    Attributes:
        file: the file on disk.
        members: path inside an archive.
        place: where in the file's metadata it stands; empty for plain text.
        kind: credential, path, endpoint, email, phone, word, name or location.
        rule: the detector's name.
        line: 1-based line of plain text, or None.
        size: bytes.
        shown: what it is, without its text.
        mark: keyed fingerprint.
    """

    file: RunFile
    members: tuple[str, ...]
    place: str
    kind: str
    rule: str
    line: int | None
    size: int
    shown: str
    mark: str


class Exposures(Struct, frozen=True):
    """Everything that was found, and how many files were looked into.

    Attributes:
        leaks: in order of files.
        texts: files (members of archives included) read as text.
        structured: files whose metadata was read.
        pictures: images and videos that were asked for a place.
    """

    leaks: tuple[Leak, ...]
    texts: int
    structured: int
    pictures: int


class ForbiddenWords(Struct, frozen=True):
    """The words that the policy forbids."""

    words: tuple[str, ...]


@fact(absent="no words are forbidden ([rules.params.SEC103] words)")
def forbidden_words(source: Source) -> ForbiddenWords | None:
    """Return the configured words."""
    words = _strings(source, "SEC103", "words")
    return ForbiddenWords(words) if words else None


@fact(absent="no file that holds text, metadata or a picture")
def exposures(source: Source) -> Exposures | None:
    """Look into every file of the run that holds text, metadata or a picture."""
    survey = _Survey(source)
    for file in source.run.files:
        try:
            survey.file(file)
        except (ReadError, OSError, ValueError) as error:
            survey.source.note(file, Problem(message=f"cannot be searched for leaks: {error}", kind="unreadable"))
    made = survey.made()
    return made if made.texts or made.structured or made.pictures else None


class _Survey:
    """Collects leaks, one part after another; a part is a file or a member of an archive."""

    def __init__(self, source: Source) -> None:
        # The detectors cost 20 ms to load: only runs whose rules ask for them pay.
        from omnicheck.content.spans import USUAL, Wanted  # noqa: PLC0415

        self.source = source
        phones = source.params.get("SEC105", {}).get("phones") is True
        self._wanted = Wanted(
            kinds=USUAL | {"phone"} if phones else USUAL,
            words=_strings(source, "SEC103", "words"),
            names=_strings(source, "SEC105", "names"),
        )
        self._leaks: list[Leak] = []
        self._texts = self._structured = self._pictures = 0

    def made(self) -> Exposures:
        """Return the fact."""
        return Exposures(tuple(self._leaks), self._texts, self._structured, self._pictures)

    def file(self, file: RunFile) -> None:
        """Look into a file on disk."""
        if file.size == 0 or file.kind not in TEXTS | IMAGES | STRUCTURED | {"unknown"}:
            return
        with open_regular(file.disk) as stream:
            if file.kind in TEXTS and not file.name.lower().endswith(".ipynb"):
                self.text(file, (), stream)
            else:
                with _mapped(stream) as data:
                    self.part(file, (), file.name, file.kind, data)

    def part(self, file: RunFile, members: tuple[str, ...], name: str, kind: str, data: Any) -> None:
        """Look into bytes of a known kind: a whole file, or a member of an archive."""
        from omnicheck.content.metadata import texts_of  # noqa: PLC0415 - as above
        from omnicheck.content.notebook import is_notebook  # noqa: PLC0415 - as above
        from omnicheck.content.onnx_texts import is_onnx  # noqa: PLC0415 - as above

        if kind == "json" and name.lower().endswith(".ipynb") and len(data) <= WHOLE and is_notebook(data):
            kind = "notebook"
        elif kind == "unknown":
            head = bytes(data[:16])
            kind = "onnx" if is_onnx(head) else "webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else kind
        if kind in TEXTS:
            self.text(file, members, _Reader(data))
            return
        if kind in STRUCTURED | {"notebook"}:
            self._structured += 1
            for place, text in texts_of(kind, data):
                self.metadata(file, members, place, text)
        if kind in IMAGES | {"notebook"}:
            self.picture(file, members, kind, data)

    def text(self, file: RunFile, members: tuple[str, ...], stream: BinaryIO | _Reader) -> None:
        """Search plain text, whatever its size."""
        from omnicheck.content.spans import spans_of  # noqa: PLC0415 - as above

        self._texts += 1
        read = _utf8(stream)
        for span in spans_of(read, self._keyed(file, members), secrets=self.source.secrets):
            self._leaks.append(
                Leak(file, members, "", span.kind, span.rule, span.line, span.end - span.start, span.shown, span.mark)
            )

    def metadata(self, file: RunFile, members: tuple[str, ...], place: str, text: bytes) -> None:
        """Search one text out of a structured file."""
        from omnicheck.content.spans import spans_of  # noqa: PLC0415 - as above

        pieces = iter((text,))
        for span in spans_of(lambda _: next(pieces, b""), self._keyed(file, members), secrets=self.source.secrets):
            self._leaks.append(
                Leak(file, members, place, span.kind, span.rule, None, span.end - span.start, span.shown, span.mark)
            )

    def picture(self, file: RunFile, members: tuple[str, ...], kind: str, data: Any) -> None:
        """Ask images and videos, those of a notebook too, for the place where they were taken."""
        from omnicheck.content.image_location import location_in  # noqa: PLC0415 - as above
        from omnicheck.content.notebook import notebook_images  # noqa: PLC0415 - as above

        pictures: Iterator[tuple[str, Any]] = notebook_images(data) if kind == "notebook" else iter((("", data),))
        for place, picture in pictures:
            self._pictures += 1
            found = location_in(picture)
            if found is not None:
                where = f"{place}, {found}" if place else found
                self._leaks.append(Leak(file, members, where, "location", "image-location", None, 0, "a position", ""))

    def _keyed(self, file: RunFile, members: tuple[str, ...]) -> Any:
        from msgspec.structs import replace  # noqa: PLC0415 - as above

        return replace(self._wanted, key="!/".join((file.path, *members)))


class _Reader:
    """Reads bytes, or a memory map, in pieces."""

    def __init__(self, data: Any) -> None:
        self._data, self._at = data, 0

    def read(self, size: int = -1) -> bytes:
        piece = bytes(self._data[self._at : len(self._data) if size < 0 else self._at + size])
        self._at += len(piece)
        return piece


def _utf8(stream: BinaryIO | _Reader) -> Any:
    """Return a reader of the text in UTF-8 or its own 8-bit encoding; UTF-16 is turned into UTF-8."""
    head = stream.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        whole = head + stream.read(WHOLE)
        pieces = iter((whole.decode("utf-16", "replace").encode("utf-8", "replace"),))
        return lambda _size: next(pieces, b"")
    first = [head]
    return lambda size: first.pop() if first else stream.read(size)


def _mapped(stream: BinaryIO) -> mmap.mmap:
    return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _strings(source: Source, rule: str, name: str) -> tuple[str, ...]:
    found = source.params.get(rule, {}).get(name)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list | tuple) else ()
