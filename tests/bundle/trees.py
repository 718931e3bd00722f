"""A small run that may be published, and a key to sign it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from omnicheck.bundle.package import Outcome, PackageRequest, package
from omnicheck.engine.config import load_config

ROOT = Path(__file__).resolve().parents[2]
KEY = ec.derive_private_key(20_261_121, ec.SECP256R1())
CONFIG = f"""
[contracts]
paths = ["{ROOT / "fixtures" / "demo" / "contracts"}"]

[[run]]
path = "run"
contract = "kitchen_episode_qa"
"""


def workplace(folder: Path, config: str = "") -> Path:
    """Copy the sound demo run to ``folder/run``, with a configuration beside it."""
    shutil.copytree(ROOT / "fixtures" / "demo" / "sound", folder / "run")
    (folder / "omnicheck.toml").write_text(CONFIG + config, "utf-8")
    return folder


def made(folder: Path, out: str | None = "out", **more: Any) -> Outcome:
    """Package ``folder/run``."""
    return package(
        PackageRequest(
            source=Path("run"),
            target=None if out is None else folder / out,
            cwd=folder,
            key=KEY,
            today=date(2026, 1, 31),
            jobs=1,
            **more,
        ),
        load_config(folder),
    )
