"""The scan never raises, stays within its bounds, and says so where it stops."""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnicheck.content.blob import Blob, blob_of_bytes, blob_of_descriptor, joined
from omnicheck.content.encoded import encoded
from omnicheck.content.formats.pickles import is_pickle
from omnicheck.content.kinds import kinds_of
from omnicheck.content.part import Bounds, Part
from omnicheck.content.scan import scan_file
from omnicheck.content.splits import Split, find_splits
from tests.content import construct_lists as lists
from tests.content import constructs as made

SEEDS = [case[2] for case in lists.bypasses() + lists.hidden() if len(case[2]) < 20_000]
CALM = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SMALL = Bounds(depth=3, entries=20, ratio=20, member=1 << 16, total=1 << 17)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        if data:
            at = draw(st.integers(0, len(data) - 1))
            data[at] = draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF, data[at] ^ 1, draw(st.integers(0, 255)))))
    start = draw(st.integers(0, len(data) // 4))
    end = draw(st.integers(start, len(data)))
    return bytes(data[start:end]) if draw(st.booleans()) else bytes(data)


@given(st.one_of(st.binary(max_size=3000), mutated()))
@CALM
def test_no_bytes_make_the_scan_raise(data: bytes) -> None:
    parts = scan_file(data, "x.bin", bounds=SMALL)
    assert parts[0].members == ()
    assert parts[0].size == len(data)
    assert all(part.kinds for part in parts)
    assert len(parts) <= 200
    assert all(len(part.members) <= SMALL.depth for part in parts)
    assert parts == scan_file(memoryview(data), "x.bin", bounds=SMALL)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES, st.integers(0, pickle.HIGHEST_PROTOCOL))
@CALM
def test_every_pickle_of_every_protocol_is_one(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assert is_pickle(blob_of_bytes(data))
    assert "pickle" in kinds_of(blob_of_bytes(data))


WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=2, max_size=12)


@given(st.lists(WORDS, min_size=3, max_size=12), st.sampled_from(("\n", " ", ", ")))
@CALM
def test_no_text_is_a_pickle(words: list[str], between: str) -> None:
    text = between.join(words) + "\n"
    assert "pickle" not in kinds_of(blob_of_bytes(text.encode())), text


@given(st.binary(min_size=64, max_size=4000))
@CALM
def test_noise_is_no_pickle(data: bytes) -> None:
    data = data[:-1] + bytes([data[-1] if data[-1] != ord(".") else 0])
    assert "pickle" not in kinds_of(blob_of_bytes(b"\xf0" + data))


def test_a_bomb_is_cut_and_told() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    parts = scan_file(bomb, "zeros.gz")
    assert [odd.code for part in parts for odd in part.anomalies] == ["ratio"]
    assert all(part.size <= 9 << 20 for part in parts)


def test_nested_bombs_share_one_budget() -> None:
    inner = made.zipped(*((f"{i}.txt", b"text " * 10_000) for i in range(30)), method=zipfile.ZIP_DEFLATED)
    outer = made.zipped(*((f"{i}.zip", inner) for i in range(10)))
    bounds = Bounds(total=1 << 20, entries=1000, ratio=10_000)
    parts = scan_file(outer, "a.zip", bounds=bounds)
    assert sum(part.size for part in parts if part.members[-1:] and part.members[-1].endswith("txt")) <= 1 << 20
    assert any(odd.code == "bytes" for part in parts for odd in part.anomalies)


def test_too_many_members_and_too_deep_are_told() -> None:
    many = made.zipped(*((f"{i}", b"x") for i in range(50)))
    assert "entries" in {odd.code for part in scan_file(many, "a", bounds=SMALL) for odd in part.anomalies}
    tar = made.tarred(*((f"{i}", b"x") for i in range(50)))
    assert "entries" in {odd.code for part in scan_file(tar, "a", bounds=SMALL) for odd in part.anomalies}
    deep = scan_file(made.nested(5, b"x"), "a", bounds=SMALL)
    assert [odd.code for odd in deep[-1].anomalies] == ["depth"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (made.flagged(0x01), "flags"),
        (made.renamed_locally(), "names"),
        (made.bad_crc(), "crc"),
        (made.JUNK_ZIP, "prefix"),
        (made.zipped(("a", b"x")) + bytes(70_000), "suffix"),
        (made.duplicate_names(), "duplicate"),
        (made.tarred(("../../x", b"x")), "escape"),
        (made.tarred(("/etc/x", b"x")), "escape"),
        (made.tar_entry("a", tarfile.SYMTYPE, "/etc/passwd"), "link"),
        (made.tar_entry("a", tarfile.LNKTYPE, "b"), "link"),
        (made.tar_entry("a", tarfile.CHRTYPE), "device"),
        (made.zipped(("a", b"hello" * 99))[:-200], "truncated"),
        (gzip.compress(b"hello" * 99)[:-9], "truncated"),
        (made.sevenzip("a", b"x" * 99, "opens it"), "encrypted"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(40), "method"),
        (made.zip_with_hidden_member(), "gap"),
        (made.overlapping(), "overlap"),
        (b"plain text\n" * 900 + bytes(40), "suffix"),
    ],
    ids=itertools.count(),
)
def test_an_anomaly_is_told(data: bytes, code: str) -> None:
    parts = scan_file(data, "a")
    assert code in {odd.code for part in parts for odd in part.anomalies}, parts


