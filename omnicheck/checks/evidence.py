"""EVD: a run shows what its contract asks for, and what it says of itself can be recomputed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.contract import Contract
from omnicheck.facts.documents import Metrics
from omnicheck.facts.evidence import (
    Listing,
    Missing,
    MissingEvaluation,
    MissingTraining,
    PackagedRun,
    StatedQuality,
    StatedSplit,
)
from omnicheck.facts.registry import Each
from omnicheck.facts.validation_claims import ITSELF, Contradiction, ValidationClaim
from omnicheck.model.finding import Finding

OPEN_ABOUT_IT = re.compile(r"(?:^|[_./-])(?:val|valid|validation|dev|train)(?:$|[_./-])")


class EmptyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of EVD107.

    Attributes:
        by_convention: base names that are empty on purpose.
    """

    by_convention: tuple[str, ...] = (".gitkeep", ".keep", ".nojekyll", "__init__.py", "py.typed")


class WrongSplit(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of EVD108.

    Attributes:
        held_out: names of the split that results are reported on.
    """

    held_out: tuple[str, ...] = ("test", "testing", "held_out", "heldout", "holdout")


@check("evidence.missing_training_file")
def missing_training_file(missing: MissingTraining) -> Iterator[Finding]:
    """Yield one finding for the required training files that are absent."""
    yield from _missing(missing, "training")


@check("evidence.missing_eval_file")
def missing_eval_file(missing: MissingEvaluation) -> Iterator[Finding]:
    """Yield one finding for the required evaluation files that are absent."""
    yield from _missing(missing, "evaluation")


def _missing(missing: Missing, stage: str) -> Iterator[Finding]:
    if missing.lacking:
        kept_out = f" ({', '.join(missing.spared)} is not asked of a package)" if missing.spared else ""
        yield Finding(
            path=missing.path,
            message=(
                f"{len(missing.lacking)} of {len(missing.wanted)} {stage} files that the contract {missing.contract} "
                f"requires are not here: {', '.join(missing.lacking)}{kept_out}"
            ),
            expected=list(missing.wanted),
            actual={"missing": list(missing.lacking)},
            key=stage,
        )


@check("evidence.missing_primary_metric")
def missing_primary_metric(metrics: tuple[Metrics, ...], contract: Contract) -> Iterator[Finding]:
    """Yield one finding for each metrics file without a primary metric, its split or the held-out count."""
    seen: list[object] = []
    for each in metrics:
        record = each.record
        if record.value in seen or OPEN_ABOUT_IT.search(each.file.tag):
            continue  # a copy, or metrics of training that nobody reports
        seen.append(record.value)
        names = dict.fromkeys((*contract.primary_metrics, "eval_split", "held_out_episode_count"))
        absent = [name for name in names if not record.has(name) and not _split(name, each)]
        null = [name for name in names if record.has(name) and record.raw(name) is None]
        if absent or null:
            told = [f"lacks {', '.join(absent)}"] if absent else []
            told += [f"holds null for {', '.join(null)}"] if null else []
            yield Finding(
                path=each.file.path,
                pointer=record.pointer(null[0]) if null and not absent else None,
                message=f"{each.file.base} {' and '.join(told)}, which the contract {contract.id} asks for",
                expected=list(names),
                actual={"absent": absent, "null": null},
                key="primary-metrics",
            )


def _split(name: str, metrics: Metrics) -> bool:
    """Whether a metrics file names its split in the shorter way."""
    return name == "eval_split" and isinstance(metrics.record.raw("split"), str)


@check("evidence.self_attested")
def self_attested(claims: tuple[ValidationClaim, ...]) -> Iterator[Finding]:
    """Yield a finding for each validation that carries nothing to recompute, or contradicts what is recomputed."""
    for claim in claims:
        if claim.wrong:
            shown = "; ".join(_told(each) for each in claim.wrong[:3])
            yield Finding(
                path=claim.file.path,
                pointer=claim.wrong[0].pointer,
                message=f"says that it passed, but {shown}",
                expected={each.pointer: each.actual for each in claim.wrong},
                actual={each.pointer: each.stated for each in claim.wrong},
                key="contradicted",
            )
        elif not claim.carries:
            yield Finding(
                path=claim.file.path,
                message="says that it passed, but carries no count, no input file and no digest that can be recomputed",
                expected="counts, inputs or digests",
                key="bare",
            )


def _told(wrong: Contradiction) -> str:
    if wrong.where == ITSELF:
        return f"{wrong.pointer} lists {_plain(wrong.actual)}"
    return f"{wrong.pointer} is {_plain(wrong.stated)} where {wrong.where} has {_plain(wrong.actual)}"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in sorted(value.items(), key=str))
    return str(value)


@check("evidence.missing_audit")
def missing_audit(packages: Each[PackagedRun]) -> Iterator[Finding]:
    """Yield a finding for each package without the audit that packages beside it have."""
    beside: dict[str, list[PackagedRun]] = defaultdict(list)
    for _, each in packages.values:
        beside[each.path.rpartition("/")[0]].append(each)
    for siblings in beside.values():
        audited = [each for each in siblings if each.audits]
        if not audited:
            continue
        name = audited[0].audits[0]
        for each in siblings:
            if not each.audits:
                yield Finding(
                    path=each.path,
                    message=(
                        f"the package has no {name}; {len(audited)} of the {len(siblings)} packages beside it have one"
                    ),
                    expected=name,
                    key="audit",
                )


@check("evidence.empty_file")
def empty_file(listing: Listing, params: EmptyFile) -> Iterator[Finding]:
    """Yield a finding for each file without a byte."""
    for file in listing.files:
        if file.size == 0 and file.base not in params.by_convention:
            yield Finding(path=file.path, message=f"{file.base} is empty: zero bytes", actual=0)


@check("evidence.wrong_split")
def wrong_split(splits: tuple[StatedSplit, ...], params: WrongSplit) -> Iterator[Finding]:
    """Yield a finding for each evaluation that is reported and was not made on the held-out split."""
    for each in splits:
        if each.split.lower() in params.held_out or OPEN_ABOUT_IT.search(each.named):
            continue
        yield Finding(
            path=each.file.path,
            pointer=each.pointer,
            message=f"the evaluation was made on the split {each.split!r}, and reported as a result; expected test",
            expected="test",
            actual=each.split,
        )


@check("evidence.quality_without_predictions")
def quality_without_predictions(stated: tuple[StatedQuality, ...]) -> Iterator[Finding]:
    """Yield a finding for each place that states model quality with no held-out rows behind it."""
    for each in stated:
        if not each.backed:
            values = ", ".join(f"{name} {value}" for name, value in each.metrics)
            yield Finding(
                path=each.file.path,
                pointer=each.pointer,
                line=each.line,
                message=f"states {values}, but {each.looked}: nothing shows how it was measured",
                expected="held-out predictions",
                actual=dict(each.metrics),
                key="quality",
            )
