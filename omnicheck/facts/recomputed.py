"""Stated metrics beside what their predictions give, under every definition that the field uses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from omnicheck.facts.answers import Answers
from omnicheck.facts.contract import Contract
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.metric_keys import MAIN, Measured, measured
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fact
from omnicheck.facts.retrieval_queries import queries
from omnicheck.facts.score_tables import table_labels
from omnicheck.facts.source import Source
from omnicheck.facts.split_names import split_name
from omnicheck.measures.agreement import PERCENT, matching
from omnicheck.measures.baselines import constant_accuracy
from omnicheck.measures.classification import Confusion, confusion
from omnicheck.measures.definitions import evaluate_counts
from omnicheck.measures.regression import mean_of
from omnicheck.measures.retrieval import mrr, recall_at
from omnicheck.measures.sets import evaluate_sets
from omnicheck.measures.temporal import evaluate_consistency
from omnicheck.model.errors import ReadError

MAIN_NAMES = ("action", "label", "class", "top1", "eval", "test", "val", "held_out", "overall")


class Rows(Struct, frozen=True):
    """The rows that one metric is over, column by column.

    Attributes:
        true: truth of each row; a label, or a tuple of labels.
        predicted: prediction of each row; the empty string, or no labels, where there is none.
        episodes: episode of each row, or None.
    """

    true: tuple[Any, ...]
    predicted: tuple[Any, ...]
    episodes: tuple[str | None, ...]

    def table(self) -> Confusion:
        """Count the rows by truth and prediction."""
        return confusion(self.true, self.predicted)


class Score(Struct, frozen=True, kw_only=True):
    """One stated metric and its recomputed values.

    Attributes:
        evaluation: the files it belongs to.
        keys: the names under which it stands with the same value.
        measured: what it measures.
        stated: the number.
        values: definition to recomputed value.
        named: the definition that the contract or the file names, or None.
        named_by: ``contract`` or ``file``; empty when none is named.
        rows: labels behind it; None for metrics of no labels.
        space: the declared label space, or None.
        ranks: ranks behind a retrieval metric, with episodes.
        candidates: how many candidates a retrieval has; 0 when unknown.
    """

    evaluation: Evaluation
    keys: tuple[str, ...]
    measured: Measured
    stated: float
    values: dict[str, float]
    named: str | None = None
    named_by: str = ""
    rows: Rows | None = None
    space: tuple[str, ...] | None = None
    ranks: tuple[tuple[str | None, int], ...] = ()
    candidates: int = 0

    @property
    def matches(self) -> list[str]:
        """The definitions whose value is the stated one."""
        return matching(self.stated, self.values)

    @property
    def plain(self) -> dict[str, float]:
        """The values without percent twins."""
        return {name: value for name, value in self.values.items() if not name.endswith(PERCENT)}

    @property
    def pointer(self) -> str:
        """JSON pointer of the metric."""
        return f"/{self.keys[0]}"

    @property
    def name(self) -> str:
        """Its names, for people."""
        return " = ".join(self.keys)


@fact(absent="no metrics with the predictions behind them")
def scores(
    source: Source,
    evaluations: tuple[Evaluation, ...],
    answers: tuple[Answers, ...] | None,
    contract: Contract | None,
) -> tuple[Score, ...]:
    """Recompute every metric whose rows are there; an evaluation that another file states alike is judged once."""
    found: list[Score] = []
    told: set[tuple[str, str]] = set()
    ordered = sorted(evaluations, key=_tags_differ)
    for each in ordered:
        if each.predictions is None or not len(each.predictions):
            continue
        same = (each.predictions.file.location, repr(sorted(each.metrics.record.value.items(), key=lambda kv: kv[0])))
        if same not in told:
            told.add(same)
            own = next((one for one in answers or () if one.file == each.predictions.file), None)
            found += _scores(source, each, each.predictions, own, contract)
    return tuple(sorted(found, key=lambda each: each.evaluation.metrics.file.path))


def _tags_differ(evaluation: Evaluation) -> bool:
    return evaluation.predictions is None or evaluation.predictions.file.tag != evaluation.metrics.file.tag


def _scores(
    source: Source, evaluation: Evaluation, given: Predictions, answers: Answers | None, contract: Contract | None
) -> list[Score]:
    stated = evaluation.metrics.record.value
    kept = _of_split(given, evaluation.metrics.record.raw("eval_split"))
    space = evaluation.label_space or table_labels(source, evaluation)
    names = stated.get("metric_definitions")
    by_file = names if isinstance(names, dict) else {}
    by_contract = contract.metric_definitions if contract is not None else {}
    main = (*MAIN_NAMES, *(name for name, (true, _) in given.fields.items() if true == given.true_labels))
    made: dict[tuple[Measured, float], Score] = {}
    for key, value in stated.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            continue
        meaning = source.meaning(key)
        candidates = [
            msgspec.structs.replace(score, stated=float(value))
            for what in measured(meaning, given.fields, main)
            if (score := _score(evaluation, given, kept, what, space, answers)) is not None
        ]
        if not candidates:
            continue
        score = next((each for each in candidates if each.matches), candidates[0])
        earlier = made.get((score.measured, score.stated))
        # The usual order of names: the shorter key first, so that `macro_f1` stands before `action_macro_f1`.
        keys = tuple(sorted((key, *(earlier.keys if earlier else ())), key=lambda each: (len(each), each)))
        named = by_contract.get(meaning) or by_file.get(key) or by_file.get(meaning)
        made[score.measured, score.stated] = msgspec.structs.replace(
            score,
            keys=keys,
            named=named if isinstance(named, str) else earlier.named if earlier else None,
            named_by="contract" if meaning in by_contract else "file" if named else earlier.named_by if earlier else "",
        )
    return list(made.values())


def _score(
    evaluation: Evaluation,
    given: Predictions,
    kept: Sequence[int],
    what: Measured,
    space: tuple[str, ...] | None,
    answers: Answers | None,
) -> Score | None:
    """Recompute one metric; the stated value is filled in by the caller."""

    def made(values: Mapping[str, float], **more: Any) -> Score | None:
        return (
            Score(evaluation=evaluation, keys=(), measured=what, stated=0.0, values=dict(values), **more)
            if values
            else None
        )

    if what.metric in ("mrr", "recall_at"):
        return _retrieval(given, kept, what, made)
    if what.metric == "mean_error":
        errors = [given.errors[i] for i in kept]
        mean = mean_of(error for error in errors if error is not None)
        return made({"mean_error@rows": mean}) if mean is not None and None not in errors else None
    if what.metric == "consistency":
        return made(evaluate_consistency(queries(given, kept)))
    if what.metric == "validity":
        return made(_validity(kept, answers))
    rows = _rows(given, kept, what)
    if rows is None:
        return None
    if what.metric == "set_f1":
        return made(evaluate_sets(rows.true, rows.predicted, metric=f"{what.subject[:-1]}_micro_f1"), rows=rows)
    if what.metric == "majority":
        best = constant_accuracy(rows.true)
        return made({"majority_accuracy@test": best[1]}) if best is not None else None
    own_space = space if what.subject == MAIN else None
    return made(evaluate_counts(what.metric, rows.table(), own_space), rows=rows, space=own_space)


def _of_split(given: Predictions, stated: Any) -> Sequence[int]:
    splits = {split_name(split) for split in given.splits}
    wanted = split_name(stated) if isinstance(stated, str) else "test"
    if len(splits) < 2 or wanted not in splits:
        return range(len(given))
    return [i for i, split in enumerate(given.splits) if split_name(split) == wanted]


def _rows(given: Predictions, kept: Sequence[int], what: Measured) -> Rows | None:
    if what.subject == MAIN:
        true, predicted = given.true_labels, given.predicted_labels
        if not any(label is not None for label in predicted):
            return None
    else:
        true, predicted = given.fields[what.subject]
    if what.metric == "set_f1":
        rows = [i for i in kept if isinstance(true[i], tuple)]
        sides = [true[i] for i in rows], [predicted[i] if isinstance(predicted[i], tuple) else () for i in rows]
    else:
        rows = [i for i in kept if true[i] is not None and not isinstance(true[i], tuple)]
        if what.seen is not None:
            rows = [i for i in rows if given.seen[i] is not None and bool(given.seen[i]) == what.seen]
        sides = [_label(true[i]) for i in rows], [_label(predicted[i]) for i in rows]
    if not rows or (what.metric == "set_f1" and len(rows) < len(kept)):
        return None
    return Rows(tuple(sides[0]), tuple(sides[1]), tuple(given.episodes[i] for i in rows))


def _label(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else repr(value)


def _retrieval(given: Predictions, kept: Sequence[int], what: Measured, made: Any) -> Score | None:
    ranks = [(given.episodes[i], rank) for i in kept if (rank := given.ranks[i]) is not None]
    if not ranks or len(ranks) < len(kept):
        return None
    only = [rank for _, rank in ranks]
    try:
        value = mrr(only) if what.metric == "mrr" else recall_at(only, what.k)
    except ReadError:
        return None
    targets = {target[0] for i in kept if (target := given.targets[i]) is not None}
    candidates = len(targets) if targets and max(only, default=0) <= len(targets) else 0
    name = "mrr@all" if what.metric == "mrr" else f"recall_at_{what.k}@all"
    found: Score | None = made({name: value}, ranks=tuple(ranks), candidates=candidates) if value is not None else None
    return found


def _validity(kept: Sequence[int], answers: Answers | None) -> dict[str, float]:
    if answers is None or not kept or answers.rows != len(kept):
        return {}
    counts = {"keys": answers.complete, "exact_keys": answers.exact, "parsed": answers.parsed}
    if answers.strict is not None:
        counts["strict"] = answers.strict
    values = {f"json_validity_rate@{name}": count / answers.rows for name, count in counts.items()}
    return values | {f"{name}{PERCENT}": value * 100 for name, value in values.items()}
