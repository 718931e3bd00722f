"""Where a report goes: standard output or a file, with colour only where it is wanted."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from omnicheck.engine.rulebook import load_rulebook
from omnicheck.engine.store import cache_directory
from omnicheck.model.errors import UsageError
from omnicheck.model.report import Report
from omnicheck.report import FORMATS, render


def emit(report: Report, format_: str, *, output: Path | None, color: str, verbose: int) -> None:
    """Render a report and write it.

    Raises:
        UsageError: the format is unknown, or the file cannot be written.
    """
    if format_ not in FORMATS:
        raise UsageError(f"unknown format {format_!r}", hint=f"one of {', '.join(FORMATS)}")
    rules = load_rulebook((), cache_directory()).rules() if format_ in {"sarif", "junit", "html"} else ()
    width = shutil.get_terminal_size((100, 24)).columns
    text = render(
        report, format_, color=output is None and wants_color(color), verbose=verbose, rules=rules, width=width
    )
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", path=str(output)) from error


def wants_color(choice: str) -> bool:
    """Whether to colour: the option first, then NO_COLOR and FORCE_COLOR, then whether people read it."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def progress_on_stderr(*, wanted: bool) -> Callable[[int, int], None]:
    """Return a counter of judged runs on stderr: only on a terminal, and only for work over a second."""
    if not wanted or not sys.stderr.isatty():
        return lambda _done, _total: None
    started = time.monotonic()

    def show(done: int, total: int) -> None:
        if done == total:
            sys.stderr.write("\r\x1b[K")
        elif time.monotonic() - started > 1:
            sys.stderr.write(f"\rchecked {done} of {total} runs")
        sys.stderr.flush()

    return show
