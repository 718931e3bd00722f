"""Every construct that scanners let through is named at the right member; nothing harmless alarms."""

from __future__ import annotations

import io
import pickle
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnicheck.content.groups import group_of
from omnicheck.content.part import Bounds, Part
from omnicheck.content.scan import scan_file
from tests.content import constructs as made

ALARMING = {"weights", "pickle", "raw_data", "archive", "executable", "unknown"}


def found(parts: tuple[Part, ...]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(part.members, part.kinds) for part in parts]


@pytest.mark.parametrize("case", made.bypasses() + made.hidden(), ids=lambda case: case[0])
def test_a_construct_is_named_at_its_member(case: made.Construct) -> None:
    _, name, data, members, kind = case
    parts = scan_file(data, name)
    assert any(part.members == members and kind in part.kinds for part in parts), found(parts)


@pytest.mark.parametrize("case", made.harmless(), ids=lambda case: case[0])
def test_a_harmless_file_alarms_nobody(case: tuple[str, bytes, str]) -> None:
    name, data, kind = case
    parts = scan_file(data, name)
    assert parts[0].kinds == (kind,), found(parts)
    assert all(not part.anomalies for part in parts)
    assert not {group for part in parts for group in part.groups} & ALARMING, found(parts)
