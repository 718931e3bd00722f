"""A bundle as one file: the same tree gives the same bytes.

Entries are sorted by their UTF-8 bytes; owners, modes and times are fixed; nothing is compressed, as two versions of a
compression library may give different bytes.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

TIME = 315_532_800
"""1980-01-01T00:00:00Z, the first time that zip can tell; used where SOURCE_DATE_EPOCH gives none."""


def write_tar(root: Path, out: Path, *, time: int = TIME) -> None:
    """Write a directory as an uncompressed tar in PAX format, without a wrapper folder."""
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        for name, place in _entries(root):
            entry = tarfile.TarInfo(name)
            entry.size = place.stat().st_size
            entry.mtime = time
            entry.mode = 0o644
            with place.open("rb") as stream:
                archive.addfile(entry, stream)


def write_zip(root: Path, out: Path, *, time: int = TIME) -> None:
    """Write a directory as a zip with stored members, without a wrapper folder."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only a zip needs a calendar

    moment = datetime.fromtimestamp(max(time, TIME), UTC)
    stamp = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second // 2 * 2)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, place in _entries(root):
            entry = zipfile.ZipInfo(name, stamp)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            entry.file_size = place.stat().st_size
            with place.open("rb") as stream, archive.open(entry, "w") as member:
                while chunk := stream.read(1 << 20):
                    member.write(chunk)


def source_date() -> int:
    """Return the time that entries carry: SOURCE_DATE_EPOCH where it is set to a number, else 1980."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(text) if text.isascii() and text.isdigit() else TIME


def _entries(root: Path) -> Iterator[tuple[str, Path]]:
    found = [place for place in root.rglob("*") if place.is_file()]
    named = [(place.relative_to(root).as_posix(), place) for place in found]
    yield from sorted(named, key=lambda each: each[0].encode())
