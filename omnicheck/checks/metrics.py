"""MET: stated metrics against those that the predictions give, and the definitions they follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.checks.numbers import shown
from omnicheck.facts.all_scores import AllScores
from omnicheck.facts.answers import Answers
from omnicheck.facts.definition_use import DefinitionUse
from omnicheck.facts.recomputed import Score
from omnicheck.facts.registry import Each
from omnicheck.measures.agreement import PERCENT, agrees
from omnicheck.model.finding import Finding

AVERAGES = frozenset({"macro_f1", "weighted_f1", "micro_f1", "balanced_accuracy"})
EVERY_LABEL = "macro_f1@label_space"
USUAL = "macro_f1@union"
USUAL_SPACES = frozenset({"union", "truth", "label_space"})


@check("metrics.mismatch")
def mismatch(found: AllScores) -> Iterator[Finding]:
    """Yield a finding for each metric that no definition gives, or not the one that is named."""
    for score in found.scores:
        path = score.evaluation.metrics.file.path
        matches = score.matches
        if score.named is not None and score.named in score.values:
            wanted = score.values[score.named]
            if not agrees(score.stated, wanted):
                instead = f"; {matches[0]} would give it" if matches else "; no known definition gives the stated value"
                yield Finding(
                    path=path,
                    pointer=score.pointer,
                    message=f"{score.name} is stated as {shown(score.stated)}, but the predictions give "
                    f"{shown(wanted)} by {score.named}, which the {score.named_by} names{instead}",
                    expected=wanted,
                    actual=score.stated,
                    key=score.keys[0],
                )
        elif not matches:
            plain = score.plain
            usual, value = next(iter(plain.items()))
            others = [
                f"{shown(other)} by {name}"
                for name, other in plain.items()
                if name.rpartition("@")[2] in USUAL_SPACES and other != value
            ]
            more = f" (and {', '.join(others)})" if others else ""
            yield Finding(
                path=path,
                pointer=score.pointer,
                message=f"{score.name} is stated as {shown(score.stated)}, but the predictions give {shown(value)} by "
                f"{usual}{more}: no known definition gives the stated value",
                expected=plain,
                actual=score.stated,
                key=score.keys[0],
            )


@check("metrics.label_space")
def label_space(scores: tuple[Score, ...]) -> Iterator[Finding]:
    """Yield a finding for each macro-F1 that counts labels which occur in neither truth nor prediction."""
    for score in scores:
        if score.measured.metric != "macro_f1" or score.space is None or score.rows is None:
            continue
        table = score.rows.table()
        space, occurring = set(score.space), set(table.union)
        empty = space - occurring
        usual = score.values.get(USUAL)
        if not empty or usual is None or not set(score.matches) & {EVERY_LABEL, EVERY_LABEL + PERCENT}:
            continue
        if agrees(score.stated, usual) or (score.named_by == "contract" and score.named == EVERY_LABEL):
            continue
        yield Finding(
            path=score.evaluation.metrics.file.path,
            pointer=score.pointer,
            message=f"{score.name} {shown(score.stated)} averages over {len(space):,} labels, {len(empty):,} of which "
            f"occur in neither truth nor prediction and count as 0; {len(table.truth):,} labels occur in the truth. By "
            f"the usual definition ({USUAL}) it is {shown(usual)}",
            expected={USUAL: usual, "labels": len(occurring)},
            actual={EVERY_LABEL: score.stated, "labels": len(space)},
            key=score.keys[0],
        )


@check("metrics.definition_drift")
def definition_drift(uses: Each[DefinitionUse]) -> Iterator[Finding]:
    """Yield a finding for each metric name that two runs compute by definitions which never agree."""
    by_name: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for _, use in uses.values:
        for name, definitions in use.definitions.items():
            by_name[name].append((use.paths[name], definitions))
    for name, used in sorted(by_name.items()):
        used.sort(key=lambda each: each[0])
        if set.intersection(*(set(definitions) for _, definitions in used)):
            continue
        first_path, first = used[0]
        apart = [each for each in used if not set(each[1]) & set(first)]
        if not apart:
            continue  # each two agree on something, only not all of them
        path, other = apart[0]
        yield Finding(
            path=path,
            pointer=f"/{name}",
            message=f"{name} means {other[0]} here and {first[0]} in {first_path}: the two numbers cannot be compared",
            expected=list(first),
            actual=list(other),
            key=name,
        )


@check("metrics.missing_definition")
def missing_definition(scores: tuple[Score, ...]) -> Iterator[Finding]:
    """Yield one finding for each metrics file with averages whose definition it leaves open."""
    open_: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.measured.metric in AVERAGES and score.named is None and _ambiguous(score):
            open_[score.evaluation.metrics.file.path].append(score)
    for path, left in sorted(open_.items()):
        first = left[0]
        low, high = min(_usual(first)), max(_usual(first))
        names = ", ".join(score.name for score in left)
        yield Finding(
            path=path,
            pointer=first.pointer,
            message=f"no definition is named for {names}: {first.keys[0]} alone lies between {shown(low)} and "
            f"{shown(high)}, depending on the labels that are averaged over",
            expected={score.keys[0]: next(iter(score.matches), None) for score in left},
            key="definitions",
        )


def _ambiguous(score: Score) -> bool:
    values = _usual(score)
    return any(not agrees(value, values[0]) for value in values[1:])


def _usual(score: Score) -> list[float]:
    """Return the values by the definitions that people mean: over the truth, the union, the label space."""
    return [value for name, value in score.plain.items() if name.rpartition("@")[2] in USUAL_SPACES]


@check("metrics.lenient_scoring")
def lenient_scoring(answers: tuple[Answers, ...]) -> Iterator[Finding]:
    """Yield a finding for each prediction file whose correct answers come in part from texts that do not parse."""
    for each in answers:
        if not each.lenient.rows:
            continue
        line, sample, detail = each.lenient.examples[0]
        strict = (each.right - each.lenient.rows) / each.rows
        yield Finding(
            path=each.file.path,
            row=line,
            message=f"{each.lenient.rows:,} of {each.right:,} answers that count as correct come from texts that do "
            "not "
            f"parse as a JSON object, such as {sample or f'row {line}'}: {detail}; counting only those that parse, "
            f"accuracy is {shown(strict)} instead of {shown(each.right / each.rows)}",
            expected=strict,
            actual=each.right / each.rows,
            key="lenient",
        )
