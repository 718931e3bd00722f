from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.model.errors import EscapeError, ReadError
from omnicheck.readers.gate import inside, open_regular


@pytest.mark.parametrize("name", ["a", "a/b.json", "./a", "a//b", "a/../b", "ab:c", "..a/b..", "a/"])
def test_plain_names_stay_inside(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) == Path(os.path.normpath(tmp_path / name))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "..",
        "a/../../b",
        "../" + "x",
        "C:/x",
        "c:x",
        "a:b.json",
        "..\\..\\x",
        "a\\b",
        "\\\\host\\share",
        "a\0b",
        "\ud800",
        "x" * 300,
        "x/" * 5000,
    ],
)
def test_escapes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EscapeError):
        inside(tmp_path, name)


def test_links_out_are_refused_and_links_within_are_not(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "near").symlink_to(root / "real")
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(EscapeError, match="link"):
        inside(root, "out/file")
    with pytest.raises(EscapeError, match="link"):
        inside(root, "out")
    assert inside(root, "near/file") == root / "near" / "file"
    assert inside(root, "loop") == root / "loop"


@given(st.text(alphabet=st.sampled_from("ab./\\:\0C~ \ud800é"), max_size=30))
def test_nothing_leads_out(name: str) -> None:
    root = Path("/nowhere/root")
    try:
        place = inside(root, name)
    except EscapeError:
        return
    assert Path(os.path.normpath(place)).is_relative_to(root)
    assert ".." not in place.parts


def test_only_regular_files_open(tmp_path: Path) -> None:
    regular = tmp_path / "file"
    regular.write_bytes(b"abc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(regular)
    with open_regular(regular) as stream:
        assert stream.read() == b"abc"
    for name, words in (("pipe", "regular"), ("link", "link"), (".", "directory"), ("gone", "no such")):
        with pytest.raises(ReadError, match=words):
            open_regular(tmp_path / name)
    with pytest.raises(ReadError, match="regular"):
        open_regular(Path("/dev/zero"))
    with pytest.raises(ReadError, match="3 bytes"):
        open_regular(regular, 2)
    with pytest.raises(ReadError):
        open_regular(tmp_path / "a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_no_permission_is_told_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(ReadError, match="permission") as caught:
        open_regular(path)
    assert caught.value.hint
