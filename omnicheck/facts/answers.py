"""Answers of a model judged row by row: strictness by cause, frame windows, fields copied from the sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.answer_schema import (
    NOT_JSON,
    NOT_OBJECT,
    SURROUNDED,
    AnswerRules,
    Fault,
    answer_rules,
    judge_answer,
    read_answer,
    window_of_answer,
)
from omnicheck.facts.contract import Contract
from omnicheck.facts.options import OptionLists
from omnicheck.facts.predictions import window_of
from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile

EXAMPLES = 3
UNPARSED = frozenset({NOT_JSON, NOT_OBJECT, SURROUNDED})
WINDOW = "center_window"
NOT_SAMPLE = frozenset({"id", "sample_id", "split", "correct", "label", "prediction", "pred", "answer"})
NOT_SAMPLE_STARTS = ("true_", "pred", "raw_", "answer_", "response", "completion", "output")


class Tally(Struct):
    """How often something occurred, and the first examples: (line, id, detail)."""

    rows: int = 0
    examples: tuple[tuple[int, str | None, str], ...] = ()

    def add(self, line: int, sample: str | None, detail: str) -> None:
        """Count a row."""
        self.rows += 1
        if len(self.examples) < EXAMPLES:
            self.examples = (*self.examples, (line, sample, detail))

    def take(self, other: Tally) -> None:
        """Add the count of a later part."""
        self.rows += other.rows
        self.examples = (*self.examples, *other.examples)[:EXAMPLES]


class Copied(Struct):
    """A field of the answer beside a value of the sample.

    Attributes:
        rows: answers in which both stand.
        equal: those in which they are the same.
        true: those in which the truth is the same as well.
        values: up to two distinct values.
    """

    rows: int = 0
    equal: int = 0
    true: int = 0
    values: frozenset[Any] = frozenset()


class Answers(Struct, frozen=True):
    """The answers of one prediction file.

    Attributes:
        file: the file.
        rows: how many rows.
        parsed: rows with a parsed answer.
        strict: rows that meet the schema; None when no schema fits the rows.
        by_contract: whether the schema is that of the contract in force.
        causes: cause to the rows that fail for it; one row may fail for several.
        windows: answers whose frame window could be judged.
        outside: those whose window sticks out of the sample's or ends before it starts.
        copied: (field of the answer, key of the sample) to how often they agree.
        right: rows counted as correct whose own text is kept.
        lenient: those of them whose text does not parse as a JSON object.
        complete: rows whose parsed answer has every key of the truth.
        exact: rows whose parsed answer has these keys and no others.
    """

    file: RunFile
    rows: int
    parsed: int
    strict: int | None
    by_contract: bool
    causes: dict[str, Tally]
    windows: int
    outside: Tally
    copied: dict[tuple[str, str], Copied]
    right: int = 0
    lenient: Tally = msgspec.field(default_factory=Tally)
    complete: int = 0
    exact: int = 0


@fold(Answers, absent="no predictions with answers of several fields")
class AnswerFold:
    """Judges the answers of a prediction file."""

    roles: ClassVar[tuple[str, ...]] = ("predictions", "shard_predictions")
    needs: ClassVar[tuple[type, ...]] = (Contract, OptionLists)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        contract, options = given.get(Contract), given.get(OptionLists)
        self._contract = contract if isinstance(contract, Contract) else None
        self._options = options.labels() if isinstance(options, OptionLists) else {}
        self._rules: AnswerRules | None = None
        self._asked = False
        self._rows = self._parsed = self._strict = self._judged = self._windows = 0
        self._causes: dict[str, Tally] = {}
        self._outside = Tally()
        self._copied: dict[tuple[str, str], Copied] = {}
        self._right = self._complete = self._exact = 0
        self._lenient = Tally()

    def idle(self) -> bool:
        """Never."""
        return False

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take rows."""
        for line, row in enumerate(rows, first):
            stored, truth = _of(row, "predicted_answer"), _of(row, "true_answer")
            if not isinstance(truth, dict) and not isinstance(stored, dict):
                continue
            self._rows += 1
            sample = next((str(row[key]) for key in ALIASES["sample_id"] if row.get(key) is not None), None)
            answer, faults = read_answer(_of(row, "raw_prediction"), stored)
            self._score(row, faults, line, sample)
            if isinstance(stored, dict) and isinstance(truth, dict):
                self._complete += truth.keys() <= stored.keys()
                self._exact += truth.keys() == stored.keys()
            rules = self._schema(truth)
            if rules is not None:
                self._judged += 1
                found = {fault.cause: fault.detail for fault in faults}
                if answer is not None:
                    for fault in judge_answer(rules, answer, self._options):
                        found.setdefault(fault.cause, fault.detail)
                for cause, detail in found.items():
                    self._causes.setdefault(cause, Tally()).add(line, sample, detail)
                self._strict += not found
            given = stored if isinstance(stored, dict) and stored else answer
            if given is not None:
                self._parsed += 1
                self._look(row, given, truth if isinstance(truth, dict) else {}, line, sample)

    def _score(self, row: Mapping[str, Any], faults: Sequence[Fault], line: int, sample: str | None) -> None:
        if isinstance(_of(row, "raw_prediction"), str) and _counted_correct(row):
            self._right += 1
            unparsed = next((fault for fault in faults if fault.cause in UNPARSED), None)
            if unparsed is not None:
                self._lenient.add(line, sample, unparsed.detail)

    def _schema(self, truth: Any) -> AnswerRules | None:
        """Return the contract's schema; without a contract, the usual one where the truth has just its fields."""
        if not self._asked:
            self._asked = True
            self._rules = answer_rules(self._contract.raw if self._contract else None)
        if self._rules is None or self._contract is not None:
            return self._rules
        return self._rules if isinstance(truth, dict) and truth.keys() == self._rules.fields.keys() else None

    def _look(
        self, row: Mapping[str, Any], answer: Mapping[str, Any], truth: Mapping[str, Any], line: int, sample: str | None
    ) -> None:
        frame = window_of(row)
        for field in truth:
            given = answer.get(field)
            window = window_of_answer(given)
            if window is not None and frame is not None:
                self._compare(field, WINDOW, window, frame, window_of_answer(truth[field]))
                self._within(window, frame, window_of_answer(truth[field]), line, sample)
            elif isinstance(given, str) and given:
                for key, value in row.items():
                    if isinstance(value, str) and key not in NOT_SAMPLE and not key.startswith(NOT_SAMPLE_STARTS):
                        self._compare(field, key, given, value, truth[field])

    def _compare(self, field: str, key: str, given: Any, own: Any, true: Any) -> None:
        found = self._copied.setdefault((field, key), Copied())
        found.rows += 1
        if given == own:
            found.equal += 1
            found.true += true == own
            if len(found.values) < 2:
                found.values |= {own}

    def _within(
        self, window: tuple[int, int], frame: tuple[int, int], true: tuple[int, int] | None, line: int, sample: Any
    ) -> None:
        if true is not None and not (frame[0] <= true[0] and true[1] <= frame[1]):
            return  # the truth itself is not counted in the sample's frames
        self._windows += 1
        start, end = window
        if start > end:
            self._outside.add(line, sample, f"frames {start} to {end}, which ends before it starts")
        elif start < frame[0] or end > frame[1]:
            self._outside.add(line, sample, f"frames {start} to {end}, the sample has {frame[0]} to {frame[1]}")

    def merge(self, other: AnswerFold) -> None:
        """Add the counts of the later part."""
        self._rows += other._rows
        self._parsed += other._parsed
        self._strict += other._strict
        self._judged += other._judged
        self._windows += other._windows
        self._outside.take(other._outside)
        self._right += other._right
        self._complete += other._complete
        self._exact += other._exact
        self._lenient.take(other._lenient)
        for cause, tally in other._causes.items():
            self._causes.setdefault(cause, Tally()).take(tally)
        for pair, more in other._copied.items():
            found = self._copied.setdefault(pair, Copied())
            found.rows += more.rows
            found.equal += more.equal
            found.true += more.true
            found.values |= more.values

    def fact(self) -> Answers | None:
        """Return what was found; None when the rows have no answers of several fields."""
        if not self._rows:
            return None
        return Answers(
            self._file,
            self._rows,
            self._parsed,
            self._strict if self._judged == self._rows else None,
            self._contract is not None,
            self._causes,
            self._windows,
            self._outside,
            self._copied,
            self._right,
            self._lenient,
            self._complete,
            self._exact,
        )


def _counted_correct(row: Mapping[str, Any]) -> bool:
    stated = row.get("correct")
    if stated is not None:
        return str(stated).strip().lower() in ("1", "true", "1.0")
    label = _of(row, "predicted_label")
    return label is not None and label == _of(row, "true_label")


def _of(row: Mapping[str, Any], name: str) -> Any:
    # The truth of a row may be called answer_json only where the row has no prediction of that name.
    return next((row[key] for key in ALIASES[name] if key in row), None)
