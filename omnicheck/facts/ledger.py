"""The count ledger: episodes selected, listed, exported, skipped and evaluated, each number with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from omnicheck.facts.documents import DatasetManifest, Validation, VerifiedSummary
from omnicheck.facts.episodes import EpisodeManifest, Selection
from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.facts.row_counts import RowCounts
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


class DescribedRows(Struct, frozen=True):
    """A dataset manifest with the rows beside it that it describes."""

    manifest: DatasetManifest
    rows: RowCounts


@fact(absent="no dataset rows beside their manifest")
def described_rows(manifests: tuple[DatasetManifest, ...], rows: tuple[RowCounts, ...]) -> tuple[DescribedRows, ...]:
    """Pair each manifest with its rows; rows that belong to another export are left to rule RUN105."""
    found = []
    for manifest in manifests:
        near = [each for each in rows if each.file.role == "dataset_rows" and _beside(each.file, manifest.file)]
        named = (manifest.record.text("dataset_path") or "").rsplit("/", 1)[-1]
        own = [each for each in near if each.file.base == named] or (near if len(near) == 1 else [])
        if own and not foreign(manifest, own[0]):
            found.append(DescribedRows(manifest, own[0]))
    return tuple(found)


def foreign(manifest: DatasetManifest, rows: RowCounts) -> bool:
    """Whether rows beside a manifest are of another export.

    They are when the manifest names none of the exports that their paths lead into, and their number differs too:
    an export may reuse the media of an older one.
    """
    stated = manifest.record.count("num_samples")
    if not rows.exports or stated is None or stated == rows.rows:
        return False
    text = " ".join(_strings(manifest.record.value))
    return not any(name in text for name in rows.exports)


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
    counts: list[Count] = []
    for listings in (selections or (), manifests or ()):
        for listing in listings:
            counts.extend(_of_listing(listing, _subject(listing.file, listings)))
    for dataset in datasets or ():
        counts.extend(_exported(dataset.record, dataset.file, _subject(dataset.file, datasets or ())))
    for each in rows or ():
        splits = {split: len(found) for split, found in each.rows.episodes.items() if split}
        if each.rows.episodes:
            counts.append(
                Count(
                    "exported",
                    each.rows.num_episodes,
                    each.rows.file,
                    None,
                    splits,
                    _subject(each.manifest.file, datasets or ()),
                )
            )
    for owner in _owners(summaries or (), validations or ()):
        part = inner(owner.record, "dataset")
        if part is not None:
            counts.extend(_exported(part, owner.file, ""))
    for evaluation in evaluations or ():
        counts.extend(_evaluated(evaluation))
    skips = tuple(_skips(datasets or (), _owners(summaries or (), validations or ())))
    if not counts and not skips:
        return None
    summary = [part for each in manifests or () if (part := inner(each.record, "summary")) is not None]
    return Ledger(
        counts=tuple(counts),
        skips=skips,
        incomplete=sum(len(_list(each.record, "missing_or_incomplete")) for each in manifests or ()),
        partial_selection=any(_partial(part) for part in summary),
    )


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


def _of_listing(listing: EpisodeManifest, subject: str) -> Iterator[Count]:
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
    subject = f"{file.folder}/{file.tag}"
    stated = record.count("held_out_episode_count")
    if stated is not None:
        yield Count("evaluated", stated, file, record.pointer("held_out_episode_count"), {}, subject)
    if evaluation.predictions is not None and (episodes := held_out_episodes(evaluation)):
        yield Count("evaluated", len(episodes), evaluation.predictions.file, None, {}, subject)


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


def _beside(file: RunFile, other: RunFile) -> bool:
    return file.location.rpartition("/")[0] == other.location.rpartition("/")[0]


def _strings(value: object) -> Iterator[str]:
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            stack.extend(found.values())
        elif isinstance(found, list):
            stack.extend(found)
