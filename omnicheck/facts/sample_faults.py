"""The rows of a dataset judged by the sample contract of the backbone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from omnicheck.contracts.samples import judge_sample, sample_contract_of
from omnicheck.facts.contract import Contract
from omnicheck.facts.registry import fold
from omnicheck.model.run import RunFile

INDEX = re.compile(r"/\d+(?=/|$)")
KINDS = (("future_window", "future_window"), ("world_model", "future_window"), ("episode_qa", "episode_qa"))
"""What a row's own ``target`` or ``prompt_type`` contains, to the kind of sample that it declares itself to be."""


class SampleFault(Struct):
    """One way in which rows fail.

    Attributes:
        pointer: JSON pointer into a row, indices of lists replaced by ``*``.
        rows: how many rows.
        line: 1-based line of the first.
        sample: its id.
        message: what is wrong with it.
        help: how to mend it.
    """

    pointer: str
    rows: int
    line: int
    sample: str | None
    message: str
    help: str


class SampleJudgement(Struct, frozen=True):
    """What the sample contract says of one file.

    Attributes:
        file: the file.
        kind: kind of the sample contract.
        judged: rows that were judged.
        others: rows that declare themselves samples of another task.
        faulty: rows with any fault.
        faults: ways in which rows fail, by pointer.
    """

    file: RunFile
    kind: str
    judged: int
    others: int
    faulty: int
    faults: tuple[SampleFault, ...]


@fold(SampleJudgement, absent="no dataset rows that a sample contract of the backbone judges")
class SampleFold:
    """Judges the rows of a dataset or of a window index."""

    roles: ClassVar[tuple[str, ...]] = ("dataset_rows", "window_index")
    needs: ClassVar[tuple[type, ...]] = (Contract,)

    def __init__(self, given: Mapping[type, Any]) -> None:
        self._file: RunFile = given[RunFile]
        contract = given.get(Contract)
        self._sample: Any = None
        if isinstance(contract, Contract):
            self._sample = sample_contract_of(contract.raw)
        self._judged = self._others = self._faulty = 0
        self._faults: dict[str, SampleFault] = {}

    def idle(self) -> bool:
        """When no sample contract is in force, or it knows nothing of window indexes."""
        return self._sample is None or (self._file.role == "window_index" and self._sample.kind != "episode_qa")

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take rows."""
        for line, row in enumerate(rows, first):
            declared = _declared(row)
            if declared is not None and declared != self._sample.kind:
                self._others += 1
                continue
            self._judged += 1
            issues = judge_sample(self._sample, _from_index(row) if self._file.role == "window_index" else row)
            self._faulty += bool(issues)
            sample = row.get("id")
            for each in {INDEX.sub("/*", issue.pointer): issue for issue in reversed(issues)}.items():
                pointer, issue = each
                fault = self._faults.setdefault(
                    pointer,
                    SampleFault(
                        pointer, 0, line, sample if isinstance(sample, str) else None, issue.message, issue.help
                    ),
                )
                fault.rows += 1

    def merge(self, other: SampleFold) -> None:
        """Add the counts of the later part."""
        self._judged += other._judged
        self._others += other._others
        self._faulty += other._faulty
        for pointer, fault in other._faults.items():
            if pointer in self._faults:
                self._faults[pointer].rows += fault.rows
            else:
                self._faults[pointer] = fault

    def fact(self) -> SampleJudgement | None:
        """Return the judgement; None when no row was judged."""
        if not self._judged:
            return None
        faults = tuple(sorted(self._faults.values(), key=lambda fault: (-fault.rows, fault.pointer)))
        return SampleJudgement(self._file, self._sample.kind, self._judged, self._others, self._faulty, faults)


def _declared(row: Mapping[str, Any]) -> str | None:
    for key in ("target", "prompt_type"):
        value = row.get(key)
        if isinstance(value, str):
            for part, kind in KINDS:
                if part in value:
                    return kind
    return None


def _from_index(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a model-neutral window index as the sample that it stands for.

    Keys of the dataset's row that the index does not copy count as filled in: its provenance lists them.
    """
    supervision, modalities, provenance = (_object(row, key) for key in ("supervision", "modalities", "provenance"))
    stated = provenance.get("dataset_record_fields")
    told = {key: True for key in stated if isinstance(key, str)} if isinstance(stated, list) else {}
    listed = {key: value for key, value in _object(modalities, "language").items() if key.endswith("_options")}
    copied = {"center_window": row.get("window"), "media": modalities.get("media")}
    return {**told, **copied, **row, **listed, "answer_json": supervision.get("json_answer")}


def _object(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = row.get(key)
    return value if isinstance(value, dict) else {}
