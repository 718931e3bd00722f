"""Pickle streams of every protocol, found by walking their opcodes from the start; nothing is ever unpickled.

The walk keeps a model of the stack, so that text which merely begins with letters that are opcodes is told from a
stream that a loader would run. Source of the opcodes: CPython's ``pickletools``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from omnicheck.content.blob import Blob

MAX_OPS = 4_000
MAX_LINE = 4096

_LINE = {"I": rb"[ \t]*[-+]?\d+[ \t]*\r?", "L": rb"[ \t]*[-+]?\d+L?[ \t]*\r?", "p": rb"\d+\r?", "g": rb"\d+\r?"}
_LINE |= {"F": rb"[ \t]*[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|inf|nan)[ \t]*\r?"}
_LINE |= {"S": rb"(?:'.*'|\".*\")\s*", "V": rb"[^\x00]*", "P": rb"[\x20-\x7e]+\r?"}
_NAME = rb"[^\W\d][\w.<>]*\r?"
_COUNTED = {"T": 4, "U": 1, "B": 4, "C": 1, "X": 4, "\x8a": 1, "\x8b": 4, "\x8c": 1, "\x8d": 8, "\x8e": 8, "\x96": 8}
_FIXED = {"J": 4, "K": 1, "M": 2, "G": 8, "h": 1, "j": 4, "q": 1, "r": 4, "\x80": 1, "\x82": 1, "\x83": 2, "\x84": 4}
_FIXED |= {"\x95": 8}
_PUSHES = frozenset("IJKMLSTUBCNVXF G]}\x8a\x8b\x8e\x96\x97\x88\x89\x8c\x8d\x8fghjP") - {" "}
# Opcodes that take fixed numbers of items and give one back: name to (taken, given).
_TAKES = {"\x85": (1, "t"), "\x86": (2, "t"), "\x87": (3, "t"), "\x93": (2, "g"), "R": (2, "x"), "b": (2, "x")}
_TAKES |= {"\x81": (2, "x"), "\x92": (3, "x"), "a": (2, "x"), "s": (3, "x"), "Q": (1, "x"), "\x98": (1, "x")}
_TO_MARK = {"l": "x", "t": "t", "d": "x", "\x91": "x", "o": "x", "i": "x"}
_ONTO = frozenset("eu\x90")  # extend what lies below the mark
_CALLS = frozenset("Rbio\x81\x92")
_IMPORTS = frozenset("ci\x93\x82\x83\x84")
_MEMO = frozenset("pqr\x94")
_OPCODES = frozenset(map(ord, _PUSHES | {*_TAKES, *_TO_MARK, *_ONTO, *_MEMO, *_IMPORTS, *"(012).", "\x80", "\x95"}))
_PATTERNS = {code: re.compile(text + rb"\Z", re.DOTALL) for code, text in _LINE.items()}
_IS_NAME = re.compile(_NAME + rb"\Z")
_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


class _Malformed(Exception):  # noqa: N818 - it ends a walk and is never seen
    """The bytes are not a pickle from here on."""


class _Walk:
    """One walk over opcodes.

    Attributes:
        ops: opcodes that were valid.
        end: offset after STOP, or None.
        calls: whether an import was called.
        imports: whether something was imported.
        memo: how many values were remembered.
    """

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._at = 0
        self._window = blob.head
        self._base = 0
        self._stack: list[str] = []
        self.ops = 0
        self.end: int | None = None
        self.calls = self.imports = self.cut = False
        self.memo = 0

    def run(self) -> None:
        """Walk until STOP, a malformed opcode, the end of the bytes, or the bound."""
        try:
            while self.ops < MAX_OPS and self.end is None:
                if self._at >= self._blob.size:
                    self.cut = True
                    return
                code = chr(self._take(1)[0])
                self._step(code)
                self.ops += 1
        except _Malformed:
            return

    def _take(self, count: int) -> bytes:
        start = self._at - self._base
        if start < 0 or start + count > len(self._window):
            self._window, self._base = self._blob.read(self._at, 1 << 16), self._at
            start = 0
        data = self._window[start : start + count]
        if len(data) < count:
            self.cut = True
            raise _Malformed
        self._at += count
        return data

    def _line(self) -> bytes:
        start = self._at - self._base
        end = self._window.find(b"\n", start, start + MAX_LINE)
        if end < 0:
            self._window, self._base, start = self._blob.read(self._at, 1 << 16), self._at, 0
            end = self._window.find(b"\n", 0, MAX_LINE)
            if end < 0:
                raise _Malformed
        line = self._window[start:end]
        self._at += len(line) + 1
        return line

    def _step(self, code: str) -> None:
        self._argument(code)
        stack = self._stack
        if code == ".":
            if len(stack) != 1 or stack[0] == "m":
                raise _Malformed
            self.end = self._at
        elif code in _PUSHES:
            stack.append("?" if code in "ghj" else "x")
        elif code in _IMPORTS and code not in "i\x93":
            stack.append("g")
            self.imports = True
        elif code in _TAKES:
            self._combine(code)
        elif code in _TO_MARK or code in _ONTO:
            self._to_mark(code)
        else:
            self._other(code)
        if len(stack) > 100_000:
            raise _Malformed

    def _argument(self, code: str) -> None:
        if code in _PATTERNS:
            if not _PATTERNS[code].match(self._line()):
                raise _Malformed
        elif code in _COUNTED:
            length = int.from_bytes(self._take(_COUNTED[code]), "little")
            self._at += length
            if self._at > self._blob.size:
                self.cut = True
                raise _Malformed
        elif code in _FIXED:
            value = self._take(_FIXED[code])
            if code == "\x80" and value[0] > 5:
                raise _Malformed
        elif ord(code) not in _OPCODES or (code in "ci" and not self._named()):
            raise _Malformed

    def _named(self) -> bool:
        return all([_IS_NAME.match(self._line()), _IS_NAME.match(self._line())])

    def _combine(self, code: str) -> None:
        taken, given = _TAKES[code]
        stack = self._stack
        if len(stack) < taken or "m" in stack[-taken:]:
            raise _Malformed
        if code in "R\x81" and (stack[-1] not in "t?" or stack[-2] == "t"):
            raise _Malformed
        del stack[-taken:]
        stack.append(given)
        self.imports |= code == "\x93"
        self._called(code)

    def _to_mark(self, code: str) -> None:
        stack = self._stack
        for place in range(len(stack) - 1, -1, -1):
            if stack[place] == "m":
                break
        else:
            raise _Malformed
        if (code in _ONTO and (not place or stack[place - 1] == "m")) or (code == "o" and place + 1 == len(stack)):
            raise _Malformed
        del stack[place:]
        if code in _TO_MARK:
            stack.append(_TO_MARK[code])
        self.imports |= code == "i"
        self._called(code)

    def _other(self, code: str) -> None:
        stack = self._stack
        if code == "(":
            stack.append("m")
        elif code == ")":
            stack.append("t")
        elif code in _MEMO or code in "02":
            if not stack or (stack[-1] == "m" and code != "0"):
                raise _Malformed
            if code == "2":
                stack.append(stack[-1])
            elif code == "0":
                stack.pop()
            else:
                self.memo += 1
        elif code == "1":
            if "m" not in stack:
                raise _Malformed
            while stack.pop() != "m":
                pass

    def _called(self, code: str) -> None:
        # One import and one tuple at least stand before a call, so a first or second opcode is none.
        if code in _CALLS and self.imports and self.ops >= 2:
            self.calls = True


def pickles(blob: Blob) -> Iterator[str]:
    """Yield ``pickle``, and ``torch_legacy`` or ``joblib`` before it, for bytes that begin with a pickle stream."""
    head = blob.head
    if not head or head[0] not in _OPCODES or not is_pickle(blob):
        return
    if _TORCH_MAGIC in head[:64]:
        yield "torch_legacy"
    if b"joblib.numpy_pickle" in head or b"cjoblib" in head:
        yield "joblib"
    yield "pickle"


def opcodes(blob: Blob) -> int:
    """Return how many opcodes of a stream at the start are valid, at most ``MAX_OPS``."""
    walk = _Walk(blob)
    walk.run()
    return walk.ops


def is_pickle(blob: Blob) -> bool:
    """Whether the bytes begin with a pickle stream, complete or broken off after something was called.

    A stream without the protocol opcode is taken for one when it calls an import, ends exactly where the bytes end,
    or remembers values as every pickler does; text that begins with the letters of opcodes does none of these.
    """
    walk = _Walk(blob)
    walk.run()
    if blob.head[0] == 0x80:
        return walk.end is not None or walk.calls or walk.ops >= 8 or (walk.cut and walk.ops >= 3)
    if walk.calls:
        return walk.ops >= 3
    if walk.end is not None:
        return walk.end == blob.size or walk.memo > 0
    return walk.ops >= MAX_OPS and walk.memo >= 2
