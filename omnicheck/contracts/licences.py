"""Terms of well-known licences, as far as they bind what is derived: identifiers as on the Hugging Face Hub."""

from __future__ import annotations

_SHARE_ALIKE = ("cc-by-sa", "cc-by-nc-sa", "gpl", "agpl", "lgpl")
_OWN_TERMS = ("llama", "gemma", "bigscience-", "creativeml-", "openrail", "deepfloyd-", "apple-", "qwen", "tongyi-")


def conflict(own: str, origin: str) -> str | None:
    """Return why something under the licence ``origin`` may not be passed on under ``own``; None when it may.

    Only plain contradictions are named: no derivatives, commercial use of what is non-commercial, and other terms
    where the same ones are demanded. An unknown licence contradicts nothing.
    """
    mine, given = own.strip().lower(), origin.strip().lower()
    if not mine or not given or mine == given:
        return None
    if "-nd" in given:
        return "permits no derivatives"
    if ("-nc" in given or "noncommercial" in given or "non-commercial" in given) and not _non_commercial(mine):
        return "permits no commercial use"
    family = next((name for name in _SHARE_ALIKE if given.startswith(name)), None)
    if family is not None and not mine.startswith(family):
        return "asks that what is derived keeps it"
    if given.startswith(_OWN_TERMS) and mine != "other":
        return "binds what is derived to its own terms"
    return None


def _non_commercial(licence: str) -> bool:
    return "-nc" in licence or "noncommercial" in licence or "non-commercial" in licence or licence == "other"
