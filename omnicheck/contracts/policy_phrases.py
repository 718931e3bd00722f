"""The vocabulary of publication policies: words for kinds of content, and words that permit or deny."""

from __future__ import annotations

from collections.abc import Mapping

_PHRASES_OF: Mapping[str, str] = {
    "raw_video": "video, videos, mp4, mp4s, mov, mkv, avi, webm, camera streams, media, camera footage, recordings",
    "raw_audio": "audio, audios, wav, flac, media, recordings, sound recordings",
    "raw_images": "images, frames, jpg, jpeg, png, image frames, media",
    "generated_video": "generated raw video, generated raw videos, generated video, generated videos, generated mp4",
    "hdf5": "hdf5, h5, hdf5s, hdf5 file, hdf5 files",
    "rrd": "rrd, rrds, rerun, rerun rrd, rerun recordings",
    "base_weights": "weights, model weights, base weights, base model weights, pretrained weights, full weights, "
    "safetensors, gguf, model parameters, backbone weights",
    "adapter_weights": "weights, model weights, adapter weights, lora adapter weights, lora weights, lora adapters, "
    "fine tuned weights, finetuned weights, safetensors, adapter safetensors, trained weights",
    "checkpoints": "checkpoint, checkpoints, full checkpoints, full checkpoint, training checkpoints, "
    "model checkpoints, policy checkpoints, optimizer states, optimizer state, pt files, ckpt",
    "archives": "archive, archives, tar, tarballs, tarball, zip, zips, zip files",
    "feature_arrays": "feature arrays, feature caches, npz, npy, feature files, sensor feature arrays",
    "onnx_models": "onnx, onnx model, onnx models, model graphs",
    "private_sources": "source files, private files, private source files, private retargeting source files, "
    "retargeting source files, motion capture sources, private data, credentials, secrets",
    "metrics": "metric, metrics, scores, loss records, metric tables, temporal consistency, retrieval rankings, "
    "trajectory metrics, rankings, losses",
    "predictions": "prediction, predictions, predictions tables, prediction summaries, prediction rows, answers",
    "confusion": "confusion matrix, confusion matrices, action confusion matrix, action confusion matrices, "
    "confusion tables",
    "reports": "report, reports, run report, run reports, summary, summaries, audit, audits, audit summaries, "
    "model card, model cards, readme",
    "manifests": "manifest, manifests, index, indexes, indices, window index",
    "training_metadata": "metadata, setup metadata, training metadata, training logs, progress logs, progress log, "
    "logs, training log, configuration, configurations, configs, generation config, hyperparameters",
    "validation": "validation, validations, validation summary, validation summaries, validation reports",
    "action_space": "action space, action spaces, action space definition, action space definitions",
    "normalization": "normalization, normalization metadata, normalization statistics, normalizer, normalizers, "
    "normalisation, normalisation metadata, normalisation statistics, normalization stats",
    "examples": "example metadata, qualitative examples, qualitative example metadata, examples",
    "dependencies": "environment, library versions, dependencies, lock files",
}

KINDS = frozenset(_PHRASES_OF)
"""Every kind of content that a policy can speak of."""

HEAVY = frozenset(
    {
        "raw_video",
        "raw_audio",
        "raw_images",
        "generated_video",
        "hdf5",
        "rrd",
        "base_weights",
        "adapter_weights",
        "checkpoints",
        "archives",
        "feature_arrays",
        "onnx_models",
        "private_sources",
    }
)
"""Kinds that are data or weights themselves, not a description of them."""

ALWAYS_DENIED = HEAVY - {"generated_video", "feature_arrays", "onnx_models", "raw_images"}
"""Kinds that no policy may allow by a phrase."""


def _table() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for kind, phrases in _PHRASES_OF.items():
        for phrase in phrases.split(", "):
            table.setdefault(phrase, set()).add(kind)
    return {phrase: frozenset(kinds) for phrase, kinds in table.items()}


PHRASES: Mapping[str, frozenset[str]] = _table()
"""Lower-case phrase to the kinds it names."""

LONGEST = max(phrase.count(" ") for phrase in PHRASES) + 1

DESCRIPTIONS: Mapping[str, str] = {
    "audit": "reports",
    "audits": "reports",
    "report": "reports",
    "reports": "reports",
    "summary": "reports",
    "summaries": "reports",
    "checksums": "manifests",
    "digests": "manifests",
    "hashes": "manifests",
    "listings": "manifests",
    "manifest": "manifests",
    "manifests": "manifests",
    "metadata": "training_metadata",
    "log": "training_metadata",
    "logs": "training_metadata",
    "config": "training_metadata",
    "configs": "training_metadata",
    "statistics": "metrics",
}
"""Last words that turn the name of a thing into the name of its description."""

NEGATORS = frozenset({"not", "never", "no", "cannot", "neither", "nor", "none"})
PERMISSIONS = frozenset(
    {
        "allow",
        "allows",
        "allowed",
        "allowing",
        "allowable",
        "permit",
        "permits",
        "permitted",
        "ok",
        "okay",
        "acceptable",
    }
    | {"welcome", "include", "includes", "included", "publish", "published", "publishable", "ship", "ships", "shipped"}
    | {"shippable", "share", "shared", "release", "released", "redistributable", "redistributed", "upload", "uploaded"}
    | {"kept", "keep"}
)
DENIALS = frozenset(
    {"forbid", "forbids", "forbidden", "deny", "denies", "denied", "exclude", "excludes", "excluded", "ban", "bans"}
    | {"banned", "prohibit", "prohibited", "withhold", "withheld", "disallow", "disallowed", "remove", "removed"}
)
AUXILIARIES = frozenset(
    {"is", "are", "was", "were", "be", "been", "being", "may", "might", "can", "could", "should", "shall", "will"}
    | {"would", "must", "do", "does"}
)
EXCEPTIONS = ("except", "excepting", "excluding", "other than", "apart from", "besides", "without", "save for", "minus")
CONDITIONS = frozenset(
    {"license", "licensed", "licence", "licenced", "licensing", "size", "bounded", "consent", "consented"}
    | {"permission", "approved", "approval", "anonymised", "anonymized"}
)
"""Words of conditions that somebody can check."""
