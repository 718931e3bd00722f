"""PUB: what must not leave the house, by content: weights, raw data, pickles, archives, and what nobody declared."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.phrases import count_of, size_of
from omnicheck.content.groups import group_of, words_for
from omnicheck.content.part import Part
from omnicheck.contracts.publication import Policy, decide
from omnicheck.facts.content_parts import ScannedFile
from omnicheck.facts.publication import Judged, Publication
from omnicheck.model.finding import Finding

BY_RIGHT = frozenset({"adapter_weights"})
"""Roles whose files are weights openly: in profile ``lint`` nobody needs to be told."""


@check("publication.forbidden_weights")
def forbidden_weights(judged: tuple[Judged, ...], rules: Publication) -> Iterator[Finding]:
    """Yield a finding for each part that is model weights, by content, at any depth."""
    for each in judged:
        if rules.profile == "lint" and each.file.role in BY_RIGHT and each.scanned.parts[0].kind == "safetensors":
            continue
        yield from _forbidden(each, rules.policy, "weights", "model weights must not be published")


@check("publication.forbidden_raw_data")
def forbidden_raw_data(judged: tuple[Judged, ...], rules: Publication) -> Iterator[Finding]:
    """Yield a finding for each part that is raw video, audio, recordings or tables of samples."""
    for each in judged:
        yield from _forbidden(each, rules.policy, "raw_data", "raw data must not be published")


@check("publication.forbidden_archive")
def forbidden_archive(judged: tuple[Judged, ...], rules: Publication) -> Iterator[Finding]:
    """Yield a finding for each outermost archive or compressed stream."""
    for each in judged:
        yield from _forbidden(each, rules.policy, "archive", "archives are not published, only their files are")


@check("publication.pickle")
def pickle(judged: tuple[Judged, ...]) -> Iterator[Finding]:
    """Yield a finding for each part that is a pickle stream or an array of pickled objects."""
    for each in judged:
        for part in each.scanned.parts:
            if "pickle" not in part.groups or _below(part, each.scanned, "pickle"):
                continue
            objects = "npy" in part.kinds
            what = "a NumPy array of Python objects, which is a pickle" if objects else words_for(_kind(part, "pickle"))
            text = f"{_place(part)}is {what} ({size_of(part.size)}); whoever loads it runs the code it names"
            yield Finding(
                path=each.file.path, members=part.members, message=text, actual=_kind(part, "pickle"), key=_key(part)
            )


@check("publication.undeclared_type")
def undeclared_type(judged: tuple[Judged, ...], rules: Publication) -> Iterator[Finding]:
    """Yield a finding for each file that no grant of the policy covers, though nothing forbids its kind by name."""
    for each in judged:
        first = each.scanned.parts[0]
        if each.decision.cause == "undeclared" and not first.groups & {"unknown", "empty"} and not each.scanned.split:
            yield _undeclared(each, first, "no entry of the publication policy covers this name and content")
        elif each.decision.cause == "forbidden" and each.decision.what and "text" in first.groups:
            yield _undeclared(each, first, f"the contract forbids {each.decision.what.replace('_', ' ')}")
        if each.decision.cause == "released":
            continue
        for part in each.scanned.parts[1:]:
            decision = decide(rules.policy, "", part.kinds, part.size)
            opaque = _below(part, each.scanned, "weights", "array", "archive", "raw_data")
            if decision.cause == "undeclared" and part.groups & {"array", "executable"} and not opaque:
                yield _undeclared(each, part, "the publication policy does not cover it")


class TooLarge(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of too-large; 0 keeps what the policy says.

    Attributes:
        file_bytes: a smaller limit for every file.
        total_bytes: another limit for all files together.
    """

    file_bytes: int = 0
    total_bytes: int = 0


@check("publication.too_large")
def too_large(judged: tuple[Judged, ...], rules: Publication, params: TooLarge) -> Iterator[Finding]:
    """Yield a finding for each file over the size of its grant, and one when all of them are over the total."""
    for each in judged:
        limit = each.decision.limit
        if each.decision.ships and 0 < params.file_bytes < each.file.size:
            limit = params.file_bytes
        if limit is not None:
            message = f"{size_of(each.file.size)} are more than the {size_of(limit)} that one such file may have"
            yield Finding(path=each.file.path, message=message, expected=limit, actual=each.file.size)
    total = sum(each.file.size for each in judged if each.decision.ships)
    most = params.total_bytes or rules.policy.total
    if total > most:
        message = f"the files that may be published have {size_of(total)} in all, more than {size_of(most)}"
        yield Finding(path=rules.run, message=message, expected=most, actual=total, key="total")


