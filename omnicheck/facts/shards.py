"""Shards of an evaluation: prediction files that each hold a part of one split, and the file they were merged into."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.documents import Metrics
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.record import Record, record
from omnicheck.facts.registry import fact, fold
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import split_name
from omnicheck.model.run import RunFile

NUMBERED = re.compile(r"(?:^|.*?[_.-])(?:shard|rank)s?[_.-]?(?P<number>\d+)(?:[_.-]?of[_.-]?(?P<of>\d+))?$")
"""``shard_3``, ``night_eval_shard3``, ``shard-03-of-08``, ``rank0``: the number of a shard, and of how many."""

HOME = re.compile(r"[_.-]?(?:shard|rank)s?[_.-]?\d+(?:[_.-]?of[_.-]?\d+)?$")
MAX_SHARDS = 100_000
START = "eval_start"


class ShardStart(Struct, frozen=True):
    """The line of a shard's progress log that says how its evaluation began."""

    file: RunFile
    line: int
    row: dict[str, Any]


@fold(ShardStart, absent="no shard logs how its evaluation began")
class ShardStartFold:
    """Keeps the last start of an evaluation that a shard's progress log tells: a resumed one overrides."""

    roles: ClassVar[tuple[str, ...]] = ("shard_progress",)
    needs: ClassVar[tuple[type, ...]] = ()

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        self._found: ShardStart | None = None

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take lines."""
        for line, row in enumerate(rows, first):
            if row.get("event") == START:
                self._found = ShardStart(self._file, line, row)

    def merge(self, other: ShardStartFold) -> None:
        """Take over the later start."""
        self._found = other._found or self._found

    def fact(self) -> ShardStart | None:
        """Return it; None when the log tells of no start."""
        return self._found


class Shard(Struct, frozen=True):
    """One shard.

    Attributes:
        rows: its predictions.
        name: its directory, or its file where the shards lie in one directory.
        number: as its name says, or None.
        of: how many shards there are, as its name says, or None.
        holders: its metrics and the start in its progress log, in this order.
        cut: the line that was cut at the end of its predictions, or None.
    """

    rows: Predictions
    name: str
    number: int | None
    of: int | None
    holders: tuple[Record, ...]
    cut: int | None

    def stated(self, name: str) -> tuple[Any, Record] | None:
        """Return a value that the shard states of itself, and where."""
        return next(((each.raw(name), each) for each in self.holders if each.raw(name) is not None), None)

    def partition(self) -> tuple[int, int, Record] | None:
        """Return the stated offset and stride, and where they stand; None when they are not whole numbers."""
        for each in self.holders:
            offset, stride = each.raw("sample_offset"), each.raw("sample_stride")
            if type(offset) is int and type(stride) is int and stride > 0:
                return offset, stride, each
        return None


class ShardSet(Struct, frozen=True):
    """The shards of one evaluation.

    Attributes:
        run: display path of the run.
        shards: in the order of their numbers, then names; at least one.
        merged: the file that holds them all, or None.
        metrics: the metrics beside it, or None.
        split: the split that was evaluated, or None when nothing tells it.
    """

    run: str
    shards: tuple[Shard, ...]
    merged: Predictions | None
    metrics: Metrics | None
    split: str | None

    def absent_numbers(self) -> tuple[int, ...]:
        """Return the numbers that the names of the shards leave out; none where a shard has no number."""
        numbers = {each.number for each in self.shards if each.number is not None}
        if len(numbers) < len(self.shards):
            return ()
        of = {each.of for each in self.shards}
        count = of.pop() if len(of) == 1 else None
        first = 1 if min(numbers) > 0 and (count is None or max(numbers) >= count) else 0
        last = max(numbers) if count is None else first + count - 1
        return tuple(sorted(set(range(first, min(last, MAX_SHARDS) + 1)) - numbers))

    def limited(self) -> int | None:
        """Return to how many samples the evaluation was limited, or None."""
        for key in ("max_eval_samples", "max_samples", "sample_limit", "limit", "subset"):
            for shard in self.shards:
                found = shard.stated(key)
                if found is not None and type(found[0]) is int and found[0] > 0:
                    return found[0]
        return None


@fact(absent="no shards of predictions")
def shard_sets(
    source: Source,
    predictions: tuple[Predictions, ...],
    metrics: tuple[Metrics, ...] | None,
    starts: tuple[ShardStart, ...] | None,
) -> tuple[ShardSet, ...]:
    """Group the shards of each evaluation, and find what they were merged into."""
    groups: defaultdict[tuple[str, str], list[Shard]] = defaultdict(list)
    named = _named(metrics or ())
    for rows in predictions:
        parts = _parts(rows.file)
        if parts is not None:
            home, name, tag = parts
            home = named.get(name, home)
            groups[home, tag].append(_shard(source, rows, name, starts or ()))
    found = []
    for (home, tag), shards in sorted(groups.items()):
        # A single numbered file is no shard of anything unless it says so.
        if len(shards) == 1 and not _says_so(shards[0]):
            continue
        shards.sort(key=lambda each: (each.number is None, each.number or 0, each.name))
        merged = _merged(predictions, home, tag)
        document = _metrics(metrics or (), home, merged, tag)
        found.append(ShardSet(source.run.path, tuple(shards), merged, document, _split(shards, document)))
    return tuple(found)


def _parts(file: RunFile) -> tuple[str, str, str] | None:
    """Return where the whole evaluation lies, the shard's name and the tag of its file; None for no shard."""
    if file.role == "shard_predictions":
        above, _, name = file.folder.rpartition("/")
        if above.rpartition("/")[2] == "shards":
            above = above.rpartition("/")[0]
        whole = HOME.sub("", name)
        if above == ".." or not whole or whole == name:
            return ("" if above == ".." else above), name or file.base, file.tag
        return f"{above}/{whole}" if above else whole, name, file.tag
    if file.role in ("predictions", "future_predictions", "policy_predictions") and NUMBERED.match(file.tag):
        return file.folder, file.base, HOME.sub("", file.tag)
    return None


