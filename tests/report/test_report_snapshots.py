import pytest
from sample_reports import clean, crashed, empty, flood, report
from snapshot import SNAPSHOTS, assert_snapshot

from omnicheck.report import FORMATS, render

SUFFIX = {"json": "json", "jsonl": "jsonl", "sarif": "sarif.json", "gitlab": "gitlab.json", "junit": "xml"}
SUFFIX |= {"html": "html", "markdown": "md", "text": "txt", "concise": "concise.txt", "github": "github.txt"}
REPORTS = {"every-field": report, "clean": clean, "empty": empty, "crashed": crashed}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("form", FORMATS)
def test_output_is_the_committed_one(name: str, form: str) -> None:
    assert_snapshot(f"{name}.{SUFFIX[form]}", render(REPORTS[name](), form))


def test_text_in_all_detail_and_colour() -> None:
    assert_snapshot("every-field-verbose.txt", render(report(), "text", verbose=2))
    assert_snapshot("crashed-verbose.txt", render(crashed(), "text", verbose=2))
    assert_snapshot("every-field-color.txt", render(report(), "text", color=True))


def test_a_flood_stays_readable() -> None:
    text = render(flood(), "text")
    assert_snapshot("flood.txt", text)
    assert len(text.splitlines()) < 150
    assert max(map(len, text.splitlines())) <= 80


def test_every_snapshot_is_in_use() -> None:
    used = {f"{name}.{suffix}" for name in REPORTS for suffix in SUFFIX.values()}
    used |= {"every-field-verbose.txt", "crashed-verbose.txt", "every-field-color.txt", "flood.txt"}
    assert {path.name for path in SNAPSHOTS.iterdir()} == used
