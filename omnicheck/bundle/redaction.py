"""Edits that make a text publishable and leave it verifiable: each is recorded, with the digest of the original.

Two kinds: an absolute path prefix becomes a placeholder, and the middle of a long log is left out. Whoever holds the
original and the configuration can apply the same edits and gets the same bytes; whoever holds the bundle and the
prefixes can put the prefixes back and compare digests.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from msgspec import Struct

from omnicheck.model.bundle import Edit
from omnicheck.model.config import LogCut
from omnicheck.model.errors import ConfigError

# What may follow a prefix: the path's next part, or the end of the path. "/home/ann" is no prefix of "/home/anna".
_BOUNDARY = rb"(?![A-Za-z0-9_.\-])"
_PLACEHOLDER = re.compile(r"<[a-z0-9][a-z0-9-]*>")


class Redacted(Struct, frozen=True):
    """The bytes that ship, and what was done to get them; no edit means the original."""

    data: bytes
    edits: tuple[Edit, ...] = ()


def check_prefixes(prefixes: Mapping[str, str]) -> None:
    """Refuse prefixes that could not be put back.

    Raises:
        ConfigError: a prefix is not an absolute path of at least two characters, a placeholder is not of the form
            ``<name>``, or two prefixes share a placeholder.
    """
    for prefix, placeholder in prefixes.items():
        if len(prefix) < 2 or not (prefix.startswith(("/", "\\\\")) or re.match(r"[A-Za-z]:[\\/]", prefix)):
            raise ConfigError(
                "a prefix to redact is not an absolute path",
                pointer="/package/prefixes",
                hint='such as "/home/me/work"',
            )
        if not _PLACEHOLDER.fullmatch(placeholder):
            raise ConfigError(
                f"{placeholder!r} is no placeholder", pointer="/package/prefixes", hint='such as "<project>"'
            )
    if len(set(prefixes.values())) < len(prefixes):
        raise ConfigError(
            "two prefixes have one placeholder, so that neither could be put back",
            pointer="/package/prefixes",
            hint="give each prefix a placeholder of its own",
        )


def redact_text_file(path: str, data: bytes, *, prefixes: Mapping[str, str], cut: LogCut | None) -> Redacted:
    """Return a text file as it ships.

    Args:
        path: its name, for messages.
        data: its bytes.
        prefixes: absolute path prefix to placeholder; the longest prefix wins.
        cut: how much of it stays when it is a log; None leaves it whole.

    Raises:
        ConfigError: the file already holds a placeholder, so that the edit could not be undone.
    """
    edits = []
    for prefix in sorted(prefixes, key=lambda each: (-len(each), each)):
        pattern = re.compile(re.escape(prefix.rstrip("/\\").encode()) + _BOUNDARY)
        placeholder = prefixes[prefix].encode()
        if not pattern.search(data):
            continue
        if placeholder in data:
            raise ConfigError(
                f"the file already holds {prefixes[prefix]!r}, so the redaction could not be undone",
                path=path,
                hint="choose another placeholder in [package.prefixes]",
            )
        data, count = pattern.subn(placeholder, data)
        edits.append(Edit(kind="prefix", placeholder=prefixes[prefix], count=count))
    if cut is not None and len(data) > cut.over:
        data, edit = _cut(data, cut, as_json=path.endswith(".jsonl"))
        edits += [edit] if edit is not None else []
    return Redacted(data, tuple(edits))


def restore_prefixes(data: bytes, prefixes: Mapping[str, str]) -> bytes:
    """Put the prefixes back: the inverse of the prefix edits."""
    for prefix, placeholder in prefixes.items():
        data = data.replace(placeholder.encode(), prefix.rstrip("/\\").encode())
    return data


def _cut(data: bytes, cut: LogCut, *, as_json: bool) -> tuple[bytes, Edit | None]:
    lines = data.splitlines(keepends=True)
    if len(lines) <= cut.head + cut.tail:
        return data, None
    tail = lines[len(lines) - cut.tail :] if cut.tail else []
    middle = lines[cut.head : len(lines) - cut.tail]
    size = sum(map(len, middle))
    digest = hashlib.sha256(data).hexdigest()
    note = {"event": "lines_left_out", "lines": len(middle), "bytes": size, "sha256_of_the_whole": digest}
    said = (
        json.dumps(note)
        if as_json
        else f"[{len(middle):,} lines, {size:,} bytes left out; sha256 of the whole: {digest}]"
    )
    return b"".join([*lines[: cut.head], said.encode() + b"\n", *tail]), Edit(kind="cut", count=len(middle), size=size)
