"""PRD: prediction files held against each other, against the dataset and against other runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from omnicheck.checks.declare import check
from omnicheck.facts.checkpoints import same_checkpoint
from omnicheck.facts.dataset_truth import DatasetTruth
from omnicheck.facts.partial import Partial
from omnicheck.facts.prediction_digest import PredictionDigest
from omnicheck.facts.prediction_files import CheckedLabels
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import Each
from omnicheck.facts.sample_faults import SampleJudgement
from omnicheck.facts.twins import Cells, Twins
from omnicheck.model.finding import Finding

SHOWN = 3


@check("predictions_files.csv_jsonl_disagree")
def csv_jsonl_disagree(pairs: tuple[Twins, ...]) -> Iterator[Finding]:
    """Yield a finding for each CSV whose values are not those of the JSONL beside it."""
    for pair in pairs:
        rows, table = pair.rows, pair.table
        told = []
        order, without, beyond = _aligned(rows, table)
        if without or beyond or len(rows.ids) != len(table.ids):
            told.append(f"{len(table.ids):,} rows against {len(rows.ids):,}")
            if without:
                told.append(f"only in {rows.file.base}: {len(without):,}, such as {without[0]!r}")
            if beyond:
                told.append(f"only in {table.file.base}: {len(beyond):,}, such as {beyond[0]!r}")
        for name in sorted(rows.columns.keys() & table.columns.keys()):
            one, other = rows.columns[name], table.columns[name]
            differing = [(at, to) for at, to in order if one[at] != other[to]]
            if differing:
                at, to = differing[0]
                told.append(
                    f"{name} differs in {len(differing):,} (row {to + 1}: {_shown(other[to])}, in {rows.file.base} "
                    f"{_shown(one[at])})"
                )
        if told:
            yield Finding(
                path=table.file.path,
                message=f"{table.file.base} is not what {rows.file.base} says: {'; '.join(told)}",
                key="twin",
            )


def _aligned(rows: Cells, table: Cells) -> tuple[list[tuple[int, int]], list[str], list[str]]:
    """Return pairs of row numbers, and the ids that only one side has; by place where ids are not unique."""
    one = {sample: at for at, sample in enumerate(rows.ids) if sample is not None}
    other = {sample: at for at, sample in enumerate(table.ids) if sample is not None}
    if len(one) < len(rows.ids) or len(other) < len(table.ids):
        return [(at, at) for at in range(min(len(rows.ids), len(table.ids)))], [], []
    pairs = [(at, other[sample]) for sample, at in one.items() if sample in other]
    return pairs, sorted(one.keys() - other.keys()), sorted(other.keys() - one.keys())


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


@check("predictions_files.label_mismatch")
def label_mismatch(labels: CheckedLabels) -> Iterator[Finding]:
    """Yield a finding where `correct` is not what the labels say, and where the truth is not the dataset's."""
    for each in labels.files:
        yield from _correct(each)
        for dataset in labels.truth:
            yield from _true_labels(each, dataset)


def _correct(rows: Predictions) -> Iterator[Finding]:
    wrong = [
        at
        for at in range(len(rows))
        if rows.correct[at] is not None
        and rows.true_labels[at] is not None
        and rows.correct[at] != (rows.true_labels[at] == rows.predicted_labels[at])
    ]
    if wrong:
        shown = "; ".join(
            f"row {rows.lines[at]}: {rows.correct[at]} for {_shown(rows.predicted_labels[at] or '')} against the true "
            f"{_shown(rows.true_labels[at] or '')}"
            for at in wrong[:SHOWN]
        )
        yield Finding(
            path=rows.file.path,
            row=rows.lines[wrong[0]],
            message=f"correct disagrees with the labels in {len(wrong):,} of {len(rows):,} rows ({shown})",
            expected=0,
            actual=len(wrong),
            key="correct",
        )


