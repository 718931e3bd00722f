"""The models that come with ``onnx``: no crash and no false error, and a derived contract is kept by its own model."""

from __future__ import annotations

import json
import shutil
import warnings
from datetime import date
from pathlib import Path

import onnx
import pytest

from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import load_config
from omnicheck.measures.kv_wiring import Wiring
from omnicheck.model.report import Report
from omnicheck.produce.io_contract import derive
from omnicheck.readers.onnx_model import parse_model

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
WORDS = ("attention", "past", "present", "cache", "tensorscatter")


def check(root: Path) -> Report:
    request = Request(
        paths=(root,), cwd=root, select=("ONX", "KVC", "OMN003"), today=date(2026, 1, 31), use_cache=False, jobs=1
    )
    return check_paths(request, load_config(root, None, isolated=True))


def told(report: Report) -> list[tuple[str, str, str]]:
    return [(each.rule, each.path, each.message) for each in report.findings]


@pytest.fixture(scope="module")
def generated() -> dict[str, bytes]:
    """Return the generated models that speak of caches and attention, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases  # noqa: PLC0415 - it makes all cases, and only here

        cases = collect_testcases(None)
    found = {}
    for case in cases:
        if case.model is not None:
            ports = [each.name for each in (*case.model.graph.input, *case.model.graph.output)]
            if any(word in name for name in (case.name, *ports) for word in WORDS):
                found[case.name] = case.model.SerializeToString()
    return found


def test_real_models_are_clean_with_and_without_a_derived_contract(tmp_path: Path) -> None:
    models = sorted(DATA.rglob("*.onnx"))
    assert len(models) >= 149
    for i, path in enumerate(models):
        folder = tmp_path / f"{i:03d}"
        folder.mkdir()
        shutil.copy(path, folder / "model.onnx")
        (folder / "io_contract.json").write_text(json.dumps(derive([folder / "model.onnx"], folder).value))
    assert told(check(DATA)) == []
    report = check(tmp_path)
    assert told(report) == []
    assert {"ONX101", "ONX103", "ONX105", "ONX107", "ONX111", "ONX114"} <= set(report.coverage.rules_run)


def test_generated_models_are_clean_with_and_without_a_derived_contract(
    generated: dict[str, bytes], tmp_path: Path
) -> None:
    assert len(generated) >= 200
    for name, data in generated.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.onnx").write_bytes(data)
    assert told(check(tmp_path)) == []
    for name in generated:
        folder = tmp_path / name
        (folder / "io_contract.json").write_text(json.dumps(derive([folder / "model.onnx"], folder).value))
    report = check(tmp_path)
    assert told(report) == []
    assert {"KVC101", "KVC103", "KVC104", "KVC106"} <= set(report.coverage.rules_run)


def test_the_wiring_of_every_generated_cache_is_right(generated: dict[str, bytes]) -> None:
    proven = 0
    for name, data in generated.items():
        model = parse_model(data, len(data))
        pasts = frozenset(port.name for port in model.graph.feeds() if port.name.startswith("past_"))
        if not pasts:
            continue
        wiring = Wiring(model, pasts)
        for port in model.graph.outputs:
            past = port.name.replace("present", "past")
            if port.name.startswith("present_") and past in pasts and not past.endswith("state"):
                origin = wiring.origin(port.name)
                assert (origin.sources, origin.opaque) == ({past}, False), f"{name}: {port.name}"
                proven += 1
    assert proven >= 80
