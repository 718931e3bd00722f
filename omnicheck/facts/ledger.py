"""The count ledger: episodes selected, listed, exported, skipped and evaluated, each number with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from omnicheck.facts.described_rows import DescribedRows
from omnicheck.facts.documents import DatasetManifest, Validation, VerifiedSummary
from omnicheck.facts.episodes import EpisodeManifest, Selection
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

Stage = Literal["selected", "listed", "exported", "evaluated"]


class Count(Struct, frozen=True):
    """A number of episodes at one stage.

    Attributes:
        stage: selected (chosen before export), listed (in the episode manifest), exported (have rows in the
            dataset), evaluated (have predictions).
        value: how many.
        file: where it stands.
        pointer: JSON pointer in that file; None when it was counted.
        splits: episodes per split, when known.
        subject: tells evaluations (or several manifests) of one run apart.
    """

    stage: Stage
    value: int
    file: RunFile
    pointer: str | None
    splits: dict[str, int]
    subject: str = ""

    @property
    def counted(self) -> bool:
        """Whether it was counted from rows or list entries instead of stated."""
        return self.pointer is None


class Skips(Struct, frozen=True):
    """A statement of how many episodes were skipped.

    Attributes:
        file: where it stands.
        pointer: JSON pointer in that file.
        value: how many.
        unexplained: entries of the list that give no reason; None for a bare number, which lists nothing.
    """

    file: RunFile
    pointer: str
    value: int
    unexplained: int | None


class Ledger(Struct, frozen=True):
    """Every episode count of a run.

    Attributes:
        counts: stated and counted numbers.
        skips: statements about skipped episodes.
        incomplete: episodes that the manifest lists as missing or incomplete.
        partial_selection: whether the manifest leaves out whole splits on purpose (``included_splits``).
    """

    counts: tuple[Count, ...]
    skips: tuple[Skips, ...]
    incomplete: int
    partial_selection: bool

    def at(self, stage: Stage, *, splits: bool = False) -> tuple[Count, ...]:
        """The counts of a stage, counted before stated; only those known per split when ``splits`` is set."""
        found = [each for each in self.counts if each.stage == stage and (each.splits or not splits)]
        return tuple(sorted(found, key=lambda each: not each.counted))


@fact(absent="no episode counts")
def ledger(
    manifests: tuple[EpisodeManifest, ...] | None,
    selections: tuple[Selection, ...] | None,
    datasets: tuple[DatasetManifest, ...] | None,
    rows: tuple[DescribedRows, ...] | None,
    summaries: tuple[VerifiedSummary, ...] | None,
    validations: tuple[Validation, ...] | None,
    evaluations: tuple[Evaluation, ...] | None,
) -> Ledger | None:
    """Collect every count of episodes; None when the run states none."""
    counts = [
        each for lists in (selections or (), manifests or ()) for one in lists for each in _of_listing(one, lists)
    ]
    counts += _of_exports(datasets or (), rows or (), _owners(summaries or (), validations or ()))
    counts += _of_evaluations(evaluations or (), summaries or ())
    skips = tuple(_skips(datasets or (), _owners(summaries or (), validations or ())))
    if not counts and not skips:
        return None
    notes = [part for each in manifests or () if (part := inner(each.record, "summary")) is not None]
    return Ledger(
        counts=tuple(counts),
        skips=skips,
        incomplete=sum(len(_list(each.record, "missing_or_incomplete")) for each in manifests or ()),
        partial_selection=any(_partial(part) for part in notes),
    )


def _of_exports(
    datasets: Sequence[DatasetManifest], rows: Sequence[DescribedRows], owners: Iterable[_Stated]
) -> Iterator[Count]:
    for dataset in datasets:
        yield from _exported(dataset.record, dataset.file, _subject(dataset.file, datasets))
    for each in rows:
        splits = {split: len(found) for split, found in each.rows.episodes.items() if split}
        if each.rows.episodes:
            subject = _subject(each.manifest.file, datasets)
            yield Count("exported", each.rows.num_episodes, each.rows.file, None, splits, subject)
    for owner in owners:
        part = inner(owner.record, "dataset")
        if part is not None:
            yield from _exported(part, owner.file, "")


def _of_evaluations(evaluations: Sequence[Evaluation], summaries: Iterable[VerifiedSummary]) -> Iterator[Count]:
    for evaluation in evaluations:
        yield from _evaluated(evaluation)
    for summary in summaries:
        part = inner(summary.record, "eval")
        if part is not None and len(evaluations) == 1:
            subject = _evaluation_name(evaluations[0])
            yield from _stated(part, summary.file, "evaluated", "held_out_episode_count", "", subject)


def _subject(file: RunFile, siblings: Sequence[object]) -> str:
    """Return what keeps several manifests of one run apart; empty for a single one."""
    return file.name if len(siblings) > 1 else ""


class _Stated(Struct, frozen=True):
    file: RunFile
    record: Record


def _owners(summaries: Iterable[VerifiedSummary], validations: Iterable[Validation]) -> list[_Stated]:
    own = [_Stated(each.file, each.record) for each in summaries]
    checked = [(each.file, inner(each.record, "summary")) for each in validations]
    return own + [_Stated(file, part) for file, part in checked if part is not None]


def _of_listing(listing: EpisodeManifest, siblings: Sequence[EpisodeManifest]) -> Iterator[Count]:
    subject = _subject(listing.file, siblings)
    file, whole = listing.file, listing.record
    splits = dict(sorted(Counter(each.split for each in listing.episodes if each.split).items()))
    stage: Stage = "selected" if listing.selection else "listed"
    if listing.episodes:
        yield Count(stage, len(listing.episodes), file, None, splits, subject)
    summary = inner(whole, "selected_summary" if listing.selection else "summary")
    if summary is None:
        return
    if listing.selection:
        yield from _stated(summary, file, "selected", "episode_count", "split_counts", subject)
        return
    yield from _stated(summary, file, "selected", "selected_episode_count", "selected_split_counts", subject)
    yield from _stated(summary, file, "listed", "included_episode_count", "included_split_counts", subject)


def _exported(part: Record, file: RunFile, tag: str) -> Iterator[Count]:
    yield from _stated(part, file, "exported", "num_episodes", "episode_split_counts", tag)


def _stated(part: Record, file: RunFile, stage: Stage, total: str, by_split: str, tag: str = "") -> Iterator[Count]:
    splits = part.counts(by_split) if isinstance(part.raw(by_split), dict) else {}
    value = part.count(total)
    if value is not None:
        matching = splits if sum(splits.values()) == value else {}
        yield Count(stage, value, file, part.pointer(total), matching, tag)
    if splits and sum(splits.values()) != value:
        yield Count(stage, sum(splits.values()), file, part.pointer(by_split), splits, tag)


def _evaluated(evaluation: Evaluation) -> Iterator[Count]:
    record, file = evaluation.metrics.record, evaluation.metrics.file
    subject = _evaluation_name(evaluation)
    stated = record.count("held_out_episode_count")
    if stated is not None:
        yield Count("evaluated", stated, file, record.pointer("held_out_episode_count"), {}, subject)
    if evaluation.predictions is not None and (episodes := held_out_episodes(evaluation)):
        yield Count("evaluated", len(episodes), evaluation.predictions.file, None, {}, subject)


def _evaluation_name(evaluation: Evaluation) -> str:
    file = evaluation.metrics.file
    return f"{file.folder}/{file.tag}"


def held_out_episodes(evaluation: Evaluation) -> frozenset[str]:
    """Return the episodes of the evaluated rows: those of ``eval_split`` when rows and metrics name splits."""
    rows = evaluation.predictions
    if rows is None:
        return frozenset()
    wanted = evaluation.metrics.record.raw("eval_split")
    by_split = isinstance(wanted, str) and wanted in rows.splits
    pairs = zip(rows.episodes, rows.splits, strict=True)
    return frozenset(episode for episode, split in pairs if episode is not None and (not by_split or split == wanted))


def _skips(datasets: Iterable[DatasetManifest], owners: Iterable[_Stated]) -> Iterator[Skips]:
    for dataset in datasets:
        yield from _skip(dataset.record, dataset.file)
    for owner in owners:
        part = inner(owner.record, "dataset")
        if part is not None:
            yield from _skip(part, owner.file)


def _skip(part: Record, file: RunFile) -> Iterator[Skips]:
    found = part.raw("skipped_episodes")
    if isinstance(found, list):
        silent = sum(1 for item in found if not (isinstance(item, dict) and item.get("reason")))
        yield Skips(file, part.pointer("skipped_episodes"), len(found), silent)
    elif isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        yield Skips(file, part.pointer("skipped_episodes"), found, None)


def inner(record: Record, name: str) -> Record | None:
    """Return the object under a name; None when there is none, whatever else stands there."""
    return record.object(name) if isinstance(record.raw(name), dict) else None


def _list(record: Record, name: str) -> list[object]:
    found = record.raw(name)
    return found if isinstance(found, list) else []


def _partial(summary: Record) -> bool:
    included = summary.raw("included_splits")
    chosen = summary.raw("selected_split_counts")
    return (
        isinstance(included, list) and isinstance(chosen, dict) and not set(chosen) <= {str(item) for item in included}
    )