def _true_labels(rows: Predictions, dataset: DatasetTruth) -> Iterator[Finding]:
    compared = 0
    wrong: list[tuple[int, str, Any, Any]] = []
    for at, sample in enumerate(rows.ids):
        if sample is None or (sample not in dataset.labels and sample not in dataset.answers):
            continue
        compared += 1
        label = rows.true_labels[at]
        if label is not None and dataset.labels.get(sample, label) != label:
            wrong.append((at, "label", label, dataset.labels[sample]))
            continue
        answer = dataset.answers.get(sample, {})
        for field, (true, _) in rows.fields.items():
            own = answer.get(field)
            own = tuple(own) if isinstance(own, list) else own
            if field in answer and true[at] is not None and own != true[at]:
                wrong.append((at, field, true[at], own))
                break
    if wrong:
        shown = "; ".join(
            f"row {rows.lines[at]}: {field} {_shown(str(found))}, in the dataset {_shown(str(own))}"
            for at, field, found, own in wrong[:SHOWN]
        )
        yield Finding(
            path=rows.file.path,
            row=rows.lines[wrong[0][0]],
            message=f"the truth is not that of {dataset.file.base} in {len(wrong):,} of {compared:,} rows ({shown})",
            expected=0,
            actual=len(wrong),
            key=f"truth:{dataset.file.name}",
        )


@check("predictions_files.partial")
def partial(parts: tuple[Partial, ...]) -> Iterator[Finding]:
    """Yield a finding for each partial file without a final one, or with other rows than it."""
    for part in parts:
        rows, final = part.rows, part.final
        if final is None:
            yield Finding(
                path=rows.file.path,
                message=(
                    f"{len(rows):,} partial predictions were left here and there are no final ones: the evaluation "
                    "did not finish"
                ),
                actual=len(rows),
                key="unfinished",
            )
            continue
        places = {sample: at for at, sample in enumerate(final.ids) if sample is not None}
        missing = [sample for sample in rows.ids if sample is not None and sample not in places]
        differing = [
            (at, places[sample])
            for at, sample in enumerate(rows.ids)
            if sample in places and _predicted(rows, at) != _predicted(final, places[sample])
        ]
        told = []
        if missing:
            told.append(f"{len(missing):,} not in {final.file.base}, such as {missing[0]!r}")
        if differing:
            at, to = differing[0]
            told.append(
                f"{len(differing):,} with another prediction (line {rows.lines[at]}: "
                f"{_shown(str(rows.predicted_labels[at]))}, in {final.file.base} "
                f"{_shown(str(final.predicted_labels[to]))})"
            )
        if told:
            yield Finding(
                path=rows.file.path,
                message=f"of {len(rows):,} partial predictions, {'; '.join(told)}",
                expected=0,
                actual=len(missing) + len(differing),
                key="differs",
            )


def _predicted(rows: Predictions, at: int) -> tuple[Any, ...]:
    return rows.predicted_labels[at], {name: predicted[at] for name, (_, predicted) in rows.fields.items()}


@check("predictions_files.cloned")
def cloned(digests: Each[PredictionDigest]) -> Iterator[Finding]:
    """Yield a finding for each file whose predictions are those of another run that names another checkpoint."""
    groups: dict[tuple[str, int], list[PredictionDigest]] = defaultdict(list)
    for _, each in digests.values:
        groups[each.digest, each.rows].append(each)
    for alike in groups.values():
        alike.sort(key=lambda each: each.path)
        for at, each in enumerate(alike):
            origin = next(
                (other for other in alike[:at] if not same_checkpoint(each.checkpoint, other.checkpoint)), None
            )
            if origin is not None:
                yield Finding(
                    path=each.path,
                    message=(
                        f"all {each.rows:,} predictions equal those of {origin.path}, but that run names the "
                        f"checkpoint {origin.checkpoint!r} and this one {each.checkpoint!r}"
                    ),
                    expected="predictions of its own",
                    actual=origin.path,
                    key=f"clone:{each.digest[:16]}",
                )


@check("predictions_files.sample_contract")
def sample_contract(judgements: tuple[SampleJudgement, ...]) -> Iterator[Finding]:
    """Yield a finding for each way in which rows of a dataset violate the sample contract."""
    for each in judgements:
        for fault in each.faults:
            many = f"{fault.rows:,} of {each.judged:,} rows violate the {each.kind} contract"
            where = f" at {fault.pointer}" if fault.pointer else ""
            yield Finding(
                path=each.file.path,
                row=fault.line,
                pointer=fault.pointer or None,
                message=f"{many}{where}; line {fault.line}: {fault.message}",
                expected=0,
                actual=fault.rows,
                help=fault.help or None,
                key=fault.pointer or "row",
            )
