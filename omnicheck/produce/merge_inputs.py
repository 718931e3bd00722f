"""What is merged: the files of each shard and the dataset, as one run that the rules can judge."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from omnicheck.facts.shards import NUMBERED
from omnicheck.model.errors import UsageError
from omnicheck.model.run import Run, RunFile
from omnicheck.runs.inventory import kind_of, take_inventory
from omnicheck.runs.roles import tag_of

PREDICTIONS = re.compile(r"(?:.*_)?predictions.*\.jsonl$")
PARTIAL = re.compile(r".*predictions\.partial\.jsonl$")
METRICS = re.compile(r"metrics.*\.json$")
PROGRESS = re.compile(r"progress.*\.jsonl$")
SETTINGS = re.compile(r"(?:generation_|run_|eval_)?config\.json$")


class ShardFiles(Struct, frozen=True):
    """The files of one shard.

    Attributes:
        number: of its name where all shards have different ones, else its place on the command line.
        shown: how the metrics call it: its path where that is relative, else its last name.
        predictions: its rows.
        others: metrics, progress logs and configurations beside them.
    """

    number: int
    shown: str
    predictions: RunFile
    others: tuple[RunFile, ...]


class Inputs(Struct, frozen=True):
    """Shards and dataset.

    Attributes:
        shards: in the order of their numbers.
        dataset: the dataset rows.
        dataset_shown: how the metrics call the dataset where no shard names it.
        run: all of it as one run.
    """

    shards: tuple[ShardFiles, ...]
    dataset: RunFile
    dataset_shown: str
    run: Run


def gather(shards: Sequence[Path], dataset: Path, cwd: Path) -> Inputs:
    """Find the files of each shard.

    Args:
        shards: directories with a prediction file, or prediction files.
        dataset: the dataset rows.
        cwd: the working directory, absolute.

    Raises:
        UsageError: a path is missing, a shard is given twice, or its prediction file cannot be told.
    """
    if not (cwd / dataset).is_file():
        raise UsageError("no such file", path=str(dataset), hint="--dataset names the dataset rows (JSONL)")
    (rows,) = take_inventory((dataset,), cwd).files
    found = [_of_directory(path, cwd) if (cwd / path).is_dir() else _of_file(path, cwd) for path in shards]
    places = [each[0].location for each in found]
    for at, place in enumerate(places):
        if place in places[:at]:
            raise UsageError("the shard is given twice", path=str(shards[at]))
        if place == rows.location:
            raise UsageError("the dataset is no shard", path=str(shards[at]))
    numbers = _numbers(shards)
    made = [
        ShardFiles(
            number, _shown(_directory(path, cwd)), _bound(first, number), tuple(_bound(each, number) for each in others)
        )
        for number, path, (first, others) in zip(numbers, shards, found, strict=True)
    ]
    made.sort(key=lambda each: each.number)
    bound = msgspec.structs.replace(rows, name="dataset.jsonl", kind=kind_of(rows), role="dataset_rows", tag="")
    files = [bound, *(file for each in made for file in (each.predictions, *each.others))]
    run = Run(path=bound.path, location=str(cwd), files=tuple(sorted(files, key=lambda file: file.name)))
    return Inputs(tuple(made), bound, _shown(dataset), run)


def _of_directory(path: Path, cwd: Path) -> tuple[RunFile, list[RunFile]]:
    folder = Path(os.path.abspath(cwd / path))  # noqa: PTH100 - resolve() would follow links
    own = [each for each in take_inventory((path,), cwd).files if Path(each.location).parent == folder]
    rows = [each for each in own if PREDICTIONS.match(_base(each)) and not PARTIAL.match(_base(each))]
    plain = [each for each in rows if _base(each) == "predictions.jsonl"]
    if not rows:
        left = any(PARTIAL.match(_base(each)) for each in own)
        told = "only partial predictions: its evaluation did not finish" if left else "no prediction file"
        raise UsageError(told, path=str(path), hint="a shard is a directory with predictions.jsonl, or such a file")
    if len(rows) > 1 and not plain:
        raise UsageError(f"{len(rows)} prediction files", path=str(path), hint="give the one that is meant")
    first = plain[0] if plain else rows[0]
    return first, _beside(first, own)


def _of_file(path: Path, cwd: Path) -> tuple[RunFile, list[RunFile]]:
    if not (cwd / path).is_file():
        raise UsageError("no such file or directory", path=str(path))
    (first,) = take_inventory((path,), cwd).files
    near = [Path(entry.path) for entry in os.scandir((cwd / path).parent) if entry.is_file(follow_symlinks=False)]
    named = [each for each in near if any(kind.match(each.name) for kind in (METRICS, PROGRESS, SETTINGS))]
    return first, _beside(first, list(take_inventory(sorted(named), cwd).files) if named else [])


def _beside(first: RunFile, own: Sequence[RunFile]) -> list[RunFile]:
    """Return the metrics, logs and configurations that belong to a prediction file: those with the same tag."""
    tag = tag_of(_base(first))
    metrics = [each for each in own if METRICS.match(_base(each))]
    logs = [each for each in own if PROGRESS.match(_base(each))]
    return [
        *_tagged(metrics, tag),
        *_tagged(logs, tag),
        *([each for each in own if SETTINGS.match(_base(each))] if not tag else []),
    ]


def _tagged(files: list[RunFile], tag: str) -> list[RunFile]:
    exact = [each for each in files if tag_of(_base(each)) == tag]
    return exact or (files if len(files) == 1 and not tag else [])


def _numbers(shards: Sequence[Path]) -> list[int]:
    names = [path.name if not path.suffix else tag_of(path.name) or path.absolute().parent.name for path in shards]
    matches = [NUMBERED.match(name) for name in names]
    numbers = [int(match["number"]) for match in matches if match is not None]
    return numbers if len(set(numbers)) == len(shards) else list(range(len(shards)))


def _bound(file: RunFile, number: int) -> RunFile:
    base = _base(file)
    role = (
        "shard_metrics"
        if METRICS.match(base)
        else "shard_progress"
        if PROGRESS.match(base)
        else "shard_file"
        if SETTINGS.match(base)
        else "shard_predictions"
    )
    name = (
        base
        if role == "shard_file"
        else {"shard_metrics": "metrics.json", "shard_progress": "progress.jsonl"}.get(role, "predictions.jsonl")
    )
    return msgspec.structs.replace(file, name=f"shard_{number}/{name}", kind=kind_of(file), role=role, tag="")


def _base(file: RunFile) -> str:
    return file.location.rpartition("/")[2]


def _directory(path: Path, cwd: Path) -> Path:
    """Return the directory of a shard; the file itself where several lie in one directory."""
    return path if (cwd / path).is_dir() or tag_of(path.name) or path.parent == Path() else path.parent


def _shown(path: Path) -> str:
    # A path of this machine does not belong in metrics.
    return path.name if path.is_absolute() or ".." in path.parts else path.as_posix()
