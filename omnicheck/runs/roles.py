"""Which file plays which role: a table of names, data only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase, translate
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace


class Role(Struct, frozen=True):
    """A role and the names that bind to it.

    Attributes:
        name: the role.
        globs: over the base name, or over the whole name in the run when they hold a slash.
        anchor: whether a file of this role makes its directory a run.
        yields: whether it does so only where no directory above is a run anyway.
        gathers: whether the yielding files below it belong to its directory.
    """

    name: str
    globs: tuple[str, ...]
    anchor: bool = True
    yields: bool = False
    gathers: bool = False


SHARD_DIRECTORIES = ("shard*", "*[_.-]shard[0-9]*", "*[_.-]shard[_.-][0-9]*")
"""Directories of one shard of an evaluation: ``shard_3``, ``night_eval_shard3``, ``night_eval-shard-3-of-8``."""


def _in_shards(*globs: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{glob}" for folder in SHARD_DIRECTORIES for glob in globs)


ROLES: tuple[Role, ...] = (
    Role("shard_partial_predictions", _in_shards("predictions.partial.jsonl")),
    Role("shard_predictions", _in_shards("predictions*.jsonl", "*predictions.jsonl")),
    Role("shard_metrics", _in_shards("metrics*.json")),
    Role("shard_progress", _in_shards("progress*.jsonl")),
    Role("shard_file", ("shard*/*", "../*shard*/*"), anchor=False),
    Role("episode_manifest", ("episode_manifest*.json",)),
    Role("selection", ("*episode_selection.json", "selection.json")),
    Role("dataset_manifest", ("dataset_manifest*.json",)),
    Role("window_index_manifest", ("window_index_manifest*.json",)),
    Role("dataset_rows", ("dataset.jsonl", "dataset_*.jsonl", "*_pairs.jsonl", "samples.jsonl", "windows.jsonl")),
    Role("window_index", ("window_index*.jsonl",)),
    Role("target_manifest", ("target_manifest.json",)),
    Role("training_metadata", ("training_metadata*.json", "metadata.json", "trainer_state.json")),
    Role("progress_log", ("progress*.jsonl",)),
    Role("gate_log", ("watch_*.jsonl", "pipeline_status.jsonl", "launch_status.jsonl", "status.jsonl")),
    Role("text_log", ("*.log",), anchor=False),
    Role("adapter_config", ("adapter_config.json",)),
    Role("adapter_weights", ("adapter_model*.safetensors", "pytorch_lora_weights*.safetensors")),
    Role("shape_check", ("adapter_shape_check*.json", "adapter_repair_audit*.json")),
    Role("partial_predictions", ("*predictions.partial.jsonl",)),
    Role("future_predictions", ("future_predictions*.jsonl",)),
    Role("policy_predictions", ("policy_predictions*.jsonl",)),
    Role("predictions", ("predictions*.jsonl", "*_predictions.jsonl")),
    Role("predictions_table", ("predictions*.csv",)),
    Role("retrieval_rankings", ("retrieval_rankings*.csv",)),
    Role("temporal_table", ("temporal_consistency*.csv",)),
    Role("trajectory_table", ("trajectory_metrics*.csv",)),
    Role("loss_records", ("loss_records*.jsonl",)),
    Role("rank_metrics", ("rank_*_metrics.json", "rank*_metrics.json")),
    Role("metrics", ("metrics*.json", "eval_metrics.json")),
    Role("per_class", ("per_class_metrics*.csv",)),
    Role("confusion", ("confusion_matrix*.csv", "action_confusion_matrix*.csv")),
    Role("qualitative", ("qualitative_examples.json",)),
    Role("report", ("RUN_REPORT*.md",)),
    Role("summary_card", ("PUBLIC_RESULT_SUMMARY.md",)),
    Role("card", ("README.md",), anchor=False),
    Role("verified_summary", ("verified_result_summary.json",)),
    Role("package_audit", ("package_audit*.json", "audit_*.json")),
    Role("validation", ("validation/*.json", "validation_*.json")),
    Role("model_config", ("model_config.json",)),
    Role("generation_config", ("generation_config.json",)),
    Role("scheduler_state", ("scheduler_config.json", "scheduler.json", "scheduler_state.json")),
    Role("checkpoint_manifest", ("checkpoint_manifest.json",)),
    Role("action_space", ("action_space.json",)),
    Role("normalization", ("normalization_stats.json", "norm_stats.json", "dataset_statistics.json")),
    Role("retargeting_audit", ("retargeting_audit.json",)),
    Role("packer_summary", ("packer_summary.json",)),
    Role("run_summary", ("*_summary.json", "training_contract_audit.json", "training_readiness.json"), anchor=False),
    Role("io_contract", ("io_contract*.json",)),
    Role("onnx_manifest", ("manifest.json",), anchor=False, gathers=True),
    Role("genai_config", ("genai_config.json",), anchor=False, gathers=True),
    Role("onnx_model", ("*.onnx",), yields=True),
    Role("onnx_data", ("*.onnx.data", "*.onnx_data", "*.onnx_data_*"), anchor=False),
    Role("server_info", ("server_info.json",)),
    Role("upload_manifest", ("upload_manifest.json",)),
    Role("file_manifest", ("MANIFEST", "MANIFEST.sha256", "SHA256SUMS", "SHA256SUMS.txt", "sha256sums.txt")),
    Role("signature", ("model.sig",)),
    Role("carried_report", ("omnicheck.report.json",), anchor=False),
    Role(
        "run_config",
        ("config.yaml", "config.yml", "*_config.yaml", "train_config.json", "run_config.json"),
        anchor=False,
    ),
    Role("document", ("*.md", "*.rst"), anchor=False),
)
"""In order of preference: the first role whose glob fits binds the file."""

ROLE_NAMES = frozenset(role.name for role in ROLES)


def role_table(extra: Mapping[str, Sequence[str]]) -> tuple[Role, ...]:
    """Return the table with a team's own globs in front; own roles anchor as their built-in namesakes do."""
    known = {role.name: role for role in ROLES}
    own = tuple(
        replace(known.get(name, Role(name, ())), name=name, globs=tuple(globs)) for name, globs in extra.items()
    )
    return own + ROLES


