"""Rows of shards in the order of the dataset: where each stands, read back one by one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import msgspec
from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.row_index import text_of
from omnicheck.facts.split_names import row_key, split_name, split_of_file
from omnicheck.model.errors import ReadError, UsageError
from omnicheck.model.run import RunFile
from omnicheck.produce.merge_inputs import ShardFiles
from omnicheck.readers.gate import open_regular
from omnicheck.readers.jsonl import LINE_LIMIT, read_jsonl

NESTED = frozenset({*ALIASES["true_answer"], *ALIASES["predicted_answer"]})
"""Columns that the table of predictions leaves out."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Truth(Struct, frozen=True):
    """What the dataset says of a split.

    Attributes:
        places: id to ordinal, in dataset order.
        labels: true label of each sample, or None.
        episodes: session-qualified episode of each sample, or None.
        trained: labels of the training split; None when the dataset holds none of its rows.
    """

    places: dict[str, int]
    labels: tuple[str | None, ...]
    episodes: tuple[str | None, ...]
    trained: frozenset[str] | None


class RowPlaces(Struct, frozen=True):
    """Where the row of each sample stands: one entry for each ordinal, shard -1 where no shard has it.

    Attributes:
        shard: place in the list of shards.
        start: byte offset of the line.
        length: bytes of the line without its end.
        columns: keys of the rows in order of appearance.
    """

    shard: array[int]
    start: array[int]
    length: array[int]
    columns: tuple[str, ...]


def read_truth(dataset: RunFile, eval_split: str, train_split: str) -> Truth:
    """Read ids, labels and episodes of a split, in one pass that keeps no text.

    Raises:
        ReadError: the dataset cannot be read, or holds no row of the split.
    """
    wanted, training = split_name(eval_split), split_name(train_split)
    told = split_of_file(dataset.base)
    places: dict[str, int] = {}
    labels: list[str | None] = []
    episodes: list[str | None] = []
    trained: set[str] = set()
    train_rows, named = 0, False
    known: dict[str, str] = {}
    for chunk in read_jsonl(dataset.disk, []):
        for row in chunk.rows:
            stated = _first(row, "split")
            split = split_name(stated) if stated is not None else told
            named = named or split is not None
            label = _label(row)
            if split == training:
                train_rows += 1
                trained.update([label] if label is not None else [])
            sample = text_of(_first(row, "sample_id"))
            # Where rows name no split at all, all of them are meant.
            fits = split == wanted or (split is None and not named)
            if sample is None or not fits or sample in places:
                continue
            places[sample] = len(places)
            labels.append(None if label is None else known.setdefault(label, label))
            episode = text_of(_first(row, "episode"))
            key = None
            if episode is not None:
                key = row_key(episode, text_of(_first(row, "session")), text_of(row.get("episode_path")))
                key = known.setdefault(key, key)
            episodes.append(key)
    if not places:
        raise ReadError(f"no row of split {eval_split!r}", path=dataset.path, hint="--eval-split names the split")
    return Truth(places, tuple(labels), tuple(episodes), frozenset(trained) if train_rows else None)


def _label(row: Mapping[str, Any]) -> str | None:
    label = row.get("label")
    answer = row.get("answer_json")
    if not isinstance(label, str) and isinstance(answer, dict):
        label = answer.get("action")
    return label if isinstance(label, str) else None


def index_rows(shards: Sequence[ShardFiles], truth: Truth) -> RowPlaces:
    """Find where the row of each sample stands; the rules have made sure that each stands once.

    Raises:
        ReadError: a shard changed since it was judged.
        UsageError: a row is not of the split.
    """
    count = len(truth.places)
    found = RowPlaces(array("i", [-1]) * count, array("q", [0]) * count, array("q", [0]) * count, ())
    columns: dict[str, None] = {}
    for at, shard in enumerate(shards):
        with open_regular(shard.predictions.disk) as stream:
            start = 0
            while line := stream.readline(LINE_LIMIT):
                body = line.rstrip(b"\r\n")
                skip = 3 if start == 0 and body.startswith(b"\xef\xbb\xbf") else 0
                if body.strip():
                    row = _row(body[skip:], shard.predictions)
                    columns.update(dict.fromkeys(row))
                    ordinal = truth.places.get(text_of(_first(row, "sample_id")) or "")
                    if ordinal is None:
                        raise UsageError(
                            "a row is not of the split that is merged",
                            path=shard.predictions.path,
                            hint="--eval-split names the split of the shards",
                        )
                    if found.shard[ordinal] >= 0:
                        raise ReadError("changed while it was merged", path=shard.predictions.path)
                    found.shard[ordinal], found.start[ordinal] = at, start + skip
                    found.length[ordinal] = len(body) - skip
                start += len(line)
    return msgspec.structs.replace(found, columns=tuple(columns))


def rows_in_order(shards: Sequence[ShardFiles], places: RowPlaces) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Yield ordinal, line and row of each sample that has one, in dataset order.

    Raises:
        ReadError: a shard changed since it was judged.
    """
    with ExitStack() as stack:
        streams = [stack.enter_context(open_regular(each.predictions.disk)) for each in shards]
        for ordinal, at in enumerate(places.shard):
            if at >= 0:
                streams[at].seek(places.start[ordinal])
                line = streams[at].read(places.length[ordinal])
                yield ordinal, line, _row(line, shards[at].predictions)


def _row(line: bytes, file: RunFile) -> dict[str, Any]:
    try:
        return _decode(line)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"a line is no JSON object: {error}", path=file.path) from error


def _first(row: Mapping[str, Any], name: str) -> Any:
    return next((row[key] for key in ALIASES[name] if key in row), None)
