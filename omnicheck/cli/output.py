"""Where a report goes: standard output or a file, with colour only where it is wanted."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from omnicheck.engine.rulebook import Rulebook
from omnicheck.model.errors import UsageError
from omnicheck.model.report import Report
from omnicheck.report import FORMATS, render


def known_format(name: str) -> None:
    """Refuse a format that is not there, before any work is done.

    Raises:
        UsageError: the format is unknown.
    """
    if name not in FORMATS:
        near = difflib.get_close_matches(name, FORMATS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"unknown format {name!r}", hint=f"{hint}one of {', '.join(FORMATS)}")


def emit(
    report: Report, format_: str, rulebook: Callable[[], Rulebook], *, output: Path | None, color: str, verbose: int
) -> None:
    """Render a report and write it.

    Args:
        report: what to render.
        format_: a known format.
        rulebook: reads the rules in force; asked only by formats that describe them.
        output: file, or None for standard output.
        color: ``auto``, ``always`` or ``never``.
        verbose: as in ``render``.

    Raises:
        UsageError: the file cannot be written.
    """
    rules = rulebook().rules() if format_ == "sarif" else ()
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


def folded(line: str, hang: str = "") -> str:
    """Return a line with its end, folded between words where a terminal shows it; whole for a pipe or a file."""
    if not sys.stdout.isatty():
        return f"{line}\n"
    width = max(shutil.get_terminal_size().columns, 40)
    parts = textwrap.wrap(line, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
    return "\n".join(parts) + "\n"


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
