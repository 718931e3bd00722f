"""MET: metrics beside what a constant answer, chance or another run of luck would score."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.numbers import shown
from omnicheck.facts.baseline_scores import Baseline, gain_interval, interval_of
from omnicheck.facts.claimed_gains import ClaimedGain
from omnicheck.facts.recomputed import Score
from omnicheck.measures.agreement import agrees
from omnicheck.model.finding import Finding


class NotAbove(Struct, frozen=True, forbid_unknown_fields=True):
    """How far above the constant a metric must be before it counts as above."""

    margin: float = 0.005


@check("metrics_baselines.not_above_constant")
def not_above_constant(baselines: tuple[Baseline, ...], params: NotAbove) -> Iterator[Finding]:
    """Yield a finding for each metric that the best constant answer reaches."""
    for each in baselines:
        if each.constant is None or _single_class(each.score):
            continue
        gain = each.value - each.constant
        if gain > 0 and not agrees(each.value, each.constant):
            # A gain as small as a row or two is told only where episodes show that it is no gain.
            interval = gain_interval(each) if gain <= params.margin else None
            if interval is None or interval.low > 0:
                continue
            how = (
                f"only {shown(gain)} above the {shown(each.constant)} of the constant answer {each.answer}, and over "
                f"{interval.groups} episodes the difference lies between {shown(interval.low)} and "
                f"{shown(interval.high)}"
            )
        elif agrees(each.value, each.constant):
            how = f"exactly what the constant answer {each.answer} scores"
        else:
            how = f"below the {shown(each.constant)} that the constant answer {each.answer} scores"
        yield Finding(
            path=each.score.evaluation.metrics.file.path,
            pointer=each.score.pointer,
            message=f"{each.score.name} {shown(each.score.stated)} is {how}",
            expected=f"> {shown(each.constant)}",
            actual=each.value,
            key=each.score.keys[0],
        )


class NearChance(Struct, frozen=True, forbid_unknown_fields=True):
    """How many times chance a metric may be and still count as near it."""

    factor: float = 1.5


@check("metrics_baselines.near_chance")
def near_chance(baselines: tuple[Baseline, ...], params: NearChance) -> Iterator[Finding]:
    """Yield one finding for each metrics file with metrics that guessing nearly reaches."""
    by_file: dict[str, list[tuple[Baseline, str]]] = {}
    for each in baselines:
        if not each.chance or each.classes < 2 or each.value > params.factor * each.chance:
            continue
        if each.constant is not None and each.value <= each.constant and not agrees(each.value, each.chance):
            continue  # MET106 tells it more plainly
        interval = interval_of(each.score)
        if interval is not None and not interval.contains(each.chance) and each.value > each.chance:
            continue
        among = "candidates" if each.constant is None else "labels"
        said = (
            f"{each.score.name} {shown(each.value)} (a guess among {each.classes:,} {among} gives {shown(each.chance)}"
        )
        if interval is not None:
            said += (
                f"; over {interval.groups} episodes it lies between {shown(interval.low)} and {shown(interval.high)}"
            )
        by_file.setdefault(each.score.evaluation.metrics.file.path, []).append((each, f"{said})"))
    for path, found in sorted(by_file.items()):
        first = found[0][0]
        yield Finding(
            path=path,
            pointer=first.score.pointer,
            message=f"near chance: {', '.join(said for _, said in found)}",
            expected={each.score.keys[0]: each.chance for each, _ in found},
            actual={each.score.keys[0]: each.value for each, _ in found},
            key="chance",
        )


@check("metrics_baselines.degenerate")
def degenerate(scores: tuple[Score, ...]) -> Iterator[Finding]:
    """Yield a finding for each perfect score on rows that all have the same truth."""
    for score in scores:
        if _single_class(score) and score.rows is not None and score.matches and 1.0 in _reached(score):
            yield Finding(
                path=score.evaluation.metrics.file.path,
                pointer=score.pointer,
                message=f"{score.name} is perfect, but all {len(score.rows.true):,} rows have the same truth "
                f"{score.rows.true[0]!r}: always answering it scores the same",
                expected="at least two labels in the truth",
                actual=1,
                key=score.keys[0],
            )


def _single_class(score: Score) -> bool:
    return score.rows is not None and score.measured.metric != "set_f1" and len(set(score.rows.true)) == 1


def _reached(score: Score) -> list[float]:
    return [score.values[name] / (100.0 if name.endswith("*100") else 1.0) for name in score.matches]


@check("metrics_baselines.within_noise")
def within_noise(gains: tuple[ClaimedGain, ...]) -> Iterator[Finding]:
    """Yield a finding for each claimed or gated difference that lies inside the episode-level interval."""
    for gain in gains:
        interval = interval_of(gain.score)
        if interval is None or not interval.contains(gain.other) or gain.value <= gain.other:
            continue
        yield Finding(
            path=gain.score.evaluation.metrics.file.path,
            pointer=gain.pointer,
            message=f"{gain.score.keys[0]} {shown(gain.value)} is held against {gain.name} {shown(gain.other)}, but "
            "over "
            f"{interval.groups} episodes it lies between {shown(interval.low)} and {shown(interval.high)}: the "
            "difference "
            f"{shown(gain.value - gain.other)} may be chance",
            expected=f"{gain.name} outside {shown(interval.low)} to {shown(interval.high)}",
            actual=gain.other,
            key=gain.name,
        )
