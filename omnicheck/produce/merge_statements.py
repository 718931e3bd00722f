"""What shards state of themselves, held against the options of a merge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omnicheck.facts.board import Board
from omnicheck.facts.record import Record, record
from omnicheck.facts.shards import ShardStart
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import split_name
from omnicheck.model.errors import UsageError
from omnicheck.model.finding import Finding
from omnicheck.produce.merge_inputs import Inputs
from omnicheck.produce.merge_rows import RowPlaces


def statements(inputs: Inputs) -> list[list[Record]]:
    """Return for each shard its metrics and the start in its progress log, in this order."""
    source = Source(inputs.run, contract=None, workspace=Path(inputs.run.location))
    starts = Board(source).get(ShardStart)
    logged: tuple[ShardStart, ...] = starts if isinstance(starts, tuple) else ()
    found = []
    for shard in inputs.shards:
        holders = [record(source, each) for each in shard.others if each.role == "shard_metrics"]
        folder = shard.predictions.folder
        holders += [Record(source, each.file, each.row) for each in logged if each.file.folder == folder]
        found.append(holders)
    return found


def check_split(inputs: Inputs, said: Sequence[Sequence[Record]], eval_split: str, stride: int | None) -> None:
    """Refuse options that the shards contradict.

    Raises:
        UsageError: a shard states another split or another stride.
    """
    for shard, records in zip(inputs.shards, said, strict=True):
        for each in records:
            split, own = each.raw("eval_split"), each.raw("sample_stride")
            if isinstance(split, str) and split_name(split) != split_name(eval_split):
                raise UsageError(
                    f"the shard states the split {split!r}, --eval-split is {eval_split!r}",
                    path=shard.predictions.path,
                )
            if stride is not None and type(own) is int and own != stride:
                raise UsageError(
                    f"the shard states the stride {own}, --sample-stride is {stride}", path=shard.predictions.path
                )


def unsliced(inputs: Inputs, said: Sequence[Sequence[Record]], places: RowPlaces, stride: int | None) -> list[Finding]:
    """Return a finding for each shard that states no offset and does not hold the slice of its number.

    Args:
        inputs: the shards.
        said: what they state.
        places: where the rows stand.
        stride: ``--sample-stride``; None asks for nothing beyond what the rules judged.
    """
    if stride is None:
        return []
    found = []
    for at, shard in enumerate(inputs.shards):
        if any(type(each.raw("sample_offset")) is int for each in said[at]):
            continue
        strays = [ordinal for ordinal, own in enumerate(places.shard) if own == at and ordinal % stride != shard.number]
        if strays:
            found.append(
                Finding(
                    path=shard.predictions.path,
                    message=(
                        f"shard {shard.number} of --sample-stride {stride} holds {len(strays):,} rows of other shards, "
                        f"such as sample {strays[0]:,} of the split, which is {strays[0] % stride:,} modulo {stride}"
                    ),
                    expected=shard.number,
                    actual=strays[0] % stride,
                    key=f"residue:{shard.number}",
                )
            )
    return found
