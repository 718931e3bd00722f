"""Where py7zr puts what it unpacks: into memory, and never more than there is room for."""

from __future__ import annotations

from py7zr.io import Py7zIO, WriterFactory


class Bounded(Py7zIO):
    """The bytes of one member.

    Attributes:
        name: of the member.
        data: its bytes so far.
    """

    def __init__(self, name: str, room: int) -> None:
        self.name = name
        self.data = bytearray()
        self._room = room

    def write(self, s: bytes | bytearray) -> int:
        """Take bytes; raise ``OverflowError`` when there is no room."""
        if len(self.data) + len(s) > self._room:
            raise OverflowError
        self.data += s
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        """Return the first bytes."""
        return bytes(self.data if size is None else self.data[:size])

    def seek(self, offset: int, whence: int = 0) -> int:
        """Do nothing: members are written once, from start to end."""
        return 0 * (offset + whence)

    def flush(self) -> None:
        """Do nothing."""

    def size(self) -> int:
        """Return how many bytes there are."""
        return len(self.data)


class Factory(WriterFactory):
    """Makes a place in memory for each member."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._made: list[Bounded] = []

    def create(self, filename: str) -> Py7zIO:
        """Return the place of one member."""
        self._made.append(Bounded(filename, self._room))
        return self._made[-1]

    def contents(self) -> list[tuple[str, bytes]]:
        """Return the members, by name."""
        return [(each.name, bytes(each.data)) for each in self._made]
