"""Unknown keys that are one slip away from a known one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.facts.aliases import ALIASES
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

JUDGED_ROLES = (
    "metrics",
    "rank_metrics",
    "training_metadata",
    "dataset_manifest",
    "episode_manifest",
    "verified_summary",
    "checkpoint_manifest",
    "action_space",
    "normalization",
)
"""Roles whose keys decide something; free-form files are not judged."""

KEYS = frozenset(
    {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "micro_f1",
        "weighted_f1",
        "action_macro_f1",
        "subtask_accuracy",
        "transition_accuracy",
        "next_action_accuracy",
        "contact_accuracy",
        "object_micro_f1",
        "json_validity_rate",
        "seen_label_accuracy",
        "unseen_label_accuracy",
        "future_retrieval_mrr",
        "future_retrieval_recall_at_5",
        "temporal_consistency",
        "feature_reconstruction_error",
        "trajectory_mpjpe",
        "eval_split",
        "train_split",
        "eval_label_counts",
        "unseen_eval_labels",
        "num_unseen_label_samples",
        "sample_offset",
        "sample_stride",
        "metric_definitions",
        "shard_dirs",
        "coverage",
        "expected_eval_samples",
        "merged_prediction_rows",
        "missing_prediction_rows",
        "num_processes",
        "learning_rate",
        "target_modules",
        "tuning_mode",
        "save_mode",
        "weights_updated",
        "train_loss",
        "val_loss",
        "global_step",
        "split_counts",
        "episode_split_counts",
        "label_counts",
        "action_options",
        "subtask_options",
        "skipped_episodes",
        "num_episodes",
        "clip_policy",
        "horizon_windows",
        "max_pairs_per_episode",
        "dataset_contract",
        "source_dataset_jsonl",
        "source_dataset_manifest",
        "episodes",
        "missing_or_incomplete",
        "selected_episode_count",
        "included_episode_count",
        "main_task",
        "frame_count",
        "held_out_episode_count",
        "acceptance_criteria",
        "acceptanceCriteria",
        "thresholds",
        "min_samples",
    }
) | {alias for names in ALIASES.values() for alias in names}

MIN_LENGTH = 6
"""Shorter keys are near each other by chance."""


class NearMiss(Struct, frozen=True):
    """An unknown key, and the known one it resembles."""

    file: RunFile
    pointer: str
    key: str
    known: str


class NearMisses(Struct, frozen=True):
    """All near misses of a run."""

    found: tuple[NearMiss, ...]


@fact(absent="no file whose keys are known")
def near_misses(source: Source) -> NearMisses | None:
    """Look at the keys of files whose keys decide something."""
    files = source.run.of(*JUDGED_ROLES)
    if not files:
        return None
    known = KEYS | source.known_keys()
    by_style = {_plain(key): key for key in known}
    return NearMisses(tuple(miss for file in files for miss in _misses(file, source.json(file).value, known, by_style)))


def _misses(file: RunFile, value: Any, known: frozenset[str], by_style: dict[str, str]) -> Iterator[NearMiss]:
    stack: list[tuple[str, Any]] = [("", value)]
    told: set[str] = set()
    while stack:
        at, here = stack.pop()
        if isinstance(here, list):
            stack.extend((f"{at}/{i}", item) for i, item in enumerate(here[:50]) if isinstance(item, dict | list))
            continue
        if not isinstance(here, dict):
            continue
        for key, inner in here.items():
            pointer = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
            if isinstance(inner, dict | list) and not key.endswith(("counts", "labels")):  # those are keyed by data
                stack.append((pointer, inner))
            if key in known or key in told or len(key) < MIN_LENGTH or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", key):
                continue
            near = by_style.get(_plain(key)) or next(
                (k for k in sorted(known) if len(k) >= MIN_LENGTH and slip(key, k)), None
            )
            if near is not None and near not in here:
                told.add(key)
                yield NearMiss(file, pointer, key, near)


def _plain(key: str) -> str:
    return re.sub(r"[_-]", "", key).lower()


def slip(key: str, known: str) -> bool:
    """Whether an unknown key is a slip for a known one: one edit that is neither a digit nor a plural s."""
    if not one_edit(key, known) or key.rstrip("s") == known.rstrip("s"):
        return False
    return re.sub(r"\d", "", key) != re.sub(r"\d", "", known)


def one_edit(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns ``a`` into ``b``."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) == len(b):
        return a[start + 1 :] == b[start + 1 :] or (
            a[start : start + 2] == b[start : start + 2][::-1] and a[start + 2 :] == b[start + 2 :]
        )
    short, long = (a, b) if len(a) < len(b) else (b, a)
    return short[start:] == long[start + 1 :]
