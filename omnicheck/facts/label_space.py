"""Label options beside the splits in which their labels occur."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.documents import DatasetManifest
from omnicheck.facts.label_use import OPTION_KEYS, LabelUse
from omnicheck.facts.registry import fact
from omnicheck.facts.split_names import TRAIN
from omnicheck.model.run import RunFile


class Unseen(Struct, frozen=True):
    """Held-out labels that no training row has.

    Attributes:
        file: the rows that prove it.
        labels: held-out label to its rows, for labels that never occur in train.
        held_out: distinct labels of the held-out rows.
        rows: held-out rows with a label.
        stated: whether the rows themselves say so (``true_label_seen_in_train``); else training rows were compared.
    """

    file: RunFile
    labels: dict[str, int]
    held_out: int
    rows: int
    stated: bool


class Options(Struct, frozen=True):
    """A list of labels to choose from.

    Attributes:
        file: the file.
        pointer: where the list stands; None for rows.
        key: its key.
        labels: the labels.
        counted: rows behind the manifest's ``label_counts`` when those are exactly the options; else None.
        samples: samples by split that the manifest states.
        further: other option lists there, by key, with their lengths.
    """

    file: RunFile
    pointer: str | None
    key: str
    labels: frozenset[str]
    counted: int | None
    samples: dict[str, int]
    further: dict[str, int]


class LabelSpace(Struct, frozen=True):
    """Option lists, and what is known of held-out labels."""

    options: tuple[Options, ...]
    unseen: tuple[Unseen, ...]


@fact(absent="no rows that tell which held-out labels occur in train")
def label_space(uses: tuple[LabelUse, ...], manifests: tuple[DatasetManifest, ...]) -> LabelSpace | None:
    """Gather options and proofs: flags of predictions, else rows of both sides when they are complete."""
    found = [_flagged(use) for use in uses if use.evaluated and use.flagged and use.flagged == use.rows]
    # A table says what its JSONL twin says.
    proofs = [each for each in found if each.file.role != "predictions_table"] or found
    if not proofs:
        compared = _compared([use for use in uses if not use.evaluated], manifests)
        proofs = [compared] if compared is not None else []
    if not proofs:
        return None
    options = [each for manifest in manifests if (each := _options(manifest)) is not None]
    if not options:
        options = [
            Options(use.file, None, use.options[0], use.options[1], None, {}, {})
            for use in uses
            if use.options is not None
        ][:1]
    return LabelSpace(tuple(options), tuple(proofs))


def _flagged(use: LabelUse) -> Unseen:
    held = {label for split, label in use.by_split if split != TRAIN}
    return Unseen(use.file, use.unseen, len(held), use.rows, stated=True)


def _compared(uses: list[LabelUse], manifests: tuple[DatasetManifest, ...]) -> Unseen | None:
    stated = {manifest.record.count("num_samples") for manifest in manifests} - {None}
    if not uses or (stated and stated != {sum(use.rows for use in uses)}):
        return None
    train = {label for use in uses for split, label in use.by_split if split == TRAIN}
    held: dict[str, int] = {}
    first = uses[0].file
    for use in uses:
        for (split, label), rows in use.by_split.items():
            if split not in (TRAIN, None):
                held[label] = held.get(label, 0) + rows
    if not train or not held:
        return None
    missing = {label: rows for label, rows in held.items() if label not in train}
    return Unseen(first, missing, len(held), sum(held.values()), stated=False)


def _options(manifest: DatasetManifest) -> Options | None:
    record = manifest.record
    own = {key: name for name in OPTION_KEYS for key in record.names(name) if key not in ALIASES.get(name, (name,))}
    lists = {
        own.get(key, key): value
        for key, value in record.value.items()
        if (key in own or key.endswith("_options")) and isinstance(value, list)
    }
    key = next((name for name in OPTION_KEYS if name in lists), None)
    if key is None:
        return None
    labels = frozenset(item for item in lists[key] if isinstance(item, str))
    counts = record.counts("label_counts") if record.has("label_counts") else {}
    return Options(
        manifest.file,
        record.pointer(key),
        key,
        labels,
        sum(counts.values()) if counts and labels == counts.keys() else None,
        record.counts("split_counts") if record.has("split_counts") else {},
        {name: len(value) for name, value in lists.items() if name != key},
    )
