"""The one redactor: every string of a finding passes through it before it is stored or shown."""

from __future__ import annotations

import re
from typing import Any

LIMIT = 300
"""Characters of one string; the rest is cut and counted."""

MAX_ITEMS = 20

_CREDENTIALS = re.compile(
    r"hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|A(?:KIA|SIA)[A-Z0-9]{16}"
    r"|sk-[A-Za-z0-9_-]{16,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*?(?:-----END [A-Z ]*-----|\Z)"
    r"|(?i:(?<=://)[^\s/:@]+:[^\s/@]+(?=@))|(?i:(?<=bearer )[\w.~+/=-]{12,})"
    r"|(?i:(?<=password=)\S+|(?<=passwd=)\S+|(?<=api_key=)\S+|(?<=token=)\S+|(?<=secret=)\S+)"
)


def redact_text(text: str) -> str:
    """Mask credentials, cut what is too long, and make lone surrogates printable."""
    masked = _CREDENTIALS.sub("<redacted>", text)
    if len(masked) > LIMIT:
        masked = f"{masked[:LIMIT]}… ({len(masked) - LIMIT:,} more characters)"
    return masked.encode("utf-8", "backslashreplace").decode("utf-8")


def redact_value(value: Any, depth: int = 0) -> Any:
    """Redact plain data; long collections are cut and counted, other types are shown by their repr."""
    if isinstance(value, str):
        return redact_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else repr(value)
    if depth > 4:
        return "…"
    if isinstance(value, dict):
        items = [
            (redact_text(str(key)), redact_value(inner, depth + 1)) for key, inner in list(value.items())[:MAX_ITEMS]
        ]
        if len(value) > MAX_ITEMS:
            items.append(("…", f"{len(value) - MAX_ITEMS:,} more"))
        return dict(items)
    if isinstance(value, list | tuple | set | frozenset):
        ordered = sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)
        shown = [redact_value(inner, depth + 1) for inner in ordered[:MAX_ITEMS]]
        if len(ordered) > MAX_ITEMS:
            shown.append(f"… {len(ordered) - MAX_ITEMS:,} more")
        return shown
    return redact_text(repr(value))
