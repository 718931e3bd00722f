"""Names of splits and of episodes: which of them mean the same."""

from __future__ import annotations

import re

from omnicheck.facts.episodes import episode_key

TRAIN, VAL, TEST = "train", "val", "test"
REQUIRED = (TRAIN, VAL, TEST)
"""The splits that every dataset of a run has."""

SYNONYMS = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VAL,
    "valid": VAL,
    "validation": VAL,
    "dev": VAL,
    "test": TEST,
    "testing": TEST,
    "held_out": TEST,
    "held-out": TEST,
    "heldout": TEST,
    "holdout": TEST,
}
"""Spellings that mean one of the required splits."""

NO_SPLIT = frozenset({"", "unspecified", "unknown", "none", "null", "n/a"})
"""Values that name no split."""

BARE = re.compile(r"(?:[a-z]+[ _-]*)?(?:\d{1,2}|[1-9]\d{2})", re.IGNORECASE)
"""Ids that number episodes within a session (``ep1``, ``demo_12``); ``episode_000123`` numbers a dataset."""

_FILE_SPLIT = re.compile(r"(?:^|[_.-])(train|training|val|valid|validation|dev|test)(?=$|[_.-])")


def split_name(stated: object) -> str | None:
    """Return the split that a stated value means; None for none, and an unknown name as it stands."""
    if not isinstance(stated, str):
        return None
    plain = stated.strip()
    lowered = plain.lower()
    return None if lowered in NO_SPLIT else SYNONYMS.get(lowered, plain)


def split_of_file(base: str) -> str | None:
    """Return the split that a file's name tells, such as ``dataset_train.jsonl``."""
    found = _FILE_SPLIT.findall(base.rsplit(".", 1)[0].lower())
    return SYNONYMS[found[-1]] if found else None


def comparable(key: str) -> bool:
    """Whether equal keys mean the same episode; bare ids of unknown sessions do not."""
    return BARE.fullmatch(key) is None


def row_key(episode: str, session: str | None, path: str | None) -> str:
    """Return the session-qualified id of a row's episode."""
    return episode_key(episode, session, path)
