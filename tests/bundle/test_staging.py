"""Nothing half-written stands at the target, and what killed processes left is removed."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from omnicheck.bundle.staging import publish, staging, write_new
from omnicheck.model.errors import UsageError


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> None:
        with staging(tmp_path / "out") as part:
            write_new(part, "a/b.txt", b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert list(tmp_path.iterdir()) == []


def test_a_finished_tree_gets_its_name_and_only_that_stays(tmp_path: Path) -> None:
    with staging(tmp_path / "out") as part:
        write_new(part, "tree/a/b.txt", b"x")
        assert part.stat().st_mode & 0o777 == 0o700
        publish(part / "tree", tmp_path / "out")
    assert [place.name for place in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out/a/b.txt").read_bytes() == b"x"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def test_a_target_that_exists_is_refused_also_when_it_comes_late(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(UsageError, match="the target exists"), staging(tmp_path / "link"):
        pass
    with staging(tmp_path / "out") as part:
        write_new(part, "tree/a", b"")
        (tmp_path / "out").mkdir()
        with pytest.raises(UsageError, match="came into being"):
            publish(part / "tree", tmp_path / "out")


def test_what_a_killed_process_left_is_swept_but_not_what_another_still_writes(tmp_path: Path) -> None:
    dead, alive, other = (tmp_path / name for name in (".out.omnicheck-part-1", ".out.omnicheck-part-2", ".out.x"))
    for folder in (dead, alive, other):
        folder.mkdir()
    descriptor = os.open(alive, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with staging(tmp_path / "out"):
        assert (dead.exists(), alive.exists(), other.exists()) == (False, True, True)
    os.close(descriptor)


def test_a_name_is_written_once(tmp_path: Path) -> None:
    write_new(tmp_path, "a", b"1")
    with pytest.raises(FileExistsError):
        write_new(tmp_path, "a", b"2")
