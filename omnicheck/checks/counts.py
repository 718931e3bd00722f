"""CNT: the count ledger of a run adds up."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.contract import Contract
from omnicheck.facts.episode_flow import EpisodeFlow, RepeatedCount, SplitLedger
from omnicheck.facts.episodes import Episode
from omnicheck.facts.held_out import HeldOutClaim
from omnicheck.facts.ledger import Count, Skips
from omnicheck.facts.listings import Listings
from omnicheck.model.finding import Finding

SPLITS = ("train", "val", "test")


class LostSkips(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of CNT102.

    Attributes:
        least_share: a run that exports a smaller share of the contract's episodes than this is a smaller selection,
            not a lossy export.
    """

    least_share: float = 0.5


class SplitCounts(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of CNT106.

    Attributes:
        expected: episodes per split that every run must have exported, in place of the contract's; empty leaves it to
            the contract.
        least_share: share of the contract's episodes below which an export is no longer a lossy copy of it.
    """

    expected: dict[str, int] = {}
    least_share: float = 0.5


@check("counts.episode_counts")
def episode_counts(repeated: tuple[RepeatedCount, ...]) -> Iterator[Finding]:
    """Yield a finding for each statement that contradicts another one, or the rows, about the same stage."""
    for group in repeated:
        first, *others = group.counts
        for other in others:
            if other.value == first.value:
                continue
            where = "the same file" if first.file == other.file else first.file.base
            yield Finding(
                path=other.file.path,
                pointer=other.pointer,
                message=(
                    f"{_verb(other)} {_episodes(other.value)} {group.stage}; {where} {_verb(first)} {first.value:,}"
                ),
                expected=first.value,
                actual=other.value,
                key=f"{group.stage}:{other.pointer}",
            )


def _verb(count: Count | Skips) -> str:
    return "has" if isinstance(count, Count) and count.counted else "says"


@check("counts.lost_skips")
def lost_skips(flow: EpisodeFlow, contract: Contract | None, params: LostSkips) -> Iterator[Finding]:
    """Yield a finding when episodes vanish on the way to the export and no skip with a reason accounts for them."""
    went_in, origin = flow.went_in, flow.origin
    if went_in is None and contract is not None and _same_chain(contract, flow, params.least_share):
        went_in, origin = sum(contract.split_counts.values()), f"declared by the contract {contract.id}"
    if went_in is None:
        return
    # A bare number names no reason; it stands only where no list does.
    listed = [skip.value - skip.unexplained for skip in flow.skips if skip.unexplained is not None]
    most = max(listed or [skip.value for skip in flow.skips], default=0)
    lost = went_in - flow.exported.value - most
    if lost <= 0:
        return
    places = sorted(flow.skips, key=lambda skip: (skip.unexplained is None, skip.value, skip.file.name))
    place = places[0] if places else flow.exported
    also = sorted({skip.file.name for skip in places if skip.value == place.value} - {place.file.name})
    said = f"skipped_episodes accounts for {most:,}" if places else "no skipped episodes are recorded"
    yield Finding(
        path=place.file.path,
        pointer=place.pointer,
        message=(
            f"{_episodes(lost)} lost without a reason: {went_in:,} {origin}, {flow.exported.value:,} exported, "
            f"and {said}" + (f" (as in {', '.join(also)})" if also else "")
        ),
        expected=went_in - flow.exported.value,
        actual=most,
        key="lost",
    )


def _same_chain(contract: Contract, flow: EpisodeFlow, least_share: float) -> bool:
    """Whether an export can have begun as the contract's selection: no split larger, and most of it there."""
    total = sum(contract.split_counts.values())
    if not least_share * total <= flow.exported.value <= total:
        return False
    return all(value <= contract.split_counts.get(split, 0) for split, value in flow.by_split.items())


@check("counts.underivable")
def underivable(claims: tuple[HeldOutClaim, ...]) -> Iterator[Finding]:
    """Yield a finding for each held-out count that does not follow from the rows of the run."""
    for claim in claims:
        if claim.value == 0 or (claim.rows and claim.named == claim.rows):
            continue
        if claim.source is None:
            why = "the run has no predictions, loss records or examples to count them from"
        elif claim.named == 0:
            why = f"none of the {claim.rows:,} rows of {claim.source.base} names its episode"
        else:
            why = f"{claim.rows - claim.named:,} of the {claim.rows:,} rows of {claim.source.base} name no episode"
        yield Finding(
            path=claim.file.path,
            pointer=claim.pointer,
            message=f"states {claim.value:,} held-out episodes, but {why}",
            actual=claim.value,
        )


@check("counts.split_counts")
def split_counts(ledger: SplitLedger, contract: Contract, params: SplitCounts) -> Iterator[Finding]:
    """Yield a finding when the episodes per split are not what the contract or the configuration declares."""
    if params.expected and ledger.exported is not None:
        yield from _differing(ledger.exported, params.expected, "the configuration")
    elif ledger.selected is not None:
        yield from _differing(ledger.selected, ledger.declared, f"the contract {contract.id}")
    elif ledger.exported is not None:
        # An export may lose episodes on the way, and CNT102 asks for the reasons; more than declared, or far fewer,
        # is another split.
        exported, total = ledger.exported, sum(ledger.declared.values())
        larger = any(value > ledger.declared.get(split, 0) for split, value in exported.splits.items())
        if larger or exported.value < params.least_share * total:
            yield from _differing(exported, ledger.declared, f"the contract {contract.id}")


def _differing(count: Count, declared: dict[str, int], owner: str) -> Iterator[Finding]:
    names = [*(split for split in SPLITS if split in declared or split in count.splits)]
    names += sorted((set(declared) | set(count.splits)) - set(SPLITS))
    found = {split: count.splits.get(split, 0) for split in names}
    wanted = {split: declared.get(split, 0) for split in names}
    if found != wanted:
        yield Finding(
            path=count.file.path,
            pointer=count.pointer,
            message=f"{count.stage} episodes are {_shown(found)}; {owner} declares {_shown(wanted)}",
            expected=wanted,
            actual=found,
            key=f"splits:{count.stage}",
        )


def _shown(counts: dict[str, int]) -> str:
    return ", ".join(f"{value:,} {split}" for split, value in counts.items())


@check("counts.incomplete_selected")
def incomplete_selected(listings: Listings) -> Iterator[Finding]:
    """Yield one finding for each manifest that lists episodes whose media or annotation were missing."""
    for manifest in listings.lists:
        summary = manifest.record.raw("summary")
        every_video = not (isinstance(summary, dict) and summary.get("require_all_videos") is False)
        found = [(each, lacks) for each in manifest.episodes if (lacks := _lacks(each, every_video=every_video))]
        if not found:
            continue
        shown = "; ".join(f"{episode.id}: {', '.join(lacks[:3])}" for episode, lacks in found[:3])
        yield Finding(
            path=manifest.file.path,
            pointer=found[0][0].record.at,
            message=(
                f"{len(found):,} of {_episodes(len(manifest.episodes))} were incomplete when selected ({shown}"
                + ("; …)" if len(found) > 3 else ")")
            ),
            actual=[episode.key for episode, _ in found[:10]],
            key="incomplete",
        )


def _lacks(episode: Episode, *, every_video: bool) -> list[str]:
    """Return what an episode lacked, as its record says."""
    value = episode.record.value
    lacks = []
    if value.get("has_annotation") is False:
        lacks.append("no annotation")
    if value.get("has_any_video") is False:
        lacks.append("no video")
    elif every_video and (value.get("has_all_videos") is False or value.get("has_all_six_videos") is False):
        lacks.append("videos missing")
    if value.get("frame_count") == 0 and not isinstance(value.get("frame_count"), bool):
        lacks.append("no frames")
    missing = value.get("missing_required_files")
    if isinstance(missing, list):
        lacks.extend(f"{name} missing" for name in missing if isinstance(name, str))
    return lacks


def _episodes(count: int) -> str:
    return f"{count:,} episode" if count == 1 else f"{count:,} episodes"
