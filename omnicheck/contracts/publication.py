"""What may be published: a default policy for run directories, narrowed and widened by a contract's own lists."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from msgspec import Struct

from omnicheck.content.groups import AUDIO, VIDEO, group_of, kinds_in
from omnicheck.contracts.issue import mapping, strings
from omnicheck.contracts.policy import ALWAYS_DENIED, denied_kinds, kinds_of_phrase

Cause = Literal["allowed", "released", "forbidden", "undeclared", "too_large"]

MIB = 1 << 20
TEXT = kinds_in("text") - {"lfs_pointer"}
_FORBIDDEN = frozenset({"weights", "pickle", "raw_data", "archive"})
_GRAVITY = ("pickle", "weights", "raw_data", "archive", "unknown", "executable", "array", "document", "image", "text")


class Grant(Struct, frozen=True):
    """Files that may be published: by name, by content, and up to a size.

    Attributes:
        what: kind of content, in the words of ``policy_phrases``.
        globs: over the base name, or over the whole path when they hold a slash.
        kinds: sniffed kinds that such a file may be.
        limit: largest size in bytes.
    """

    what: str
    globs: tuple[str, ...]
    kinds: frozenset[str]
    limit: int


class Policy(Struct, frozen=True):
    """A compiled policy; what no grant covers is not published.

    Attributes:
        grants: the first whose globs and kinds fit a file decides.
        denied: kinds of content that the contract forbids.
        allowed: heavy kinds that the contract allows by a phrase.
        released: digests (SHA-256, hex) of files that the contract releases by name, whatever they are.
        total: bytes that all published files may have together.
    """

    grants: tuple[Grant, ...]
    denied: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()
    total: int = 20_480 * MIB


class Decision(Struct, frozen=True):
    """Whether a file may be published, and why.

    Attributes:
        cause: ``allowed``, ``released``, ``forbidden`` (by kind or by the contract), ``undeclared`` or ``too_large``.
        kind: the sniffed kind that decided.
        what: the content that the policy calls it, such as ``predictions``; empty when nothing speaks of it.
        limit: largest size in bytes, where one was crossed.
    """

    cause: Cause
    kind: str
    what: str = ""
    limit: int | None = None

    @property
    def ships(self) -> bool:
        """Whether it may be published."""
        return self.cause in ("allowed", "released")


_ROWS = 4096 * MIB
_DOCUMENTS = 64 * MIB

GRANTS: tuple[Grant, ...] = (
    Grant("predictions", ("*predictions*.jsonl", "*predictions*.csv", "*predictions*.json"), TEXT, _ROWS),
    Grant("confusion", ("*confusion_matrix*.csv", "*confusion_matrix*.json"), TEXT, _DOCUMENTS),
    Grant(
        "metrics",
        (
            "*metrics*.json",
            "*metrics*.csv",
            "loss_records*.jsonl",
            "retrieval_rankings*.csv",
            "temporal_consistency*.csv",
        ),
        TEXT,
        _ROWS,
    ),
    Grant("manifests", ("*manifest*.json", "window_index*.jsonl", "*index*.json"), TEXT, _ROWS),
    Grant("examples", ("qualitative_examples*.json",), TEXT, _DOCUMENTS),
    Grant("validation", ("validation/*.json", "validation_*.json"), TEXT, _DOCUMENTS),
    Grant("action_space", ("action_space*.json",), TEXT, _DOCUMENTS),
    Grant("normalization", ("normalization*.json", "norm_stats*.json"), TEXT, _DOCUMENTS),
    Grant("reports", ("*.md", "*.rst", "*.html", "*_summary.json", "*audit*.json"), TEXT, _DOCUMENTS),
    Grant(
        "training_metadata", ("*metadata*.json", "*config*", "progress*.jsonl", "*.log", "*.yaml", "*.yml"), TEXT, _ROWS
    ),
    Grant("dependencies", ("requirements*.txt", "*.lock", "environment*.json"), TEXT, _DOCUMENTS),
    Grant("", ("LICENSE*", "LICENCE*", "NOTICE*", "CITATION*", "COPYING*", "MANIFEST", "model.sig"), TEXT, _DOCUMENTS),
    Grant("", ("*.json", "*.jsonl", "*.csv", "*.tsv", "*.txt", "*.toml", "*.ini", "*.bib", "*.tex"), TEXT, _ROWS),
    Grant("", ("*.ipynb", "*.py", "*.sh"), TEXT, _DOCUMENTS),
    Grant("figures", ("*.png", "*.jpg", "*.jpeg", "*.gif", "*.webp", "*.svg"), kinds_in("image"), 32 * MIB),
    Grant("reports", ("*.pdf",), frozenset({"pdf"}), _DOCUMENTS),
)
"""The shipped policy: the text files of a run, its figures and its papers; no weights, data, archives or programs."""

_CONTENT: Mapping[str, frozenset[str]] = {
    "raw_video": VIDEO,
    "raw_audio": AUDIO,
    "raw_images": kinds_in("image"),
    "hdf5": frozenset({"hdf5"}),
    "rrd": frozenset({"rrd"}),
    "onnx_models": frozenset({"onnx"}),
    "feature_arrays": kinds_in("array"),
    "archives": kinds_in("archive"),
    "base_weights": kinds_in("weights") - {"onnx"},
}


def compile_policy(contract: Mapping[str, Any] | None = None) -> Policy:
    """Return the policy in force: the default one, and a contract's lists of allowed and forbidden content.

    Args:
        contract: raw value of a backbone contract, or None.
    """
    artifacts = mapping((contract or {}).get("artifact_contract"))
    permitted = strings(artifacts.get("public_package_allowed"))
    denied = denied_kinds(strings(artifacts.get("public_package_forbidden")))
    named: frozenset[str] = frozenset().union(*(kinds_of_phrase(text) for text in permitted))
    shipped = mapping((contract or {}).get("publish")).get("ship")
    released = [each.get("sha256") for each in shipped if isinstance(each, dict)] if isinstance(shipped, list) else []
    return Policy(
        grants=GRANTS,
        denied=denied,
        allowed=(named & frozenset(_CONTENT)) - ALWAYS_DENIED - denied,
        released=frozenset(digest for digest in released if isinstance(digest, str)),
    )


def decide(policy: Policy, path: str, kinds: tuple[str, ...], size: int, sha256: str | None = None) -> Decision:
    """Return whether a file may be published.

    Args:
        policy: the policy in force.
        path: posix path in the run; an empty one judges content alone, such as a member of an archive.
        kinds: what its bytes are, as ``content.scan`` tells.
        size: bytes.
        sha256: its digest in hex, when it is known; only a release by digest needs it.
    """
    kind = min(kinds, key=lambda each: _GRAVITY.index(group_of(each)) if group_of(each) in _GRAVITY else len(_GRAVITY))
    group = group_of(kind)
    if sha256 is not None and sha256 in policy.released and not any(group_of(k) == "pickle" for k in kinds):
        return Decision("released", kind)
    words = frozenset(name for name, covered in _CONTENT.items() if kind in covered)
    if words & policy.denied and group != "image":
        return Decision("forbidden", kind, min(words & policy.denied))
    if words & policy.allowed:
        return Decision("allowed", kind, min(words & policy.allowed))
    if group in _FORBIDDEN:
        return Decision("forbidden", kind)
    if not path:
        return Decision("allowed" if group in ("text", "image", "document", "empty") else "undeclared", kind)
    return _granted(policy, path, kind, size)


def _granted(policy: Policy, path: str, kind: str, size: int) -> Decision:
    base = path.rsplit("/", 1)[-1]
    for grant in policy.grants:
        if kind in grant.kinds and any(_fits(glob, path, base) for glob in grant.globs):
            if grant.what in policy.denied:
                return Decision("forbidden", kind, grant.what)
            if size > grant.limit:
                return Decision("too_large", kind, grant.what, grant.limit)
            return Decision("allowed", kind, grant.what)
    return Decision("undeclared", kind)


def _fits(glob: str, path: str, base: str) -> bool:
    if "/" not in glob:
        return fnmatchcase(base, glob)
    return fnmatchcase(path, glob) or fnmatchcase(path, f"*/{glob}")
