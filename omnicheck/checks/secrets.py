"""Rules about what must not leave the house: paths, endpoints, words, credentials, personal data, positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.exposures import Exposures, ForbiddenWords
from omnicheck.facts.leaks import Leak
from omnicheck.model.finding import Finding

LINES = 3
"""Lines that a message names; the rest is counted."""

_NOUNS = {
    "home-path": ("path of a home directory", "paths of home directories"),
    "windows-home-path": ("path of a home directory", "paths of home directories"),
    "root-home-path": ("path of the root user's home", "paths of the root user's home"),
    "temporary-path": ("path of a host's temporary directory", "paths of a host's temporary directory"),
    "mount-path": ("path of a mounted disk", "paths of a mounted disk"),
    "network-share": ("path of a network share", "paths of network shares"),
}


class WordList(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of SEC103.

    Attributes:
        words: words that must not appear, in any case.
    """

    words: tuple[str, ...] = ()


class Personal(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of SEC105.

    Attributes:
        phones: whether telephone numbers count.
        names: names that must not appear (double-blind review).
    """

    phones: bool = False
    names: tuple[str, ...] = ()


@check("secrets.local_path")
def local_path(exposures: Exposures) -> Iterator[Finding]:
    """Yield a finding for each file and kind of absolute path of a person or host."""
    for leaks in _plain(exposures, "path"):
        first = leaks[0]
        shown = sorted({leak.shown for leak in leaks})
        such = f"such as {shown[0]}" if len(shown) > 1 or len(leaks) > 1 else shown[0]
        noun = _NOUNS[first.rule][len(leaks) > 1]
        yield _finding(leaks, f"{_count(leaks, noun)}, {such}, {_where(leaks)}")


@check("secrets.endpoint")
def endpoint(exposures: Exposures) -> Iterator[Finding]:
    """Yield a finding for each file and kind of private endpoint."""
    for leaks in _plain(exposures, "endpoint"):
        noun = "private endpoint" if len(leaks) == 1 else "private endpoints"
        such = leaks[0].shown if len(leaks) == 1 else f"such as {leaks[0].shown}"
        yield _finding(leaks, f"{_count(leaks, noun)}, {such}, {_where(leaks)}")


@check("secrets.project_words")
def project_words(exposures: Exposures, words: ForbiddenWords, params: WordList) -> Iterator[Finding]:
    """Yield a finding for each file and forbidden word."""
    for leaks in _plain(exposures, "word"):
        if words.words == tuple(params.words):
            yield _finding(leaks, f"{leaks[0].shown} stands here {_times(leaks)}, {_where(leaks)}")


@check("secrets.credential")
def credential(exposures: Exposures) -> Iterator[Finding]:
    """Yield a finding for each file and kind of credential."""
    for leaks in _plain(exposures, "credential"):
        noun = "credential" if len(leaks) == 1 else "credentials"
        sizes = sorted({leak.size for leak in leaks})
        length = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        yield _finding(
            leaks, f"{_count(leaks, noun)} of the kind {leaks[0].rule}, {length} characters long, {_where(leaks)}"
        )


@check("secrets.personal_data")
def personal_data(exposures: Exposures, params: Personal) -> Iterator[Finding]:
    """Yield a finding for each file that holds e-mail addresses, listed names or, where asked for, phone numbers."""
    for kind in ("email", *(("phone",) if params.phones else ()), *(("name",) if params.names else ())):
        for leaks in _plain(exposures, kind):
            if kind == "name":
                yield _finding(leaks, f"{leaks[0].shown} stands here {_times(leaks)}, {_where(leaks)}")
                continue
            noun = {
                "email": ("e-mail address", "e-mail addresses"),
                "phone": ("telephone number", "telephone numbers"),
            }[kind]
            yield _finding(leaks, f"{_count(leaks, noun[len(leaks) > 1])}, {_where(leaks)}")


@check("secrets.image_location")
def image_location(exposures: Exposures) -> Iterator[Finding]:
    """Yield a finding for each picture or film that says where it was taken."""
    for leak in exposures.leaks:
        if leak.kind == "location":
            yield _finding([leak], f"the {leak.place} records where on Earth it was taken")


@check("secrets.metadata_leak")
def metadata_leak(exposures: Exposures) -> Iterator[Finding]:
    """Yield a finding for each kind of leak in the metadata of a structured file."""
    for leaks in _groups(leak for leak in exposures.leaks if leak.place and leak.kind != "location"):
        first = leaks[0]
        what = {
            "credential": f"a credential of the kind {first.rule}, {first.size} characters long",
            "path": f"a {_NOUNS.get(first.rule, ('path', ''))[0]}, {first.shown}",
        }.get(first.kind, first.shown)
        places = sorted({leak.place for leak in leaks})
        more = f" and {len(places) - 1} more places" if len(places) > 1 else ""
        yield _finding(leaks, f"{first.place}{more}: {what}{f' ({len(leaks):,} in all)' if len(leaks) > 1 else ''}")


def _plain(exposures: Exposures, kind: str) -> Iterator[list[Leak]]:
    return _groups(leak for leak in exposures.leaks if leak.kind == kind and not leak.place)


def _groups(leaks: Iterable[Leak]) -> Iterator[list[Leak]]:
    """Yield the leaks of each file (or member) and detector."""

    def place(leak: Leak) -> tuple[Any, ...]:
        return leak.file.path, leak.members, leak.rule

    for _, group in groupby(sorted(leaks, key=lambda leak: (*place(leak), leak.line or 0)), key=place):
        yield list(group)


def _finding(leaks: Sequence[Leak], message: str) -> Finding:
    first = leaks[0]
    lines = list(dict.fromkeys(leak.line for leak in leaks if leak.line is not None))
    marks = list(dict.fromkeys(leak.mark for leak in leaks if leak.mark))
    actual: dict[str, Any] = {"count": len(leaks), "fingerprints": marks[:LINES]}
    if lines:
        actual["lines"] = lines[: LINES * 3]
    return Finding(
        path=first.file.path,
        members=first.members,
        message=message,
        line=first.line,
        actual=actual if first.kind != "location" else None,
        key=f"{first.rule} {'!/'.join(first.members)} {first.place}".strip(),
    )


def _count(leaks: Sequence[Leak], noun: str) -> str:
    return f"{len(leaks):,} {noun}"


def _times(leaks: Sequence[Leak]) -> str:
    return "once" if len(leaks) == 1 else f"{len(leaks):,} times"


def _where(leaks: Sequence[Leak]) -> str:
    lines = list(dict.fromkeys(leak.line for leak in leaks))
    named = ", ".join(f"{line:,}" for line in lines[:LINES])
    if len(lines) == 1:
        return f"in line {named}"
    more = len(lines) - LINES
    return f"in lines {named}" + (f" and {more:,} more" if more > 0 else "")
