"""The name gate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.signing.names import collisions, folded, name_fault

GOOD = [
    "a",
    "a/b.txt",
    "données/é.csv",
    "with space/x y.json",
    ".hidden",
    "a..b",
    "comb",
    "con-fig",
    "\u0928\u200d.txt",
    "日本",
]
BAD = {
    "": "empty",
    "/etc/passwd": "absolute",
    "a//b": "not normalised",
    "./a": "not normalised",
    "a/.": "not normalised",
    "a/": "not normalised",
    "..": "climbs out",
    "a/../b": "climbs out",
    "a\\b": "backslash",
    "C:/x": "Windows forbids",
    "a:b": "Windows forbids",
    "what?.txt": "Windows forbids",
    "a\0b": "U+0000",
    "a\nb": "U+000A",
    "a\u202etxt.exe": "U+202E",
    "a\u200bb": "U+200B",
    "bad\udcff": "U+DCFF",
    "con": "reserves",
    "a/NUL.txt": "reserves",
    "com1": "reserves",
    "Lpt9.tar.gz": "reserves",
    "a./b": "dot or a space",
    "a ": "dot or a space",
    "x" * 256: "255 bytes",
    "/".join(["abcdefgh"] * 500): "4,096",
}


@pytest.mark.parametrize("name", GOOD)
def test_good_names(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize("name", sorted(BAD), ids=ascii)
def test_bad_names(name: str) -> None:
    assert BAD[name] in str(name_fault(name))


def test_collisions() -> None:
    assert not list(collisions(["a", "b/a", "b/c", "A/x", "ab"][:3]))
    assert list(collisions(["a", "a"])) == [("a", "a", "stands twice")]
    assert list(collisions(["Readme", "README"])) == [("README", "Readme", "differs only in case")]
    assert list(collisions(["\u00e9", "e\u0301"])) == [("e\u0301", "\u00e9", "differs only in Unicode composition")]
    assert list(collisions(["A/x", "a/y"])) == [("a/y", "A", "differs only in case")]
    assert list(collisions(["a/b", "A"])) == [("A", "a", "is a file and a directory")]


@given(st.text(max_size=40))
def test_the_gate_never_raises(name: str) -> None:
    fault = name_fault(name)
    assert fault is None or fault.strip()
    if fault is None:
        assert not any(part in ("", ".", "..") for part in name.split("/"))
        name.encode()


@given(st.lists(st.text(alphabet="aAbB/é\u0301e", min_size=1, max_size=4), max_size=8))
def test_names_without_a_collision_are_apart_on_every_system(names: list[str]) -> None:
    if not list(collisions(names)):
        assert len({folded(name) for name in names}) == len(names)
