"""CLM104: improvements that the numbers do not carry."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.claimed_changes import ClaimedChange
from omnicheck.facts.claims import quoted
from omnicheck.model.finding import Finding


class MetricDirection(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of CLM104.

    Attributes:
        least_predictions: a gain worth fewer predictions is noise.
    """

    least_predictions: int = 6


@check("claims_changes.metric_direction")
def metric_direction(changes: tuple[ClaimedChange, ...], params: MetricDirection) -> Iterator[Finding]:
    """Yield each claimed improvement that is none, or that a handful of predictions makes."""
    for each in changes:
        row = each.compared
        gain = f"'{row.name}' goes from {row.old:g} ({row.old_name}) to {row.new:g} ({row.new_name}) in line {row.line}"
        if row.change <= 0:
            why = f"{gain}: {'it falls' if row.change < 0 else 'no change'}"
        elif each.rows is not None and row.change * each.rows < params.least_predictions:
            why = (
                f"{gain}: {row.change:+g} is worth {row.change * each.rows:.1f} of {each.rows:,} predictions, "
                f"and fewer than {params.least_predictions} are no evidence of a difference"
            )
        else:
            continue
        yield Finding(
            path=each.file.path,
            line=each.sentence.line,
            message=f"'{quoted(each.sentence.text)}', but {why}",
            actual=row.change,
            key=row.name,
        )
