"""Output formats: one small module each, all made from the same report."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from omnicheck.model.errors import UsageError

if TYPE_CHECKING:
    from omnicheck.model.report import Report
    from omnicheck.model.rule import Rule

FORMATS = ("text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "html", "markdown")


def render(
    report: Report,
    format: str = "text",  # noqa: A002 - the name of the option
    *,
    color: bool = False,
    width: int = 80,
    verbose: int = 0,
    rules: Sequence[Rule] = (),
    show_suppressed: bool = False,
) -> str:
    """Render a report in one of ``FORMATS``, loading only that format's module.

    Args:
        report: what to render.
        format: one of ``FORMATS``.
        color: ANSI colours (text).
        width: columns (text).
        verbose: how much detail, from -1 (text, Markdown).
        rules: the rules in force, for their descriptions and help (SARIF).
        show_suppressed: keep suppressed findings (SARIF).

    Returns:
        The whole output, ending with a newline.

    Raises:
        UsageError: there is no such format.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}", hint=f"choose one of {', '.join(FORMATS)}")
    options: dict[str, dict[str, Any]] = {
        "text": {"color": color, "width": width, "verbose": verbose},
        "markdown": {"verbose": verbose},
        "sarif": {"rules": rules, "show_suppressed": show_suppressed},
    }
    text: str = import_module(f"omnicheck.report.{format}").render(report, **options.get(format, {}))
    return text
