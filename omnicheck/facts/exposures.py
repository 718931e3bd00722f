"""What of a run must not leave the house: leaks in its texts, in the metadata of its files, and in its pictures."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.content_parts import ScannedFile
from omnicheck.facts.leaks import Leak, strings_of
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source


class Exposures(Struct, frozen=True):
    """Everything that was found, and how many files were looked into.

    Attributes:
        leaks: in order of files.
        parts: files and members of archives that were looked into.
    """

    leaks: tuple[Leak, ...]
    parts: int


class ForbiddenWords(Struct, frozen=True):
    """The words that the policy forbids."""

    words: tuple[str, ...]


@fact(absent="no words are forbidden ([rules.params.SEC103] words)")
def forbidden_words(source: Source) -> ForbiddenWords | None:
    """Return the configured words."""
    words = strings_of(source, "SEC103", "words")
    return ForbiddenWords(words) if words else None


@fact(absent="no file that could be read")
def exposures(scanned: tuple[ScannedFile, ...]) -> Exposures | None:
    """Collect what the scan of the files' content left in each part."""
    leaks = [leak for each in scanned for part in each.parts for leak in part.spans if isinstance(leak, Leak)]
    parts = sum(len(each.parts) for each in scanned)
    return Exposures(tuple(leaks), parts) if parts else None
