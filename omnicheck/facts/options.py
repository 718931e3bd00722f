"""The labels that a model may choose from, as its dataset lists them."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.dataset_truth import DatasetTruth
from omnicheck.facts.documents import DatasetManifest, TrainingMetadata
from omnicheck.facts.predictions import Predictions
from omnicheck.facts.record import Record
from omnicheck.facts.registry import fact
from omnicheck.model.run import RunFile

FIELDS = {"action": "action_options", "next_action": "action_options", "subtask": "subtask_options"}
"""Answer field to the list that its labels come from."""

MAIN = "action_options"
"""The list that the main label comes from."""


class OptionList(Struct, frozen=True):
    """One list of options: where it stands, and its labels."""

    file: RunFile
    labels: frozenset[str]


class OptionLists(Struct, frozen=True):
    """The option lists of a run by name; lists in which no true label occurs belong to another dataset."""

    lists: dict[str, OptionList]

    def labels(self) -> dict[str, frozenset[str]]:
        """Return the labels by name of the list."""
        return {name: each.labels for name, each in self.lists.items()}


@fact(absent="no list of label options")
def option_lists(
    predictions: tuple[Predictions, ...],
    manifests: tuple[DatasetManifest, ...] | None,
    rows: tuple[DatasetTruth, ...] | None,
    training: tuple[TrainingMetadata, ...] | None,
) -> OptionLists | None:
    """Find each list: in the dataset's manifest, its rows, or the classes of a trained classifier.

    The labels that a metrics file lists are no options: they hold every string that was predicted.
    """
    truths = _truths(predictions)
    found: dict[str, OptionList] = {}
    for name in (MAIN, "subtask_options"):
        candidates = [each for manifest in manifests or () if (each := _stated(manifest.record, name))]
        for truth in rows or ():
            labels = truth.options.get(name) or (truth.options.get("label_options") if name == MAIN else None)
            if labels:
                candidates.append(OptionList(truth.file, labels))
        candidates += [each for document in training or () if (each := _stated(document.record, name))]
        own = [each for each in candidates if not truths[name].isdisjoint(each.labels)]
        if own:
            found[name] = own[0]
    return OptionLists(found) if found else None


def _stated(record: Record, name: str) -> OptionList | None:
    value = record.raw(name)
    if not isinstance(value, list) or not value:
        return None
    return OptionList(record.file, frozenset(each for each in value if isinstance(each, str)))


def _truths(predictions: tuple[Predictions, ...]) -> dict[str, set[str]]:
    truths: dict[str, set[str]] = {MAIN: set(), "subtask_options": set()}
    for each in predictions:
        truths[MAIN].update(label for label in each.true_labels if label is not None)
        for field, (true, _) in each.fields.items():
            if field in FIELDS:
                truths[FIELDS[field]].update(value for value in true if isinstance(value, str))
    return truths
