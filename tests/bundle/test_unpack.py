"""Bundles as archives: what is refused before anything is written, and what another reader could see in them."""

from __future__ import annotations

import io
import stat
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnicheck.bundle.unpack import opened
from omnicheck.model.errors import OmnicheckError, UsageError
from tests.bundle.sealed import said, seal, verified, write_run


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seal(write_run(tmp_path_factory.mktemp("sealed") / "toy"))


def tar_of(root: Path, out: Path) -> Path:
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            archive.add(path, path.relative_to(root).as_posix(), recursive=False)
    return out


def zip_of(root: Path, out: Path, how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(out, "w", how) as archive:
        for path in sorted(root.rglob("*")):
            archive.write(path, path.relative_to(root).as_posix())
    return out


def test_archives_of_a_bundle_verify(sealed: Path, tmp_path: Path) -> None:
    for archive in (
        tar_of(sealed, tmp_path / "toy.tar"),
        zip_of(sealed, tmp_path / "toy.zip"),
        zip_of(sealed, tmp_path / "packed.zip", zipfile.ZIP_DEFLATED),
    ):
        found = verified(archive, recheck=True)
        assert said(found) == [], archive
        assert found.recheck is not None
        assert any(f"the {archive.suffix[1:]} around" in each.what for each in found.uncovered)


def test_a_changed_member_is_named(sealed: Path, tmp_path: Path) -> None:
    archive = zip_of(sealed, tmp_path / "toy.zip")
    data = archive.read_bytes().replace(b"# Toy evaluation", b"# Top evaluation")
    archive.write_bytes(data)
    assert said(verified(archive)) == [("BND103", "toy.zip")], "the checksum of the zip tells it first"
    with zipfile.ZipFile(archive := tmp_path / "other.zip", "w") as out:
        for path in sorted(sealed.iterdir()):
            out.writestr(path.name, path.read_bytes().replace(b"# Toy", b"# Top"))
    assert ("BND101", "other.zip!/RUN_REPORT.md") in said(verified(archive))


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, target: str = "", data: bytes = b"x"
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    return info, data


BAD_TARS = {
    "climbs out": [entry("../evil")],
    "is absolute": [entry("/evil")],
    "not normalised": [entry("./a")],
    "backslash": [entry("a\\b")],
    "is a link": [entry("a", tarfile.SYMTYPE, "/etc/passwd")],
    "is a link ": [entry("a"), entry("b", tarfile.LNKTYPE, "a")],
    "is not a regular file": [entry("pipe", tarfile.FIFOTYPE)],
    "stands twice": [entry("a"), entry("a", data=b"other")],
    "only in case": [entry("a"), entry("A")],
    "composition": [entry("\u00e9"), entry("e\u0301")],
    "reserves": [entry("con.txt")],
    "file and a directory": [entry("a"), entry("a/b")],
}


@pytest.mark.parametrize("why", sorted(BAD_TARS))
def test_a_tar_that_is_refused(tmp_path: Path, why: str) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in [entry("first"), *BAD_TARS[why]]:
            archive.addfile(info, io.BytesIO(data))
    with opened(tmp_path / "bad.tar") as tree:
        assert any(why.strip() in each.reason for each in tree.refusals), tree.refusals
        assert list(tree.root.iterdir()) == [], "nothing was written"
    found = verified(tmp_path / "bad.tar")
    assert {each.rule for each in found.report.findings} == {"BND103"}
    assert found.report.verdict == "fail"


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], comment: bytes = b"") -> bytes:
    whole = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(whole, "w") as archive:
        warnings.simplefilter("ignore")
        for name, data in (("first", b"x"), *members):
            archive.writestr(name, data)
        archive.comment = comment
    return whole.getvalue()


