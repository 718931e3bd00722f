"""Windows of both sides of a split, as far as the files of a run tell which side they are on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from omnicheck.facts.contract import Contract
from omnicheck.facts.documents import DatasetManifest, TrainingMetadata
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.registry import fact
from omnicheck.facts.row_splits import RowSplits, SuspectRows, WindowRow
from omnicheck.model.run import RunFile

NUMBER = re.compile(r"[0-9]{1,18}")


class NumberedWindows(Struct, frozen=True):
    """Evaluated windows of one recording whose windows are numbered through: the rest is the training set.

    Attributes:
        file: the predictions.
        metadata: the file that states the counts.
        starts: window number to first frame, for the evaluated windows.
        lines: window number to data row or line.
        count: number of all windows.
        train: number of training windows; with the evaluated ones they are all.
        stride: frames between neighbouring windows.
        frames: frames in a window.
    """

    file: RunFile
    metadata: RunFile
    starts: dict[int, int]
    lines: dict[int, int]
    count: int
    train: int
    stride: int
    frames: int


@fact(absent="no numbered windows of one recording")
def numbered_windows(
    metadata: tuple[TrainingMetadata, ...], predictions: tuple[Predictions, ...]
) -> tuple[NumberedWindows, ...]:
    """Find predictions on windows that metadata numbers from 0 to ``num_windows - 1``, the rest being training's."""
    found = []
    for each in metadata:
        record = each.record
        count, train = record.count("num_windows"), record.count("num_train_samples")
        stride, frames = record.count("stride_frames"), record.count("window_frames")
        if not count or not train or not stride or not frames:
            continue
        for rows in predictions:
            same_place = rows.file.folder == each.file.folder
            if not same_place or len(rows) + train != count or any(episode is not None for episode in rows.episodes):
                continue
            numbers = [int(text) for text in rows.ids if text is not None and NUMBER.fullmatch(text)]
            windows = [window for window in rows.windows if window is not None and window[1] - window[0] + 1 == frames]
            if "window_index" in rows.columns and len(set(numbers)) == len(windows) == len(rows):
                found.append(
                    NumberedWindows(
                        rows.file,
                        each.file,
                        {number: window[0] for number, window in zip(numbers, windows, strict=True)},
                        dict(zip(numbers, rows.lines, strict=True)),
                        count,
                        train,
                        stride,
                        frames,
                    )
                )
    return tuple(found[:1])  # the CSV twin of a JSONL file says the same


class WindowEvidence(Struct, frozen=True):
    """What tells whether windows of different splits share frames.

    Attributes:
        splits: episodes of the row files; None when there are no rows with windows of both sides.
        suspects: windows of episodes in two splits, one entry for each row file.
        numbered: numbered windows of single recordings.
        embargo: frames that a contract or manifest demands between splits; None when none does.
    """

    splits: RowSplits | None
    suspects: tuple[SuspectRows, ...]
    numbered: tuple[NumberedWindows, ...]
    embargo: int | None

    def episodes(self) -> Iterator[tuple[str, list[WindowRow]]]:
        """Yield each episode in two splits with its windows; ``place`` tells where a window's row is."""
        if len(self.suspects) == 1:
            yield from self.suspects[0].windows()
            return
        for parts in zip(*(each.windows() for each in self.suspects), strict=True):
            merged = [
                (*window[:3], window[3] * len(self.suspects) + number)
                for number, (_, windows) in enumerate(parts)
                for window in windows
            ]
            yield parts[0][0], merged

    def place(self, row: int) -> tuple[RunFile, int]:
        """Return the file and the 1-based line of a window that ``episodes`` gave."""
        if len(self.suspects) == 1:
            return self.suspects[0].file, row
        return self.suspects[row % len(self.suspects)].file, row // len(self.suspects)


@fact(absent="no rows that state frames, episode and split of both training and held-out windows")
def window_evidence(
    splits: RowSplits | None,
    suspects: tuple[SuspectRows, ...] | None,
    numbered: tuple[NumberedWindows, ...] | None,
    manifests: tuple[DatasetManifest, ...] | None,
    contract: Contract | None,
) -> WindowEvidence | None:
    """Gather windows of rows and of numbered recordings."""
    judged = splits if splits is not None and _both_sides(splits) else None
    if judged is None and not numbered:
        return None
    declared = [manifest.record.object("clip_policy").count("embargo_frames") for manifest in manifests or ()]
    policy = contract.raw.get("split_policy") if contract is not None else None
    if isinstance(policy, dict) and isinstance(policy.get("embargo_frames"), int):
        declared.append(int(policy["embargo_frames"]))
    return WindowEvidence(
        judged,
        (suspects or ()) if judged is not None else (),
        numbered or (),
        max((frames for frames in declared if frames is not None), default=None),
    )


def _both_sides(splits: RowSplits) -> bool:
    named = [name for name in splits.rows if name is not None]
    return len(named) > 1 and splits.qualified > 0 and any(index.windowed for index in splits.indexes)


class EvaluatedWindows(Struct, frozen=True):
    """Windows of one prediction file, by episode.

    Attributes:
        file: the predictions.
        named: whether rows name their episode; else all are of one recording.
        episodes: episode to its windows (inclusive frames).
    """

    file: RunFile
    named: bool
    episodes: dict[str, list[tuple[int, int]]]


@fact(absent="no predictions that state frames and episode")
def evaluated_windows(
    predictions: tuple[Predictions, ...], numbered: tuple[NumberedWindows, ...]
) -> tuple[EvaluatedWindows, ...]:
    """Group the windows of each prediction file; the CSV twin of a JSONL file is left out."""
    single = {each.file for each in numbered}
    found = []
    for rows in without_twins(predictions):
        episodes: dict[str, list[tuple[int, int]]] = {}
        for episode, window in zip(rows.episodes, rows.windows, strict=True):
            key = episode if episode is not None else "" if rows.file in single else None
            if key is not None and window is not None and window[0] <= window[1]:
                episodes.setdefault(key, []).append(window)
        if episodes:
            found.append(EvaluatedWindows(rows.file, rows.file not in single, episodes))
    return tuple(found)


def without_twins(predictions: tuple[Predictions, ...]) -> tuple[Predictions, ...]:
    """Leave out shards, and tables that say what a JSONL file of the same place and tag says."""
    whole = [each for each in predictions if each.file.role != "shard_predictions"]
    rows = {(each.file.folder, each.file.tag) for each in whole if each.file.role != "predictions_table"}
    return tuple(
        each for each in whole if each.file.role != "predictions_table" or (each.file.folder, each.file.tag) not in rows
    )
