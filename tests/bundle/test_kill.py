"""Killed at any moment, nothing half-written stands at the target; the next run sweeps what is left beside it."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from omnicheck.signing.verify import verify_directory
from tests.bundle.trees import KEY, ROOT, workplace

KILLS = 200


@pytest.mark.slow
def test_two_hundred_kills_leave_nothing_half_written(tmp_path: Path) -> None:
    workplace(tmp_path)
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    command = [sys.executable, "-m", "omnicheck", "package", "run", "--out", "out", "--sign-key", "key.pem", "-q"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    started = time.monotonic()
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    whole = time.monotonic() - started
    shutil.rmtree(tmp_path / "out")
    rng, finished = random.Random(5), 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.3, 1.05) * whole)
        process.kill()
        process.wait()
        if (tmp_path / "out").exists():
            assert verify_directory(tmp_path / "out", KEY.public_key()).holds
            shutil.rmtree(tmp_path / "out")
            finished += 1
        left = [place.name for place in tmp_path.iterdir() if place.name.startswith(".out.omnicheck-part-")]
        assert len(left) <= 1, "each run sweeps what the one before it left"
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert not [place for place in tmp_path.iterdir() if place.name.startswith(".out.")]
    assert finished < KILLS, "no kill came in time"