def member(name: str = "a", **fields: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def patched(at: int, in_directory: int, value: bytes) -> bytes:
    """Change the first member's local header and its entry in the directory alike."""
    data = bytearray(zipped())
    for place in (at, data.index(b"PK\x01\x02") + in_directory):
        data[place : place + len(value)] = value
    return bytes(data)


def with_hidden_member() -> bytes:
    data, hidden = zipped(), zipped()
    at = data.index(b"PK\x01\x02")
    local = hidden[: hidden.index(b"PK\x01\x02")]
    end = bytearray(data[at:])
    end[-6:-2] = (at + len(local)).to_bytes(4, "little")
    return data[:at] + local + bytes(end)


BAD_ZIPS = {
    "a link": (zipped((member(external_attr=(stat.S_IFLNK | 0o777) << 16), b"/etc/passwd")), "link"),
    "a name twice": (zipped(("first", b"other")), "twice"),
    "a name outside": (zipped(("../evil", b"x")), "climbs out"),
    "another compression": (zipped((member(compress_type=zipfile.ZIP_LZMA), b"x")), "compressed by a method"),
    "a comment": (zipped(comment=b"hidden"), "comment"),
    "a comment on a member": (zipped((member(comment=b"hidden"), b"x")), "comment"),
    "bytes behind": (zipped() + b"hidden", "appended"),
    "many bytes behind": (zipped() + b"\0" * 70_000, "damaged"),
    "another local name": (zipped().replace(b"first", b"other", 1), "differ"),
    "a hidden member": (with_hidden_member(), "belong to no member"),
    "encrypted": (patched(6, 8, b"\1"), "encrypted"),
    "a flag that readers ignore": (zipped().replace(b"PK\3\4\x14\0\0", b"PK\3\4\x14\0\x20", 1), "disagrees"),
    "a wrong checksum": (patched(14, 16, b"\0\0\0\0"), "CRC"),
    "a stated size like a bomb": (patched(22, 24, (4_000_000_000).to_bytes(4, "little")), "times its size"),
}


@pytest.mark.parametrize("case", sorted(BAD_ZIPS))
def test_a_zip_that_is_refused(tmp_path: Path, case: str) -> None:
    data, why = BAD_ZIPS[case]
    (tmp_path / "bad.zip").write_bytes(data)
    with opened(tmp_path / "bad.zip") as tree:
        assert any(why in each.reason for each in tree.refusals), tree.refusals
    assert verified(tmp_path / "bad.zip").report.verdict == "fail"


def test_bytes_after_a_tar(sealed: Path, tmp_path: Path) -> None:
    archive = tar_of(sealed, tmp_path / "toy.tar")
    archive.write_bytes(archive.read_bytes() + b"\0" * 512 + b"hidden".ljust(512, b"\0"))
    with opened(archive) as tree:
        assert [each.reason for each in tree.refusals] == ["holds bytes after the end of the archive"]


def test_the_private_copy_is_private_and_goes_away(sealed: Path, tmp_path: Path) -> None:
    with opened(tar_of(sealed, tmp_path / "toy.tar")) as tree:
        place = tree.root
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert {path.name for path in place.iterdir()} == {path.name for path in sealed.iterdir()}
    assert not place.exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"plain text", b"\x1f\x8b\x08" + b"\0" * 600])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    if data.startswith(b"PK"):
        assert verified(tmp_path / "x").report.verdict == "fail"
        return
    with pytest.raises(UsageError, match="neither a directory"), opened(tmp_path / "x"):
        pass


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.sampled_from(["tar", "zip"]), st.integers(0, 1 << 30), st.integers(1, 255))
def test_a_mutated_archive_gives_a_report_and_never_a_trace(
    sealed: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, at: int, flip: int
) -> None:
    place = tmp_path_factory.mktemp("mutated") / f"toy.{kind}"
    archive = tar_of(sealed, place) if kind == "tar" else zip_of(sealed, place)
    data = bytearray(archive.read_bytes())
    data[at % len(data)] ^= flip
    archive.write_bytes(bytes(data))
    try:
        found = verified(archive)
    except OmnicheckError:
        return
    # Bytes of the archive around the files may change (times, owners, padding); the files may not.
    if found.report.verdict == "pass":
        statement = found.verification.statement if found.verification else None
        assert statement is not None
        assert found.verification is not None
        assert found.verification.digests == dict(statement.digests)
