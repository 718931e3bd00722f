"""What a plain verifier of the format lets through, each as a regression test (A1 to A10), and its like."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from omnicheck.model.errors import ReadError, UsageError
from omnicheck.signing.sign import sign_digests, sign_directory
from omnicheck.signing.tree import hash_entry, list_tree
from omnicheck.signing.verify import Verification, verify_directory
from tests.signing.trees import resource, resources_of, rewritten

Key = ec.EllipticCurvePrivateKey


def verified(root: Path, key: Key, **options: object) -> Verification:
    return verify_directory(root, key.public_key(), **options)  # type: ignore[arg-type]


def told(found: Verification) -> list[tuple[str, str]]:
    return [(problem.kind, problem.name) for problem in found.problems]


def refusal(root: Path, key: Key) -> str:
    found = verified(root, key)
    assert not found.holds
    assert [problem.kind for problem in found.problems] == ["signature"], found.problems
    return found.problems[0].message


def test_a_sound_tree_holds_and_nothing_is_said(signed: Path, key: Key) -> None:
    found = verified(signed, key)
    assert found.holds
    assert found.problems == ()
    assert found.curve == "P-256"


@pytest.mark.parametrize("name", [".github/evil.py", ".git/hooks/pre-commit", ".gitattributes", ".gitignore"])
def test_a1_names_that_others_leave_out(signed: Path, key: Key, name: str) -> None:
    (signed / name).parent.mkdir(parents=True, exist_ok=True)
    (signed / name).write_text("evil")
    found = verified(signed, key)
    assert not found.holds
    assert told(found) == [("unlisted", name)]


def test_a1_an_empty_directory_that_tools_obey(signed: Path, key: Key) -> None:
    (signed / "a" / ".Git").mkdir()
    assert told(verified(signed, key)) == [("unlisted", "a/.Git")]


def test_a2_a_directory_in_the_place_of_the_signature(signed: Path, key: Key, tmp_path: Path) -> None:
    (signed / "model.sig").rename(tmp_path / "kept.sig")
    (signed / "model.sig").mkdir()
    (signed / "model.sig" / "evil.py").write_text("evil")
    found = verified(signed, key, signature=tmp_path / "kept.sig")
    assert not found.holds
    assert told(found) == [("unlisted", "model.sig/evil.py")]


def test_a2_a_file_in_the_place_of_a_signature_kept_elsewhere(signed: Path, key: Key, tmp_path: Path) -> None:
    (signed / "model.sig").rename(tmp_path / "kept.sig")
    assert verified(signed, key, signature=tmp_path / "kept.sig").holds
    (signed / "model.sig").write_text("evil")
    assert told(verified(signed, key, signature=tmp_path / "kept.sig")) == [("unlisted", "model.sig")]


def test_a3_a_directory_that_the_signer_ignored(signed: Path, key: Key) -> None:
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
    rewritten(signed, key, serialization={**serialization, "ignore_paths": ["model.sig", "logs"]})
    assert verified(signed, key).holds, "nothing of that name is in the tree"
    (signed / "logs").mkdir()
    (signed / "logs" / "evil.py").write_text("evil")
    for allow in (False, True):
        found = verified(signed, key, allow_ignored=allow)
        assert not found.holds
        assert told(found) == [("unlisted", "logs/evil.py")]


def test_a3_a_file_that_the_signer_ignored_can_be_allowed(tmp_path: Path, signed: Path, key: Key) -> None:
    (signed / "notes.txt").write_text("mine")
    (signed / "model.sig").write_bytes(sign_directory(signed, key, ignore=["notes.txt"]))
    assert told(verified(signed, key)) == [("unlisted", "notes.txt")]
    found = verified(signed, key, allow_ignored=True)
    assert found.holds
    assert told(found) == [("not-covered", "notes.txt")]


def test_a4_an_empty_manifest(signed: Path, key: Key) -> None:
    rewritten(signed, key, resources=[])
    assert "lists no file" in refusal(signed, key)


def test_a4_an_empty_directory_is_not_signed(tmp_path: Path, key: Key) -> None:
    with pytest.raises(UsageError, match="no file to sign"):
        sign_directory(tmp_path, key)


@pytest.mark.parametrize("allow", [True, False])
def test_a5_links(signed: Path, key: Key, tmp_path: Path, allow: bool) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "evil.py").write_text("evil")
    (signed / "linked").symlink_to(tmp_path / "outside")
    (signed / "to_file").symlink_to(signed / "a.txt")
    serialization = {"method": "files", "hash_type": "sha256", "ignore_paths": ["model.sig"]}
    rewritten(signed, key, serialization={**serialization, "allow_symlinks": allow})
    assert told(verified(signed, key)) == [("unlisted", "linked"), ("unlisted", "to_file")]
    with pytest.raises(UsageError, match="symbolic link"):
        sign_directory(signed, key)


def test_a5_a_signed_file_that_became_a_link(signed: Path, key: Key, tmp_path: Path) -> None:
    (signed / "a.txt").rename(tmp_path / "a.txt")
    (signed / "a.txt").symlink_to(tmp_path / "a.txt")
    found = verified(signed, key)
    assert not found.holds
    assert told(found) == [("unlisted", "a.txt")]


def test_a6_renames(signed: Path, key: Key) -> None:
    (signed / "a.txt").rename(signed / "a0.txt")
    found = verified(signed, key)
    assert not found.holds
    assert told(found) == [("mismatch", "a.txt"), ("unlisted", "a0.txt")]


def test_a7_modes_are_told(signed: Path, key: Key) -> None:
    (signed / "a.txt").chmod(0o755)
    found = verified(signed, key)
    assert found.holds, "the format covers no modes"
    assert told(found) == [("not-covered", "")]
    assert "a.txt" in found.problems[0].message
    assert any("a.txt: 0755" in name for each in found.uncovered for name in each.names)


def test_a8_duplicate_names(signed: Path, key: Key) -> None:
    listed = resources_of(signed)
    rewritten(signed, key, resources=[resource("a-b", b"other"), *listed])
    assert "stands twice" in refusal(signed, key)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../outside"])
def test_a9_names_outside(signed: Path, key: Key, name: str) -> None:
    (signed.parent / "outside").write_bytes(b"")
    rewritten(signed, key, resources=[resource(name), *resources_of(signed)])
    assert "climbs out" in refusal(signed, key) or "is absolute" in refusal(signed, key)


@pytest.mark.parametrize("name", ["./a.txt", "a//x", "a/./x", "a/"])
def test_a10_names_that_are_not_normalised(signed: Path, key: Key, name: str) -> None:
    rewritten(signed, key, resources=[resource(name), *resources_of(signed)])
    assert "not normalised" in refusal(signed, key)


def test_a10_order(signed: Path, key: Key) -> None:
    rewritten(signed, key, resources=resources_of(signed)[::-1])
    assert "not in order" in refusal(signed, key)


def test_the_order_by_parts_of_the_reference_implementation_is_accepted(signed: Path, key: Key) -> None:
    by_parts = sorted(resources_of(signed), key=lambda each: each["name"].split("/"))
    assert by_parts != resources_of(signed)
    rewritten(signed, key, resources=by_parts)
    assert verified(signed, key).holds


def test_a_recomposed_name(signed: Path, key: Key) -> None:
    place = signed / unicodedata.normalize("NFC", "donn\u00e9es")
    place.rename(signed / unicodedata.normalize("NFD", place.name))
    found = verified(signed, key)
    assert not found.holds
    assert [kind for kind, _ in told(found)] == ["mismatch", "unlisted"]


def test_twins_in_the_tree(signed: Path, key: Key) -> None:
    (signed / "A.TXT").write_text("twin")
    if (signed / "a.txt").read_bytes() == b"twin":
        pytest.skip("this file system folds case")
    found = verified(signed, key)
    assert not found.holds
    assert ("unlisted", "A.TXT") in told(found)


def test_twins_are_not_signed(key: Key) -> None:
    with pytest.raises(UsageError, match="collide"):
        sign_digests({"a": "0" * 64, "A": "1" * 64}, key, subject="x")


@pytest.mark.parametrize("names", [("A.txt", "a.txt"), ("\u00e9", "e\u0301"), ("a", "a/b"), ("A/x", "a/y")])
def test_twins_in_the_statement(signed: Path, key: Key, names: tuple[str, str]) -> None:
    rewritten(signed, key, resources=sorted((resource(name) for name in names), key=lambda each: each["name"]))
    assert "collide" in refusal(signed, key)


def test_special_files(signed: Path, key: Key) -> None:
    os.mkfifo(signed / "pipe")
    assert told(verified(signed, key)) == [("unlisted", "pipe")]
    with pytest.raises(UsageError, match="not a regular file"):
        sign_directory(signed, key)


def test_a_name_that_is_not_text(signed: Path, key: Key) -> None:
    try:
        with open(os.fsencode(signed) + b"/bad\xff", "wb") as stream:  # noqa: PTH123 - a Path holds text
            stream.write(b"x")
    except OSError:
        pytest.skip("this file system takes text only")
    found = verified(signed, key)
    assert not found.holds
    assert all(name == "bad\\udcff" for _, name in told(found))
    with pytest.raises(UsageError, match="control or invisible"):
        sign_directory(signed, key)


@pytest.mark.parametrize("name", [".git/config", ".github/x", ".gitattributes", ".gitignore"])
def test_names_that_other_verifiers_leave_out_are_not_signed(key: Key, name: str) -> None:
    with pytest.raises(UsageError, match="leave this name out"):
        sign_digests({name: "0" * 64, "a": "1" * 64}, key, subject="x")


def test_an_empty_directory_is_told(signed: Path, key: Key) -> None:
    (signed / "void" / "deep").mkdir(parents=True)
    found = verified(signed, key)
    assert found.holds
    assert told(found) == [("not-covered", "void"), ("not-covered", "void/deep")]


CAREFUL: dict[str, tuple[dict[str, object], str]] = {
    "another predicate type": ({"predicateType": "https://model_signing/Digests/v0.1"}, "predicateType"),
    "another statement type": ({"_type": "https://in-toto.io/Statement/v0.1"}, "_type"),
    "no subject": ({"subject": []}, "0 subjects"),
    "two subjects": ({"subject": [{"name": "a", "digest": {"sha256": "0" * 64}}] * 2}, "2 subjects"),
    "another root": ({"subject": [{"name": "a", "digest": {"sha256": "0" * 64}}]}, "root digest"),
    "a root of another hash": ({"subject": [{"name": "a", "digest": {"sha512": "0" * 128}}]}, "SHA-256"),
    "an unknown key in the predicate": ({"verdict": "pass"}, "unknown key"),
    "an unknown key in the statement": ({"top_note": 1}, "unknown key"),
    "shards": ({"serialization": {"method": "file-shard-1048576", "hash_type": "sha256"}}, "unsupported"),
    "another hash": ({"serialization": {"method": "files", "hash_type": "blake3"}}, "unsupported"),
    "no serialisation": ({"serialization": None}, "serialised"),
    "ignored paths outside": (
        {"serialization": {"method": "files", "hash_type": "sha256", "ignore_paths": ["../x"]}},
        "climbs out",
    ),
    "resources of another type": ({"resources": [{"name": 3, "digest": "00"}]}, "no name"),
    "a digest in capitals": ({"resources": [{**resource("a"), "digest": "A" * 64}]}, "lower case"),
    "a digest of another hash": ({"resources": [{**resource("a"), "algorithm": "md5"}]}, "unsupported"),
}


@pytest.mark.parametrize("case", sorted(CAREFUL))
def test_a_statement_that_is_signed_but_not_acceptable(signed: Path, key: Key, case: str) -> None:
    changes, why = CAREFUL[case]
    rewritten(signed, key, **changes)
    assert why in refusal(signed, key)


def test_resigning_heals(signed: Path, key: Key, resigned: Callable[[Path], None]) -> None:
    (signed / "a.txt").write_text("new")
    assert not verified(signed, key).holds
    resigned(signed)
    assert verified(signed, key).holds


def test_a_file_that_changes_between_listing_and_hashing(signed: Path) -> None:
    entries = {entry.name: entry for entry in list_tree(signed)}
    assert hash_entry(signed, entries["a.txt"])
    (signed / "a-b").rename(signed / "a.txt")
    with pytest.raises(ReadError, match="changed"):
        hash_entry(signed, entries["a.txt"])
    (signed / "a.txt").unlink()
    (signed / "a.txt").symlink_to("README.md")
    with pytest.raises(ReadError, match="symbolic link"):
        hash_entry(signed, entries["a.txt"])
    with (signed / "README.md").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(ReadError, match="changed"):
        hash_entry(signed, entries["README.md"])
