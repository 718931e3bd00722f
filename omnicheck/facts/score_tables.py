"""The tables beside a metrics file: confusion matrix and per-class scores."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.evaluation import Evaluation
from omnicheck.facts.registry import fact
from omnicheck.facts.source import FileProblem, Source
from omnicheck.measures.classification import Confusion, confusion
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.problem import Problem
from omnicheck.readers.table import read_matrix

COLUMNS = {
    "label": ("class_name", "class", "label", "name"),
    "support": ("support", "count", "n"),
    "predicted": ("predicted", "num_predicted"),
    "precision": ("precision",),
    "recall": ("recall",),
    "f1": ("f1", "f1_score", "f1-score"),
}
"""Column of a per-class table to the names it goes by."""


class ConfusionTable(Struct, frozen=True):
    """A confusion matrix as it stands in a file, and the one of the predictions.

    Attributes:
        file: the file.
        labels: of its columns.
        cells: (true label, predicted label) to the stated count, zeros left out.
        malformed: what is wrong with its form, or None.
        actual: the counts of the predictions.
    """

    file: RunFile
    labels: tuple[str, ...]
    cells: dict[tuple[str, str], float]
    malformed: str | None
    actual: Confusion


class ClassTable(Struct, frozen=True):
    """A per-class table as it stands in a file, and the predictions behind it.

    Attributes:
        file: the file.
        rows: label to column to the stated number.
        actual: the counts of the predictions.
    """

    file: RunFile
    rows: dict[str, dict[str, float]]
    actual: Confusion


@fact(absent="no confusion matrix with the predictions behind it")
def confusion_tables(source: Source, evaluations: tuple[Evaluation, ...]) -> tuple[ConfusionTable, ...]:
    """Read each confusion matrix that has predictions."""
    found: dict[str, ConfusionTable] = {}
    for each in evaluations:
        actual = _actual(each)
        if each.confusion is not None and actual is not None and each.confusion.path not in found:
            matrix = read_small_table(source, each.confusion)
            if matrix is not None:
                found[each.confusion.path] = _confusion(each.confusion, *matrix, actual)
    return tuple(found.values())


@fact(absent="no per-class table with the predictions behind it")
def class_tables(source: Source, evaluations: tuple[Evaluation, ...]) -> tuple[ClassTable, ...]:
    """Read each per-class table that has predictions and a column of labels."""
    found: dict[str, ClassTable] = {}
    for each in evaluations:
        actual = _actual(each)
        if each.per_class is not None and actual is not None and each.per_class.path not in found:
            matrix = read_small_table(source, each.per_class)
            rows = _class_rows(*matrix) if matrix is not None else None
            if rows is not None:
                found[each.per_class.path] = ClassTable(each.per_class, rows, actual)
    return tuple(found.values())


def table_labels(source: Source, evaluation: Evaluation) -> tuple[str, ...] | None:
    """Return the labels of an evaluation's confusion matrix, or of its per-class table; None without either."""
    if evaluation.confusion is not None:
        matrix = read_small_table(source, evaluation.confusion)
        if matrix is not None and len(matrix[0]) > 1:
            return tuple(matrix[0][1:])
    if evaluation.per_class is not None:
        matrix = read_small_table(source, evaluation.per_class)
        rows = _class_rows(*matrix) if matrix is not None else None
        return tuple(rows) if rows else None
    return None


def _actual(evaluation: Evaluation) -> Confusion | None:
    given = evaluation.predictions
    if given is None:
        return None
    pairs = [
        (true, predicted if predicted is not None else "")
        for true, predicted in zip(given.true_labels, given.predicted_labels, strict=True)
        if true is not None
    ]
    if not pairs or not any(predicted for _, predicted in pairs):
        return None
    return confusion([true for true, _ in pairs], [predicted for _, predicted in pairs])


def read_small_table(source: Source, file: RunFile) -> tuple[list[str], list[list[str]]] | None:
    """Return header and rows of a table, read once; None when it cannot be read."""
    if file.location not in source.matrices:
        problems: list[Problem] = []
        try:
            source.matrices[file.location] = read_matrix(file.disk, problems)
        except ReadError as error:
            source.matrices[file.location] = None
            problems.append(Problem(message=error.message, kind="unreadable"))
        source.problems.extend(FileProblem(file, problem) for problem in problems)
    return source.matrices[file.location]


def _confusion(file: RunFile, header: list[str], rows: list[list[str]], actual: Confusion) -> ConfusionTable:
    labels = tuple(header[1:])
    cells: dict[tuple[str, str], float] = {}
    malformed = None
    if len(set(labels)) < len(labels):
        malformed = "a label stands twice in its header"
    elif sorted(row[0] for row in rows if row) != sorted(labels):
        malformed = f"it has {len(rows):,} rows for {len(labels):,} labels, or other labels than its header"
    for row in rows:
        for label, cell in zip(labels, row[1:], strict=False):
            if cell == "0":
                continue  # nearly all cells of a large matrix
            count = number_of(cell)
            if count is None:
                malformed = malformed or f"the cell {cell[:40]!r} is no number"
            elif count:
                cells[row[0], label] = count
    return ConfusionTable(file, labels, cells, malformed, actual)


def _class_rows(header: list[str], rows: list[list[str]]) -> dict[str, dict[str, float]] | None:
    places = {
        column: next((header.index(name) for name in names if name in header), None)
        for column, names in COLUMNS.items()
    }
    label = places.pop("label")
    if label is None:
        return None
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if label < len(row):
            values = {
                column: value
                for column, at in places.items()
                if at is not None and at < len(row) and (value := number_of(row[at])) is not None
            }
            found[row[label]] = values
    return found


def number_of(cell: str) -> float | None:
    """Return the number of a cell, or None."""
    try:
        return float(cell)
    except ValueError:
        return None
