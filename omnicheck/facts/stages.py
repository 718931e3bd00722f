"""Which stages of the work a run holds, and the files that belong to each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from omnicheck.facts.documents import TrainingMetadata
from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

TRAINED = ("training_metadata", "adapter_config", "adapter_weights", "shape_check", "checkpoint_manifest")
EVALUATED = ("metrics", "predictions", "future_predictions", "policy_predictions", "predictions_table", "loss_records")
PACKAGED = ("verified_summary",)
ELSEWHERE = {
    "training": ("eval/", "dataset/", "validation/", "analysis/"),
    "eval": ("training/", "dataset/", "validation/", "analysis/"),
}
"""Parts of a packaged tree in which a file of a stage is not looked for."""

WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".gguf", ".onnx")
PLACEHOLDER = re.compile(r"^(?:<[^<>]*>|\$\{?\w+\}?)/+")


class Stages(Struct, frozen=True):
    """The stages of a run.

    Attributes:
        path: display path of the run.
        packaged: whether it is a package for publication: weights stay out of it.
        training: files of the training; None when the run holds no training.
        evaluation: files of the evaluation; None when the run holds none.
        renamed: required names for which a file stands that a team's own glob binds to the same role.
    """

    path: str
    packaged: bool
    training: tuple[RunFile, ...] | None
    evaluation: tuple[RunFile, ...] | None
    renamed: frozenset[str] = frozenset()

    def lacking(self, stage: str, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return the required names or globs that no file of the stage fits."""
        files = (self.training if stage == "training" else self.evaluation) or ()
        missing = (name for name in wanted if name not in self.renamed)
        return tuple(name for name in missing if not any(fits(file, name) for file in files))


class CheckpointFolder(Struct, frozen=True):
    """The checkpoint directory that the training metadata names, as far as it lies below the workspace.

    Attributes:
        found: names and globs that a file there fits.
    """

    found: frozenset[str]


@fact(absent="no stage of any work")
def stages(source: Source) -> Stages:
    """Tell training, evaluation and package by their files; a log alone is a training only without an evaluation."""
    run = source.run
    evaluated = bool(run.of(*EVALUATED))
    trained = bool(run.of(*TRAINED)) or (bool(run.of("progress_log")) and not evaluated)
    return Stages(
        run.path,
        packaged=bool(run.of(*PACKAGED)),
        training=_files(source, "training") if trained else None,
        evaluation=_files(source, "eval") if evaluated else None,
        renamed=frozenset(_renamed(source)),
    )


def _renamed(source: Source) -> Iterator[str]:
    contract = source.contract or {}
    artifacts = contract.get("artifact_contract")
    own = {file.role for file in source.run.files if file.role is not None and source.role_of(file.name) != file.role}
    for key in ("required_training_files", "required_eval_files") if own else ():
        wanted = artifacts.get(key) if isinstance(artifacts, dict) else None
        for name in wanted if isinstance(wanted, list) else ():
            if isinstance(name, str) and source.role_of(name) in own:
                yield name


def _files(source: Source, stage: str) -> tuple[RunFile, ...]:
    run = source.run
    return tuple(file for file in run.files if run.layout != "packaged" or not file.name.startswith(ELSEWHERE[stage]))


def fits(file: RunFile, wanted: str) -> bool:
    """Whether a file is the one that a contract requires.

    The contract's name may be a glob or have directories; ``metrics_eval.json`` stands for ``metrics.json``.
    """
    name = file.name if "/" in wanted else file.base
    if fnmatchcase(name, wanted) or fnmatchcase(name, f"*/{wanted}"):
        return True
    stem, dot, suffix = wanted.rpartition(".")
    return bool(dot) and "/" not in wanted and fnmatchcase(file.base, f"{stem}[_.-]*.{suffix}")


def is_weights(name: str) -> bool:
    """Whether a required name is a weights file, which no public package holds."""
    return name.endswith(WEIGHTS)


@fact(absent="no checkpoint directory below the workspace")
def checkpoint_folder(source: Source, training: tuple[TrainingMetadata, ...]) -> CheckpointFolder | None:
    """Look for what the contract requires in the recorded checkpoint directory."""
    contract = source.contract or {}
    artifacts = contract.get("artifact_contract")
    wanted = artifacts.get("required_training_files") if isinstance(artifacts, dict) else None
    if not isinstance(wanted, list):
        return None
    found: set[str] = set()
    for document in training:
        for key in ("checkpoint", "adapter"):
            folder = document.record.raw(key)
            if isinstance(folder, str) and folder:
                found.update(name for name in wanted if isinstance(name, str) and _there(source, folder, name))
    return CheckpointFolder(frozenset(found))


def _there(source: Source, folder: str, name: str) -> bool:
    below = PLACEHOLDER.sub("", folder.replace("\\", "/"))
    try:
        below = Path(below).relative_to(source.workspace).as_posix() if below.startswith("/") else below
    except ValueError:
        return False
    # A glob is looked up by its plainest name: adapter_model*.safetensors is mostly adapter_model.safetensors.
    return bool(source.exists(source.workspace, f"{below.rstrip('/')}/{name.replace('*', '')}"))
