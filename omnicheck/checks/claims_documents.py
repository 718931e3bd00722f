"""CLM103: documents of one run that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.facts.claims import quoted
from omnicheck.facts.stated_readiness import StatedReadiness
from omnicheck.model.finding import Finding


@check("claims_documents.stale_claim")
def stale_claim(statements: tuple[StatedReadiness, ...]) -> Iterator[Finding]:
    """Yield both sides of each contradiction, since the documents do not tell which of them is stale."""
    told: set[str] = set()
    for each in statements:
        against = [done for done in each.done if not each.ready and done.size >= each.size]
        if not against:
            continue
        first = against[0]
        yield Finding(
            path=each.file.path,
            line=each.line,
            message=f"'{quoted(each.text)}', but {first.file.path}:{first.line} says '{quoted(first.text)}'",
            actual=each.text,
            key="readiness",
        )
        for done in against:
            if done.file.path not in told:
                told.add(done.file.path)
                yield Finding(
                    path=done.file.path,
                    line=done.line,
                    message=f"'{quoted(done.text)}', but {each.file.path}:{each.line} says '{quoted(each.text)}'",
                    actual=done.text,
                    key="done",
                )
