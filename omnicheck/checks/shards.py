"""SHD: shards of an evaluation held against each other and against the split that they should cover."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from omnicheck.checks.declare import check
from omnicheck.checks.phrases import count_of
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.shard_claims import Completeness, MergeClaim, RankSet
from omnicheck.facts.shard_rows import ShardAccount
from omnicheck.facts.shards import Shard, ShardSet
from omnicheck.model.finding import Finding

SHOWN = 3


@check("shards.missing_ids")
def missing_ids(judged: Completeness) -> Iterator[Finding]:
    """Yield a finding for each evaluation whose shards leave ids of the split out."""
    for account in judged.accounts:
        yield from _missing(account)
    for each in judged.sets:
        yield from _absent_shards(each)
        yield from _absent_numbers(each)
    # Where the shards lie beside the dataset, their ids are what counts; a statement about them adds nothing.
    seen = {each.shards.metrics.file for each in judged.accounts if each.shards.metrics is not None}
    for claim in judged.claims:
        if claim.file not in seen:
            yield from _claimed(claim)
    for ranks in judged.ranks:
        yield from _absent_ranks(ranks)


def _missing(account: ShardAccount) -> Iterator[Finding]:
    predicted = {sample for shard in account.shards.shards for sample in shard.rows.ids}
    missing = [sample for sample in account.samples if sample not in predicted]
    if not missing:
        return
    where, blame = _blame(account, missing)
    yield Finding(
        path=where,
        message=(
            f"no shard predicts {count_of(len(missing), 'id')} of the {len(account.samples):,} in "
            f"{_split(account)}: {_some(missing)}{blame}"
        ),
        expected=len(account.samples),
        actual=len(account.samples) - len(missing),
        key=f"missing:{account.shards.shards[0].rows.file.name}",
    )


def _blame(account: ShardAccount, missing: list[str]) -> tuple[str, str]:
    """Return the path of the only shard that should hold the missing ids, else of the run, and that in words."""
    slices = [each for each in account.slices if each is not None]
    strides = {each.stride for each in slices}
    if len(strides) != 1 or len(slices) < len(account.slices):
        return account.shards.run, ""
    stride = strides.pop()
    offsets = sorted({account.places[sample] % stride for sample in missing})
    held = {each.offset: shard for each, shard in zip(slices, account.shards.shards, strict=True)}
    if len(offsets) > SHOWN:
        return account.shards.run, ""
    if all(offset in held for offset in offsets):
        names = ", ".join(held[offset].name for offset in offsets)
        path = held[offsets[0]].rows.file.path if len(offsets) == 1 else account.shards.run
        return path, f"; {'it belongs' if len(missing) == 1 else 'they belong'} to {names}"
    absent = [offset for offset in offsets if offset not in held]
    told = ", ".join(str(offset) for offset in absent)
    return account.shards.run, f"; the shard with offset {told} of stride {stride} is absent"


def _absent_shards(shards: ShardSet) -> Iterator[Finding]:
    stated = [found for each in shards.shards if (found := each.partition()) is not None]
    strides = {stride for _, stride, _ in stated}
    if len(strides) != 1 or len(stated) < len(shards.shards):
        return
    stride = strides.pop()
    absent = sorted(set(range(min(stride, 1_000_000))) - {offset for offset, _, _ in stated})
    if absent:
        shown = ", ".join(str(each) for each in absent[:SHOWN]) + (", …" if len(absent) > SHOWN else "")
        yield Finding(
            path=shards.run,
            message=(
                f"{len(stated):,} of {stride:,} shards are here; nothing predicts the samples of offset {shown} "
                f"modulo {stride:,}"
            ),
            expected=stride,
            actual=len(stated),
            key=f"absent:{shards.shards[0].rows.file.name}",
        )


def _absent_numbers(shards: ShardSet) -> Iterator[Finding]:
    """Yield a finding where shards state no slice and their numbers leave one out."""
    absent = shards.absent_numbers() if not any(each.partition() for each in shards.shards) else ()
    if absent:
        numbers = [each.number for each in shards.shards if each.number is not None]
        of = next((f" of {each.of:,}" for each in shards.shards if each.of is not None), "")
        shown = ", ".join(str(each) for each in absent[:SHOWN]) + (", …" if len(absent) > SHOWN else "")
        yield Finding(
            path=shards.run,
            message=(
                f"the shards are numbered {min(numbers)} to {max(numbers)}{of}, and "
                f"{'shard' if len(absent) == 1 else 'shards'} {shown} {'is' if len(absent) == 1 else 'are'} absent"
            ),
            actual=len(numbers),
            key=f"numbers:{shards.shards[0].rows.file.name}",
        )


def _claimed(claim: MergeClaim) -> Iterator[Finding]:
    missing = claim.missing
    merged = len(claim.rows) if claim.rows is not None else claim.merged
    if not missing and claim.expected is not None and merged is not None:
        missing = claim.expected - merged
    if missing and missing > 0:
        of = f" of {claim.expected:,} expected" if claim.expected is not None else ""
        noted = f"; the merge noted: {claim.issues[0][:160]}" if claim.issues else ""
        inner = claim.record.object("coverage")
        yield Finding(
            path=claim.file.path,
            pointer=inner.pointer("missing_prediction_rows" if claim.missing else "expected_eval_samples"),
            message=f"no shard predicted {count_of(missing, 'row')}{of}{noted}",
            expected=0,
            actual=missing,
            key="coverage",
        )


def _absent_ranks(ranks: RankSet) -> Iterator[Finding]:
    absent = sorted(set(range(min(ranks.world or 0, 1_000_000))) - ranks.ranks.keys())
    if absent and ranks.stated is not None:
        yield Finding(
            path=ranks.stated.file.path,
            pointer=ranks.stated.pointer("eval_num_shards"),
            message=(
                f"{len(ranks.ranks):,} of {ranks.world:,} ranks left metrics; absent: "
                f"{', '.join(f'rank {each}' for each in absent[:SHOWN])}{', …' if len(absent) > SHOWN else ''}"
            ),
            expected=ranks.world,
            actual=len(ranks.ranks),
            key="ranks",
        )


@check("shards.duplicate_ids")
def duplicate_ids(sets: tuple[ShardSet, ...], accounts: tuple[ShardAccount, ...] | None) -> Iterator[Finding]:
    """Yield a finding for the ids that several rows of the shards have: once for equal answers, once for others."""
    orders = {id(each.shards): each for each in accounts or ()}
    for each in sets:
        seen: set[str | None] = set()
        again: set[str | None] = set()
        for shard in each.shards:
            for sample in shard.rows.ids:
                (again if sample in seen else seen).add(sample)
        repeated: defaultdict[str, list[tuple[Shard, int]]] = defaultdict(list)
        for shard in each.shards if again else ():
            for at, sample in enumerate(shard.rows.ids):
                if sample is not None and sample in again:
                    repeated[sample].append((shard, at))
        alike = {s: found for s, found in repeated.items() if len({_answer(x.rows, at) for x, at in found}) == 1}
        if alike:
            padding = _padding(each, alike, len(seen - {None}), orders.get(id(each)))
            yield _duplicates(alike, "the same answers", "identical", padding)
        unlike = {sample: found for sample, found in repeated.items() if sample not in alike}
        if unlike:
            yield _duplicates(unlike, "different answers", "conflicting", "")


def _duplicates(repeated: dict[str, list[tuple[Shard, int]]], answers: str, key: str, padding: str) -> Finding:
    sample, found = next(iter(repeated.items()))
    (one, first), (other, again) = found[:2]
    place = f"{one.name} line {one.rows.lines[first]} and {other.name} line {other.rows.lines[again]}"
    said = ""
    if key == "conflicting":
        said = f" ({_shown(one.rows, first)} and {_shown(other.rows, again)})"
    advice = (
        "The repeated ids are the padding of a distributed sampler: evaluate with a sampler that does not pad, or drop "
        "the padded rows before the shards are merged."
    )
    return Finding(
        path=other.rows.file.path,
        row=other.rows.lines[again],
        message=(
            f"{count_of(len(repeated), 'id')} {'is' if len(repeated) == 1 else 'are'} predicted more than once with "
            f"{answers}, such as {sample!r} in {place}{said}{padding}"
        ),
        expected=0,
        actual=len(repeated),
        help=advice if padding else None,
        key=key,
    )


def _padding(shards: ShardSet, alike: Mapping[str, object], distinct: int, account: ShardAccount | None) -> str:
    """Tell of a distributed sampler's padding: shards of one size, filled up with the first samples again."""
    world = len(shards.shards)
    sizes = {len(each.rows) for each in shards.shards}
    if not (len(alike) < world and len(sizes) == 1 and sizes.pop() * world == distinct + len(alike)):
        return ""
    if account is not None and any(account.places.get(sample, world) >= len(alike) for sample in alike):
        return ""
    return f"; the {world} shards were filled up to one size, as a distributed sampler pads them"


