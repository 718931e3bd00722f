"""Redactions can be repeated, undone and counted."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.bundle.redaction import check_prefixes, redact_text_file, restore_prefixes
from omnicheck.model.config import LogCut
from omnicheck.model.errors import ConfigError

PREFIXES = {"/home/ann": "<home>", "/home/ann/kitchen": "<project>", "C:\\work": "<work>"}


def test_the_longest_prefix_wins_and_a_longer_name_is_no_prefix() -> None:
    text = b'{"a": "/home/ann/kitchen/x.json", "b": "/home/anna/y", "c": "/home/ann"}'
    done = redact_text_file("m.json", text, prefixes=PREFIXES, cut=None)
    assert done.data == b'{"a": "<project>/x.json", "b": "/home/anna/y", "c": "<home>"}'
    assert [(edit.placeholder, edit.count) for edit in done.edits] == [("<project>", 1), ("<home>", 1)]


def test_a_file_that_holds_the_placeholder_is_refused() -> None:
    with pytest.raises(ConfigError, match="already holds '<home>'"):
        redact_text_file("m.md", b"<home>/x is /home/ann/x", prefixes=PREFIXES, cut=None)


@given(st.lists(st.sampled_from([b"/home/ann", b"/home/ann/kitchen", b"/", b" ", b"x", b"\r\n", b"C:\\work", b"<p>"])))
def test_redacted_text_can_be_restored(parts: list[bytes]) -> None:
    original = b"".join(parts)
    done = redact_text_file("t.txt", original, prefixes=PREFIXES, cut=None)
    assert restore_prefixes(done.data, PREFIXES) == original
    assert (done.data == original) == (not done.edits)


def test_the_middle_of_a_long_log_is_left_out_and_told() -> None:
    log = b"".join(b"step %d\n" % step for step in range(1000))
    cut = LogCut(over=100, head=2, tail=3)
    done = redact_text_file("train.log", log, prefixes={}, cut=cut)
    lines = done.data.decode().splitlines()
    assert lines[:2] == ["step 0", "step 1"]
    assert lines[-3:] == ["step 997", "step 998", "step 999"]
    assert hashlib.sha256(log).hexdigest() in lines[2]
    (edit,) = done.edits
    assert (edit.kind, edit.count, edit.size) == (
        "cut",
        995,
        len(log) - sum(len(line) + 1 for line in lines[:2] + lines[3:]),
    )


def test_a_cut_log_of_json_lines_stays_json_lines() -> None:
    log = b"".join(b'{"step": %d}\n' % step for step in range(100))
    done = redact_text_file("p.jsonl", log, prefixes={}, cut=LogCut(over=10, head=1, tail=0))
    assert [json.loads(line).get("lines") for line in done.data.splitlines()] == [None, 99]


def test_a_short_log_ships_whole() -> None:
    assert redact_text_file("a.log", b"x\n" * 9, prefixes={}, cut=LogCut(over=10, head=8, tail=8)).edits == ()


@pytest.mark.parametrize(
    ("prefixes", "says"),
    [
        ({"home/ann": "<home>"}, "not an absolute path"),
        ({"/": "<root>"}, "not an absolute path"),
        ({"/home/ann": "HOME"}, "no placeholder"),
        ({"/a": "<x>", "/b": "<x>"}, "one placeholder"),
    ],
)
def test_prefixes_that_could_not_be_put_back_are_refused(prefixes: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_prefixes(prefixes)
