"""Known findings that do not block: a file of fingerprints that only shrinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from omnicheck.engine.verdict import DECIDES
from omnicheck.model.errors import ConfigError
from omnicheck.model.finding import Finding
from omnicheck.model.report import Diagnostic, Suppression


class Known(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """A finding that was there when the baseline was written."""

    path: str
    rule: str
    fingerprint: str


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``omnicheck-baseline.json``."""

    version: int
    known: tuple[Known, ...]


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        ConfigError: it is missing or malformed.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Baseline)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the baseline cannot be read: {error}", path=str(path), hint="write one with `omnicheck baseline`"
        ) from error


def render_baseline(found: Sequence[Diagnostic], old: Baseline | None) -> str:
    """Return the text of a baseline of what is found now; with an old one, only what stands in both."""
    now = {
        Known(each.path, each.rule, each.fingerprint)
        for each in found
        if each.rule not in DECIDES and (not each.suppressed or each.suppressed.reason == REASON)
    }
    if old is not None:
        now &= set(old.known)
    return msgspec.json.format(msgspec.json.encode(Baseline(1, tuple(sorted(now)))), indent=1).decode() + "\n"


REASON = "in the baseline"


def apply_baseline(
    found: Sequence[Diagnostic], baseline: Baseline, could_match: Callable[[str, str], bool]
) -> tuple[list[Diagnostic], list[Finding]]:
    """Suppress the known findings; return the others' places as findings of OMN001 when an entry matched nothing."""
    known = {entry.fingerprint: entry for entry in baseline.known}
    matched = {each.fingerprint for each in found}
    result = [
        msgspec.structs.replace(each, suppressed=Suppression(REASON))
        if each.fingerprint in known and not each.suppressed and each.rule not in DECIDES
        else each
        for each in found
    ]
    unused = [
        Finding(
            path=entry.path,
            message=f"the baseline entry for {entry.rule} matched nothing",
            key=entry.fingerprint,
            help="run `omnicheck baseline` again: it only shrinks",
        )
        for entry in baseline.known
        if entry.fingerprint not in matched and could_match(entry.rule, entry.path)
    ]
    return result, unused
