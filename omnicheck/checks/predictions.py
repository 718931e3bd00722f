"""PRD: what the model answered, held against the schema, the options and the sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.answers import Answers, Tally
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.options import FIELDS, MAIN, OptionLists
from omnicheck.facts.prediction_files import PredictionFiles
from omnicheck.facts.predictions import Predictions
from omnicheck.model.finding import Finding

RATE = "json_validity_rate"


class OutOfVocabulary(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of PRD102.

    Attributes:
        unknown: predictions that may always stand.
    """

    unknown: tuple[str, ...] = ("unknown",)


@check("predictions.strict_schema")
def strict_schema(answers: tuple[Answers, ...], evaluations: tuple[Evaluation, ...] | None) -> Iterator[Finding]:
    """Yield a finding for each file with answers that fail the strict schema, counted by cause."""
    for each in answers:
        if each.strict is None or each.strict == each.rows or _repeats(each, answers):
            continue
        causes = sorted(each.causes.items(), key=lambda pair: (-pair[1].rows, pair[0]))
        told = ", ".join(f"{cause} in {tally.rows:,}" for cause, tally in causes)
        schema = "the contract's answer schema" if each.by_contract else "the schema of the true answers"
        reported = _reported(each, evaluations or ())
        beside = "" if reported is None else f", while {reported[1]} reports {RATE} {reported[0]:.4g}"
        rate = each.strict / each.rows
        yield Finding(
            path=each.file.path,
            message=(
                f"{each.strict:,} of {each.rows:,} answers ({rate:.4g}) meet {schema}{beside}: {told} "
                f"({_example(causes[0][1])})"
            ),
            expected=each.rows,
            actual={
                "strict": each.strict,
                **{cause: {"rows": tally.rows, "example": _example(tally)} for cause, tally in causes},
            },
            key="strict",
        )


def _repeats(answers: Answers, others: tuple[Answers, ...]) -> bool:
    """Whether a shard's answers are judged in the merged file as well."""
    return answers.file.role == "shard_predictions" and any(other.file.role == "predictions" for other in others)


def _example(tally: Tally) -> str:
    line, _, detail = tally.examples[0]
    return f"line {line}: {detail}"


def _reported(answers: Answers, evaluations: tuple[Evaluation, ...]) -> tuple[float, str] | None:
    for each in evaluations:
        if each.predictions is not None and each.predictions.file.location == answers.file.location:
            stated = each.metrics.record.raw(RATE)
            if isinstance(stated, int | float) and not isinstance(stated, bool):
                return float(stated), each.metrics.file.base
    return None


@check("predictions.out_of_vocabulary")
def out_of_vocabulary(files: PredictionFiles, options: OptionLists, params: OutOfVocabulary) -> Iterator[Finding]:
    """Yield a finding for each file that predicts labels which are not among the options."""
    for each in files.files:
        told, counts, examples = [], {}, Counter[str]()
        for field, name, column, answered in _columns(each):
            if name not in options.lists:
                continue
            listed = options.lists[name]
            strange = Counter(
                value
                for value in column
                if isinstance(value, str) and value not in listed.labels and value not in params.unknown
            )
            if strange:
                counts[field] = strange.total()
                told.append(f"{field} {strange.total():,} of {answered:,}")
                examples.update(strange)
        if not told:
            continue
        origin = " and ".join(sorted({each.file.base for each in options.lists.values()}))
        shown = ", ".join(_quoted(label) for label, _ in examples.most_common(2))
        yield Finding(
            path=each.file.path,
            message=(
                f"predictions that are not among the options of {origin}: {', '.join(told)}; {len(examples):,} "
                f"distinct labels, most often {shown}"
            ),
            expected={name: f"one of {len(each.labels):,}" for name, each in options.lists.items()},
            actual={**counts, "labels": dict(examples.most_common(10))},
            key="out-of-vocabulary",
        )


def _columns(rows: Predictions) -> Iterator[tuple[str, str, list[object], int]]:
    """Yield field, name of its options, the predicted values, and how many rows have an answer.

    Where answers have fields, only those that could be parsed count: what an unparsed row says is rule PRD101's.
    """
    kept = [at for at in range(len(rows)) if rows.parsed[at] is not False]
    found = False
    for field, name in FIELDS.items():
        if field in rows.fields:
            values = [value for at in kept if (value := rows.fields[field][1][at]) is not None]
            found = found or field == "action"
            yield field, name, values, len(values)
    if not found:
        values = [value for value in rows.predicted_labels if value is not None]
        yield "label", MAIN, values, len(values)


def _quoted(label: str) -> str:
    return repr(label if len(label) <= 60 else f"{label[:57]}...")


@check("predictions.window_outside")
def window_outside(answers: tuple[Answers, ...]) -> Iterator[Finding]:
    """Yield a finding for each file with answers whose frames are not the sample's."""
    for each in answers:
        if not each.outside.rows or _repeats(each, answers):
            continue
        shown = "; ".join(f"line {line}: {detail}" for line, _, detail in each.outside.examples)
        yield Finding(
            path=each.file.path,
            row=each.outside.examples[0][0],
            message=(
                f"{each.outside.rows:,} of {each.windows:,} predicted frame windows stick out of their sample's, or "
                f"end before they start ({shown})"
            ),
            expected=0,
            actual=each.outside.rows,
            key="window",
        )


@check("predictions.answer_in_prompt")
def answer_in_prompt(answers: tuple[Answers, ...]) -> Iterator[Finding]:
    """Yield a finding for each scored field that repeats a value of the sample in every parsed answer."""
    for each in answers:
        if _repeats(each, answers):
            continue
        for (field, key), copied in sorted(each.copied.items()):
            # A value that never changes may be repeated without being copied.
            if copied.equal != each.parsed or copied.rows != each.parsed or len(copied.values) < 2:
                continue
            given = ", which is also the truth" if copied.true == copied.equal else ""
            yield Finding(
                path=each.file.path,
                message=(
                    f"{field} repeats the sample's own {key} in {copied.equal:,} of {each.parsed:,} parsed answers"
                    f"{given}: what it adds to a score (JSON validity among them) measures copying"
                ),
                actual=copied.equal,
                key=f"{field}:{key}",
            )
