"""Bundles: what ships is what was scanned, listed and signed; what may not ship does not; nothing is half written."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from omnicheck.bundle import package as module
from omnicheck.bundle import selection
from omnicheck.bundle.package import PackageRequest
from omnicheck.bundle.redaction import restore_prefixes
from omnicheck.bundle.verify import VerifyRequest, verify
from omnicheck.engine.config import load_config
from omnicheck.model.errors import ConfigError, OmnicheckError, ReadError, UsageError
from omnicheck.model.report import Report
from tests.bundle.test_sbom import validate
from tests.bundle.trees import KEY, ROOT, made, workplace
from tests.fixture_cases import TODAY


def digests(root: Path) -> dict[str, str]:
    return {
        place.relative_to(root).as_posix(): hashlib.sha256(place.read_bytes()).hexdigest()
        for place in sorted(root.rglob("*"))
        if place.is_file()
    }


def rules(report: Report | None) -> set[str]:
    assert report is not None
    return {each.rule for each in report.findings if each.severity == "error"}


def verified(folder: Path, name: str = "out") -> Report:
    found = verify(VerifyRequest(bundle=Path(name), cwd=folder, key=KEY.public_key(), today=TODAY))
    return found.report


def test_a_sound_run_becomes_a_bundle_that_verifies(tmp_path: Path) -> None:
    outcome = made(workplace(tmp_path))
    assert outcome.written
    assert verified(tmp_path).verdict == "pass"
    found = digests(tmp_path / "out")
    assert "training/adapter_model.safetensors" not in found
    for name in ("MANIFEST", "model.sig", "omnicheck.report.json", "sbom.cdx.json", "README.md", "LICENSE"):
        assert name in found
    for name in ("eval/predictions.csv", "dataset/dataset.jsonl", "training/progress.jsonl"):
        assert found[name] == digests(tmp_path / "run")[name], "line endings and all"
    listed = dict(line.split("  ", 1)[::-1] for line in (tmp_path / "out/MANIFEST").read_text().splitlines())
    assert listed == {name: digest for name, digest in found.items() if name not in ("MANIFEST", "model.sig")}


def test_the_report_and_the_bill_of_materials_fit_their_schemas(tmp_path: Path) -> None:
    made(workplace(tmp_path))
    report = json.loads((tmp_path / "out/omnicheck.report.json").read_text("utf-8"))
    jsonschema.validate(report, json.loads((ROOT / "schemas/report.schema.json").read_text("utf-8")))
    validate(json.loads((tmp_path / "out/sbom.cdx.json").read_text("utf-8")))
    assert report["verdict"] == "pass"
    assert {each["path"] for each in report["bundle"]["files"]} == set(digests(tmp_path / "out")) - {
        *("MANIFEST", "model.sig", "omnicheck.report.json", "sbom.cdx.json")
    }
    assert [each["path"] for each in report["bundle"]["left_out"]] == ["training/adapter_model.safetensors"]
    assert str(tmp_path) not in (tmp_path / "out/omnicheck.report.json").read_text("utf-8")


@pytest.mark.parametrize("archive", [None, "tar", "zip"])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, archive: str | None) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made(workplace(tmp_path / name), "first" if name == "a" else "second", archive=archive)
        os.utime(tmp_path / name, (1, 1))
    one, other = tmp_path / "a" / "first", tmp_path / "b" / "second"
    if archive is None:
        assert digests(one) == digests(other)
    else:
        assert one.read_bytes() == other.read_bytes()


def test_an_archive_holds_the_directory(tmp_path: Path) -> None:
    workplace(tmp_path)
    made(tmp_path)
    made(tmp_path, "out.tar", archive="tar")
    made(tmp_path, "out.zip", archive="zip")
    with tarfile.open(tmp_path / "out.tar") as packed:
        assert packed.getnames() == sorted(digests(tmp_path / "out"), key=str.encode)
    with zipfile.ZipFile(tmp_path / "out.zip") as packed_zip:
        assert packed_zip.namelist() == sorted(digests(tmp_path / "out"), key=str.encode)
    assert verified(tmp_path, "out.tar").verdict == "pass"
    assert verified(tmp_path, "out.zip").verdict == "pass"


def test_a_dry_run_writes_nothing_and_says_the_same(tmp_path: Path) -> None:
    workplace(tmp_path)
    before = digests(tmp_path)
    outcome = made(tmp_path, None)
    assert digests(tmp_path) == before
    assert outcome.verdict == "pass"
    assert not outcome.written
    record = made(tmp_path).record
    assert record == outcome.record


def leak(run: Path) -> None:
    (run / "notes.txt").write_text("token: hf_" + "".join(chr(97 + at * 7 % 26) for at in range(34)))


def home(run: Path) -> None:
    (run / "notes.md").write_text("made in /home/marlene/kitchen\n")


def pickled(run: Path) -> None:
    (run / "notes.json").write_bytes(b"cos\nsystem\n(S'true'\ntR.")


def no_card(run: Path) -> None:
    (run / "README.md").unlink()


def no_licence(run: Path) -> None:
    (run / "LICENSE").unlink()


def twins(run: Path) -> None:
    (run / "Readme.md").write_text("---\nlicense: cc0-1.0\n---\n")


@pytest.mark.parametrize(
    ("flaw", "rule"),
    [(leak, "SEC104"), (home, "SEC101"), (no_card, "PUB113"), (no_licence, "PUB113"), (twins, "PUB112")],
)
def test_what_may_not_ship_forbids_the_bundle(tmp_path: Path, flaw: Callable[[Path], None], rule: str) -> None:
    flaw(workplace(tmp_path) / "run")
    outcome = made(tmp_path)
    assert rule in rules(outcome.finished)
    assert not outcome.written
    assert sorted(place.name for place in tmp_path.iterdir()) == ["omnicheck.toml", "run"]


def test_a_pickle_by_any_name_stays_here(tmp_path: Path) -> None:
    pickled(workplace(tmp_path) / "run")
    outcome = made(tmp_path)
    assert outcome.record is not None
    assert "notes.json" not in {each.path for each in outcome.record.files}


def test_a_run_with_errors_makes_no_bundle(tmp_path: Path) -> None:
    metrics = workplace(tmp_path) / "run/eval/metrics.json"
    metrics.write_text(metrics.read_text().replace('"accuracy": 0.775', '"accuracy": 0.875'))
    outcome = made(tmp_path)
    assert (outcome.verdict, outcome.finished, outcome.written) == ("fail", None, False)
    assert "MET101" in rules(outcome.source)
    assert not (tmp_path / "out").exists()


def test_a_required_rule_that_was_skipped_makes_no_bundle(tmp_path: Path) -> None:
    workplace(tmp_path)
    (tmp_path / "omnicheck.toml").write_text("", "utf-8")
    outcome = made(tmp_path)
    assert outcome.verdict in ("incomplete", "fail")
    assert not (tmp_path / "out").exists()


def test_prefixes_are_redacted_and_can_be_put_back(tmp_path: Path) -> None:
    home(workplace(tmp_path, '[package.prefixes]\n"/home/marlene/kitchen" = "<project>"\n') / "run")
    outcome = made(tmp_path)
    assert outcome.written
    assert (tmp_path / "out/notes.md").read_text() == "made in <project>\n"
    assert outcome.record is not None
    (entry,) = [each for each in outcome.record.files if each.edits]
    restored = restore_prefixes((tmp_path / "out/notes.md").read_bytes(), {"/home/marlene/kitchen": "<project>"})
    assert hashlib.sha256(restored).hexdigest() == entry.original_sha256
    shipped = b"".join(place.read_bytes() for place in (tmp_path / "out").rglob("*") if place.is_file())
    assert b"marlene" not in shipped
    assert verified(tmp_path).verdict == "pass"


def test_a_long_log_is_cut(tmp_path: Path) -> None:
    run = workplace(tmp_path, "[package.logs]\nover = 100\nhead = 2\ntail = 2\n") / "run"
    (run / "train.log").write_text("".join(f"step {step}\n" for step in range(100)))
    outcome = made(tmp_path)
    assert outcome.written
    assert len((tmp_path / "out/train.log").read_text().splitlines()) == 5


def test_card_and_licence_may_be_given_by_the_configuration(tmp_path: Path) -> None:
    workplace(tmp_path, '[package]\nreadme = "card.md"\nlicense = "terms"\n')
    (tmp_path / "run/README.md").rename(tmp_path / "card.md")
    (tmp_path / "run/LICENSE").rename(tmp_path / "terms")
    outcome = made(tmp_path)
    assert outcome.written
    assert outcome.record is not None
    assert {each.path: each.source for each in outcome.record.files if each.source != "run"} == {
        "README.md": "readme",
        "LICENSE": "license",
    }
    (tmp_path / "card.md").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        made(tmp_path, "again")


def test_the_configuration_denies_and_allows(tmp_path: Path) -> None:
    run = workplace(tmp_path, '[package]\ndeny = ["dataset.jsonl"]\nallow = ["extra/*.npy"]\n') / "run"
    (run / "extra").mkdir()
    array = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
    (run / "extra/a.npy").write_bytes(array.ljust(127) + b"\n" + b"\0" * 16)
    outcome = made(tmp_path, None)
    assert outcome.record is not None
    names = {each.path for each in outcome.record.files}
    assert "dataset/dataset.jsonl" not in names
    assert "extra/a.npy" in names


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workplace(tmp_path)
    real = selection.stage

    def late(*arguments: object) -> object:
        (tmp_path / "run/eval/RUN_REPORT.md").write_text("another report\n")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("omnicheck.bundle.package.stage", late)
    with pytest.raises(ReadError, match="changed while it was packaged"):
        made(tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_change_of_the_staged_bytes_is_not_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._judge_bundle

    def tampering(tree: Path, *arguments: object) -> object:
        report = real(tree, *arguments)  # type: ignore[arg-type]
        (tree / "README.md").write_text("after the scan\n")
        return report

    monkeypatch.setattr(module, "_judge_bundle", tampering)
    workplace(tmp_path)
    with pytest.raises(ReadError, match="changed before it was signed"):
        made(tmp_path)
    assert not (tmp_path / "out").exists()


def test_links_and_odd_targets_are_refused(tmp_path: Path) -> None:
    run = workplace(tmp_path) / "run"
    with pytest.raises(UsageError, match="exists"):
        made(tmp_path, "omnicheck.toml")
    (run / "link.md").symlink_to("/etc/passwd")
    with pytest.raises(OmnicheckError, match="link"):
        made(tmp_path)


def test_files_that_a_bundle_makes_anew_are_not_taken_over(tmp_path: Path) -> None:
    run = workplace(tmp_path) / "run"
    (run / "omnicheck.report.json").write_text('{"verdict": "pass"}')
    (run / "sbom.cdx.json").write_text("{}")
    outcome = made(tmp_path)
    assert outcome.record is not None
    assert {"omnicheck.report.json", "sbom.cdx.json"} <= {each.path for each in outcome.record.left_out}


def test_the_run_may_be_given_by_any_path(tmp_path: Path) -> None:
    workplace(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    request = PackageRequest(
        source=Path("../run"),
        target=tmp_path / "out",
        cwd=tmp_path / "elsewhere",
        contract="kitchen_episode_qa",
        key=KEY,
        today=TODAY,
        jobs=1,
    )
    assert module.package(request, load_config(tmp_path)).written
    inside = PackageRequest(source=Path(), target=tmp_path / "run/out", cwd=tmp_path / "run", key=KEY, today=TODAY)
    with pytest.raises(UsageError, match="inside the run"):
        module.package(inside, load_config(tmp_path))
