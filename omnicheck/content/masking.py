"""Takes credentials out of short texts: messages, keys, names of files."""

from __future__ import annotations

import re

MASK = "<redacted>"

# A cheap look first: most texts hold nothing that could be a credential, and loading the detectors costs 20 ms.
_SUSPECT = re.compile(
    r"[A-Za-z0-9]{16}|-----BEGIN|://[^/\s]*:[^/\s]*@|(?:gl[a-z]{2,5}|sk|xapp|pypi|nvapi|GOCSPX|hvs|SG|ya29)[-.]|_pat_|Q~|:AA"
    r"|(?i:passw|passphrase|pwd|secret|token|key|bearer|credential|authorization|login).{0,12}[=: ]"
)


def mask_credentials(text: str) -> str:
    """Return the text with each credential replaced by ``<redacted>``."""
    if not _SUSPECT.search(text):
        return text
    from omnicheck.content.spans import credentials_in  # noqa: PLC0415 - as said above

    data = text.encode("utf-8", "surrogatepass")
    spans = credentials_in(data)
    if not spans:
        return text
    parts, at = [], 0
    for start, end in spans:
        if start >= at:
            parts += [data[at:start], MASK.encode()]
        at = max(at, end)
    return b"".join([*parts, data[at:]]).decode("utf-8", "surrogatepass")


def holds_credential(data: bytes) -> bool:
    """Whether bytes hold a credential; a cheap look first, as above."""
    if not _SUSPECT.search(data.decode("latin-1")):
        return False
    from omnicheck.content.spans import credentials_in  # noqa: PLC0415 - as said above

    return bool(credentials_in(data))
