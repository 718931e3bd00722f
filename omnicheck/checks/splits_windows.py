"""SPL: windows that share frames, lie too near, repeat an id, or are paired with the wrong future."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.phrases import count_of
from omnicheck.facts.future_pairs import FuturePair
from omnicheck.facts.pair_plan import PairPlan
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.sample_ids import SampleIds
from omnicheck.facts.windows import EvaluatedWindows, NumberedWindows, WindowEvidence
from omnicheck.measures.numbered import proven_overlaps
from omnicheck.measures.sweeps import Pair, cross_overlaps, same_split_overlaps
from omnicheck.model.finding import Finding
from omnicheck.model.run import RunFile

EXAMPLES = 3


@check("splits_windows.overlap")
def overlap(windows: WindowEvidence) -> Iterator[Finding]:
    """Yield the held-out windows that share frames with a window of another split of the same episode."""
    yield from _told(windows, 0, "overlap")
    for numbered in windows.numbered:
        yield from _numbered(numbered)


class Embargo(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``splits_windows.embargo``.

    Attributes:
        embargo_frames: frames that must lie between windows of different splits; a contract or a manifest
            (``embargo_frames`` of the split or clip policy) may ask for more.
    """

    embargo_frames: int = 1


@check("splits_windows.embargo")
def embargo(windows: WindowEvidence, params: Embargo) -> Iterator[Finding]:
    """Yield the held-out windows that share no frame with another split but touch it or lie closer than the embargo."""
    yield from _told(windows, max(params.embargo_frames, windows.embargo or 0), "near")


def _told(windows: WindowEvidence, gap: int, kind: str) -> Iterator[Finding]:
    """Tell pairs of one kind (sharing frames, or only near), together for each file and pair of splits."""
    if windows.splits is None:
        return
    counts: Counter[tuple[RunFile, int, int]] = Counter()
    episodes: defaultdict[tuple[RunFile, int, int], set[str]] = defaultdict(set)
    examples: defaultdict[tuple[RunFile, int, int], list[str]] = defaultdict(list)
    lines: dict[tuple[RunFile, int, int], int] = {}
    for key, rows in windows.episodes():
        at = {row[3]: row for row in rows}
        for pair in cross_overlaps(rows, embargo=gap):
            if (pair.kind == "overlap") != (kind == "overlap"):
                continue
            file, line = windows.place(pair.row)
            place = (file, pair.split, pair.other_split)
            counts[place] += 1
            episodes[place].add(key)
            lines.setdefault(place, line)
            if len(examples[place]) < EXAMPLES:
                here, there = at[pair.row], at[pair.other_row]
                examples[place].append(_example(windows, key, line, here, there, pair))
    names = windows.splits.names
    for place, count in sorted(counts.items(), key=lambda item: (item[0][0].path, item[0][1:])):
        file, split, other = place
        how = "share frames with" if kind == "overlap" else f"have fewer than {count_of(gap, 'frame')} between them and"
        where = f"{count_of(count, 'window')} in {count_of(len(episodes[place]), 'episode')}"
        yield Finding(
            path=file.path,
            line=lines[place],
            message=f"{names[split]} windows {how} {names[other]} windows: {where}, such as "
            + "; ".join(examples[place]),
            expected=0 if kind == "overlap" else {"embargo_frames": gap},
            actual=count,
            key=f"{names[split]} {names[other]}",
        )


def _example(
    windows: WindowEvidence, key: str, line: int, here: Sequence[int], there: Sequence[int], pair: Pair
) -> str:
    other, other_line = windows.place(pair.other_row)
    how = f"{count_of(pair.shared, 'frame')} shared" if pair.shared else f"{count_of(pair.gap, 'frame')} between"
    return (
        f"{key} line {line:,} (frames {here[0]}-{here[1]}) and line {other_line:,} of {other.base} "
        f"({there[0]}-{there[1]}): {how}"
    )


