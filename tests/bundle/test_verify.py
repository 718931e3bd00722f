"""``omnicheck verify``: the seal of a bundle, what is inside it, and the checks run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from omnicheck.report import render
from omnicheck.report.schema import schema_text
from tests.bundle.sealed import KEY, copied, digests_of, resign, said, seal, verified, write_run


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return seal(write_run(tmp_path_factory.mktemp("sealed") / "toy"))


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    return copied(sealed, tmp_path / "toy")


def test_a_sealed_bundle_verifies(bundle: Path) -> None:
    found = verified(bundle)
    assert said(found) == []
    assert found.report.verdict == "pass"
    assert found.report.coverage.rules_run == ("BND101", "BND102", "BND103", "BND105")
    assert found.claim is not None
    assert found.claim.policy_digest == "f" * 64
    jsonschema.validate(json.loads(render(found.report, "json")), json.loads(schema_text()))


@pytest.mark.parametrize("name", ["metrics.json", "predictions.jsonl", "MANIFEST", "omnicheck.report.json"])
def test_any_changed_file_is_told_at_its_place(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes((bundle / name).read_bytes() + b"\n")
    found = verified(bundle)
    assert ("BND101", f"toy/{name}") in said(found)
    assert found.report.verdict == "fail"


def test_missing_unlisted_and_not_covered(bundle: Path) -> None:
    (bundle / "RUN_REPORT.md").unlink()
    (bundle / "notes.txt").write_text("later")
    (bundle / "metrics.json").chmod(0o755)
    (bundle / "empty").mkdir()
    found = verified(bundle)
    assert set(said(found)) == {
        ("BND101", "toy/RUN_REPORT.md"),
        ("BND103", "toy/notes.txt"),
        ("BND105", "toy"),
        ("BND105", "toy/empty"),
    }


def test_what_is_only_not_covered_is_a_warning(bundle: Path) -> None:
    (bundle / "metrics.json").chmod(0o755)
    found = verified(bundle)
    assert [each.severity for each in found.report.findings] == ["warning"]
    assert found.report.verdict == "pass"


def test_no_signature_another_key_and_a_key_of_another_curve(bundle: Path) -> None:
    other = ec.derive_private_key(99, ec.SECP256R1()).public_key()
    wide = ec.derive_private_key(99, ec.SECP521R1()).public_key()
    for key in (other, wide):
        found = verified(bundle, key=key)
        assert said(found) == [("BND102", "toy/model.sig")]
        assert {skip.rule for skip in found.report.coverage.rules_skipped} == {"BND101", "BND103", "BND105"}
    (bundle / "model.sig").unlink()
    assert said(verified(bundle)) == [("BND102", "toy/model.sig")]


def test_a_signature_kept_elsewhere(bundle: Path) -> None:
    (bundle / "model.sig").rename(bundle.parent / "kept.sig")
    assert said(verified(bundle, signature=Path("kept.sig"))) == []
    assert said(verified(bundle)) == [("BND102", "toy/model.sig")]


def test_a_manifest_that_was_signed_although_it_is_wrong(bundle: Path) -> None:
    lines = (bundle / "MANIFEST").read_text().splitlines(keepends=True)
    (bundle / "MANIFEST").write_text("".join([*lines[1:], "0" * 64 + "  metrics.json\n", "nonsense\n"]))
    resign(bundle)
    assert sorted(said(verified(bundle))) == [
        ("BND101", "toy/MANIFEST"),
        ("BND101", "toy/MANIFEST"),
        ("BND101", "toy/metrics.json"),
        ("BND103", "toy/RUN_REPORT.md"),
    ]


def test_a_report_that_was_signed_although_it_records_other_files(bundle: Path) -> None:
    def edit(report: dict[str, Any]) -> None:
        report["bundle"]["files"][0]["sha256"] = "0" * 64
        report["bundle"]["files"].append({"path": "gone.json", "sha256": "1" * 64})

    seal(bundle, edit)
    assert said(verified(bundle)) == [("BND101", "toy/RUN_REPORT.md"), ("BND101", "toy/gone.json")]


@pytest.mark.parametrize("text", ["[]", "{", '{"verdict": "pass", "verdict": "fail"}', '{"bundle": {"files": [1]}}'])
def test_a_report_that_is_none(bundle: Path, text: str) -> None:
    (bundle / "omnicheck.report.json").write_text(text)
    (bundle / "MANIFEST").unlink()
    resign(bundle)
    assert said(verified(bundle)) == [("BND101", "toy/omnicheck.report.json")]


def test_what_a_bundle_says_of_itself_is_redacted(bundle: Path) -> None:
    token = "hf_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z"

    def edit(report: dict[str, Any]) -> None:
        report["bundle"]["files"].append({"path": "gone.json", "sha256": token})

    seal(bundle, edit)
    found = verified(bundle)
    assert said(found) == [("BND101", "toy/gone.json")]
    assert token[4:12] not in render(found.report, "json")


def test_recheck_agrees_with_an_honest_report(bundle: Path) -> None:
    found = verified(bundle, recheck=True)
    assert found.recheck is not None
    assert found.recheck.same_rules
    assert said(found) == []


def test_recheck_tells_a_finding_that_the_report_hides(tmp_path: Path) -> None:
    def hide(report: dict[str, Any]) -> None:
        assert report["findings"], "the run must have something to hide"
        report.update(findings=[], verdict="pass")

    bundle = seal(write_run(tmp_path / "toy", metrics={"num_samples": 5}), hide)
    assert said(verified(bundle)) == [], "a signed lie is authentic"
    found = verified(bundle, recheck=True)
    assert {each.rule for each in found.report.findings} == {"BND101"}
    assert all("lacks a finding" in each.message for each in found.report.findings)
    assert found.report.verdict == "fail"


def test_recheck_tells_a_finding_that_is_not_there(bundle: Path) -> None:
    def invent(report: dict[str, Any]) -> None:
        rule = next(each for each in report["coverage"]["rules_run"] if each.startswith("CNT"))
        report["findings"].append({"rule": rule, "path": "metrics.json", "pointer": "/num_samples"})

    seal(bundle, invent)
    found = verified(bundle, recheck=True)
    assert [each.severity for each in found.report.findings] == ["error"]
    assert "states a finding that the checks do not make" in found.report.findings[0].message


def test_recheck_under_other_rules_warns_only(tmp_path: Path) -> None:
    def older(report: dict[str, Any]) -> None:
        report["tool"]["rules_digest"] = "0" * 64
        report["findings"] = []

    bundle = seal(write_run(tmp_path / "toy", metrics={"num_samples": 5}), older)
    found = verified(bundle, recheck=True)
    assert {(each.rule, each.severity) for each in found.report.findings} == {("BND101", "warning")}
    assert found.report.verdict == "pass"


def test_recheck_lists_what_cannot_be_repeated(bundle: Path) -> None:
    def judged(report: dict[str, Any]) -> None:
        report["coverage"]["rules_skipped"] = []
        report["findings"].append({"rule": "SPL103", "path": "dataset.jsonl"})

    seal(bundle, judged)
    found = verified(bundle, recheck=True)
    assert said(found) == [], "a rule whose facts did not ship contradicts nobody"
    assert ("SPL103", True) in {
        (skip.rule, skip.reason.startswith("--recheck")) for skip in found.report.coverage.rules_skipped
    }


def test_recheck_without_a_report_inside_is_told(bundle: Path) -> None:
    (bundle / "omnicheck.report.json").unlink()
    (bundle / "MANIFEST").unlink()
    resign(bundle)
    found = verified(bundle, recheck=True)
    assert any("--recheck" in skip.reason for skip in found.report.coverage.rules_skipped)


def test_explain_accounts_for_every_entry(bundle: Path) -> None:
    """Every byte in the tree is either in a signed file or named as not covered."""
    (bundle / "notes.txt").write_text("later")
    (bundle / "empty").mkdir()
    (bundle / "link").symlink_to("notes.txt")
    found = verified(bundle)
    named = "\n".join(name for each in found.uncovered for name in each.names)
    signed = found.verification.statement.digests if found.verification and found.verification.statement else {}
    for path in sorted(bundle.rglob("*")):
        name = path.relative_to(bundle).as_posix()
        assert name in signed or name in named, name
    assert "model.sig" in named


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "omnicheck", "verify", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def at_home(bundle: Path) -> Path:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (bundle.parent / "key.pub").write_bytes(pem)
    return bundle.parent


def test_the_command(at_home: Path) -> None:
    done = run("toy", "--public-key", "key.pub", "--explain", cwd=at_home)
    assert done.returncode == 0, done.stderr
    assert "verdict: pass" in done.stdout
    assert "not covered by the signature" in done.stdout
    assert "publication policy: sha256 " + "f" * 64 in done.stdout
    explained = json.loads(run("toy", "--public-key", "key.pub", "--explain", "--format", "json", cwd=at_home).stdout)
    assert explained["signed"]["files"] == {
        name: digest for name, digest in digests_of(at_home / "toy").items() if name != "model.sig"
    }
    assert explained["uncovered"][0]["what"] == "the signature file"
    for format_ in ("concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "html", "markdown"):
        assert run("toy", "--public-key", "key.pub", "--format", format_, cwd=at_home).returncode == 0, format_


def test_the_exit_codes(at_home: Path) -> None:
    (at_home / "toy" / "notes.txt").write_text("later")
    assert run("toy", "--public-key", "key.pub", cwd=at_home).returncode == 1
    done = run("nothing", "--public-key", "key.pub", cwd=at_home)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    done = run("toy", "--public-key", "toy/metrics.json", cwd=at_home)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    done = run("key.pub", "--public-key", "key.pub", cwd=at_home)
    assert (done.returncode, "neither a directory" in done.stderr) == (2, True)


def test_the_command_from_inside_the_bundle(at_home: Path) -> None:
    (at_home / "toy" / "notes.txt").write_text("later")
    done = run(".", "--public-key", "../key.pub", "--format", "concise", cwd=at_home / "toy")
    assert done.stdout.startswith("notes.txt: BND103"), done.stdout


def test_it_works_without_a_network(at_home: Path) -> None:
    blocked = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise AssertionError('network')\n"
        "socket.socket = socket.create_connection = refuse\n"
        "sys.argv = ['omnicheck', 'verify', 'toy', '--public-key', 'key.pub', '--recheck', '-q']\n"
        "from omnicheck.__main__ import main; main()\n"
    )
    environment = {**os.environ, "OMNICHECK_CACHE_DIR": str(at_home / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", blocked], cwd=at_home, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
