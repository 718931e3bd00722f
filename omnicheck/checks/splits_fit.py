"""SPL: what training must not learn from held-out data: labels, statistics, contents, the choice of checkpoint."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.checkpoint_choice import CheckpointChoice
from omnicheck.facts.evaluated import CompleteRolls, Evaluated, EvaluatedEpisodes
from omnicheck.facts.label_space import LabelSpace, Options, Unseen
from omnicheck.facts.normalizer import Moments, Statistic
from omnicheck.facts.normalizer_splits import FittedSplits
from omnicheck.facts.shared_content import SharedContent
from omnicheck.facts.split_names import TRAIN, split_name
from omnicheck.model.finding import Finding


@check("splits_fit.label_space")
def label_space(space: LabelSpace) -> Iterator[Finding]:
    """Yield option lists with labels that only held-out rows have, and held-out labels that train never has."""
    proof = max(space.unseen, key=lambda each: len(each.labels))
    if not proof.labels:
        return
    held = _held_out(proof)
    told = False
    for options in space.options:
        listed = options.labels & proof.labels.keys()
        if listed:
            told = True
            yield Finding(
                path=options.file.path,
                pointer=options.pointer,
                message=f"{options.key} lists {len(options.labels):,} labels{_counted(options)}; {held}",
                expected="options from training rows alone",
                actual={"options": len(options.labels), "held_out_only": len(listed)},
                key=options.key,
            )
    if not told:
        yield Finding(
            path=proof.file.path,
            message=held,
            expected=0,
            actual=len(proof.labels),
            key="unseen",
            help="Report seen and unseen labels apart, or split so that every evaluated label occurs in train.",
        )


def _held_out(proof: Unseen) -> str:
    rows = sum(proof.labels.values())
    return (
        f"{len(proof.labels):,} of the {proof.held_out:,} held-out labels (such as {min(proof.labels)!r}) never occur "
        f"in train, so {rows:,} of {proof.rows:,} held-out rows cannot be answered from what was trained"
    )


def _counted(options: Options) -> str:
    beside = "".join(f"; {name} {count:,}" for name, count in sorted(options.further.items()))
    if options.counted is None or options.counted != sum(options.samples.values()):
        return beside
    shown = " + ".join(f"{name} {count:,}" for name, count in options.samples.items())
    return f", exactly those counted over all {options.counted:,} samples ({shown}){beside}"


@check("splits_fit.eval_in_train")
def eval_in_train(judged: EvaluatedEpisodes) -> Iterator[Finding]:
    """Yield evaluated episodes that a manifest or the rows put into train."""
    for each in judged.evaluated:
        trained: dict[str, str] = {}
        for roll in judged.rolls:
            for episode in each.episodes:
                if TRAIN in roll.splits.get(episode, ()):
                    trained.setdefault(episode, roll.file.path)
        if trained:
            yield _about(each, list(trained), f"are training episodes in {next(iter(trained.values()))}", "train")


@check("splits_fit.eval_unknown")
def eval_unknown(judged: CompleteRolls) -> Iterator[Finding]:
    """Yield evaluated episodes that no complete manifest knows."""
    known = {episode for roll in judged.rolls for episode in roll.splits}
    where = " or ".join(f"{roll.file.path} ({roll.complete})" for roll in judged.rolls)
    for each in judged.evaluated:
        strange = [episode for episode in each.episodes if episode not in known]
        if strange:
            yield _about(each, strange, f"are not in {where}", "unknown")


def _about(each: Evaluated, episodes: Sequence[str], what: str, key: str) -> Finding:
    rows = sum(each.episodes[episode] for episode in episodes)
    line = each.first[episodes[0]]
    table = each.file.base.endswith(".csv")
    return Finding(
        path=each.file.path,
        line=None if table else line,
        row=line if table else None,
        message=f"{len(episodes):,} of {len(each.episodes):,} evaluated episodes ({rows:,} of "
        f"{sum(each.episodes.values()):,} rows) {what}: {', '.join(episodes[:3])}"
        + (f" and {len(episodes) - 3:,} more" if len(episodes) > 3 else ""),
        expected=0,
        actual=len(episodes),
        key=f"{key} {episodes[0]}",
    )


class Tolerance(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``splits_fit.normalizer``.

    Attributes:
        tolerance: largest difference of a mean or deviation, as a share of the training rows' deviation.
    """

    tolerance: float = 0.001


@check("splits_fit.normalizer")
def normalizer(fitted: tuple[FittedSplits, ...], params: Tolerance) -> Iterator[Finding]:
    """Yield normalisation statistics that were fitted on more than the training episodes, or do not say on what."""
    for each in fitted:
        provenance = list(_provenance(each))
        compared, values = _values(each, params.tolerance)
        yield from provenance
        yield from values
        fit = each.fit
        if not provenance and not compared and not (fit.episodes and each.splits) and not fit.splits:
            yield Finding(
                path=fit.file.path,
                message="the statistics do not say on which episodes or split they were fitted, and the run holds no "
                "rows to recompute them from",
                expected="fit_episode_ids, or fit_split, in the file",
                variant="unproven",
                key="provenance",
            )