def _numbered(numbered: NumberedWindows) -> Iterator[Finding]:
    found = proven_overlaps(numbered.starts, count=numbered.count, stride=numbered.stride, frames=numbered.frames)
    if not found:
        return
    first = found[0]
    start = numbered.starts[first.index]
    yield Finding(
        path=numbered.file.path,
        row=numbered.lines[first.index],
        message=f"{len(found):,} of {len(numbered.starts):,} evaluated windows share frames with training windows of "
        f"the same recording: {numbered.metadata.base} numbers {numbered.count:,} windows of {numbered.frames} frames "
        f"at stride {numbered.stride}, the {numbered.train:,} not evaluated are for training; window {first.index} "
        f"(frames {start}-{start + numbered.frames - 1}) shares {first.shared} or more with window {first.other}",
        expected=0,
        actual=len(found),
        key="numbered",
        help="Split by episode or session; within one recording, split by time in contiguous blocks and leave a gap "
        "of at least one window between them.",
    )


@check("splits_windows.dependent")
def dependent(windows: tuple[EvaluatedWindows, ...]) -> Iterator[Finding]:
    """Yield predictions whose windows overlap one another, with the sample that they amount to."""
    for each in windows:
        overlapping = independent = 0
        for spans in each.episodes.values():
            found = same_split_overlaps([(start, end, 0, row) for row, (start, end) in enumerate(spans)])
            overlapping += found.overlapping
            independent += found.independent
        if not overlapping:
            continue
        total = sum(len(spans) for spans in each.episodes.values())
        count = len(each.episodes)
        where = count_of(count, "episode") if each.named else "one recording"
        yield Finding(
            path=each.file.path,
            message=f"{overlapping:,} of {total:,} evaluated windows overlap another one: they hold {independent:,} "
            f"windows without a common frame, and come from {where}: the effective sample is nearer to {count:,} "
            f"than to {total:,}",
            expected={"overlapping": 0},
            actual={"overlapping": overlapping, "independent_windows": independent, "episodes": count},
        )


@check("splits_windows.duplicate_id")
def duplicate_id(judged: SampleIds) -> Iterator[Finding]:
    """Yield ids that several rows of one file have."""
    for rows in judged.rows:
        clashes = [
            (each.id, each.lines, each.count, each.conflicting, each.mixed)
            for each in sorted(rows.repeats, key=lambda repeat: repeat.lines)
        ]
        yield from _clashes(rows.file, clashes)
    for predictions in judged.predictions:
        yield from _clashes(predictions.file, _repeated(predictions))


Clash = tuple[str, tuple[int, int], int, bool, bool]


def _clashes(file: RunFile, clashes: Sequence[Clash]) -> Iterator[Finding]:
    for conflicting in (True, False):
        group = [clash for clash in clashes if clash[3] is conflicting]
        if not group:
            continue
        sample, lines, _, _, _ = group[0]
        surplus = sum(clash[2] - 1 for clash in group)
        mixed = sum(clash[4] for clash in group)
        what = "rows that differ" if conflicting else "identical rows"
        also = f"; {mixed:,} of them once as a number and once as text" if mixed else ""
        unit = "row" if file.base.endswith(".csv") else "line"
        yield Finding(
            path=file.path,
            row=lines[1],
            message=f"{len(group):,} id{'s stand' if len(group) > 1 else ' stands'} on several {what} "
            f"({surplus:,} too many), such as {sample!r} on {unit}s {lines[0]:,} and {lines[1]:,}{also}",
            expected=0,
            actual=len(group),
            key=f"{'conflicting' if conflicting else 'identical'} {sample}",
        )


def _repeated(rows: Predictions) -> list[Clash]:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(rows.ids):
        if name is not None:
            places[name].append(row)
    found = []
    for sample, at in places.items():
        if len(at) > 1:
            contents = {_content(rows, each) for each in at}
            found.append((sample, (rows.lines[at[0]], rows.lines[at[1]]), len(at), len(contents) > 1, False))
    return found


