"""SPL: who lies on which side of a split: episodes, sessions, tasks, and the splits themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.checks.phrases import count_of
from omnicheck.facts.episodes import Episode, EpisodeManifest, session_of
from omnicheck.facts.split_facts import GroupKeys, SplitCounts, SplitEpisodes
from omnicheck.facts.split_names import REQUIRED, TRAIN, comparable, split_name
from omnicheck.model.finding import Finding

EACH = 10
"""Up to this many episodes are told one by one; more have one cause and are told together."""


@check("splits.episode")
def episode(judged: SplitEpisodes) -> Iterator[Finding]:
    """Yield episodes that lie in two splits, in manifests, selections and rows."""
    for manifest in judged.manifests:
        by_key = _by_key(each for each in manifest.episodes if comparable(each.key))
        found = {key: group for key, group in by_key.items() if len(_splits(group)) > 1}
        for key, group in list(found.items())[:EACH]:
            yield Finding(
                path=manifest.file.path,
                pointer=group[-1].record.at,
                message=f"episode {key} lies in {_listed(_splits(group))}",
                expected="one split",
                actual=_splits(group),
                key=key,
            )
        if len(found) > EACH:
            yield _many(manifest.file.path, list(found), len(by_key))
    rows = judged.rows
    if rows is None:
        return
    told = list(rows.crossing.items())
    if len(told) > EACH:
        paths = sorted({file.path for files in rows.files.values() for file in files})
        yield _many(paths[0], list(rows.crossing), rows.qualified, beside=paths[1:])
        return
    for key, counts in told:
        where = rows.files[key]
        beside = f" (in {', '.join(file.path for file in where)})" if len(where) > 1 else ""
        yield Finding(
            path=where[0].path,
            message=f"episode {key} has rows in "
            + " and ".join(f"{name} ({count:,})" for name, count in counts.items())
            + beside,
            expected="one split",
            actual=counts,
            key=key,
        )


def _many(path: str, keys: list[str], total: int, beside: Iterable[str] = ()) -> Finding:
    others = "".join(f", {name}" for name in beside)
    return Finding(
        path=path,
        message=f"{len(keys):,} of {total:,} episodes lie in two splits or more, such as {', '.join(keys[:3])}"
        + (f" (with{others[1:]})" if others else ""),
        expected=0,
        actual=len(keys),
        key="many",
    )


class Groups(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of ``splits.session``.

    Attributes:
        groups: further keys of episodes that must not lie in two splits (``operator``, ``scene``, …).
    """

    groups: tuple[str, ...] = ()


@check("splits.session")
def session(judged: SplitEpisodes, params: Groups) -> Iterator[Finding]:
    """Yield sessions and other groups whose different episodes lie in different splits."""
    for manifest in judged.manifests:
        for name in ("session", *params.groups):
            groups: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
            for each in manifest.episodes:
                group = each.session if name == "session" else each.record.text(name)
                split = split_name(each.split)
                if group is not None and split is not None:
                    groups[group].setdefault(split, set()).add(each.key)
            yield from _groups(manifest.file.path, name, groups)
    if judged.rows is None:
        return
    by_session: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
    for index in judged.rows.indexes:
        for row in index.groups:
            group = row.session or (session_of(row.key) if row.key is not None else None)
            if group is not None and row.split is not None:
                by_session[group].setdefault(row.split, set()).add(row.key or "")
    yield from _groups(judged.rows.indexes[0].file.path, "session", by_session)


def _groups(path: str, name: str, groups: Mapping[str, Mapping[str, set[str]]]) -> Iterator[Finding]:
    found = {group: splits for group, splits in groups.items() if len(splits) > 1 and not _one_episode(splits)}
    for group, splits in list(found.items())[:EACH]:
        sizes = {split: len(episodes) for split, episodes in splits.items()}
        yield Finding(
            path=path,
            message=f"{name} {group} has episodes in "
            + " and ".join(f"{split} ({count:,})" for split, count in sizes.items()),
            expected="one split",
            actual=sizes,
            key=f"{name} {group}",
        )
    if len(found) > EACH:
        yield Finding(
            path=path,
            message=f"{len(found):,} of {len(groups):,} values of {name} lie in two splits or more, "
            f"such as {', '.join(list(found)[:3])}",
            expected=0,
            actual=len(found),
            key=f"{name} many",
        )


def _one_episode(splits: Mapping[str, set[str]]) -> bool:
    """Whether it is one episode that lies in all of the splits, which is SPL101's to tell."""
    return len(set().union(*splits.values())) == 1


