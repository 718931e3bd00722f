"""What a bundle carries about itself: ``MANIFEST`` and ``omnicheck.report.json``, held against its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from omnicheck.model.errors import ReadError
from omnicheck.readers.gate import open_regular
from omnicheck.readers.json_document import parse_json
from omnicheck.signing.compare import Problem
from omnicheck.signing.manifest import MANIFEST, MAX_BYTES, parse_manifest
from omnicheck.signing.names import name_fault
from omnicheck.signing.tree import shown

REPORT = "omnicheck.report.json"
MAX_REPORT = 256 << 20


class Claim(Struct, frozen=True, kw_only=True):
    """What the report inside a bundle says; it is signed, which makes it authentic, not true.

    Attributes:
        verdict: as stated.
        tool: name and version.
        rules_digest: of the rule pages.
        profile: of the configuration.
        config_digest: of the configuration.
        contract: id of the contract in force, or None.
        contract_digest: of that contract, or None.
        policy_digest: of the publication policy, or None.
        findings: as stated.
        skipped: ids of rules that could not judge.
    """

    verdict: str
    tool: str
    rules_digest: str
    profile: str
    config_digest: str
    contract: str | None
    contract_digest: str | None
    policy_digest: str | None
    findings: tuple[dict[str, Any], ...]
    skipped: tuple[str, ...]


def manifest_problems(root: Path, digests: Mapping[str, str]) -> Iterator[Problem]:
    """Hold ``MANIFEST`` against the digests of the signed files.

    Args:
        root: the bundle.
        digests: name to SHA-256 of the files as they are, hex.
    """
    try:
        with open_regular(root / MANIFEST, MAX_BYTES) as stream:
            text = stream.read().decode("utf-8")
    except (ReadError, UnicodeDecodeError) as error:
        yield Problem(kind="mismatch", name=MANIFEST, message=f"cannot be read as text: {error}")
        return
    found = parse_manifest(text)
    for bad in found.bad:
        yield Problem(kind="mismatch", name=MANIFEST, message=f"has a line {bad.line} that is {bad.reason}")
    seen: set[str] = set()
    for each in found.listed:
        name = shown(each.name)
        if each.name in seen:
            yield Problem(kind="mismatch", name=MANIFEST, message=f"lists {name!r} twice (line {each.line})")
        seen.add(each.name)
        fault = name_fault(each.name)
        if fault is not None:
            message = f"lists {name!a} in line {each.line}, and this name {fault}"
            yield Problem(kind="mismatch", name=MANIFEST, message=message)
        elif each.name not in digests:
            message = f"is listed in line {each.line} of MANIFEST, but is not among the signed files"
            yield Problem(kind="mismatch", name=name, message=message, expected=each.digest)
        elif digests[each.name] != each.digest:
            message = f"is not the file that line {each.line} of MANIFEST lists: its SHA-256 differs"
            yield Problem(kind="mismatch", name=name, message=message, expected=each.digest, actual=digests[each.name])
    for each_name in sorted(set(digests) - seen - {MANIFEST}):
        yield Problem(kind="unlisted", name=shown(each_name), message="is signed, but not listed in MANIFEST")


def read_claim(root: Path, digests: Mapping[str, str]) -> tuple[Claim | None, list[Problem]]:
    """Return what the report inside says, and where it disagrees with the files.

    Args:
        root: the bundle.
        digests: name to SHA-256 of the files as they are, hex.
    """
    try:
        with open_regular(root / REPORT, MAX_REPORT) as stream:
            document = parse_json(stream.read())
    except ReadError as error:
        return None, [Problem(kind="mismatch", name=REPORT, message=f"cannot be read: {error.message}")]
    if document.problems or not isinstance(document.value, dict):
        why = document.problems[0].message if document.problems else "not an object"
        return None, [Problem(kind="mismatch", name=REPORT, message=f"is no report: {why}")]
    value = document.value
    bundle = _table(value.get("bundle"))
    tool, config = _table(value.get("tool")), _table(value.get("config"))
    findings = value.get("findings")
    skipped = _table(value.get("coverage")).get("rules_skipped")
    claim = Claim(
        verdict=_text(value.get("verdict")) or "none",
        tool=f"{_text(tool.get('name')) or 'unknown'} {_text(tool.get('version')) or ''}".strip(),
        rules_digest=_text(tool.get("rules_digest")) or "none",
        profile=_text(config.get("profile")) or "none",
        config_digest=_text(config.get("digest")) or "none",
        contract=_text(bundle.get("contract")),
        contract_digest=_text(bundle.get("contract_sha256")),
        policy_digest=_text(bundle.get("policy_sha256")),
        findings=tuple(each for each in findings if isinstance(each, dict)) if isinstance(findings, list) else (),
        skipped=tuple(
            sorted({str(each.get("rule")) for each in skipped if isinstance(each, dict)})
            if isinstance(skipped, list)
            else ()
        ),
    )
    return claim, list(_shipped(bundle.get("files"), digests))


def _shipped(files: Any, digests: Mapping[str, str]) -> Iterator[Problem]:
    for index, each in enumerate(files if isinstance(files, list) else ()):
        record = _table(each)
        name, digest = record.get("path"), record.get("sha256")
        if not isinstance(name, str) or not isinstance(digest, str):
            message = f"has an entry /bundle/files/{index} without a path or a digest"
            yield Problem(kind="mismatch", name=REPORT, message=message)
        elif name not in digests:
            message = f"is recorded in {REPORT}, but is not among the signed files"
            yield Problem(kind="mismatch", name=shown(name), message=message, expected=digest)
        elif digests[name] != digest:
            message = f"is not the file that {REPORT} records: its SHA-256 differs"
            yield Problem(kind="mismatch", name=shown(name), message=message, expected=digest, actual=digests[name])


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
