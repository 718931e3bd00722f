"""One pass over a file for all the folds that the selected rules ask for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from omnicheck.facts.registry import Fold
from omnicheck.facts.source import FileProblem, Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.jsonl import Chunk, read_jsonl, split_ranges
from omnicheck.readers.problem import Problem
from omnicheck.readers.table import read_csv

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTH_SPLITTING = 256 << 20
"""Bytes from which on the parts of one file are read by several processes."""

Kinds = Mapping[type, type[Fold]]
Folds = dict[type, Fold]


def fold_file(
    source: Source, file: RunFile, folds: Kinds, given: Mapping[type, Any], *, passed: set[str]
) -> dict[type, Any]:
    """Read a file once, feed every fold that is not idle, and return the facts by class.

    A large JSONL file is read by ``source.jobs`` processes, a part each; the folds of the parts merge in order.

    Args:
        source: the run.
        file: a JSONL or CSV file.
        folds: fact class to fold class.
        given: facts of earlier passes.
        passed: locations of files that were read before, whose problems are noted already; this one is added.
    """
    context = {**given, RunFile: file}
    live: Folds = {made: kind(context) for made, kind in folds.items()}
    busy = {made: each for made, each in live.items() if not each.idle()}
    if busy:
        problems: list[Problem] = []
        noted = file.location in passed
        passed.add(file.location)
        if splittable(file, source.jobs):
            live.update(_feed_parts(source, file, busy, problems, guard=not noted))
        else:
            _feed(source, file, busy, problems, guard=not noted)
        if not noted:
            source.problems.extend(FileProblem(file, problem) for problem in problems)
    return {made: each.fact() for made, each in live.items()}


def splittable(file: RunFile, jobs: int) -> bool:
    """Whether the parts of a file are read by several processes.

    Only where processes fork: folds may keep ``hash()`` of texts, which differs between processes otherwise.
    """
    return jobs > 1 and sys.platform == "linux" and file.size >= WORTH_SPLITTING and not file.base.endswith(".csv")


def _feed_parts(source: Source, file: RunFile, folds: Folds, problems: list[Problem], *, guard: bool) -> Folds:
    """Feed the parts of a file to copies of the folds, one process each, and merge them in order."""
    import multiprocessing  # noqa: PLC0415 - only for large input

    try:
        first, *others = split_ranges(file.disk, source.jobs)
    except ReadError as error:
        problems.append(Problem(message=error.message, kind="unreadable"))
        return folds
    fork = multiprocessing.get_context("fork")
    workers = []
    for part in others:
        mine, theirs = fork.Pipe(duplex=False)
        worker = fork.Process(target=_work, args=(source, file, folds, part, theirs, guard))
        worker.start()
        theirs.close()
        workers.append((worker, mine, part))
    _feed(source, file, folds, problems, first, guard=guard)
    for worker, mine, part in workers:
        try:
            fed, found = mine.recv()
        except EOFError:
            raise ReadError(
                f"the process that read lines from {part[2]:,} on died",
                path=file.path,
                hint="check again with --jobs 1",
            ) from None
        finally:
            mine.close()
            worker.join()
        for made, each in folds.items():
            each.merge(fed.pop(made))
        problems.extend(found)
    return folds


def _work(
    source: Source,
    file: RunFile,
    folds: Folds,
    part: tuple[int, int, int],
    answer: Connection,
    guard: bool,  # noqa: FBT001 - a process takes no keywords
) -> None:
    problems: list[Problem] = []
    _feed(source, file, folds, problems, part, guard=guard)
    answer.send((folds, problems))
    answer.close()


def _feed(
    source: Source,
    file: RunFile,
    folds: Folds,
    problems: list[Problem],
    part: tuple[int, int, int] | None = None,
    *,
    guard: bool,
) -> None:
    try:
        for chunk in _chunks(file, problems, part, guard=guard):
            rows = source.translated(file, chunk.rows)
            for each in folds.values():
                each.feed(rows, chunk.first)
    except ReadError as error:
        problems.append(Problem(message=error.message, kind="unreadable"))


def _chunks(
    file: RunFile, problems: list[Problem], part: tuple[int, int, int] | None, *, guard: bool
) -> Iterator[Chunk]:
    if file.base.endswith(".csv"):
        return read_csv(file.disk, problems)
    if part is None:
        return read_jsonl(file.disk, problems, guard=guard)
    start, stop, line = part
    return read_jsonl(file.disk, problems, start=start, stop=stop, first_line=line, guard=guard)