@check("publication.unscannable")
def unscannable(scanned: tuple[ScannedFile, ...]) -> Iterator[Finding]:
    """Yield a finding for each file that holds bytes nobody could look at or make sense of."""
    checkpoints = tuple(_folder(each) for each in scanned if each.parts and "orbax" in each.parts[0].kinds)
    for each in scanned:
        if each.error is not None:
            yield Finding(path=each.file.path, message=f"could not be read: {each.error}", key="unread")
        hidden = [(part, odd) for part in each.parts for odd in part.anomalies if odd.unscannable]
        for code in dict.fromkeys(odd.code for _, odd in hidden):
            met = [(part, odd) for part, odd in hidden if odd.code == code]
            part, odd = met[0]
            text = f"{_place(part)}cannot be looked into: {odd.detail}{_others(len(met))}"
            yield Finding(path=each.file.path, members=part.members, message=text, actual=code, key=code)
        # The data of an Orbax checkpoint has no format of its own; its manifest tells what the directory is.
        if not _folder(each).startswith(checkpoints):
            yield from _unknown(each)


def _folder(each: ScannedFile) -> str:
    return f"{each.file.folder}/" if each.file.folder else ""


def _unknown(each: ScannedFile) -> Iterator[Finding]:
    unknown = [
        part
        for part in each.parts
        if part.kind == "unknown" and not _below(part, each, "weights", "array", "pickle") and _matters(part, each)
    ]
    if unknown:
        part = unknown[0]
        text = f"{_place(part)}is {size_of(part.size)} of no known format, so nobody can say what they hold"
        yield Finding(
            path=each.file.path,
            members=part.members,
            message=text + _others(len(unknown)),
            actual="unknown",
            key="unknown",
        )


def _matters(part: Part, each: ScannedFile) -> bool:
    # A part of a split file is judged as the whole, bytes around a format as what they stand beside (PUB107), and an
    # encrypted or unpackable member as such.
    around = bool(part.members) and part.members[-1].startswith(("prefix@", "appended@", "gap@"))
    return not (each.split and not part.members) and not around and not any(odd.unscannable for odd in part.anomalies)


def _forbidden(each: Judged, policy: Policy, group: str, why: str) -> Iterator[Finding]:
    if each.decision.cause == "released":
        return
    for part in each.scanned.parts:
        if group not in part.groups or _below(part, each.scanned, group):
            continue
        if group == "raw_data" and "weights" in part.groups:
            continue  # Keras weights are HDF5, and told as weights
        kind = _kind(part, group)
        if decide(policy, "", (kind,), part.size).ships:
            continue
        text = f"{_place(part)}is {words_for(kind)} ({size_of(part.size)}); {why}"
        yield Finding(path=each.file.path, members=part.members, message=text, actual=kind, key=_key(part))


def _undeclared(each: Judged, part: Part, why: str) -> Finding:
    text = f"{_place(part)}is {words_for(part.kind)} ({size_of(part.size)}); {why}"
    return Finding(path=each.file.path, members=part.members, message=text, actual=part.kind, key=_key(part))


def _below(part: Part, scanned: ScannedFile, *groups: str) -> bool:
    """Whether a part lies inside another that is of one of the groups."""
    if not part.members:
        return False
    above = {part.members[:depth] for depth in range(len(part.members))}
    return any(other.members in above and other.groups & set(groups) for other in scanned.parts)


def _kind(part: Part, group: str) -> str:
    return next(kind for kind in part.kinds if group_of(kind) == group)


def _place(part: Part) -> str:
    return f"its content {'!/'.join(part.members)} " if part.members else ""


def _key(part: Part) -> str:
    return "!/".join(part.members) or "file"


def _others(count: int) -> str:
    return f"; the same holds for {count_of(count - 1, 'other member')}" if count > 1 else ""
