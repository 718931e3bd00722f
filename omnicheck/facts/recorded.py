"""What a run records of its making: provenance, the course of the validation loss, times and digests of validations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from omnicheck.facts.clock import seconds
from omnicheck.facts.documents import JsonFact, Metrics, PackageAudit, ShapeCheck, TrainingMetadata, Validation
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.facts.training_times import TrainingEnd
from omnicheck.model.run import RunFile

MAX_NODES = 20_000
"""Values of one document that are looked at for provenance."""

ASKED: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "code commit",
        re.compile(
            r"(?:(?:git|code|repo|source)_)*(?:commit|commit_sha|commit_hash|git_sha|git_hash|git_revision|code_revision|code_sha)$"
        ),
    ),
    (
        "dirty flag",
        re.compile(r"(?:git_|code_|repo_)*(?:is_)?(?:dirty|uncommitted_changes|worktree_clean)(?:_flag)?$"),
    ),
    ("seed", re.compile(r"(?:\w+_)?seeds?$")),
    (
        "dataset revision",
        re.compile(r"(?:repo_sha|(?:dataset|data)(?:_\w+)?_(?:revision|sha|sha256|digest|hash|commit|version))$"),
    ),
    (
        "library versions",
        re.compile(
            r"(?:\w+_)?(?:versions?|requirements|pip_freeze)$|^(?:torch|transformers|peft|diffusers|numpy|packages)$"
        ),
    ),
)
"""What must be recorded, and the keys under which it stands; a dataset's own version is no library version."""

DOCUMENTS = (
    "training_metadata",
    "metrics",
    "run_config",
    "verified_summary",
    "dataset_manifest",
    "checkpoint_manifest",
    "model_config",
    "server_info",
    "packer_summary",
    "run_summary",
)
NO_LIBRARY = ("dataset", "data_", "schema", "contract", "format", "model", "adapter", "prompt", "file")
TRAINED = (
    "history",
    "losses",
    "weights_updated",
    "num_train_samples",
    "checkpoint",
    "lora",
    "lora_rank",
    "epochs",
    "max_steps",
    "learning_rate",
    "log_history",
)
"""Keys that metadata of a training has; ``metadata.json`` is also the name of much else."""

SELECTORS = (
    "best_epoch",
    "selected_epoch",
    "best_step",
    "selected_step",
    "best_checkpoint",
    "load_best_model_at_end",
    "early_stopping",
)
TIMES = ("generated_at_utc", "generated_at", "created_at", "validated_at", "checked_at", "finished_at", "time")


class Provenance(Struct, frozen=True):
    """What a run does not record of its making; the file that should, and the names of what is missing."""

    file: RunFile
    missing: tuple[str, ...]
    recorded: tuple[str, ...]


class ValidationLosses(Struct, frozen=True):
    """The validation losses of a training, in order.

    Attributes:
        file: the metadata.
        pointer: pointer to its history.
        losses: (epoch as stated, loss), at least two.
        selector: key that says which checkpoint was chosen, or None.
    """

    file: RunFile
    pointer: str
    losses: tuple[tuple[str, float], ...]
    selector: str | None


class ValidatedInput(Struct, frozen=True):
    """A stored validation beside something it validates.

    Attributes:
        file: the validation.
        pointer: where its time or digest stands.
        input: the file that it validates.
        made: when the validation was made, or None when digests are compared.
        changed: when the input was finished.
        stated: digest in the validation, or None when times are compared.
        actual: digest of the input now.
    """

    file: RunFile
    pointer: str
    input: RunFile
    made: float | None = None
    changed: float | None = None
    stated: str | None = None
    actual: str | None = None


@fact(absent="no training or evaluation is recorded")
def provenance(
    source: Source, training: tuple[TrainingMetadata, ...] | None, metrics: tuple[Metrics, ...] | None
) -> Provenance | None:
    """Look through the documents of the run for what its making must record."""
    holders = [*(each for each in training or () if _worked(each)), *(metrics or ())]
    if not holders:
        return None
    names: set[str] = set()
    for file in source.run.of(*DOCUMENTS):
        yaml = file.base.endswith((".yaml", ".yml"))
        names.update(_filled(source.yaml(file).value if yaml else source.json(file).value))
    for file in source.run.of("selection"):
        # The seed of a selection is not the training's.
        names.update(name for name in _filled(source.json(file).value) if not name.endswith(("seed", "seeds")))
    recorded = [what for what, keys in ASKED if any(keys.match(name) for name in names if _means(what, name))]
    missing = tuple(what for what, _ in ASKED if what not in recorded)
    return Provenance(holders[0].file, missing, tuple(recorded))