def _answer(rows: Predictions, at: int) -> str:
    return repr((rows.predicted_labels[at], {name: predicted[at] for name, (_, predicted) in rows.fields.items()}))


def _shown(rows: Predictions, at: int) -> str:
    label = rows.predicted_labels[at]
    if label is not None:
        return repr(label if len(label) <= 60 else f"{label[:57]}...")
    return next((repr(predicted[at])[:60] for _, predicted in rows.fields.values()), "no label")


@check("shards.unexpected_ids")
def unexpected_ids(accounts: tuple[ShardAccount, ...]) -> Iterator[Finding]:
    """Yield a finding for each shard with ids outside the split."""
    for account in accounts:
        for shard in account.shards.shards:
            strays = [
                (line, sample)
                for line, sample in zip(shard.rows.lines, shard.rows.ids, strict=True)
                if sample is not None and sample not in account.places
            ]
            if strays:
                yield Finding(
                    path=shard.rows.file.path,
                    row=strays[0][0],
                    message=(
                        f"{len(strays):,} of {count_of(len(shard.rows), 'row')} {'is' if len(strays) == 1 else 'are'} "
                        f"not of {_split(account)}: {_some([sample for _, sample in strays])}"
                        f"{_elsewhere(account, [sample for _, sample in strays])}"
                    ),
                    expected=0,
                    actual=len(strays),
                    key=f"unexpected:{shard.name}",
                )