def _provenance(each: FittedSplits) -> Iterator[Finding]:
    fit = each.fit
    if fit.splits is not None:
        pointer, named = fit.splits
        beyond = [name for name in named if split_name(name) not in (TRAIN, None)]
        if beyond:
            yield Finding(
                path=fit.file.path,
                pointer=pointer,
                message=f"the statistics were fitted on {', '.join(named)}; only train may be used",
                expected=TRAIN,
                actual=list(named),
                key="split",
            )
    if fit.episodes is None or not each.splits:
        return
    pointer, episodes = fit.episodes
    held = [name for name in episodes if name in each.splits and TRAIN not in each.splits[name]]
    strange = [name for name in episodes if name not in each.splits]
    for names, what in ((held, "held-out"), (strange, "in no manifest of the run")):
        if names:
            yield Finding(
                path=fit.file.path,
                pointer=pointer,
                message=f"{len(names):,} of the {len(episodes):,} episodes that the statistics were fitted on are "
                f"{what}: {', '.join(names[:3])}" + (f" and {len(names) - 3:,} more" if len(names) > 3 else ""),
                expected="training episodes alone",
                actual=names[:20],
                key=what,
            )


def _values(each: FittedSplits, tolerance: float) -> tuple[int, list[Finding]]:
    """Compare statistics with those of the run's rows; return how many could be compared, and findings."""
    by_name = {found.name: found for found in each.recomputed}
    compared = 0
    findings = []
    for stated in each.fit.statistics:
        found = by_name.get(stated.name or "features")
        if found is None or found.train is None or found.every is None or len(found.train.origin) != len(stated.mean):
            continue
        compared += 1
        if _fits(stated, found.train, tolerance):
            continue
        mean, std = found.train.mean(), found.train.std(0)
        worst = max(
            range(len(mean)), key=lambda at: max(abs(stated.mean[at] - mean[at]), abs(stated.std[at] - std[at]))
        )
        beyond = found.every.count > found.train.count and _fits(stated, found.every, tolerance)
        of = (
            f"they are those of all {found.every.count:,} rows, held-out ones included"
            if beyond
            else (f"nor are they those of all {found.every.count:,} rows")
        )
        findings.append(
            Finding(
                path=each.fit.file.path,
                pointer=stated.pointer or None,
                message=f"the statistics of {stated.name or 'the features'} differ from those recomputed on the "
                f"{found.train.count:,} training rows (dimension {worst}: mean {stated.mean[worst]:.6g} instead of "
                f"{mean[worst]:.6g}, deviation {stated.std[worst]:.6g} instead of {std[worst]:.6g}); {of}",
                expected={"mean": mean[worst], "std": std[worst]},
                actual={"mean": stated.mean[worst], "std": stated.std[worst]},
                key=f"values {stated.name}",
            )
        )
    return compared, findings


def _fits(stated: Statistic, found: Moments, tolerance: float) -> bool:
    """Whether means and deviations agree, with n or n - 1 in the denominator."""
    mean = found.mean()
    return any(
        all(
            abs(stated.mean[at] - mean[at]) <= tolerance * std[at] + 1e-6 * max(1.0, abs(mean[at]))
            and math.isclose(stated.std[at], std[at], rel_tol=tolerance, abs_tol=1e-6)
            for at in range(len(mean))
        )
        for std in (found.std(0), found.std(1))
    )


@check("splits_fit.content")
def content(judged: SharedContent) -> Iterator[Finding]:
    """Yield media and feature files whose content serves two splits."""
    for each in judged.shared:
        uses = [f"{split}: {path or episode}" for split, episode, path in each.uses]
        splits = sorted({split for split, _, _ in each.uses})
        by = "by the digest that the manifest records" if each.recorded else "byte for byte"
        yield Finding(
            path=each.file.path,
            message=f"the same content serves {' and '.join(splits)} ({by}): {'; '.join(uses[:4])}"
            + (f" and {len(uses) - 4:,} more" if len(uses) > 4 else ""),
            expected="one split",
            actual=splits,
            key=f"{each.uses[0][1] or ''} {each.uses[0][2]}",
        )


@check("splits_fit.checkpoint")
def checkpoint(choice: CheckpointChoice) -> Iterator[Finding]:
    """Yield statements that the checkpoint was chosen by a metric of the test split."""
    told = set()
    for each in choice.statements:
        if each.names_test:
            told.add(each.file)
            yield Finding(
                path=each.file.path,
                pointer=each.pointer,
                message=f"the checkpoint was chosen by {each.value!r}, a metric of the test split",
                expected="a metric of the validation split",
                actual=each.value,
            )
    for best in choice.best:
        on_test = sorted(key for key in best.keys if "test" in key.lower().replace("/", "_").split("_"))
        if on_test and len(on_test) == len(best.keys) and best.file not in told:
            yield Finding(
                path=best.file.path,
                pointer="/best_metric",
                message=f"the best metric {best.value:.6g} stands in the history only under {', '.join(on_test)}: the "
                "checkpoint was chosen on the test split",
                expected="a metric of the validation split",
                actual=on_test,
            )
