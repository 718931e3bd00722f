"""What a key of a metrics file measures: which metric, of which subject."""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct

MAIN = ""
"""Subject of the main label."""

_METRICS = "balanced_accuracy|accuracy|macro_f1|micro_f1|weighted_f1"
_CLASSES = re.compile(rf"(?:(?P<subject>.+?)_)?(?P<metric>{_METRICS})")
_SHORT = {"acc": "accuracy", "top1_accuracy": "accuracy", "f1_macro": "macro_f1", "f1_micro": "micro_f1"}
_SHORT |= {"f1_weighted": "weighted_f1", "bal_acc": "balanced_accuracy", "exact_match": "accuracy"}
_RETRIEVED = "_from_retrieved_future"
_RECALL = re.compile(r"(?:.+_)?recall_at_(?P<k>\d{1,6})")


class Measured(Struct, frozen=True):
    """What one key measures.

    Attributes:
        metric: base name of a definition (``accuracy``, ``macro_f1``, ``set_f1``, ``mrr``, ``recall_at``,
            ``mean_error``, ``consistency``, ``validity``, ``majority``).
        subject: field of the answer; empty for the main label.
        k: cut-off of a recall.
        seen: only rows whose true label occurs (or does not occur) in training; None for all rows.
    """

    metric: str
    subject: str = MAIN
    k: int = 0
    seen: bool | None = None


_FIXED = {
    "json_validity_rate": Measured("validity"),
    "seen_label_accuracy": Measured("accuracy", seen=True),
    "unseen_label_accuracy": Measured("accuracy", seen=False),
    "majority_baseline_accuracy": Measured("majority"),
    "temporal_consistency": Measured("consistency"),
    "feature_reconstruction_error": Measured("mean_error"),
    "mean_feature_reconstruction_error": Measured("mean_error"),
}


def measured(key: str, fields: Collection[str], main: Collection[str]) -> tuple[Measured, ...]:
    """Return what a key of a metrics file may measure, the likeliest first; nothing when predictions cannot say.

    Args:
        key: the key.
        fields: names of the fields that predictions have a truth and an answer of.
        main: names under which the main label goes, such as ``action`` or ``label``.
    """
    if key in _FIXED:
        return (_FIXED[key],)
    if key == "mrr" or key.endswith("_mrr"):
        return (Measured("mrr"),)
    recall = _RECALL.fullmatch(key)
    if recall is not None:
        return (Measured("recall_at", k=int(recall["k"])),)
    match = _CLASSES.fullmatch(_SHORT.get(key, key).removesuffix(_RETRIEVED))
    if match is None:
        return ()
    subject, metric = match["subject"] or MAIN, match["metric"]
    found = [Measured(metric)] if subject == MAIN or subject in main else []
    if subject in fields:
        found.append(Measured(metric, subject))
    elif f"{subject}s" in fields and metric == "micro_f1":
        found.append(Measured("set_f1", f"{subject}s"))
    return tuple(found)
