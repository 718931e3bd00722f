"""Bytes that are sliced like a buffer and read only where they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

BLOCK = 1 << 16


class View:
    """A buffer over a reader; a file that shrinks meanwhile gives fewer bytes, where a memory map would kill.

    Args:
        read: returns up to a number of bytes from an offset.
        size: bytes in all.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._read, self._size = read, size
        self._start, self._block = 0, b""

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return self._read(0, self._size)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            start, stop, _ = key.indices(self._size)
            length = max(0, stop - start)
            if length <= 64 and self._start <= start and stop <= self._start + len(self._block):
                return self._block[start - self._start : stop - self._start]
            return self._read(start, length) if length else b""
        if not self._start <= key < self._start + len(self._block):
            if not 0 <= key < self._size:
                raise IndexError(key)
            self._start, self._block = key, self._read(key, BLOCK)
            if not self._block:
                raise IndexError(key)
        return self._block[key - self._start]


def view_of_descriptor(descriptor: int) -> View:
    """Return a view of an open regular file, which must stay open."""
    return View(lambda at, length: os.pread(descriptor, length, at), os.fstat(descriptor).st_size)