def _named(metrics: Sequence[Metrics]) -> dict[str, str]:
    """Return the shards that merged metrics name, each with the directory of the merged file."""
    found = {}
    for each in metrics:
        listed = each.record.raw("shard_dirs")
        for name in listed if isinstance(listed, list) else ():
            if isinstance(name, str):
                found[name.rstrip("/").rpartition("/")[2]] = each.file.folder
    return found


def _says_so(shard: Shard) -> bool:
    stated = shard.partition()
    return shard.rows.file.role == "shard_predictions" or (stated is not None and stated[1] > 1)


def _shard(source: Source, rows: Predictions, name: str, starts: Sequence[ShardStart]) -> Shard:
    file = rows.file
    in_directory = file.role == "shard_predictions"
    match = NUMBERED.match(name if in_directory else file.tag)
    role = "shard_metrics" if in_directory else "metrics"
    documents = [each for each in source.run.of(role) if each.folder == file.folder]
    if not in_directory or len(documents) > 1:
        documents = [each for each in documents if each.tag == file.tag]
    holders = [record(source, each) for each in documents if isinstance(source.json(each).value, dict)]
    holders += [Record(source, each.file, each.row) for each in starts if each.file.folder == file.folder]
    return Shard(
        rows,
        name,
        int(match["number"]) if match else None,
        int(match["of"]) if match and match["of"] else None,
        tuple(holders),
        _cut(source, rows),
    )


def _cut(source: Source, rows: Predictions) -> int | None:
    """Return the number of the last line where it was not written to its end."""
    last = rows.lines[-1] if rows.lines else 0
    lines = [each.problem.line or 0 for each in source.problems if each.file.location == rows.file.location]
    after = max((line for line in lines if line > last), default=0)
    return after if after and not source.line_ended(rows.file) else None


def _merged(predictions: Sequence[Predictions], home: str, tag: str) -> Predictions | None:
    whole = [
        each
        for each in predictions
        if each.file.role in ("predictions", "future_predictions", "policy_predictions", "predictions_table")
        and each.file.folder in (home, home.rpartition("/")[0] if home.endswith("/shards") else home)
        and not NUMBERED.match(each.file.tag)
    ]
    whole.sort(key=lambda each: (each.file.role == "predictions_table", each.file.tag != tag, each.file.name))
    exact = [each for each in whole if each.file.tag in (tag, "", "merged")]
    return exact[0] if exact else None


def _metrics(metrics: Sequence[Metrics], home: str, merged: Predictions | None, tag: str) -> Metrics | None:
    near = [each for each in metrics if each.file.folder == home and not NUMBERED.match(each.file.tag)]
    wanted = merged.file.tag if merged is not None else tag
    return next((each for each in near if each.file.tag == wanted), near[0] if len(near) == 1 else None)


def _split(shards: Sequence[Shard], document: Metrics | None) -> str | None:
    """Return the evaluated split: as the merged metrics say, else the shards' metrics, else the rows."""
    if document is not None and (named := split_name(document.record.raw("eval_split"))) is not None:
        return named
    stated = {split_name(found[0]) for each in shards if (found := each.stated("eval_split")) is not None} - {None}
    if len(stated) == 1:
        return stated.pop()
    counted = Counter(split_name(split) for each in shards for split in each.rows.splits)
    del counted[None]
    return counted.most_common(1)[0][0] if counted else None
