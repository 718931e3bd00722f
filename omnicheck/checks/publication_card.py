"""PUB: the card and the licence that a published run needs."""

from __future__ import annotations

from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.contracts.licences import conflict
from omnicheck.facts.card import Card
from omnicheck.model.finding import Finding


@check("publication_card.card_or_licence")
def card_or_licence(card: Card) -> Iterator[Finding]:
    """Yield a finding when the card, its front matter or a licence is absent, or the licence breaks other terms."""
    if not card.exists:
        yield Finding(path=card.path, message="there is no README.md, so nobody learns what this is", key="readme")
    elif card.front is None:
        message = "the card has no front matter: a block between two lines of --- at its start"
        yield Finding(path=card.path, message=message, key="front")
    own = (card.front or {}).get("license", "")
    if card.exists and card.front is not None and not own:
        yield Finding(path=card.path, message="the front matter names no license", key="license", expected="license: …")
    if card.licence_file is None:
        message = "there is no LICENSE file, so nobody may use what is published"
        yield Finding(path=card.path, message=message, key="licence-file")
    if own == "other" and not ({"license_name", "license_link"} & set(card.front or {})):
        message = "license: other needs license_name or license_link beside it"
        yield Finding(path=card.path, message=message, key="license-name", actual=own)
    for origin in card.origins:
        reason = conflict(own, origin.licence)
        if reason:
            yield Finding(
                path=card.path,
                message=f"the license {own} breaks {origin.licence} of {origin.path} {origin.pointer}: it {reason}",
                expected=origin.licence,
                actual=own,
                key=f"terms{origin.pointer}",
            )
