"""Stored validations and audits: what they carry that can be recomputed, and what of it is wrong."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from omnicheck.facts.documents import DatasetManifest, Metrics, PackageAudit, TrainingMetadata, Validation
from omnicheck.facts.episodes import EpisodeManifest
from omnicheck.facts.prediction_files import PredictionFiles
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

PASSED = frozenset({"pass", "passed", "ok", "verified", "success", "succeeded", "valid", "complete"})
FAILED = frozenset({"fail", "failed", "error", "invalid"})
TIMES = re.compile(r"(?:^|_)(?:time|timestamp|at|unix|utc|seconds|elapsed|duration|date|version|exit_code|returncode)$")
FILE = re.compile(r"[^\s<>]*\.[A-Za-z][A-Za-z0-9]{1,11}")
DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{32,128}")
PLAIN = frozenset(
    {
        "manifest_num_samples",
        "num_train_samples",
        "num_val_samples",
        "prediction_rows",
        "num_eval_episodes",
        "held_out_episode_count",
        "eval_split",
    }
)
"""Keys that mean one thing even outside a section of their own; ``num_samples`` may be of anything."""

MAX_NODES = 5_000
ITSELF = "the file itself"


class Contradiction(Struct, frozen=True):
    """One statement that is wrong.

    Attributes:
        pointer: JSON pointer in the validation.
        stated: what it says.
        actual: what was recomputed.
        where: what it was recomputed from, in words.
    """

    pointer: str
    stated: Any
    actual: Any
    where: str


class ValidationClaim(Struct, frozen=True):
    """A validation or an audit that says it passed.

    Attributes:
        file: the file.
        carries: whether it carries counts, inputs or digests.
        compared: how many of its statements could be recomputed here.
        wrong: those that are wrong.
    """

    file: RunFile
    carries: bool
    compared: int
    wrong: tuple[Contradiction, ...]


Known = dict[str, dict[str, tuple[Any, str]]]
"""Section of a validation to its keys, each with the recomputed value and where it comes from."""


@fact(absent="no validation or audit that says it passed")
def validation_claims(
    source: Source,
    validations: tuple[Validation, ...] | None,
    audits: tuple[PackageAudit, ...] | None,
    manifests: tuple[EpisodeManifest, ...] | None,
    datasets: tuple[DatasetManifest, ...] | None,
    training: tuple[TrainingMetadata, ...] | None,
    metrics: tuple[Metrics, ...] | None,
    predictions: PredictionFiles | None,
) -> tuple[ValidationClaim, ...]:
    """Recompute what each file states, as far as the run holds what it speaks of."""
    known: Known = {
        "manifest": _of_manifest(manifests or ()),
        "dataset": _of_dataset(datasets or ()),
        "training": _of_training(training or ()),
        "eval": {**_of_metrics(metrics or ()), **_of_predictions(predictions)},
    }
    run_ids = {named for each in training or () if isinstance(named := each.record.raw("run_id"), str)}
    found = []
    documents: tuple[Validation | PackageAudit, ...] = (*(validations or ()), *(audits or ()))
    for document in documents:
        value = document.record.value
        if not _passed(value):
            continue
        wrong = list(_against_itself(value))
        holder, at = (value["summary"], "/summary") if isinstance(value.get("summary"), dict) else (value, "")
        other = isinstance(holder.get("train_run_id"), str) and holder["train_run_id"] not in run_ids
        compared = 0
        for section, values in known.items():
            if section == "training" and other:
                continue  # it speaks of another training
            own = holder.get(section)
            place, pointer = (own, f"{at}/{section}") if isinstance(own, dict) else (holder, at)
            for key, (actual, where) in values.items():
                if place is not own and key not in PLAIN and not isinstance(actual, float):
                    continue
                if key in place and isinstance(place[key], type(actual) if not _number(actual) else int | float):
                    compared += 1
                    if not _same(place[key], actual):
                        wrong.append(Contradiction(f"{pointer}/{key}", place[key], actual, where))
        if isinstance(document, PackageAudit):
            wrong += _absent_files(source, value)
        found.append(ValidationClaim(document.file, _carries(value), compared, tuple(wrong)))
    return tuple(found)


def _passed(value: Mapping[str, Any]) -> bool:
    status = value.get("status", value.get("result", value.get("verdict")))
    if isinstance(status, str):
        return status.lower() in PASSED
    return any(value.get(key) is True for key in ("passed", "ok", "valid", "pass", "status"))


def _against_itself(value: Mapping[str, Any]) -> Iterator[Contradiction]:
    for key in ("issues", "errors", "violations", "failures"):
        told = value.get(key)
        if isinstance(told, list):
            grave = [each for each in told if not (isinstance(each, dict) and each.get("severity") in _MILD)]
            if grave:
                yield Contradiction(f"/{key}", "pass", f"{len(grave)} that must not be there", ITSELF)
    checks = value.get("checks")
    named = list(checks.items()) if isinstance(checks, dict) else []
    listed = [(str(at), each) for at, each in enumerate(checks)] if isinstance(checks, list) else []
    for key, each in [*named, *listed]:
        verdict = each.get("status", each.get("passed")) if isinstance(each, dict) else each
        if verdict is False or (isinstance(verdict, str) and verdict.lower() in FAILED):
            yield Contradiction(f"/checks/{key}", "pass", "a check that failed", ITSELF)


_MILD = ("warning", "info", "note")


def _of_manifest(manifests: tuple[EpisodeManifest, ...]) -> dict[str, tuple[Any, str]]:
    if len(manifests) != 1:
        return {}
    episodes, base = manifests[0].episodes, manifests[0].file.base
    splits: dict[Any, int] = dict(Counter(each.split for each in episodes if each.split is not None))
    return {"episode_count": (len(episodes), base), "split_counts": (splits, base)}


def _of_dataset(datasets: tuple[DatasetManifest, ...]) -> dict[str, tuple[Any, str]]:
    if len(datasets) != 1:
        return {}
    record, base = datasets[0].record, datasets[0].file.base
    found: dict[str, tuple[Any, str]] = {}
    samples = record.raw("num_samples")
    if _number(samples):
        found |= {"manifest_num_samples": (samples, base), "row_count": (samples, base)}
    if isinstance(record.raw("split_counts"), dict):
        found["sample_split_counts"] = (dict(record.raw("split_counts")), base)
    if isinstance(record.raw("episode_split_counts"), dict):
        found["episode_split_counts"] = (dict(record.raw("episode_split_counts")), base)
    skipped = record.raw("skipped_episodes")
    if isinstance(skipped, list):
        found["skipped_episodes"] = (len(skipped), base)
    return found


def _of_training(training: tuple[TrainingMetadata, ...]) -> dict[str, tuple[Any, str]]:
    if len(training) != 1:
        return {}
    record, base = training[0].record, training[0].file.base
    found = {
        key: (record.raw(key), base)
        for key in ("num_train_samples", "num_val_samples", "num_processes")
        if _number(record.raw(key))
    }
    if isinstance(record.raw("history"), list):
        found["history_len"] = (len(record.raw("history")), base)
    return found


def _of_metrics(metrics: tuple[Metrics, ...]) -> dict[str, tuple[Any, str]]:
    if len(metrics) != 1:
        return {}
    record = metrics[0].record
    known = {
        key: (value, metrics[0].file.base)
        for key, value in record.value.items()
        if _number(value) or key == "eval_split"
    }
    return {key: pair for key, pair in known.items() if isinstance(pair[0], str | int | float)}


def _of_predictions(predictions: PredictionFiles | None) -> dict[str, tuple[Any, str]]:
    if predictions is None or len(predictions.files) != 1:
        return {}
    rows = predictions.files[0]
    found: dict[str, tuple[Any, str]] = {"prediction_rows": (len(rows), rows.file.base)}
    if all(each is not None for each in rows.episodes):
        episodes = len(set(rows.episodes))
        found |= dict.fromkeys(("num_eval_episodes", "held_out_episode_count"), (episodes, rows.file.base))
    return found


def _absent_files(source: Source, value: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield the required files that an audit of this very directory saw and that are not there."""
    folder = value.get("package_dir")
    required = value.get("required_eval_files")
    if not isinstance(folder, str) or not isinstance(required, list):
        return
    if folder.rstrip("/").rpartition("/")[2] != source.run.path.rstrip("/").rpartition("/")[2]:
        return
    bases = {file.base for file in source.run.files}
    for at, name in enumerate(required):
        if isinstance(name, str) and "*" not in name and name.rpartition("/")[2] not in bases:
            yield Contradiction(f"/required_eval_files/{at}", name, "no such file", "the package")


def _same(stated: Any, actual: Any) -> bool:
    if isinstance(stated, dict) and isinstance(actual, dict):
        return {key: value for key, value in stated.items() if value} == {
            key: value for key, value in actual.items() if value
        }
    if _number(stated) and _number(actual):
        return math.isclose(stated, actual, rel_tol=1e-6, abs_tol=1e-9)
    return bool(stated == actual)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _carries(value: Mapping[str, Any]) -> bool:
    """Whether a document has a count, a file that was looked at, or a digest."""
    queue: list[tuple[str, Any]] = [(key, inner) for key, inner in value.items() if key != "issues"]
    for _ in range(MAX_NODES):
        if not queue:
            return False
        key, inner = queue.pop()
        if isinstance(inner, dict):
            queue += [(str(name), each) for name, each in inner.items()]
        elif isinstance(inner, list):
            queue += [(key, each) for each in inner]
        elif (_number(inner) and not TIMES.search(key)) or (
            isinstance(inner, str) and (FILE.fullmatch(inner) or DIGEST.fullmatch(inner))
        ):
            return True
    return True