def _worked(metadata: TrainingMetadata) -> bool:
    """Whether metadata tells of a training or an evaluation: not of an audit, nor of a recording."""
    record = metadata.record
    if record.raw("weights_updated") is False:
        return bool(record.raw("history")) or bool(record.raw("eval_summary"))
    return any(record.has(name) for name in TRAINED)


def _means(what: str, name: str) -> bool:
    return what != "library versions" or not name.startswith(NO_LIBRARY)


def _filled(value: Any) -> Iterator[str]:
    """Yield the keys of a document, lower-cased, whose value is not empty."""
    stack, left = [value], MAX_NODES
    while stack and left:
        left -= 1
        found = stack.pop()
        if isinstance(found, dict):
            for key, inner in found.items():
                if inner is not None and inner not in ("", [], {}):
                    yield str(key).lower()
                    stack.append(inner)
        elif isinstance(found, list):
            stack.extend(found[:50])


@fact(absent="no two validation losses in a training history")
def validation_losses(training: tuple[TrainingMetadata, ...]) -> tuple[ValidationLosses, ...]:
    """Read the validation losses of each history that has at least two."""
    found = []
    for each in training:
        history = each.record.raw("history")
        losses = tuple(_losses(history if isinstance(history, list) else []))
        if len(losses) > 1:
            selector = next((key for key in SELECTORS if each.record.raw(key)), None)
            found.append(ValidationLosses(each.file, each.record.pointer("history"), losses, selector))
    return tuple(found)


def _losses(history: list[Any]) -> Iterator[tuple[str, float]]:
    for i, item in enumerate(history):
        loss = item.get("val_loss") if isinstance(item, dict) else None
        if isinstance(loss, int | float) and not isinstance(loss, bool):
            yield str(item.get("epoch", i + 1)), float(loss)


@fact(absent="no validation records a time or a digest of what it validates")
def validated_inputs(
    source: Source,
    validations: tuple[Validation, ...] | None,
    audits: tuple[PackageAudit, ...] | None,
    checks: tuple[ShapeCheck, ...] | None,
    metrics: tuple[Metrics, ...] | None,
    end: TrainingEnd | None,
) -> tuple[ValidatedInput, ...]:
    """Set each validation beside its inputs: by digests where it lists them, else by recorded times."""
    found: list[ValidatedInput] = []
    finished = _time(metrics[0].record.value) if metrics is not None and len(metrics) == 1 else None
    for document in (*(validations or ()), *(audits or ()), *(checks or ())):
        found.extend(_digests(source, document.file, document.record.value))
        stamp, stage = _time(document.record.value), _stage(document)
        if stamp is None:
            continue
        if end is not None and stage in ("training", "eval"):
            found.append(ValidatedInput(document.file, f"/{stamp[0]}", end.file, stamp[1], end.time))
        if metrics and finished is not None and stage == "eval":
            found.append(ValidatedInput(document.file, f"/{stamp[0]}", metrics[0].file, stamp[1], finished[1]))
    return tuple(found)


def _stage(document: JsonFact) -> str:
    """Return the stage that a validation is of: manifest, dataset, training, eval, or nothing when it does not say."""
    if isinstance(document, ShapeCheck):
        return "training"
    if isinstance(document, PackageAudit):
        return "eval"
    inner = document.record.raw("summary")
    stated = inner.get("required_stage") if isinstance(inner, dict) else document.record.raw("stage")
    if isinstance(stated, str):
        return stated
    return next((stage for stage in ("manifest", "dataset", "training", "eval") if stage in document.file.base), "")


def _time(value: Mapping[str, Any]) -> tuple[str, float] | None:
    for key in (*TIMES, "created_at_utc", "timestamp", "finished_at_unix"):
        found = seconds(value.get(key))
        if found is not None:
            return key, found
    return None


def _digests(source: Source, file: RunFile, value: Any, at: str = "", depth: int = 0) -> Iterator[ValidatedInput]:
    """Yield each listed digest of a file of the run with the digest it has now."""
    if depth > 6:
        return
    if isinstance(value, dict):
        stated = value.get("sha256")
        name = next((value[key] for key in ("path", "file", "name") if isinstance(value.get(key), str)), None)
        listed = source.in_run(name) if name else None
        if isinstance(stated, str) and listed is not None:
            actual = source.sha256(listed)
            if actual is not None:
                yield ValidatedInput(file, f"{at}/sha256", listed, stated=stated.lower(), actual=actual)
        for key, inner in value.items():
            yield from _digests(
                source, file, inner, f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}", depth + 1
            )
    elif isinstance(value, list):
        for i, inner in enumerate(value[:1000]):
            yield from _digests(source, file, inner, f"{at}/{i}", depth + 1)
