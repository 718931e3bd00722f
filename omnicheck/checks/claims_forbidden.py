"""CLM111: what a contract says nobody may claim."""

from __future__ import annotations

from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.facts.claims import quoted
from omnicheck.facts.forbidden_claims import ForbiddenClaims
from omnicheck.model.finding import Finding


@check("claims_forbidden.forbidden_claim")
def forbidden_claim(claims: tuple[ForbiddenClaims, ...]) -> Iterator[Finding]:
    """Yield one finding for each forbidden phrase of each document, at its first use."""
    for each in claims:
        told: set[str] = set()
        for line, phrase, sentence in each.said:
            if phrase not in told:
                told.add(phrase)
                yield Finding(
                    path=each.file.path,
                    line=line,
                    message=f"'{quoted(sentence)}': contract {each.contract} forbids to claim '{phrase}'",
                    actual=phrase,
                    key=phrase,
                )
