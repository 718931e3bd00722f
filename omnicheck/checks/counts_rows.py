"""CNT105 and CNT103: stated numbers of rows against the rows, and rows that nothing used."""

from __future__ import annotations

from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.facts.row_statements import RowStatement, SplitUse
from omnicheck.model.finding import Finding


@check("counts_rows.row_counts")
def row_counts(statements: tuple[RowStatement, ...]) -> Iterator[Finding]:
    """Yield a finding for each stated number of rows that is not the number of rows."""
    for each in statements:
        if each.stated == each.found:
            continue
        if each.counted:
            truth = f"{each.source.base} has {each.found:,}"
        elif each.source == each.file:
            truth = f"its split_counts add up to {each.found:,}"
        else:
            truth = f"{each.source.base} states {each.found:,}"
        yield Finding(
            path=each.file.path,
            pointer=each.pointer,
            message=f"states {each.stated:,} {each.what}, but {truth}",
            expected=each.found,
            actual=each.stated,
        )


@check("counts_rows.unused_rows")
def unused_rows(uses: tuple[SplitUse, ...]) -> Iterator[Finding]:
    """Yield a finding for each split of which rows stayed unused without a stated reason."""
    for use in uses:
        if use.used >= use.available or use.reason is not None:
            continue
        idle = use.available - use.used
        yield Finding(
            path=use.file.path,
            pointer=use.pointer,
            message=(
                f"{idle:,} of the {use.available:,} {use.split} rows were not used: {use.used:,} are stated here, "
                f"and nothing says why ({use.manifest.base} has the split)"
            ),
            expected=use.available,
            actual=use.used,
        )