def _content(rows: Predictions, row: int) -> str:
    answers = [(name, truth[row], answer[row]) for name, (truth, answer) in rows.fields.items()]
    columns = (rows.episodes, rows.splits, rows.true_labels, rows.predicted_labels, rows.correct, rows.windows)
    return repr([*(column[row] for column in columns), answers])


@check("splits_windows.horizon")
def horizon(plans: tuple[PairPlan, ...]) -> Iterator[Finding]:
    """Yield pairs of windows that are not what a future-window dataset declares."""
    for plan in plans:
        pairs = plan.pairs
        path = plan.file.path
        declared = [(pair, pair.horizon if pair.horizon is not None else plan.horizon) for pair in pairs]
        wrong = [(pair, want) for pair, want in declared if want is not None and _off(pair, want, plan.stride)]
        if wrong:
            yield _apart(plan, wrong)
        backwards = [pair for pair, want in declared if want is None and _distance(pair, default=1) < 1]
        yield from _each(path, backwards, len(pairs), "have a future that is not later than its context", "backwards")
        beyond = {pair for pair in pairs if _leaves_split(pair, plan)}
        crossing = [pair for pair in pairs if pair.episodes is not None and pair.episodes[0] != pair.episodes[1]]
        within = set(pairs).difference(crossing)
        also = sum(pair in beyond for pair in crossing)
        into = f"lead from one episode into another ({also:,} of them into another split)"
        yield from _each(path, crossing, len(pairs), into, "episodes")
        splits = [pair for pair in pairs if pair in beyond and pair in within]
        yield from _each(path, splits, len(pairs), "lead from one split into another", "splits")
        shared = [pair for pair in pairs if _shares(pair, plan)]
        yield from _each(
            path, shared, len(pairs), "have a future window that shares frames with its context", "overlap"
        )


def _distance(pair: FuturePair, default: int) -> int:
    """Return how many windows the future lies after its context; ``default`` where ids do not tell."""
    if pair.ordinals is None or pair.episodes is None or pair.episodes[0] != pair.episodes[1]:
        return default
    return pair.ordinals[1] - pair.ordinals[0]


def _off(pair: FuturePair, want: int, stride: int | None) -> bool:
    # Ids that number frames rather than windows are a stride apart.
    return _distance(pair, default=want) not in (want, want * (stride or 1))


def _leaves_split(pair: FuturePair, plan: PairPlan) -> bool:
    stated = pair.splits is not None and pair.splits[0] != pair.splits[1]
    return stated or pair.future in plan.other_split


def _shares(pair: FuturePair, plan: PairPlan) -> bool:
    if pair.windows is not None and (pair.episodes is None or pair.episodes[0] == pair.episodes[1]):
        (start, end), (later, last) = pair.windows
        return later <= end and start <= last
    apart = _distance(pair, default=0)
    return apart > 0 and apart * (plan.stride or 0) < (plan.frames or 0)


def _apart(plan: PairPlan, wrong: Sequence[tuple[FuturePair, int]]) -> Finding:
    distances = Counter(_distance(pair, default=want) for pair, want in wrong)
    ordered = sorted(distances.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{distance} ({count_of(count, 'pair')})" for distance, count in ordered[:4])
    more = f" or one of {len(ordered) - 4:,} further numbers" if len(ordered) > 4 else ""
    first, want = wrong[0]
    return Finding(
        path=plan.file.path,
        line=first.line,
        message=f"{len(wrong):,} of {len(plan.pairs):,} pairs are not the declared {want} windows apart: the numbers "
        f"in their record ids differ by {shown}{more}, such as {first.context} and "
        f"{first.future}",
        expected=want,
        actual={str(distance): count for distance, count in sorted(distances.items())[:50]},
        key="horizon",
    )


def _each(path: str, pairs: Sequence[FuturePair], total: int, what: str, key: str) -> Iterator[Finding]:
    if pairs:
        first = pairs[0]
        yield Finding(
            path=path,
            line=first.line,
            message=f"{len(pairs):,} of {total:,} pairs {what}, such as {first.context} and {first.future}",
            expected=0,
            actual=len(pairs),
            key=key,
        )
