"""``MANIFEST``: digests of a tree in the form that ``sha256sum -c`` reads, so that no tool of ours is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

MANIFEST = "MANIFEST"
MAX_BYTES = 256 << 20

_LINE = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9A-Fa-f]{64}) [ *](?P<name>.+)")
_TAGGED = re.compile(r"(?P<escaped>\\?)SHA256 \((?P<name>.+)\) = (?P<digest>[0-9A-Fa-f]{64})")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_MEANS = {"\\": "\\", "n": "\n", "r": "\r"}


class Listed(Struct, frozen=True):
    """One line of a manifest.

    Attributes:
        name: as it stands there, escapes undone.
        digest: SHA-256 in lower case hex.
        line: 1-based.
    """

    name: str
    digest: str
    line: int


class BadLine(Struct, frozen=True):
    """A line that is not in the form, and why."""

    line: int
    reason: str


class Manifest(Struct, frozen=True):
    """A manifest as it stands, repeated names included."""

    listed: tuple[Listed, ...]
    bad: tuple[BadLine, ...] = ()


def write_manifest(digests: Mapping[str, str]) -> bytes:
    """Return the manifest of a tree: one line for each file, sorted by the name's UTF-8 bytes.

    Args:
        digests: name to SHA-256, hex.
    """
    return b"".join(_line(name, digests[name]) for name in sorted(digests, key=str.encode))


def parse_manifest(text: str) -> Manifest:
    """Read a manifest; comments (``#``) and empty lines are passed over, as ``sha256sum -c`` does."""
    listed: list[Listed] = []
    bad: list[BadLine] = []
    for number, line in enumerate(text.split("\n"), 1):
        content = line.removesuffix("\r")
        if not content.strip() or content.startswith("#"):
            continue
        match = _LINE.fullmatch(content) or _TAGGED.fullmatch(content)
        if match is None:
            bad.append(BadLine(number, "not in the form '<64 hex digits>  <name>'"))
            continue
        name: str | None = match["name"]
        if match["escaped"]:
            name = _unescaped(match["name"])
        if name is None:
            bad.append(BadLine(number, "holds an escape that is not \\\\, \\n or \\r"))
        else:
            listed.append(Listed(name.removeprefix("./"), match["digest"].lower(), number))
    return Manifest(tuple(listed), tuple(bad))


def _line(name: str, digest: str) -> bytes:
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n".encode()


def _unescaped(text: str) -> str | None:
    if any(match[1] not in _MEANS for match in _ESCAPE.finditer(text)):
        return None
    return _ESCAPE.sub(lambda match: _MEANS[match[1]], text)
