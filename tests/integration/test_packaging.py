"""A wheel, a wheel made from an sdist and a checkout carry the same rules; only the checkout follows edits."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.integration.command import ROOT, environment

PARTS = ("omnicheck", "rules", "schemas", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with what a build needs."""
    copy = tmp_path_factory.mktemp("packaging") / "checkout"
    copy.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "_data"))
        else:
            shutil.copy(ROOT / part, copy / part)
    return copy


def build(source: Path, target: Path, kind: str) -> Path:
    """Build a wheel or an sdist without a network and return it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)],
        cwd=source,
        capture_output=True,
        check=True,
    )
    (built,) = target.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


def unpack(wheel: Path, site: Path) -> None:
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(site)], check=True)


@pytest.fixture(scope="module")
def unpacked(checkout: Path) -> Path:
    """The wheel as an installer would lay it down."""
    wheel = build(checkout, checkout.parent / "wheel", "wheel")
    site = checkout.parent / "site"
    unpack(wheel, site)
    return site


def ask(path: Path, *arguments: str) -> str:
    """Run the command line of the package that lies at a path, and return what it prints."""
    cwd = path.parent / "elsewhere"
    cwd.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "omnicheck", *arguments],
        cwd=cwd,
        env=environment(path.parent / "cache", {"PYTHONPATH": str(path)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def digest(path: Path) -> str:
    found: str = json.loads(ask(path, "rules", "--format", "json"))["rules_digest"]
    return found


def test_wheel_sdist_and_checkout_have_one_digest(checkout: Path, unpacked: Path) -> None:
    sdist = build(checkout, checkout.parent / "sdist", "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(checkout.parent / "from-sdist", filter="data")
    (source,) = (checkout.parent / "from-sdist").iterdir()
    wheel = build(source, checkout.parent / "second-wheel", "wheel")
    again = checkout.parent / "second-site"
    unpack(wheel, again)
    assert digest(unpacked) == digest(again) == digest(checkout) == digest(ROOT)


def test_a_wheel_holds_what_it_needs(unpacked: Path) -> None:
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    rules = {f"omnicheck/_data/rules/{path.relative_to(ROOT / 'rules').as_posix()}" for path in ROOT.glob("rules/*/*")}
    assert rules <= names
    assert {f"omnicheck/_data/schemas/{path.name}" for path in ROOT.glob("schemas/*.json")} <= names
    assert not {name for name in names if name.startswith(("tests/", "fixtures/", "benchmarks/"))}
    assert ask(unpacked, "schema").split() == sorted(
        path.name.removesuffix(".schema.json") for path in ROOT.glob("schemas/*.schema.json")
    )
    assert "qwen3_omni_lora" in ask(unpacked, "contracts", "list")
    assert "## How to fix" in ask(unpacked, "explain", "SPL103")


def test_the_checkout_follows_an_edit_and_the_wheel_does_not(checkout: Path, unpacked: Path) -> None:
    page = next((checkout / "rules" / "splits").glob("SPL103-*.md"))
    text = page.read_text()
    before = digest(checkout)
    # A stale copy inside the package must not win over the pages beside it.
    shutil.copytree(checkout / "rules", checkout / "omnicheck" / "_data" / "rules", dirs_exist_ok=True)
    page.write_text(text.replace("## Why it matters\n", "## Why it matters\nBecause it is edited. ", 1))
    try:
        assert "it is edited" in ask(checkout, "explain", "SPL103")
        assert digest(checkout) != before
        assert "it is edited" not in ask(unpacked, "explain", "SPL103")
        assert digest(unpacked) == before
    finally:
        page.write_text(text)
        shutil.rmtree(checkout / "omnicheck" / "_data")
    assert digest(checkout) == before


@pytest.mark.slow
def test_pip_installs_the_wheel_and_the_editable_checkout(checkout: Path, tmp_path: Path) -> None:
    wheel = build(checkout, tmp_path / "wheel", "wheel")
    digests = []
    for name, what in (("wheel", [str(wheel)]), ("editable", ["--no-build-isolation", "--editable", str(checkout)])):
        target = tmp_path / f"{name}-env"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
        python = target / "bin" / "python"
        # The dependencies come from this environment; the package itself from the new one, which stands in front.
        (site,) = target.glob("lib/python*/site-packages")
        others = next(path for path in sys.path if path.endswith("site-packages"))
        (site / "dependencies.pth").write_text(others + "\n")
        options = ["--python", str(python), "--disable-pip-version-check", "install", "-q", "--no-index", "--no-deps"]
        subprocess.run([sys.executable, "-m", "pip", *options, *what], check=True, capture_output=True)
        done = subprocess.run(
            [target / "bin" / "omnicheck", "rules", "--format", "json"],
            cwd=tmp_path,
            env={**environment(tmp_path / "cache"), "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        digests.append(json.loads(done.stdout)["rules_digest"])
        where = subprocess.run(
            [python, "-c", "import omnicheck; print(omnicheck.__file__)"],
            env={**environment(tmp_path / "cache"), "PYTHONPATH": ""},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert where.stdout.startswith(str(site if name == "wheel" else checkout))
    assert digests[0] == digests[1]
