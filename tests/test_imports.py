"""A fast start is a matter of what is not imported; timing would only measure the machine."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HEAVY = {"onnx", "onnxruntime", "h5py", "numpy", "cryptography", "rich"}
NOT_FOR_VERSION = HEAVY | {"typer", "click", "pydantic", "msgspec", "jsonschema", "yaml"}
ENGINE = all(find_spec(name) for name in ("omnicheck.engine.check", "omnicheck.contracts.registry"))
PROBE = """
import json, sys
try:
    {code}
except SystemExit as stop:
    assert stop.code in (None, 0, 1, 3), stop.code
finally:
    print("\\n" + json.dumps([name for name in sys.modules if "." not in name]))
"""


def loaded(code: str, *arguments: str, cwd: Path | None = None) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after the code."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(code=code), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_package_alone_imports_nothing_heavy() -> None:
    modules = loaded("import omnicheck")
    assert "omnicheck" in modules
    assert not modules & NOT_FOR_VERSION


def test_the_version_needs_nothing() -> None:
    assert not loaded("from omnicheck.__main__ import main; main()", "--version") & NOT_FOR_VERSION


@pytest.mark.skipif(not ENGINE, reason="the engine is not complete")
def test_a_check_of_json_files_imports_nothing_heavy(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    rows = [{"sample_id": f"s{i}", "episode_id": f"e{i}", "label": "a", "prediction": "a"} for i in range(3)]
    (run / "metrics.json").write_text(json.dumps({"accuracy": 1.0, "num_samples": 3}))
    (run / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    modules = loaded(
        "from omnicheck.__main__ import main; main()",
        "check",
        "run",
        "--isolated",
        "--no-cache",
        "--no-progress",
        cwd=tmp_path,
    )
    assert "omnicheck" in modules
    assert not modules & HEAVY
