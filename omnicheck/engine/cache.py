"""Keeps what the rules said of a run, keyed by everything they could have seen."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from omnicheck import __version__
from omnicheck.content.masking import holds_credential
from omnicheck.engine.store import tool_stamp, write_atomically
from omnicheck.engine.unit import RunResult, Unit, listing_of
from omnicheck.model.rule import Rule
from omnicheck.readers.beside import state_again

FRESH_NS = 2_000_000_000
"""Files touched this shortly before the start may change again within the same clock tick."""

KEPT_DAYS = 30


class Cache:
    """Results of unchanged runs.

    Args:
        rules_digest: of the pages in force.
        place: where it lies; None reads and writes nothing.
    """

    def __init__(self, rules_digest: str, place: Path | None) -> None:
        self._place = place
        self._tool = f"{__version__} {tool_stamp()}" if place is not None else __version__
        self._rules_digest = rules_digest
        self._started = time.time_ns()
        self.hits = 0

    def key(self, unit: Unit) -> str:
        """Return the digest of tool, rules, contract, fields and the run's listing."""
        parts = (
            self._tool,
            self._rules_digest,
            unit.rules,
            unit.comparing,
            unit.contract,
            unit.workspace,
            unit.fields,
            unit.plugins,
            unit.run,
        )
        return hashlib.sha256(msgspec.msgpack.encode(parts, order="sorted")).hexdigest()

    def get(self, unit: Unit) -> RunResult | None:
        """Return the kept result of an unchanged run, after looking again at every path it observed."""
        if self._place is None:
            return None
        try:
            result = msgspec.msgpack.decode(
                (self._place / f"run-{self.key(unit)}.msgpack").read_bytes(), type=RunResult
            )
        except (OSError, ValueError):
            return None
        if any(state_again(seen.location, seen.state) != seen.state for seen in result.observed):
            return None
        self.hits += 1
        return result

    def put(self, unit: Unit, result: RunResult) -> None:
        """Keep a result, unless a check crashed, a fact quotes a credential, or a file is too fresh.

        A file that was just written cannot be told from its next version.
        """
        if self._place is None or result.crashed:
            return
        newest = max((max(mtime, ctime) for _, mtime, ctime, _ in listing_of(unit.run).values()), default=0)
        if newest > self._started - FRESH_NS:
            return
        encoded = msgspec.msgpack.encode(result)
        if not holds_credential(encoded):
            write_atomically(self._place / f"run-{self.key(unit)}.msgpack", encoded)

    def across(
        self, rules: Sequence[Rule], results: Sequence[RunResult], compare: Callable[[], RunResult]
    ) -> RunResult:
        """Return what rules that compare runs say of these results, kept under the digest of what they compare."""
        if self._place is None:
            return compare()
        parts = (self._tool, self._rules_digest, rules, [(result.run, result.shared) for result in results])
        digest = hashlib.sha256(msgspec.msgpack.encode(parts, order="sorted")).hexdigest()
        entry = self._place / f"across-{digest}.msgpack"
        try:
            return msgspec.msgpack.decode(entry.read_bytes(), type=RunResult)
        except (OSError, ValueError):
            result = compare()
            if not result.crashed and not holds_credential(msgspec.msgpack.encode(result)):
                write_atomically(entry, msgspec.msgpack.encode(result))
            return result

    def prune(self) -> None:
        """Remove results that nobody has written for a month; called now and then."""
        if self._place is None or self._started % 50:
            return
        for entry in self._place.glob("*.msgpack"):
            try:
                if entry.stat().st_mtime_ns < self._started - KEPT_DAYS * 86_400 * 1_000_000_000:
                    entry.unlink()
            except OSError:
                continue
