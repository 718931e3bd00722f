"""One pass over a file for all the folds that the selected rules ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omnicheck.facts.registry import Fold
from omnicheck.facts.source import FileProblem, Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.jsonl import Chunk, read_jsonl
from omnicheck.readers.problem import Problem
from omnicheck.readers.table import read_csv


def fold_file(
    source: Source, file: RunFile, folds: Mapping[type, type[Fold]], given: Mapping[type, Any], *, noted: bool
) -> dict[type, Any]:
    """Read a file once, feed every fold that is not idle, and return the facts by class.

    Args:
        source: the run.
        file: a JSONL or CSV file.
        folds: fact class to fold class.
        given: facts of earlier passes.
        noted: whether an earlier pass over this file has noted its problems already.
    """
    context = {**given, RunFile: file}
    live = {made: kind(context) for made, kind in folds.items()}
    busy = [each for each in live.values() if not each.idle()]
    if busy:
        problems: list[Problem] = []
        try:
            for chunk in _chunks(file, problems):
                for each in busy:
                    each.feed(chunk.rows, chunk.first)
        except ReadError as error:
            problems.append(Problem(message=error.message, kind="unreadable"))
        if not noted:
            source.problems.extend(FileProblem(file, problem) for problem in problems)
    return {made: each.fact() for made, each in live.items()}


def _chunks(file: RunFile, problems: list[Problem]) -> Iterator[Chunk]:
    return read_csv(file.disk, problems) if file.base.endswith(".csv") else read_jsonl(file.disk, problems)
