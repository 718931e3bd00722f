"""What the dataset says of the samples that were predicted: their labels, answers and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile

OPTION_KEYS = ("action_options", "subtask_options", "label_options")


class DatasetTruth(Struct, frozen=True):
    """The rows of one dataset file that some prediction names by id.

    Attributes:
        file: the dataset rows.
        labels: id to label; ids without one are left out.
        answers: id to the fields of the true answer.
        options: name of an option list to the union of what those rows list.
    """

    file: RunFile
    labels: dict[str, str]
    answers: dict[str, dict[str, Any]]
    options: dict[str, frozenset[str]]


@fold(DatasetTruth, absent="no dataset rows of the predicted samples")
class DatasetTruthFold:
    """Collects the truth of the predicted samples."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows",)
    needs: ClassVar[tuple[type, ...]] = (Predictions,)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        predicted = given.get(Predictions)
        files: tuple[Predictions, ...] = predicted if isinstance(predicted, tuple) else ()
        self._wanted = frozenset(each for file in files for each in file.ids if each is not None)
        self._labels: dict[str, str] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._options: dict[str, set[str]] = {}
        self._seen_lists: set[tuple[str, int, str]] = set()
        self._matched = 0

    def idle(self) -> bool:
        """When nothing was predicted."""
        return not self._wanted

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:  # noqa: ARG002 - ids are what counts
        """Take rows."""
        for row in rows:
            sample = row.get("id")
            if not isinstance(sample, str) or sample not in self._wanted:
                continue
            self._matched += 1
            if isinstance(label := row.get("label"), str):
                self._labels.setdefault(sample, label)
            if isinstance(answer := row.get("answer_json"), dict):
                self._answers.setdefault(sample, answer)
            for key in OPTION_KEYS:
                listed = row.get(key)
                if isinstance(listed, list) and listed:
                    # The rows of a dataset usually repeat one list.
                    seen = (key, len(listed), f"{listed[0]}\0{listed[-1]}")
                    if seen not in self._seen_lists or len(listed) < 100:
                        self._seen_lists.add(seen)
                        self._options.setdefault(key, set()).update(each for each in listed if isinstance(each, str))

    def merge(self, other: DatasetTruthFold) -> None:
        """Take over what the later part holds of other samples."""
        self._labels = {**other._labels, **self._labels}
        self._answers = {**other._answers, **self._answers}
        for key, listed in other._options.items():
            self._options.setdefault(key, set()).update(listed)
        self._matched += other._matched

    def fact(self) -> DatasetTruth | None:
        """Return the truth; None when no predicted sample is among the rows."""
        if not self._matched:
            return None
        options = {key: frozenset(listed) for key, listed in self._options.items()}
        return DatasetTruth(self._file, self._labels, self._answers, options)
