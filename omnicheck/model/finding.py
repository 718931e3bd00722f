"""What a check saw, before the engine knows which rule asked and how severe it is."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Severity = Literal["error", "warning", "info"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From the gravest to the mildest."""


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong: where it is, what was found, what was expected, how to mend it.

    Attributes:
        path: display path of the file (``RunFile.path``) or of the run (``Run.path``).
        message: one sentence that names the value.
        members: path inside an archive, outermost first.
        pointer: JSON pointer (RFC 6901) inside the file.
        line: 1-based line.
        row: 1-based data row of a table or JSONL file.
        tensor: tensor name.
        node: graph node name.
        expected: what the rule wanted; plain data.
        actual: what stands there; plain data.
        help: how to mend it; the page's own advice stands in when absent.
        variant: a severity variant that the rule's page declares, such as ``interrupted``.
        key: what identifies the finding when line numbers move (a row's id); used for the fingerprint.
    """

    path: str
    message: str
    members: tuple[str, ...] = ()
    pointer: str | None = None
    line: int | None = None
    row: int | None = None
    tensor: str | None = None
    node: str | None = None
    expected: Any = None
    actual: Any = None
    help: str | None = None
    variant: str | None = None
    key: str | None = None
