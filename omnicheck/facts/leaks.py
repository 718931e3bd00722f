"""Leaks in one part of a file: its text, its metadata, its picture."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol

from msgspec import Struct

from omnicheck.content import groups
from omnicheck.content.part import Part
from omnicheck.content.view import View
from omnicheck.facts.source import Source, cause
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.problem import Problem

IMAGES = frozenset({"jpeg", "png", "webp", "heif", "tiff", "mp4", "mov"})
STRUCTURED = frozenset({"safetensors", "onnx", "hdf5", "keras_hdf5", "npy", "notebook", "png", "jpeg", "webp"})
"""Kinds whose metadata is read; an npz is an archive of npy, pictures in notebooks are parts of their own."""

WHOLE = 1 << 28
"""Bytes of UTF-16 text that are decoded."""


def group_of(kinds: Collection[str]) -> str:
    """Return ``text`` when the most telling kind is one, else its group."""
    return groups.group_of(next(iter(kinds)))


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


class _Survey:
    """Collects leaks, one part after another; a part is a file or a member of an archive."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._wanted: Any = None
        self.leaks: list[Leak] = []

    def part(self, file: RunFile, members: tuple[str, ...], kinds: Collection[str], data: View) -> None:
        """Look into bytes of known kinds: a whole file, or a member of an archive."""
        from omnicheck.content.metadata import texts_of  # noqa: PLC0415 - only where something is read

        if group_of(kinds) == "text" and "notebook" not in kinds:
            self.text(file, members, _Reader(data))
        for kind in kinds:
            if kind in STRUCTURED:
                for place, text in texts_of(kind, data):
                    self.metadata(file, members, place, text)
            if kind in IMAGES:
                self.picture(file, members, data)

    def text(self, file: RunFile, members: tuple[str, ...], stream: _Reader) -> None:
        """Search plain text, whatever its size."""
        from omnicheck.content.spans import spans_of  # noqa: PLC0415 - only where something is read

        read = _utf8(stream)
        for span in spans_of(read, self._keyed(file, members), secrets=self.source.secrets):
            self.leaks.append(
                Leak(file, members, "", span.kind, span.rule, span.line, span.end - span.start, span.shown, span.mark)
            )

    def metadata(self, file: RunFile, members: tuple[str, ...], place: str, text: bytes) -> None:
        """Search one text out of a structured file."""
        from omnicheck.content.spans import spans_of  # noqa: PLC0415 - only where something is read

        pieces = iter((text,))
        for span in spans_of(lambda _: next(pieces, b""), self._keyed(file, members), secrets=self.source.secrets):
            self.leaks.append(
                Leak(file, members, place, span.kind, span.rule, None, span.end - span.start, span.shown, span.mark)
            )

    def picture(self, file: RunFile, members: tuple[str, ...], data: View) -> None:
        """Ask an image or a video for the place where it was taken."""
        from omnicheck.content.image_location import location_in  # noqa: PLC0415 - only where something is read

        found = location_in(data)
        if found is not None:
            self.leaks.append(Leak(file, members, found, "location", "image-location", None, 0, "a position", ""))

    def _keyed(self, file: RunFile, members: tuple[str, ...]) -> Any:
        # The detectors cost 20 ms to load: only runs that hold text pay.
        from msgspec.structs import replace  # noqa: PLC0415 - as said

        from omnicheck.content.spans import USUAL, Wanted  # noqa: PLC0415 - as said

        if self._wanted is None:
            phones = self.source.params.get("SEC105", {}).get("phones") is True
            self._wanted = Wanted(
                kinds=USUAL | {"phone"} if phones else USUAL,
                words=strings_of(self.source, "SEC103", "words"),
                names=strings_of(self.source, "SEC105", "names"),
            )
        return replace(self._wanted, key="!/".join((file.path, *members)))


class Bytes(Protocol):
    """What a scan of archives offers for each part: bytes that are read by offset."""

    size: int

    def read(self, at: int, length: int) -> bytes:
        """Return up to ``length`` bytes from an offset."""
        ...


def visitor(source: Source, file: RunFile) -> Callable[[Part, Bytes], Iterator[Leak]] | None:
    """Return a visitor of the parts of a file (itself, members of archives) that yields their leaks.

    None when no rule asks for leaks.
    """
    if not any(rule.startswith("SEC") for rule in source.params):
        return None

    def look(part: Part, data: Bytes) -> Iterator[Leak]:
        survey = _Survey(source)
        try:
            survey.part(file, part.members, part.kinds, View(data.read, data.size))
        except (ReadError, OSError, ValueError) as error:
            message = f"cannot be searched for leaks: {cause(error)}"
            source.note(file, Problem(message=message, kind="unreadable"))
        yield from survey.leaks

    return look


class _Reader:
    """Reads bytes, or a memory map, in pieces."""

    def __init__(self, data: Any) -> None:
        self._data, self._at = data, 0

    def read(self, size: int = -1) -> bytes:
        piece = bytes(self._data[self._at : len(self._data) if size < 0 else self._at + size])
        self._at += len(piece)
        return piece


def _utf8(stream: _Reader) -> Any:
    """Return a reader of the text in UTF-8 or its own 8-bit encoding; UTF-16 is turned into UTF-8."""
    head = stream.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        whole = head + stream.read(WHOLE)
        pieces = iter((whole.decode("utf-16", "replace").encode("utf-8", "replace"),))
        return lambda _size: next(pieces, b"")
    first = [head]
    return lambda size: first.pop() if first else stream.read(size)


def strings_of(source: Source, rule: str, name: str) -> tuple[str, ...]:
    """Return a list of texts among the parameters of a rule."""
    found = source.params.get(rule, {}).get(name)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list | tuple) else ()
