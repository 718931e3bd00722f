"""The files of a merged evaluation, written into a directory that nobody reads yet."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from omnicheck.measures.classification import class_rows
from omnicheck.produce.merge_inputs import ShardFiles
from omnicheck.produce.merge_metrics import Counts
from omnicheck.produce.merge_rows import NESTED, RowPlaces, Truth, rows_in_order

FILES = (
    "predictions.jsonl",
    "predictions.csv",
    "metrics.json",
    "per_class_metrics.csv",
    "confusion_matrix.csv",
    "RUN_REPORT.md",
)


class _Lines(csv.excel):
    lineterminator = "\n"


def write_rows(folder: Path, shards: Sequence[ShardFiles], places: RowPlaces, truth: Truth) -> tuple[Counts, int]:
    """Write the rows in dataset order as JSONL and CSV; return what was counted, and the number of episodes."""
    counts = Counts(truth.trained)
    episodes: set[str] = set()
    columns = [name for name in places.columns if name not in NESTED]
    with _opened(folder / "predictions.jsonl", "xb") as lines, _opened(folder / "predictions.csv", "x") as table:
        writer = csv.writer(table, dialect=_Lines)
        writer.writerow(columns)
        for ordinal, line, row in rows_in_order(shards, places):
            lines.write(line + b"\n")
            writer.writerow([_cell(row.get(name)) for name in columns])
            counts.add(row, truth.labels[ordinal])
            episode = truth.episodes[ordinal]
            episodes.update([episode] if episode is not None else [])
    return counts, len(episodes)


def write_tables(folder: Path, counts: Counts, labels: Sequence[str]) -> None:
    """Write the table of classes and the confusion matrix, both in the order of the labels."""
    table = counts.labelled
    with _opened(folder / "per_class_metrics.csv", "x") as stream:
        writer = csv.writer(stream, dialect=_Lines)
        writer.writerow(["class_name", "support", "predicted", "precision", "recall", "f1"])
        for row in class_rows(table, labels):
            writer.writerow([row.label, row.support, row.predicted, row.precision, row.recall, row.f1])
    with _opened(folder / "confusion_matrix.csv", "x") as stream:
        writer = csv.writer(stream, dialect=_Lines)
        writer.writerow(["true\\pred", *labels])
        for true in labels:
            writer.writerow([true, *(table.counts.get((true, predicted), 0) for predicted in labels)])


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write ``metrics.json``."""
    with _opened(folder / "metrics.json", "x") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(metrics), indent=2).decode() + "\n")


def write_report(folder: Path, metrics: Mapping[str, Any], shards: int) -> None:
    """Write ``RUN_REPORT.md``: what was merged, and every metric with its definition."""
    coverage, definitions = metrics["coverage"], metrics["metric_definitions"]
    facts = {
        "Base model": metrics.get("model_id"),
        "Adapter": metrics.get("adapter_dir"),
        "Dataset": metrics["dataset_jsonl"],
        "Eval split": metrics["eval_split"],
        "Shards": shards,
        "Expected eval samples": coverage["expected_eval_samples"],
        "Merged predictions": coverage["merged_prediction_rows"],
        "Samples": metrics["num_samples"],
        "Held-out episodes": metrics["held_out_episode_count"],
        "Unseen eval labels": len(metrics["unseen_eval_labels"]) if "unseen_eval_labels" in metrics else None,
    }
    text = ["# Sharded Evaluation", ""]
    text += [f"- {name}: `{value}`" for name, value in facts.items() if value is not None]
    if "incomplete" in metrics:
        missing = coverage["missing_prediction_rows"]
        text += ["", f"Incomplete: {missing:,} rows are missing. Reason: {_flat(metrics['incomplete']['reason'])}"]
    text += ["", "| metric | value | definition |", "|---|---|---|"]
    text += [f"| {name} | {metrics[name]:.4f} | `{definition}` |" for name, definition in definitions.items()]
    text += ["", "All metrics were recomputed from the merged rows."]
    with _opened(folder / "RUN_REPORT.md", "x") as stream:
        stream.write("\n".join(text) + "\n")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value


@contextmanager
def _opened(path: Path, mode: Literal["x", "xb"]) -> Iterator[IO[Any]]:
    """Open a new file, and make sure at the end that its bytes are on the disk."""
    binary = "b" in mode
    with path.open(mode, encoding=None if binary else "utf-8", newline=None if binary else "") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
