"""A bundle as a directory: the directory itself, or an archive of it.

An archive is unpacked into a private directory, after its names have passed the gate and its structure leaves no room
for bytes that another reader would take for files.
"""

from __future__ import annotations

import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from msgspec import Struct

from omnicheck.model.errors import UsageError
from omnicheck.readers.gate import open_regular
from omnicheck.signing.names import collisions, name_fault
from omnicheck.signing.tree import shown

MAX_MEMBERS = 100_000
MAX_TOTAL = 64 << 30
MAX_RATIO = 1100
"""Deflate reaches 1032; more is no compression but a bomb."""

_BLOCK = 1 << 20
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(ValueError, ArithmeticError, RuntimeError),
)
"""What the readers of the standard library raise for archives that are cut, encrypted or made to confuse."""


class Refusal(Struct, frozen=True):
    """A member of an archive that is not unpacked, and why; the name is empty for the archive itself."""

    name: str
    reason: str


class Member(Struct, frozen=True):
    """A file in an archive.

    Attributes:
        name: as the archive spells it.
        size: bytes when unpacked, as stated.
        mode: permission bits, as stated.
        fault: why it is not unpacked, or None.
    """

    name: str
    size: int
    mode: int
    fault: str | None = None


class Opened(Struct, frozen=True):
    """A bundle that can be walked.

    Attributes:
        root: a directory.
        archive: ``tar``, ``zip``, or None for a directory.
        refusals: what of the archive was not unpacked; anything here means that the bundle is not what was signed.
    """

    root: Path
    archive: str | None = None
    refusals: tuple[Refusal, ...] = ()


@contextmanager
def opened(bundle: Path) -> Iterator[Opened]:
    """Yield a bundle as a directory; an archive is unpacked into a directory that only this user can read.

    Raises:
        UsageError: there is nothing of that name, or it is neither a directory nor an uncompressed tar or a zip.
    """
    if bundle.is_dir():
        yield Opened(bundle)
        return
    if not bundle.exists():
        raise UsageError("no such file or directory", path=str(bundle), hint="give a bundle: a directory, .tar or .zip")
    with open_regular(bundle) as stream:
        archive = _kind(stream)
        if archive is None:
            raise UsageError(
                "is neither a directory, nor a tar, nor a zip", path=bundle.name, hint="unpack it, then verify that"
            )
        with TemporaryDirectory(prefix="omnicheck-verify-") as place:
            # Named as the bundle would be: the name is part of nothing that is signed, but reports show it.
            root = Path(place) / "bundle"
            root.mkdir(mode=0o700)
            unpack = _unpack_zip if archive == "zip" else _unpack_tar
            try:
                refusals = tuple(unpack(stream, root))
            except (
                tarfile.TarError,
                zipfile.BadZipFile,
                EOFError,
                struct.error,
                ValueError,
                NotImplementedError,
            ) as error:
                refusals = (Refusal("", f"the {archive} is damaged: {error}"),)
            except OSError as error:
                raise UsageError(f"cannot be unpacked: {error.strerror}", path=bundle.name) from error
            yield Opened(root, archive, refusals)


def _kind(stream: BinaryIO) -> str | None:
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    return "tar" if head[257:262] == b"ustar" else None


def _unpack_tar(stream: BinaryIO, root: Path) -> Iterator[Refusal]:
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        entries = []
        for entry in archive:
            entries.append(entry)
            if len(entries) > MAX_MEMBERS:
                yield Refusal("", f"holds over {MAX_MEMBERS:,} members")
                return
        end = archive.offset
        members = [_tar_member(entry) for entry in entries]
        refused = list(_gate(members, [entry.isdir() for entry in entries]))
        if refused:
            yield from refused
            return
        for entry, member in zip(entries, members, strict=True):
            if entry.isreg():
                source = archive.extractfile(entry)
                if source is None:
                    yield Refusal(shown(member.name), "cannot be read")
                else:
                    _write(cast("BinaryIO", source), root, member)
            else:
                root.joinpath(*member.name.split("/")).mkdir(parents=True, exist_ok=True)
    stream.seek(end)
    while block := stream.read(_BLOCK):
        if block.strip(b"\0"):
            yield Refusal("", "holds bytes after the end of the archive")
            return


def _tar_member(entry: tarfile.TarInfo) -> Member:
    fault = None
    if entry.issym() or entry.islnk():
        fault = "is a link; a bundle holds regular files only"
    elif not entry.isreg() and not entry.isdir():
        fault = "is not a regular file; a bundle holds no other"
    elif entry.issparse():
        fault = "is a sparse file, which a bundle does not hold"
    return Member(entry.name, entry.size, entry.mode & 0o7777, fault)