@pytest.mark.parametrize(
    "data",
    [
        made.zipped(("a", b"x"), ("b/", b""), ("b/c", b"y" * 999)),
        made.zipped(("a", b"x" * 999), method=zipfile.ZIP_DEFLATED),
        made.zipped(("a", b"x" * 999), method=zipfile.ZIP_BZIP2),
        made.zipped(("a", b"x" * 999), method=zipfile.ZIP_LZMA),
        made.zip_with_descriptors(),
        made.torch_zip(),
        made.npz(),
        made.tarred(("a", b"x"), ("b" * 200, b"y")),
        gzip.compress(b"a") + gzip.compress(b"b"),
        made.zstd(b"x" * 999),
        made.sevenzip("a", b"x" * 999),
        made.png(),
        made.jpeg(),
        made.wav(),
        made.mp4(),
        made.sqlite(),
        made.hdf5(),
    ],
    ids=itertools.count(),
)
def test_what_plain_tools_write_is_not_odd(data: bytes) -> None:
    assert [part.anomalies for part in scan_file(data, "a") if part.anomalies] == []


def test_a_visitor_sees_every_part_once(tmp_path: Path) -> None:
    seen: list[tuple[tuple[str, ...], bytes]] = []

    def look(part: Part, blob: Blob) -> list[str]:
        seen.append((part.members, b"".join(piece.data for piece in blob.pieces())))
        return ["spoken"] if "text" in part.groups else []

    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(made.tarred(("in.zip", made.zipped(("notes.txt", b"hello"))), ("b.txt", b"there"))))
    descriptor = os.open(path, os.O_RDONLY)
    parts = scan_file(descriptor, path.name, look)
    os.close(descriptor)
    assert [members for members, _ in seen] == [part.members for part in parts]
    assert [members for members, _ in seen] == [(), ("in.zip",), ("in.zip", "notes.txt"), ("b.txt",)]
    assert dict(seen)["in.zip", "notes.txt"] == b"hello"
    assert [part.spans for part in parts] == [(), (), ("spoken",), ("spoken",)]


@given(st.binary(max_size=400), st.integers(1, 64))
@CALM
def test_pieces_are_the_whole_and_cut_at_lines(data: bytes, length: int) -> None:
    pieces = list(blob_of_bytes(data).pieces(length))
    assert b"".join(piece.data for piece in pieces) == data
    for piece in pieces:
        assert data[piece.offset :].startswith(piece.data)
        assert piece.line == data.count(b"\n", 0, piece.offset) + 1


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(0, 130), st.integers(0, 130))
@CALM
def test_joined_blobs_read_as_one(parts: list[bytes], at: int, length: int) -> None:
    whole = b"".join(parts)
    blob = joined([blob_of_bytes(part) for part in parts])
    assert blob.read(at, length) == whole[at : at + length]
    assert blob.slice(at, at + length).read(1, 5) == whole[at : at + length][1:6]


def test_a_file_that_shrinks_gives_fewer_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(3 << 20))
    with path.open("rb") as stream:
        blob = blob_of_descriptor(stream.fileno())
        os.truncate(path, 10)
        assert blob.read(5, 100) == bytes(5)
        assert blob.read(1 << 20, 100) == b""


def test_base64_is_found_at_any_offset_and_size() -> None:
    core = made.safetensors(400)
    for size in (0, 5, 1000, 2 << 20):
        text = b'{"k": "' + b"word " * (size // 5) + b'", "v": "' + base64.b64encode(core) + b'"}'
        found = list(encoded(text))
        assert [blob.read(0, blob.size) for _, blob in found] == [core]
        assert text[found[0][0] - 1 : found[0][0]] == b'"'


def test_parts_of_a_split_are_found() -> None:
    names = [
        "a.part00",
        "a.part01",
        "b.zip.001",
        "b.zip.002",
        "c.z01",
        "c.zip",
        "xaa",
        "xab",
        "d.part1",
        "e.txt",
        "f.10",
    ]
    assert find_splits(names) == (
        Split("a", ("a.part00", "a.part01")),
        Split("b.zip", ("b.zip.001", "b.zip.002")),
        Split("c.zip", ("c.z01", "c.zip")),
        Split("x", ("xaa", "xab")),
    )
    assert find_splits(["a.part00", "a.part02"]) == ()
    assert find_splits(["run_1.json", "run_2.json", "metrics.csv"]) == ()


def test_a_stream_is_a_file_for_py7zr() -> None:
    from omnicheck.content.archives.sevenzips import BlobStream  # noqa: PLC0415 - the only use

    stream = io.BufferedReader(BlobStream(blob_of_bytes(b"0123456789")))
    assert stream.read(3) == b"012"
    assert stream.seek(-2, 2) == 8
    assert stream.read() == b"89"
