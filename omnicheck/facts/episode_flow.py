"""Views of the count ledger that rules compare: repeated statements, the way to the export, counts per split."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.contract import Contract
from omnicheck.facts.ledger import Count, Ledger, Skips
from omnicheck.facts.registry import fact


class RepeatedCount(Struct, frozen=True):
    """Statements about one stage of one subject; the first one is to be believed most.

    Attributes:
        stage: name of the stage.
        counts: at least two.
    """

    stage: str
    counts: tuple[Count | Skips, ...]


class EpisodeFlow(Struct, frozen=True):
    """How many episodes went into the export and how many came out.

    Attributes:
        went_in: number before the export, as the run states it; None when only the contract declares one.
        origin: where that number comes from, in words.
        exported: number after it.
        by_split: exported episodes per split, when known.
        skips: statements about skipped episodes.
    """

    went_in: int | None
    origin: str
    exported: Count
    by_split: dict[str, int]
    skips: tuple[Skips, ...]


class SplitLedger(Struct, frozen=True):
    """Episodes per split at the stages that a contract speaks of.

    Attributes:
        declared: what the contract declares.
        selected: what was selected; None when unknown, or when splits were left out on purpose.
        exported: what was exported, or None.
    """

    declared: dict[str, int]
    selected: Count | None
    exported: Count | None


@fact(absent="no episode count is stated twice")
def repeated_counts(ledger: Ledger) -> tuple[RepeatedCount, ...]:
    """Group the statements by stage and subject."""
    found: list[RepeatedCount] = []
    for stage in ("selected", "listed", "exported", "evaluated"):
        counts = sorted((each for each in ledger.counts if each.stage == stage), key=lambda each: not each.counted)
        for subject in sorted({each.subject for each in counts}):
            same = tuple(each for each in counts if each.subject == subject)
            if len(same) > 1:
                found.append(RepeatedCount(stage, same))
    if len(ledger.skips) > 1:
        # A list proves more than a number, and a number more than a forgotten one.
        skips = sorted(ledger.skips, key=lambda each: (each.unexplained is None, -each.value))
        found.append(RepeatedCount("skipped", tuple(skips)))
    return tuple(found)


@fact(absent="no count of episodes before and after the export")
def episode_flow(ledger: Ledger, contract: Contract | None) -> EpisodeFlow | None:
    """Set the episodes that went into the export beside those that came out."""
    selected, listed, exported = (ledger.at(stage) for stage in ("selected", "listed", "exported"))
    if not exported:
        return None
    went_in, origin = None, ""
    if selected and not (ledger.partial_selection and listed):
        went_in, origin = selected[0].value - ledger.incomplete, f"selected (by {selected[0].file.base})"
    elif listed and (selected or contract is None or listed[0].value > exported[0].value):
        # A manifest that lists as many as came out may have been written after the export.
        went_in, origin = listed[0].value, f"listed in {listed[0].file.base}"
    if went_in is None and (contract is None or not contract.split_counts):
        return None
    by_split = next((each.splits for each in ledger.at("exported", splits=True)), {})
    return EpisodeFlow(went_in, origin, exported[0], by_split, ledger.skips)


@fact(absent="no episode counts per split and contract that declares them")
def split_ledger(ledger: Ledger, contract: Contract) -> SplitLedger | None:
    """Find the episodes per split that the contract's can be compared with."""
    selected = next(iter(ledger.at("selected", splits=True)), None)
    exported = next(iter(ledger.at("exported", splits=True)), None)
    if not contract.split_counts or (selected is None and exported is None):
        return None
    return SplitLedger(contract.split_counts, None if ledger.partial_selection else selected, exported)
