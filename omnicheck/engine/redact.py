"""The one redactor: every string of a finding passes through it before it is stored or shown."""

from __future__ import annotations

from typing import Any

from omnicheck.content.masking import MASK, mask_credentials

LIMIT = 300
"""Characters of one string; the rest is cut and counted."""

MAX_ITEMS = 20

SHORTEST = 8
"""Characters of a credential that a report may not hold in a row."""


def redact_text(text: str, known: frozenset[str] = frozenset(), limit: int = LIMIT) -> str:
    """Mask credentials, cut what is too long, and make lone surrogates printable.

    Args:
        text: what a report would show.
        known: texts of credentials that were met elsewhere; whatever shares eight characters with one is masked.
        limit: characters that are kept.
    """
    masked = mask_credentials(text)
    if known:
        masked = _without(masked, known)
    if len(masked) > limit:
        masked = f"{masked[:limit]}… ({len(masked) - limit:,} more characters)"
    return masked.encode("utf-8", "backslashreplace").decode("utf-8")


def known_texts(secrets: set[bytes]) -> frozenset[str]:
    """Return texts of credentials in the forms in which a message may quote them."""
    plain = {secret.decode("utf-8", "replace") for secret in secrets}
    return frozenset(form for text in plain for form in (text, repr(text)[1:-1], text.replace("\\/", "/")))


def _without(text: str, known: frozenset[str]) -> str:
    for secret in known:
        size = min(SHORTEST, len(secret))
        pieces = {secret[i : i + size] for i in range(len(secret) - size + 1)} if size >= 4 else set()
        if not any(piece in text for piece in pieces):
            continue
        hidden = [False] * len(text)
        for i in range(len(text) - size + 1):
            if text[i : i + size] in pieces:
                hidden[i : i + size] = [True] * size
        parts, i = [], 0
        while i < len(text):
            stop = i
            while stop < len(text) and hidden[stop] == hidden[i]:
                stop += 1
            parts.append(MASK if hidden[i] else text[i:stop])
            i = stop
        text = "".join(parts)
    return text


def redact_value(value: Any, depth: int = 0, *, known: frozenset[str] = frozenset()) -> Any:
    """Redact plain data; long collections are cut and counted, other types are shown by their repr."""
    if isinstance(value, str):
        return redact_text(value, known)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else repr(value)
    if depth > 4:
        return "…"
    if isinstance(value, dict):
        items = [
            (redact_text(str(key), known), redact_value(inner, depth + 1, known=known))
            for key, inner in list(value.items())[:MAX_ITEMS]
        ]
        if len(value) > MAX_ITEMS:
            items.append(("…", f"{len(value) - MAX_ITEMS:,} more"))
        return dict(items)
    if isinstance(value, list | tuple | set | frozenset):
        ordered = sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)
        shown = [redact_value(inner, depth + 1, known=known) for inner in ordered[:MAX_ITEMS]]
        if len(ordered) > MAX_ITEMS:
            shown.append(f"… {len(ordered) - MAX_ITEMS:,} more")
        return shown
    return redact_text(repr(value), known)