def _unpack_zip(stream: BinaryIO, root: Path) -> Iterator[Refusal]:
    with zipfile.ZipFile(stream) as archive:
        infos = archive.infolist()
        if len(infos) > MAX_MEMBERS:
            yield Refusal("", f"holds over {MAX_MEMBERS:,} members")
            return
        members = [_zip_member(info) for info in infos]
        refused = list(_gate(members, [info.is_dir() for info in infos]))
        gap = None if refused else _gap(stream, archive)
        if gap is not None:
            refused.append(Refusal("", gap))
        if refused:
            yield from refused
            return
        for info, member in zip(infos, members, strict=True):
            if info.is_dir():
                root.joinpath(*member.name.split("/")).mkdir(parents=True, exist_ok=True)
                continue
            with archive.open(info) as source:
                _write(cast("BinaryIO", source), root, member)


def _zip_member(info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode)
    fault = None
    if kind and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        fault = "is a link or a special file; a bundle holds regular files only"
    elif info.flag_bits & 0x1:
        fault = "is encrypted"
    elif info.orig_filename != info.filename:
        fault = "has a name that readers cut or rewrite"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        fault = "is compressed by a method other than deflate"
    elif info.file_size > MAX_RATIO * max(info.compress_size, 1):
        fault = f"unpacks to more than {MAX_RATIO:,} times its size"
    return Member(info.filename.removesuffix("/"), info.file_size, stat.S_IMODE(mode) or 0o644, fault)


def _gap(stream: BinaryIO, archive: zipfile.ZipFile) -> str | None:
    """Return what stands between the members: another reader may find other files there."""
    at = 0
    for info in sorted(archive.infolist(), key=lambda each: each.header_offset):
        if info.header_offset != at:
            return f"holds {abs(info.header_offset - at):,} bytes that belong to no member (before {info.filename!a})"
        stream.seek(at)
        header = stream.read(30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            return f"has no local header for {info.filename!a}"
        flags, _, _, _, crc, packed, size, name, extra = struct.unpack("<HHHHIIIHH", header[6:30])
        if flags & 0x8 or flags != info.flag_bits:
            return f"has a local header for {info.filename!a} that leaves its size open or disagrees with the directory"
        wide = 0xFFFFFFFF in (packed, size)
        if crc != info.CRC or (not wide and (packed, size) != (info.compress_size, info.file_size)):
            return f"has a local header for {info.filename!a} that disagrees with the directory"
        at += 30 + name + extra + info.compress_size
    if archive.start_dir != at:
        return f"holds {abs(archive.start_dir - at):,} bytes before its directory that belong to no member"
    for info in archive.infolist():
        stream.seek(at)
        name, extra, comment = struct.unpack("<HHH", stream.read(46)[28:34])
        if comment:
            return f"has a comment on {info.filename!a}, in which anything may stand"
        at += 46 + name + extra
    stream.seek(at)
    rest = stream.read(99)
    if archive.comment or len(rest) not in (22, 22 + 56 + 20) or rest[-22:-18] != b"PK\x05\x06":
        return "holds bytes after its directory: a comment, or something appended"
    return None


def _gate(members: list[Member], folders: list[bool]) -> Iterator[Refusal]:
    for member in members:
        fault = member.fault or name_fault(member.name)
        if fault is not None:
            yield Refusal(shown(member.name), fault)
    files = [member.name for member, folder in zip(members, folders, strict=True) if not folder]
    for name, earlier, why in collisions(files):
        yield Refusal(shown(name), f"collides with {shown(earlier)!r}: one {why}")
    taken = set(files)
    for member, folder in zip(members, folders, strict=True):
        if folder and member.name in taken:
            yield Refusal(shown(member.name), "is a file and a directory")
    if sum(member.size for member in members) > MAX_TOTAL:
        yield Refusal("", f"unpacks to more than {MAX_TOTAL >> 30} GiB")


def _write(source: BinaryIO, root: Path, member: Member) -> None:
    place = root.joinpath(*member.name.split("/"))
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    left = member.size
    with os.fdopen(descriptor, "wb") as target:
        while left > 0 and (block := source.read(min(_BLOCK, left))):
            target.write(block)
            left -= len(block)
        # Never set-id on this machine; what the archive says of the others is shown by the verifier.
        os.fchmod(target.fileno(), (member.mode & 0o777) | 0o400)
    if left or source.read(1):
        raise ValueError(f"{member.name!a} is not as long as stated")
