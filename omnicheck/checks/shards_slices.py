"""SHD104: each shard holds the samples that its offset and stride give it, no others and as many."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from omnicheck.checks.declare import check
from omnicheck.checks.phrases import count_of
from omnicheck.facts.shard_rows import ShardAccount, Slice
from omnicheck.facts.shards import Shard, ShardSet
from omnicheck.model.finding import Finding


@check("shards_slices.residue")
def residue(sets: tuple[ShardSet, ...], accounts: tuple[ShardAccount, ...] | None) -> Iterator[Finding]:
    """Yield findings for shards of the wrong samples or size, empty ones, and statements that contradict."""
    beside = {id(each.shards): each for each in accounts or ()}
    for each in sets:
        account = beside.get(id(each))
        strides = Counter(found[1] for shard in each.shards if (found := shard.partition()) is not None)
        told = []
        if account is None:
            told = list(_sizes(each))
        else:
            usual = strides.most_common(1)[0][0] if strides else None
            for shard, part in zip(each.shards, account.slices, strict=True):
                # A stride of its own is told once, not again for every row.
                if part is None or part.stated is None or part.stride == usual:
                    told += _shard(account, shard, part)
        yield from told
        yield from _statements(each, offsets=not told)


def _statements(shards: ShardSet, *, offsets: bool) -> Iterator[Finding]:
    """Yield findings for strides that differ and, unless rows tell which one is wrong, offsets that repeat."""
    stated = [(each, found) for each in shards.shards if (found := each.partition()) is not None]
    strides = Counter(stride for _, (_, stride, _) in stated)
    if len(strides) > 1:
        usual = strides.most_common(1)[0][0]
        shard, (_, stride, holder) = next(pair for pair in stated if pair[1][1] != usual)
        yield Finding(
            path=holder.file.path,
            pointer=holder.pointer("sample_stride"),
            message=f"{shard.name} states the stride {stride:,}, the other shards {usual:,}",
            expected=usual,
            actual=stride,
            key="stride",
        )
    seen: dict[tuple[int, int], Shard] = {}
    for shard, (offset, stride, holder) in stated:
        if not 0 <= offset < stride:
            message = f"the offset {offset:,} is not below the stride {stride:,}"
        elif (offset, stride) in seen and offsets:
            message = f"{seen[offset, stride].name} and {shard.name} both state the offset {offset:,} of {stride:,}"
        else:
            seen.setdefault((offset, stride), shard)
            continue
        yield Finding(
            path=holder.file.path,
            pointer=holder.pointer("sample_offset"),
            message=message,
            actual=offset,
            key=f"offset:{shard.name}",
        )


def _sizes(shards: ShardSet) -> Iterator[Finding]:
    """Judge sizes without the dataset: shards of one split differ by one row at most, and none is empty."""
    empty = [each for each in shards.shards if not len(each.rows)]
    for each in empty:
        yield _empty(each)
    parts = [found for each in shards.shards if (found := each.partition()) is not None]
    if empty or len(parts) < len(shards.shards) or len({stride for _, stride, _ in parts}) > 1:
        return
    ordered = sorted(zip(parts, shards.shards, strict=True), key=lambda pair: pair[0][0])
    sizes = [len(shard.rows) for _, shard in ordered]
    usual = sorted(sizes)[len(sizes) // 2]
    if max(sizes) - min(sizes) < 2 and all(one >= other for one, other in pairwise(sizes)):
        return
    shard = max((shard for _, shard in ordered), key=lambda each: abs(len(each.rows) - usual))
    if len(shard.rows) == usual:
        return
    yield Finding(
        path=shard.rows.file.path,
        message=(
            f"{shard.name} holds {count_of(len(shard.rows), 'row')}, the usual shard {usual:,}: shards of one stride "
            "differ by one row at most, and the first ones hold more"
        ),
        expected=usual,
        actual=len(shard.rows),
        key=f"size:{shard.name}",
    )


def _empty(shard: Shard) -> Finding:
    return Finding(
        path=shard.rows.file.path,
        message=f"{shard.name} holds no row",
        actual=0,
        key=f"empty:{shard.name}",
    )


def _shard(account: ShardAccount, shard: Shard, part: Slice | None) -> Iterator[Finding]:
    rows = shard.rows
    if not len(rows):
        if part is None or part.size(len(account.samples)):
            yield _empty(shard)
        return
    if part is None or not 0 <= part.offset < part.stride:
        return
    how = "states" if part.stated is not None else "otherwise holds"
    slot = f"offset {part.offset:,} modulo {part.stride:,}"
    strays: defaultdict[int, list[int]] = defaultdict(list)
    own: set[str] = set()
    for at, sample in enumerate(rows.ids):
        ordinal = account.places.get(sample) if sample is not None else None
        if sample is None or ordinal is None:
            continue
        if ordinal % part.stride == part.offset:
            own.add(sample)
        elif not _padded(account, shard, at, ordinal):
            strays[ordinal % part.stride].append(at)
    if strays:
        first = min(at for found in strays.values() for at in found)
        many = sum(map(len, strays.values()))
        sample = rows.ids[first] or ""
        ordinal = account.places[sample]
        yield Finding(
            path=rows.file.path,
            row=rows.lines[first],
            message=(
                f"{shard.name} {how} {slot}, but {many:,} of {count_of(len(rows), 'row')} "
                f"{'is' if many == 1 else 'are'} of another shard, such as {sample!r}: sample {ordinal:,} of the "
                f"split, which is {ordinal % part.stride:,} modulo {part.stride:,}"
            ),
            expected=part.offset,
            actual=ordinal % part.stride,
            key=f"residue:{shard.name}",
        )
        return
    wanted = part.size(len(account.samples))
    # What a cut shard lacks is SHD107's and SHD101's to tell.
    if account.complete and shard.cut is None and len(own) != wanted:
        yield Finding(
            path=rows.file.path,
            message=(
                f"{shard.name} holds {len(own):,} of the {count_of(wanted, 'sample')} at {slot} of the "
                f"{len(account.samples):,} in the split"
            ),
            expected=wanted,
            actual=len(own),
            key=f"size:{shard.name}",
        )


def _padded(account: ShardAccount, shard: Shard, at: int, ordinal: int) -> bool:
    """Whether a row is a distributed sampler's padding, which SHD102 tells: the last one, a first sample again."""
    if at != len(shard.rows) - 1 or ordinal >= len(account.slices):
        return False
    sample = shard.rows.ids[at]
    return any(sample in each.rows.ids for each in account.shards.shards if each is not shard)
