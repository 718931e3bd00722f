"""What answers that need no model score on the same rows, and how far a metric may move between episodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from omnicheck.facts.recomputed import Score
from omnicheck.facts.registry import fact
from omnicheck.measures.agreement import PERCENT
from omnicheck.measures.baselines import (
    chance_accuracy,
    constant_accuracy,
    constant_balanced_accuracy,
    constant_macro_f1,
    constant_set_f1,
)
from omnicheck.measures.classification import confusion
from omnicheck.measures.definitions import definition
from omnicheck.measures.intervals import Interval, episode_bootstrap, episode_bootstrap_statistic
from omnicheck.measures.retrieval import chance_mrr, chance_recall_at
from omnicheck.measures.sets import set_micro_f1

RESAMPLES = 400
SEED = 17


class Baseline(Struct, frozen=True):
    """What an answer without a model scores.

    Attributes:
        score: the metric.
        value: the metric as recomputed, on the scale 0 to 1.
        constant: what the best constant answer scores; None for retrieval.
        answer: that answer, in words.
        chance: what guessing scores, or None where it is not defined.
        classes: labels, or candidates, that are guessed among.
    """

    score: Score
    value: float
    constant: float | None
    answer: str
    chance: float | None
    classes: int


@fact(absent="no recomputed metric that a constant answer or chance could score on")
def baselines(scores: tuple[Score, ...]) -> tuple[Baseline, ...]:
    """Score the best constant answer and chance for each metric that its predictions give."""
    return tuple(found for score in scores if (found := _baseline(score)) is not None)


def _baseline(score: Score) -> Baseline | None:
    matches = [name.removesuffix(PERCENT) for name in score.matches]
    if not matches:
        return None
    what, value = score.measured, score.values[matches[0]]
    if what.metric in ("mrr", "recall_at"):
        if not score.candidates:
            return None
        chance = chance_mrr(score.candidates) if what.metric == "mrr" else chance_recall_at(what.k, score.candidates)
        return Baseline(score, value, None, "", chance, score.candidates)
    if score.rows is None or what.seen is not None:
        return None
    return _of_labels(score, value, matches[0])


def _of_labels(score: Score, value: float, named: str) -> Baseline | None:
    rows = score.rows
    if rows is None:
        return None
    metric = score.measured.metric
    if metric == "set_f1":
        best = constant_set_f1(rows.true)
        return None if best is None else Baseline(score, value, best.score, f"the set {list(best.members)}", None, 0)
    classes = len(set(rows.true))
    found: tuple[str, float] | None = None
    chance: float | None = None
    if metric in ("accuracy", "micro_f1"):
        known = [label for label in rows.true if definition(named) is None or not named.endswith("@known") or label]
        found, chance = constant_accuracy(known), chance_accuracy(classes)
    elif metric == "balanced_accuracy" and named.endswith("@truth"):
        share = constant_balanced_accuracy(rows.true)
        found, chance = (min(rows.true), share) if share is not None else None, share
    elif metric == "macro_f1":
        table = rows.table()
        labels = {"truth": table.truth, "union": table.union, "label_space": score.space or ()}
        found = constant_macro_f1(rows.true, labels.get(named.partition("@")[2], ()))
    return None if found is None else Baseline(score, value, found[1], repr(found[0]), chance, classes)


def interval_of(score: Score) -> Interval | None:
    """Return the bootstrap interval of a metric over episodes (95 %); None without two episodes."""
    if score.ranks:
        groups: dict[str, list[float]] = defaultdict(list)
        for episode, rank in score.ranks:
            hit = 1 / rank if score.measured.metric == "mrr" else float(rank <= score.measured.k)
            groups[episode or ""].append(hit)
        return episode_bootstrap(groups, seed=SEED, resamples=RESAMPLES)
    rows = score.rows
    if rows is None or None in rows.episodes:
        return None
    if score.measured.metric == "accuracy":
        hits: dict[str, list[float]] = defaultdict(list)
        for true, predicted, episode in zip(rows.true, rows.predicted, rows.episodes, strict=True):
            hits[str(episode)].append(float(true == predicted))
        return episode_bootstrap(hits, seed=SEED, resamples=RESAMPLES)
    return _statistic(score)


def gain_interval(baseline: Baseline) -> Interval | None:
    """Return the interval of accuracy minus the best constant's accuracy, episodes being drawn."""
    rows = baseline.score.rows
    if rows is None or baseline.score.measured.metric != "accuracy" or None in rows.episodes:
        return None
    best = constant_accuracy(rows.true)
    gains: dict[str, list[float]] = defaultdict(list)
    for true, predicted, episode in zip(rows.true, rows.predicted, rows.episodes, strict=True):
        gains[str(episode)].append(float(true == predicted) - float(best is not None and true == best[0]))
    return episode_bootstrap(gains, seed=SEED, resamples=RESAMPLES)


def _statistic(score: Score) -> Interval | None:
    rows, matches = score.rows, [name.removesuffix(PERCENT) for name in score.matches]
    if rows is None or not matches:
        return None
    pairs: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for true, predicted, episode in zip(rows.true, rows.predicted, rows.episodes, strict=True):
        pairs[str(episode)].append((true, predicted))
    formula = _formula(score, matches[0])
    return episode_bootstrap_statistic(pairs, formula, seed=SEED, resamples=RESAMPLES) if formula is not None else None


def _formula(score: Score, name: str) -> Callable[[list[tuple[Any, Any]]], float | None] | None:
    if score.measured.metric == "set_f1":
        return lambda rows: set_micro_f1([true for true, _ in rows], [given for _, given in rows])
    known = definition(name)
    if known is None:
        return None
    return lambda rows: known.value(confusion([true for true, _ in rows], [given for _, given in rows]), score.space)
