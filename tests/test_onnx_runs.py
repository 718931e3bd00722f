"""Which directory of exported models is a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from omnicheck.runs.discover import discover
from omnicheck.runs.inventory import take_inventory

MODELS = ("lm/prefill/a.onnx", "lm/decode/b.onnx")


def roots(folder: Path, *names: str, own: dict[str, tuple[str, ...]] | None = None) -> list[str]:
    for name in names:
        path = folder / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return [run.path for run in discover(take_inventory((Path("out"),), folder), own or {}).runs]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (MODELS, ["out/lm/decode", "out/lm/prefill"]),
        ((*MODELS, "io_contract_lm.json"), ["out"]),
        ((*MODELS, "manifest.json"), ["out"]),
        ((*MODELS, "lm/manifest.json", "manifest.json"), ["out"]),
        ((*MODELS, "lm/genai_config.json"), ["out/lm"]),
        ((*MODELS, "metrics.json"), ["out"]),
        (("manifest.json", "notes.md"), []),
        (("model.onnx", "sub/model.onnx"), ["out"]),
    ],
)
def test_models_belong_to_what_speaks_of_them(names: tuple[str, ...], found: list[str], tmp_path: Path) -> None:
    assert roots(tmp_path, *names) == found


def test_own_names_of_models_behave_as_the_built_in_ones(tmp_path: Path) -> None:
    assert roots(tmp_path, "a.graph", "sub/b.graph", own={"onnx_model": ("*.graph",)}) == ["out"]
