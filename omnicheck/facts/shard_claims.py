"""What the metrics of merged shards say about the merge: rows expected, merged and missing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from omnicheck.facts.documents import Metrics, RankMetrics
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.facts.shard_rows import ShardAccount
from omnicheck.facts.shards import ShardSet
from omnicheck.model.run import RunFile


class MergeClaim(Struct, frozen=True):
    """Merged metrics.

    Attributes:
        file: the metrics.
        record: their object.
        rows: the merged predictions beside them, or None.
        expected: rows that should have been merged, as stated, or None.
        merged: rows that were merged, as stated, or None.
        missing: rows that were missing, as stated, or None.
        issues: what the merge noted.
    """

    file: RunFile
    record: Record
    rows: Predictions | None
    expected: int | None
    merged: int | None
    missing: int | None
    issues: tuple[str, ...]


class RankSet(Struct, frozen=True):
    """Metrics of the ranks of one distributed evaluation.

    Attributes:
        ranks: those that are there, by number.
        world: how many there should be, as stated, or None.
        stated: where that stands.
        whole: the merged metrics, or None.
    """

    ranks: dict[int, RankMetrics]
    world: int | None
    stated: Record | None
    whole: Metrics | None


class Completeness(Struct, frozen=True):
    """Everything that tells whether shards cover their split; at least one part is not empty."""

    accounts: tuple[ShardAccount, ...]
    claims: tuple[MergeClaim, ...]
    sets: tuple[ShardSet, ...]
    ranks: tuple[RankSet, ...]


class Merges(Struct, frozen=True):
    """Merged files: those beside their shards, and those that only tell of them."""

    sets: tuple[ShardSet, ...]
    accounts: tuple[ShardAccount, ...]
    claims: tuple[MergeClaim, ...]
    ranks: tuple[RankSet, ...]


@fact(absent="no metrics of merged shards")
def merge_claims(metrics: tuple[Metrics, ...], predictions: tuple[Predictions, ...] | None) -> tuple[MergeClaim, ...]:
    """Read what merged metrics say of their merge."""
    found = []
    for each in metrics:
        stated = isinstance(each.record.raw("coverage"), dict)
        if not stated and not each.record.raw("shard_dirs"):
            continue
        expected, merged, missing = (
            each.record.object("coverage").count(name) if stated else None
            for name in ("expected_eval_samples", "merged_prediction_rows", "missing_prediction_rows")
        )
        rows = _rows(each, predictions or ())
        found.append(MergeClaim(each.file, each.record, rows, expected, merged, missing, _issues(each)))
    return tuple(found)


def _rows(metrics: Metrics, predictions: Sequence[Predictions]) -> Predictions | None:
    near = [
        each
        for each in predictions
        if each.file.folder == metrics.file.folder
        and each.file.tag == metrics.file.tag
        and each.file.role != "shard_predictions"
    ]
    near.sort(key=lambda each: (each.file.role == "predictions_table", each.file.name))
    return near[0] if near else None


def _issues(metrics: Metrics) -> tuple[str, ...]:
    found = metrics.record.raw("issues")
    return tuple(each if isinstance(each, str) else str(each) for each in found) if isinstance(found, list) else ()


@fact(absent="no metrics of single ranks")
def rank_sets(ranks: tuple[RankMetrics, ...], metrics: tuple[Metrics, ...] | None) -> tuple[RankSet, ...]:
    """Group the metrics of ranks by directory."""
    folders: defaultdict[str, dict[int, RankMetrics]] = defaultdict(dict)
    for each in ranks:
        number = re.search(r"rank_?(\d+)", each.file.base)
        if number:
            folders[each.file.folder][int(number[1])] = each
    found = []
    for folder, members in sorted(folders.items()):
        near = [each for each in metrics or () if each.file.folder == folder]
        whole = next((each for each in near if not each.file.tag), near[0] if len(near) == 1 else None)
        holders = [each.record for each in (*([whole] if whole else []), *members.values())]
        stated = next((each for each in holders if type(each.raw("eval_num_shards")) is int), None)
        world = stated.raw("eval_num_shards") if stated is not None else None
        found.append(RankSet(dict(sorted(members.items())), world, stated, whole))
    return tuple(found)


@fact(absent="no shards beside the dataset rows of their split, and no statement of what they should cover")
def completeness(
    accounts: tuple[ShardAccount, ...],
    claims: tuple[MergeClaim, ...],
    sets: tuple[ShardSet, ...],
    ranks: tuple[RankSet, ...],
) -> Completeness | None:
    """Keep what says how much should be there."""
    counted = tuple(each for each in claims if each.expected is not None or each.missing is not None)
    alone = tuple(
        each
        for each in sets
        if not any(account.shards is each for account in accounts)
        and (any(s.partition() for s in each.shards) or _numbered(each))
    )
    known = tuple(each for each in ranks if each.world is not None)
    if not (accounts or counted or alone or known):
        return None
    return Completeness(tuple(each for each in accounts if each.complete), counted, alone, known)


def _numbered(shards: ShardSet) -> bool:
    """Whether names tell that a shard is absent, or that none is: numbers without a gap do not tell where they end."""
    return bool(shards.absent_numbers()) or all(each.of is not None for each in shards.shards)


@fact(absent="no merged predictions beside their shards, and no metrics of merged shards")
def merges(
    sets: tuple[ShardSet, ...],
    accounts: tuple[ShardAccount, ...],
    claims: tuple[MergeClaim, ...],
    ranks: tuple[RankSet, ...],
) -> Merges | None:
    """Keep what was merged."""
    merged = tuple(each for each in sets if each.merged is not None)
    told = tuple(each for each in ranks if each.whole is not None)
    return Merges(merged, accounts, claims, told) if merged or claims or told else None
