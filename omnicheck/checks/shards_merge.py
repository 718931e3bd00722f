"""SHD: shards made alike, and merged into what they are together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from omnicheck.checks.declare import check
from omnicheck.checks.phrases import count_of
from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.checkpoints import same_checkpoint
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.shard_claims import MergeClaim, Merges, RankSet
from omnicheck.facts.shard_rows import ShardAccount
from omnicheck.facts.shard_settings import Setting, ShardSettings
from omnicheck.facts.shards import ShardSet
from omnicheck.measures.definitions import agrees, evaluate_all, matching
from omnicheck.model.finding import Finding

LABEL_KEYS = frozenset(ALIASES["predicted_label"])
PATHS = frozenset({"model_id", "adapter", "checkpoint"})
SHOWN = 3


@check("shards_merge.mixed_provenance")
def mixed_provenance(settings: tuple[ShardSettings, ...]) -> Iterator[Finding]:
    """Yield a finding for each evaluation whose shards state different settings."""
    for each in settings:
        told = []
        odd: Setting | None = None
        for key, stated in each.stated.items():
            groups = _groups(key, stated)
            if len(groups) > 1:
                groups.sort(key=len, reverse=True)
                odd = odd or groups[-1][0]
                name = stated[0].pointer.rpartition("/")[2]
                told.append(f"{name} is {' and '.join(f'{_value(g[0].value)} in {_names(g)}' for g in groups[:SHOWN])}")
        if odd is not None:
            more = f"; and {len(told) - SHOWN:,} more settings" if len(told) > SHOWN else ""
            yield Finding(
                path=odd.file.path,
                pointer=odd.pointer,
                message=f"the shards were not made alike: {'; '.join(told[:SHOWN])}{more}",
                actual=odd.value,
                key="provenance",
            )


def _groups(key: str, stated: tuple[Setting, ...]) -> list[list[Setting]]:
    groups: list[list[Setting]] = []
    for each in stated:
        for group in groups:
            if _same(key, group[0].value, each.value):
                group.append(each)
                break
        else:
            groups.append([each])
    return groups


def _same(key: str, one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        if key in PATHS:
            return same_checkpoint(one, other)
        if key == "dataset_path":
            return one.replace("\\", "/").split("/")[-2:] == other.replace("\\", "/").split("/")[-2:]
    return bool(one == other)


def _names(group: list[Setting]) -> str:
    names = list(dict.fromkeys(each.who for each in group))
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _value(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else str(value)
    return text if len(text) <= 80 else f"{text[:38]}…{text[-38:]}"


@check("shards_merge.mismatch")
def mismatch(merges: Merges) -> Iterator[Finding]:
    """Yield a finding for each merged file that is not its shards together, and for metrics of other rows."""
    beside = {id(each.shards): each for each in merges.accounts}
    torn: set[str] = set()
    for shards in merges.sets:
        found = list(_union(shards, beside.get(id(shards))))
        torn.update(each.path for each in found)
        yield from found
    told = {claim.file for claim in merges.claims}
    for claim in merges.claims:
        # Numbers that belong to other rows follow from these not being the union.
        if claim.rows is not None and claim.rows.file.path in torn:
            continue
        yield from _counts(claim)
        if claim.rows is not None:
            yield from _metrics(claim.rows, claim)
    for shards in merges.sets:
        if (
            shards.metrics is not None
            and shards.merged is not None
            and not (shards.metrics.file in told or shards.merged.file.path in torn)
        ):
            whole = MergeClaim(shards.metrics.file, shards.metrics.record, shards.merged, None, None, None, ())
            yield from _metrics(shards.merged, whole, shards)
    for ranks in merges.ranks:
        yield from _ranks(ranks)


def _union(shards: ShardSet, account: ShardAccount | None) -> Iterator[Finding]:
    merged = shards.merged
    if merged is None:
        return
    first: dict[str, int] = {}
    further: dict[str, set[int]] = {}
    for shard in shards.shards:
        for at, sample in enumerate(shard.rows.ids):
            # What lies outside the split is SHD103's to tell, and a merge may leave it out.
            if sample is not None and (account is None or sample in account.places):
                answer = _answer(shard.rows, at, merged)
                if first.setdefault(sample, answer) != answer:
                    further.setdefault(sample, set()).add(answer)
    own = Counter(sample for sample in merged.ids if sample is not None)
    lost = [sample for sample in first if sample not in own]
    cut = any(shard.cut is not None for shard in shards.shards)
    extra = [sample for sample in own if sample not in first and not cut]
    twice = [sample for sample, count in own.items() if count > 1]
    changed = [
        (merged.lines[at], sample)
        for at, sample in enumerate(merged.ids)
        if sample in first
        and (answer := _answer(merged, at, merged)) != first[sample]
        and answer not in further.get(sample, ())
    ]
    told = []
    for found, what in ((lost, "of the shards missing"), (extra, "that no shard holds"), (twice, "more than once")):
        if found:
            told.append(f"{count_of(len(found), 'id')} {what}, such as {found[0]!r}")
    if changed:
        told.append(
            f"{count_of(len(changed), 'row')} with an answer that no shard gave, such as line {changed[0][0]:,} "
            f"({changed[0][1]!r})"
        )
    if told:
        yield Finding(
            path=merged.file.path,
            row=changed[0][0] if changed else None,
            message=f"{merged.file.base} is not the union of its {len(shards.shards):,} shards: {'; '.join(told)}",
            expected=len(first),
            actual=len(merged),
            key="union",
        )


def _answer(rows: Predictions, at: int, like: Predictions) -> int:
    """Return a hash of what a row answers, in the fields that the merged file has too."""
    fields = {name: rows.fields[name][1][at] for name in rows.fields if name in like.fields}
    label = rows.predicted_labels[at] if rows.columns & like.columns & LABEL_KEYS else None
    return hash((label, repr(sorted(fields.items())) if fields else ""))


def _counts(claim: MergeClaim) -> Iterator[Finding]:
    inner = claim.record.object("coverage")
    told: list[tuple[str, str]] = []
    if claim.rows is not None and claim.merged is not None and claim.merged != len(claim.rows):
        told.append(
            (
                "merged_prediction_rows",
                f"{claim.merged:,} rows were merged, {claim.rows.file.base} holds {len(claim.rows):,}",
            )
        )
    numbers = [number for number in (claim.expected, claim.merged, claim.missing) if number is not None]
    if len(numbers) == 3 and numbers[0] != sum(numbers[1:]):
        told.append(
            (
                "missing_prediction_rows",
                f"{claim.expected:,} rows were expected, but merged and missing ones make {sum(numbers[1:]):,}",
            )
        )
    stated = claim.record.count("num_samples")
    if claim.merged is not None and stated is not None and stated != claim.merged and not told:
        told.append(("merged_prediction_rows", f"{claim.merged:,} rows were merged, but num_samples is {stated:,}"))
    if told:
        yield Finding(
            path=claim.file.path,
            pointer=inner.pointer(told[0][0]),
            message=f"coverage contradicts itself: {'; '.join(text for _, text in told)}",
            actual=inner.raw(told[0][0]),
            key="coverage",
        )
    elif claim.issues and not claim.missing:
        yield Finding(
            path=claim.file.path,
            pointer=claim.record.pointer("issues"),
            message=f"the merge itself noted {count_of(len(claim.issues), 'issue')}, such as {claim.issues[0][:160]!r}",
            expected=[],
            actual=len(claim.issues),
            key="issues",
        )


def _metrics(rows: Predictions, claim: MergeClaim, shards: ShardSet | None = None) -> Iterator[Finding]:
    told: list[tuple[str, str, float]] = []
    stated = claim.record.raw("num_samples")
    if type(stated) is int and stated != len(rows):
        told.append(("num_samples", f"num_samples is {stated:,}, {rows.file.base} holds {len(rows):,} rows", stated))
    pairs = [
        (true, predicted or "")
        for true, predicted in zip(rows.true_labels, rows.predicted_labels, strict=True)
        if true is not None
    ]
    space = claim.record.strings("labels") if claim.record.has("labels") else None
    for name in ("accuracy", "macro_f1") if pairs and len(pairs) == len(rows) else ():
        value = claim.record.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        values = evaluate_all(name, [true for true, _ in pairs], [predicted for _, predicted in pairs], space)
        if values and not matching(value, values):
            usual = next(iter(values.values()))
            text = f"{name} is {value:.6g}, the merged rows give {usual:.6g}"
            told.append((name, text + _mean(name, value, shards), value))
    if told:
        yield Finding(
            path=claim.file.path,
            pointer=claim.record.pointer(told[0][0]),
            message=f"the metrics are not those of the merged rows: {'; '.join(text for _, text, _ in told)}",
            actual=told[0][2],
            key="metrics",
        )


def _mean(name: str, value: float, shards: ShardSet | None) -> str:
    parts = [each.stated(name) for each in shards.shards] if shards is not None else []
    numbers = [found[0] for found in parts if found is not None and isinstance(found[0], int | float)]
    if len(numbers) > 1 and len(numbers) == len(parts) and agrees(value, sum(numbers) / len(numbers)):
        return " (it is the mean of the shards' values)"
    return ""


def _ranks(ranks: RankSet) -> Iterator[Finding]:
    if ranks.whole is None or ranks.world is None or len(ranks.ranks) != ranks.world:
        return
    counts = [each.record.count("num_samples") for each in ranks.ranks.values()]
    stated = ranks.whole.record.count("num_samples")
    known = [count for count in counts if count is not None]
    if stated is not None and len(known) == len(counts) and stated != sum(known):
        yield Finding(
            path=ranks.whole.file.path,
            pointer=ranks.whole.record.pointer("num_samples"),
            message=f"the {len(known):,} ranks evaluated {sum(known):,} samples together, the metrics say {stated:,}",
            expected=sum(known),
            actual=stated,
            key="ranks",
        )
