"""Improvements that a document claims, beside the comparison table of the same document."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.claims import CONDITION, NEGATION, ClaimText, Sentence
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

_CELL = re.compile(r"(?<!\\)\|")
_NUMBER = re.compile(r"[+\-\u2212]?\d+(?:\.\d+)?")
_DIFFERENCE = re.compile(r"(?P<new>\S+)\s+[-\u2212]\s+(?P<old>\S+)")
_CLAUSE = re.compile(
    r"[;:.]\s|,?\s(?:but|while|whereas|although|though|and [\w`-]+ (?:does|is|has|remains))\s", re.IGNORECASE
)
_IMPROVES = re.compile(r"\bimprov(?:es|ed)\b", re.IGNORECASE)
_ROWS = re.compile(
    r"(\d{1,3}(?:,\d{3})+|\d+)\s+(?:[\w-]+\s+){0,3}(?:predictions|samples|windows|rows|examples)\b", re.IGNORECASE
)
_HIGHER = re.compile(r"\b(?:accuracy|f1|recall|precision|mrr|validity)\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9]+")


class Compared(Struct, frozen=True):
    """A row of a comparison table.

    Attributes:
        name: the metric, as written; higher is better.
        old: its value in the earlier run, 0 to 1.
        new: its value in the later run, 0 to 1.
        old_name: header of the earlier run.
        new_name: header of the later run.
        line: 1-based line of the row.
    """

    name: str
    old: float
    new: float
    old_name: str
    new_name: str
    line: int

    @property
    def change(self) -> float:
        """The later value minus the earlier one, as the table's digits give it."""
        return round(self.new - self.old, 9)


class ClaimedChange(Struct, frozen=True):
    """A sentence that claims an improvement of a compared metric.

    Attributes:
        file: the document.
        sentence: the sentence.
        compared: the table row of the metric.
        rows: how many predictions the document says are behind each value; None when it does not say.
    """

    file: RunFile
    sentence: Sentence
    compared: Compared
    rows: int | None


@fact(absent="no document that claims an improvement of a metric in its own comparison table")
def claimed_changes(texts: tuple[ClaimText, ...]) -> tuple[ClaimedChange, ...]:
    """Find each claimed improvement whose metric stands in a table with a column of differences."""
    found = []
    for text in texts:
        table = list(_compared(text.text))
        # The largest number that the document states is the one that favours the claim.
        counts = [int(match[1].replace(",", "")) for each in text.sentences for match in _ROWS.finditer(each.text)]
        for sentence in text.sentences if table else ():
            found += [
                ClaimedChange(text.file, sentence, row, max(counts, default=None))
                for row in _improved(sentence.text, table)
            ]
    return tuple(found)


def _compared(text: str) -> Iterator[Compared]:
    header: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("|"):
            header = []
            continue
        cells = [cell.strip().strip("*`") for cell in _CELL.split(line.strip().strip("|"))]
        if not header:
            header = cells
            continue
        columns = _columns(header)
        if columns is None or len(cells) != len(header) or not _HIGHER.search(cells[0]):
            continue
        old, new = (_NUMBER.fullmatch(cells[at]) for at in columns)
        if old is not None and new is not None:
            before, after = float(old[0]), float(new[0])
            if 0 <= before <= 1 and 0 <= after <= 1:
                yield Compared(cells[0], before, after, header[columns[0]], header[columns[1]], number)


def _columns(header: list[str]) -> tuple[int, int] | None:
    """Return where the earlier and the later value stand, told by a header such as ``v6 - v5``."""
    for cell in header:
        match = _DIFFERENCE.fullmatch(cell)
        if match is not None and header.count(match["old"]) == 1 and header.count(match["new"]) == 1:
            return header.index(match["old"]), header.index(match["new"])
    return None


def _improved(sentence: str, table: list[Compared]) -> Iterator[Compared]:
    """Yield the metrics that a sentence says improve: named after the verb and before the clause ends."""
    for clause in _CLAUSE.split(sentence):
        verb = _IMPROVES.search(clause)
        if verb is None or NEGATION.search(clause) or CONDITION.search(clause):
            continue
        # "v5 improves X" in a table of v6 - v5 speaks of the other direction.
        subject = {word.lower() for word in re.findall(r"[\w.-]+", clause[: verb.start()])}
        after = f" {' '.join(_WORD.findall(clause[verb.end() :].lower()))} "
        if any(row.old_name.lower() in subject for row in table):
            continue
        for row in sorted(table, key=lambda each: -len(each.name)):
            name = f" {' '.join(_WORD.findall(row.name.lower()))} "
            if name in after:
                after = after.replace(name, " | ")
                yield row
