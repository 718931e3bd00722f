"""OMN: what the tool could not read, and keys that look like a slip of the pen."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.near_miss import NearMisses
from omnicheck.facts.problems import Reading
from omnicheck.model.finding import Finding

ADVICE = {
    "duplicate-key": "write the key once: readers disagree about which of the two counts",
    "not-finite": "write null, or leave the key out: JSON has no NaN or Infinity",
    "truncated": "copy or write the file again; its end is missing",
    "encoding": "write the file as UTF-8 without a byte order mark",
    "too-large": "split the file, or keep large values in a file of their own",
    "too-deep": "flatten the value",
    "unreadable": "make the file readable for the user who runs the check",
    "changed": "check again when nothing writes to the directory",
    "type": "write the value with the type that its key asks for",
}


@check("tool.unreadable")
def unreadable(reading: Reading) -> Iterator[Finding]:
    """Yield a finding for each problem that reading met."""
    for entry in reading.problems:
        problem = entry.problem
        yield Finding(
            path=entry.file.path,
            message=problem.message,
            pointer=problem.pointer,
            line=problem.line,
            row=problem.row,
            help=ADVICE.get(problem.kind),
            key=f"{problem.kind} {problem.pointer or ''} {problem.message if problem.line is None else ''}".strip(),
            variant="mistyped" if problem.kind == "type" else None,
        )


class NearMissParams(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``tool.near_miss``.

    Attributes:
        gates: words of a path that make a near miss an error, because the key would have gated something.
    """

    gates: tuple[str, ...] = ("acceptancecriteria", "gate", "gates", "criteria", "thresholds")


@check("tool.near_miss")
def near_miss(misses: NearMisses, params: NearMissParams) -> Iterator[Finding]:
    """Yield a finding for each unknown key that is one edit or one case style away from a known one."""
    for miss in misses.found:
        inside_gate = any(part.replace("_", "").lower() in params.gates for part in miss.pointer.split("/")[:-1])
        yield Finding(
            path=miss.file.path,
            pointer=miss.pointer,
            message=f"the key {miss.key!r} is not known; {miss.known!r} is",
            expected=miss.known,
            actual=miss.key,
            variant="gate" if inside_gate else None,
        )