def _elsewhere(account: ShardAccount, strays: list[str]) -> str:
    splits = Counter(account.elsewhere[sample] for sample in strays if sample in account.elsewhere)
    told = [f"{count:,} of split {split}" for split, count in sorted(splits.items(), key=lambda each: str(each[0]))]
    unknown = len(strays) - sum(splits.values())
    if unknown:
        told.append(f"{unknown:,} unknown to {account.dataset.base}")
    return f" ({', '.join(told)})"


@check("shards.truncated")
def truncated(sets: tuple[ShardSet, ...]) -> Iterator[Finding]:
    """Yield a finding for each shard whose last line was cut."""
    for each in sets:
        for shard in each.shards:
            if shard.cut is not None:
                yield Finding(
                    path=shard.rows.file.path,
                    row=shard.cut,
                    message=(
                        f"the last line ({shard.cut:,}) was cut: the shard was still being written, or its copy "
                        f"stopped; {count_of(len(shard.rows), 'row')} before it can be read"
                    ),
                    key="cut",
                )


def _some(samples: list[str]) -> str:
    shown = ", ".join(repr(sample) for sample in samples[:SHOWN])
    return shown + (", …" if len(samples) > SHOWN else "")


def _split(account: ShardAccount) -> str:
    return f"split {account.split}" if account.split else account.dataset.base
