"""The same tree gives the same archive, whatever its times, modes and the order of its making."""

from __future__ import annotations

import hashlib
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from omnicheck.bundle.archive import source_date, write_tar, write_zip

FILES = {"b/ä.txt": b"umlaut", "a.txt": b"one", "a-b": b"", "a/x": b"\x00" * 3000, "é/" + "long" * 40 + ".json": b"{}"}


def tree(root: Path, names: list[str]) -> Path:
    for name in names:
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(FILES[name])
    return root


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_the_bytes_do_not_depend_on_times_modes_or_order(write: Callable[[Path, Path], None], tmp_path: Path) -> None:
    first, second = tree(tmp_path / "1", sorted(FILES)), tree(tmp_path / "2", sorted(FILES, reverse=True))
    for place in second.rglob("*"):
        os.utime(place, (1_000_000_000, 1_000_000_000))
        place.chmod(0o755)
    write(first, tmp_path / "1.out")
    write(second, tmp_path / "2.out")
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("1.out", "2.out")}
    assert len(digests) == 1


def test_other_readers_read_them(tmp_path: Path) -> None:
    root = tree(tmp_path / "t", sorted(FILES))
    write_tar(root, tmp_path / "t.tar")
    write_zip(root, tmp_path / "t.zip")
    with tarfile.open(tmp_path / "t.tar") as archive:
        read = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
        assert {(entry.mode, entry.uid, entry.uname) for entry in archive} == {(0o644, 0, "")}
    assert read == FILES
    assert list(read) == sorted(FILES, key=str.encode)
    with zipfile.ZipFile(tmp_path / "t.zip") as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == FILES


def test_the_time_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert source_date() == 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert source_date() == 315_532_800
