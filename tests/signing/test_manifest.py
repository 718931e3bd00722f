"""``MANIFEST`` against the tool whose form it has."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.signing.manifest import parse_manifest, write_manifest
from tests.signing.trees import FILES, fill

ODD = {"back\\slash": b"1", "new\nline": b"2", "carriage\rreturn": b"3", " lead": b"4", "*star": b"5"}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not here")
def test_sha256sum_reads_what_we_write_and_writes_what_we_read(tmp_path: Path) -> None:
    root = fill(tmp_path)
    for name, data in ODD.items():
        (root / name).write_bytes(data)
    files = {**FILES, **ODD}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = write_manifest(digests)
    (root / "MANIFEST").write_bytes(manifest)
    done = subprocess.run(["sha256sum", "--strict", "-c", "MANIFEST"], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    for option in ([], ["--binary"], ["--tag"]):
        theirs = subprocess.run(["sha256sum", *option, *sorted(files)], cwd=root, capture_output=True, check=True)
        read = parse_manifest(theirs.stdout.decode())
        assert read.bad == ()
        assert {each.name: each.digest for each in read.listed} == digests
    first = subprocess.run(["sha256sum", "a.txt"], cwd=root, capture_output=True, check=True).stdout
    assert first in manifest


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: not name.startswith("./")),
        st.binary(min_size=32, max_size=32).map(bytes.hex),
        max_size=6,
    )
)
def test_what_is_written_is_read(digests: dict[str, str]) -> None:
    read = parse_manifest(write_manifest(digests).decode())
    assert read.bad == ()
    assert {each.name: each.digest for each in read.listed} == digests
    assert len(read.listed) == len(digests)


@given(st.text(max_size=300))
def test_reading_never_raises(text: str) -> None:
    read = parse_manifest(text)
    assert all(len(each.digest) == 64 and each.name for each in read.listed)


def test_lines_in_another_form_are_told() -> None:
    read = parse_manifest(f"# comment\n\n{'0' * 64}  ./a\r\nnonsense\n\\{'0' * 64}  bad\\escape\n{'1' * 63}  short\n")
    assert [(each.name, each.line) for each in read.listed] == [("a", 3)]
    assert [each.line for each in read.bad] == [4, 5, 6]