@check("splits.vacuous")
def vacuous(judged: GroupKeys) -> Iterator[Finding]:
    """Yield manifests and rows that no session can be read from."""
    for manifest in judged.manifests:
        total = len(manifest.episodes)
        without = sum(not each.record.text("session") for each in manifest.episodes)
        if without:
            guessed = sum(each.session is not None for each in manifest.episodes)
            from_ids = (
                f"; {guessed:,} ids have the form <session>__<episode>, from which it is guessed" if guessed else ""
            )
            yield Finding(
                path=manifest.file.path,
                pointer=manifest.record.pointer("episodes"),
                message=f"{without:,} of {total:,} episodes state no session (top_level_session), so a check for "
                f"sessions in two splits passes without looking at anything{from_ids}",
                expected="top_level_session in every episode",
                actual=without,
            )
    for index in judged.rows.indexes if judged.rows is not None else ():
        episodes = {group.key for group in index.groups if group.key is not None}
        if episodes and all(group.session is None for group in index.groups):
            bare = sum(not comparable(key) for key in episodes)
            if bare:
                yield Finding(
                    path=index.file.path,
                    message=f"no row states a session, and {bare:,} of {len(episodes):,} episode ids (such as "
                    f"{min(key for key in episodes if not comparable(key))}) mean nothing without one: leakage "
                    "between splits cannot be judged",
                    expected="session_id in every row, or ids of the form <session>__<episode>",
                    actual=bare,
                )


@check("splits.task")
def task(manifests: tuple[EpisodeManifest, ...]) -> Iterator[Finding]:
    """Yield manifests in which training and held-out episodes have tasks in common."""
    for manifest in manifests:
        by_task: defaultdict[str, set[str]] = defaultdict(set)
        held: defaultdict[str, int] = defaultdict(int)
        for each in manifest.episodes:
            split = split_name(each.split)
            if each.task and split is not None:
                by_task[each.task].add(split)
                held[each.task] += split != TRAIN
        both = sorted(text for text, splits in by_task.items() if TRAIN in splits and len(splits) > 1)
        if both:
            yield Finding(
                path=manifest.file.path,
                pointer=manifest.record.pointer("episodes"),
                message=f"{len(both):,} of {count_of(len(by_task), 'task')} stand in train and in held-out splits, "
                f"with {count_of(sum(held[text] for text in both), 'held-out episode')}: {_shortened(both)}",
                actual=both[:20],
                key="tasks",
            )


@check("splits.missing")
def missing(judged: SplitCounts) -> Iterator[Finding]:
    """Yield splits that are empty, missing or misspelt."""
    for stated in judged.stated:
        known: defaultdict[str, int] = defaultdict(int)
        strange: dict[str, int] = {}
        for name, count in stated.counts.items():
            meant = split_name(name)
            if meant in REQUIRED:
                known[meant] += count
            else:
                strange[name] = count
        slips = {name: near for name in strange if (near := _slip(name)) is not None}
        for name, near in slips.items():
            yield Finding(
                path=stated.file.path,
                pointer=stated.pointer,
                message=f"split {name!r} ({count_of(strange[name], stated.unit[:-1])}) looks like a misspelt {near!r}",
                expected=near,
                actual=name,
                key=f"misspelt {name}",
            )
        absent = [name for name in REQUIRED if not known.get(name) and name not in slips.values()]
        if absent:
            shown = ", ".join(f"{name or 'none'} {count:,}" for name, count in stated.counts.items())
            yield Finding(
                path=stated.file.path,
                pointer=stated.pointer,
                message=f"no {stated.unit} of {_listed(absent)}; there are: {shown or 'none at all'}",
                expected=list(REQUIRED),
                actual=dict(stated.counts),
                key="missing",
            )


def _slip(name: str) -> str | None:
    """Return the split whose name differs by an edit or two from an unknown name."""
    lowered = name.strip().lower()
    for near in REQUIRED:
        if sorted(lowered) == sorted(near) or _one_edit(lowered, near):
            return near
    return None


def _one_edit(here: str, there: str) -> bool:
    if here == there:
        return True
    short, long = sorted((here, there), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at:] == long[at + 1 :] or short[at + 1 :] == long[at + 1 :]


def _by_key(episodes: Iterable[Episode]) -> dict[str, list[Episode]]:
    found: defaultdict[str, list[Episode]] = defaultdict(list)
    for each in episodes:
        found[each.key].append(each)
    return dict(found)


def _splits(group: Iterable[Episode]) -> list[str]:
    return sorted({split for each in group if (split := split_name(each.split)) is not None})


def _listed(names: Iterable[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def _shortened(texts: list[str]) -> str:
    shown = ", ".join(repr(text[:60]) for text in texts[:3])
    return f"{shown} and {len(texts) - 3:,} more" if len(texts) > 3 else shown
