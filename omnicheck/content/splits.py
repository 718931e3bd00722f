"""Files that are parts of one file: which belong together, and in what order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

_NUMBERED = re.compile(r"(?P<stem>.+?)[._-](?:part|chunk|split)[._-]?(?P<number>\d{1,5}|[a-z]{2})\Z", re.IGNORECASE)
_PLAIN = re.compile(r"(?P<stem>.+\.[A-Za-z0-9]+)\.(?P<number>\d{2,4}|[a-z]{2})\Z")
_ZIPPED = re.compile(r"(?P<stem>.+)\.z(?P<number>\d{2,3})\Z", re.IGNORECASE)
_WORDS = re.compile(r"(?P<stem>x|.*[._-])(?P<number>[a-z]{2})\Z")


class Split(Struct, frozen=True):
    """Parts that make one file.

    Attributes:
        name: how the whole file is called.
        parts: names of the parts, in order.
    """

    name: str
    parts: tuple[str, ...]


def find_splits(names: Iterable[str]) -> tuple[Split, ...]:
    """Return the groups of one directory: ``a.part00``, ``a.zip.001``, ``a.z01`` with ``a.zip``, ``xaa``.

    A group has at least two parts, numbered without a gap from 0, 1 or ``aa``.
    """
    known = sorted(names)
    groups: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for name in known:
        for form, pattern in enumerate((_NUMBERED, _ZIPPED, _PLAIN, _WORDS)):
            match = pattern.match(name)
            if match:
                groups[match["stem"], form][_ordinal(match["number"])] = name
                break
    found = []
    for (stem, form), parts in sorted(groups.items()):
        last = f"{stem}.zip" if form == 1 and f"{stem}.zip" in known else None
        ordered = [parts[number] for number in sorted(parts)]
        if len(ordered) + (last is not None) < 2 or sorted(parts) != list(range(min(parts), min(parts) + len(parts))):
            continue
        if min(parts) > 1:
            continue
        whole = last or (stem if stem != "x" else "x")
        found.append(Split(whole.rstrip("._-"), (*ordered, last) if last else tuple(ordered)))
    return tuple(found)


def _ordinal(text: str) -> int:
    if text.isdigit():
        return int(text)
    return (ord(text[0].lower()) - 97) * 26 + ord(text[1].lower()) - 97
