"""The name gate: which names a signed bundle may hold, so that every file system unpacks the same tree."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

MAX_PART = 255
MAX_NAME = 4096

_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "123456789\u00b9\u00b2\u00b3"}
)
_FORBIDDEN = frozenset('<>:"|?*')
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")
"""Invisible, but spelling: Persian, Indic scripts and emoji need them."""


def name_fault(name: str) -> str | None:
    """Return what is wrong with a relative posix path, as the rest of the sentence "the name …"; None when nothing is.

    Args:
        name: a path as an archive, a manifest or a signature spells it.
    """
    if not name:
        return "is empty"
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME:
        return "is longer than 4,096 bytes"
    if "\\" in name:
        return "holds a backslash"
    if name.startswith("/"):
        return "is absolute"
    if not name.isascii() or not name.isprintable():
        found = next((each for each in name if unicodedata.category(each) in _INVISIBLE and each not in _JOINERS), None)
        if found is not None:
            return f"holds the control or invisible character U+{ord(found):04X}"
    return next((fault for part in name.split("/") if (fault := _part_fault(part)) is not None), None)


def collisions(names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (name, earlier name, why) for names that are one file, or file and directory, on some file system.

    Args:
        names: relative posix paths; a repeated one collides with itself.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        key = folded(name)
        if key in files:
            yield name, files[key], _why(name, files[key])
            continue
        files[key] = name
        for folder in _parents(name):
            earlier = folders.setdefault(folded(folder), folder)
            if earlier != folder:
                yield name, earlier, _why(folder, earlier)
    for key, name in files.items():
        if key in folders:
            yield name, folders[key], "is a file and a directory"


def folded(name: str) -> str:
    """Return the spelling under which names are one on systems that fold case and compose characters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _part_fault(part: str) -> str | None:
    stem = part.split(".", 1)[0].rstrip(" ").casefold()
    checks = (
        (part in ("", "."), "is not normalised (an empty part or '.')"),
        (part == "..", "climbs out of its directory ('..')"),
        (len(part.encode("utf-8", "surrogatepass")) > MAX_PART, "has a part longer than 255 bytes"),
        (not _FORBIDDEN.isdisjoint(part), 'holds a character that Windows forbids (one of <>:"|?*)'),
        (part.endswith((".", " ")), "has a part that ends with a dot or a space, which Windows drops"),
        (stem in _RESERVED, f"has the part {part!r}, which Windows reserves for a device"),
    )
    return next((fault for wrong, fault in checks if wrong), None)


def _why(name: str, earlier: str) -> str:
    if name == earlier:
        return "stands twice"
    if unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", earlier):
        return "differs only in Unicode composition"
    return "differs only in case"


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