def role_of(name: str, table: tuple[Role, ...]) -> Role | None:
    """Return the role of a file by its posix name in the run (or a longer path), or None."""
    base = name.rsplit("/", 1)[-1]
    for role, globs in _split(table):
        for pieces, glob in globs:
            if _fits(pieces, base) and ("/" not in glob or _anywhere(glob).match(name)):
                return role
    return None


@lru_cache(maxsize=8)
def _split(table: tuple[Role, ...]) -> tuple[tuple[Role, tuple[tuple[tuple[str, ...], str], ...]], ...]:
    """Return each role with its globs, and the literal pieces of what each wants of the base name.

    Nearly all globs have no other wildcard than the star: comparing pieces spares the compiling of a hundred patterns.
    """
    return tuple(
        (role, tuple((tuple(glob.rsplit("/", 1)[-1].split("*")), glob) for glob in role.globs)) for role in table
    )


def _fits(pieces: tuple[str, ...], base: str) -> bool:
    if any(char in piece for piece in pieces for char in "?["):
        return fnmatchcase(base, "*".join(pieces))
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return base == first
    if not base.startswith(first) or not base.endswith(last) or len(base) < len(first) + len(last):
        return False
    at, end = len(first), len(base) - len(last)
    for piece in pieces[1:-1]:
        at = base.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


@lru_cache(maxsize=256)
def _anywhere(glob: str) -> re.Pattern[str]:
    # A glob with a slash fits at any depth: validation/*.json is also a/b/validation/x.json.
    return re.compile(r"(?:.*/)?" + translate(glob).replace(".*", "[^/]*"))


def tag_of(base: str) -> str:
    """Return what sets a file apart from others of its role.

    ``metrics_eval.json`` has the tag ``eval``; ``predictions.jsonl`` has none; ``rank_3_metrics.json`` has ``rank_3``.
    """
    stem = re.sub(r"\.(partial\.)?[A-Za-z0-9]+$", "", base)
    for known in (
        "predictions",
        "metrics",
        "confusion_matrix",
        "training_metadata",
        "progress",
        "RUN_REPORT",
        "retrieval_rankings",
        "temporal_consistency",
        "loss_records",
        "trajectory",
    ):
        before, found, after = stem.partition(known)
        if found:
            if known == "confusion_matrix" and before == "action_":
                before = ""
            if known == "predictions" and before in {"future_", "policy_"}:
                before = ""
            if known == "metrics" and before in {"per_class_", "trajectory_"}:
                before = ""
            return (before + after).strip("_-.")
    return ""
