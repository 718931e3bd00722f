"""CTR: contracts in force that are malformed, unsafe or vague, and runs that keep the text of another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.contracts.issue import pointer_of, shown
from omnicheck.facts.contract import Contract
from omnicheck.facts.contract_file import ContractFile
from omnicheck.facts.embedded_contract import ContractText, EmbeddedContract
from omnicheck.model.finding import Finding

LONGEST = 280
"""Characters of a message that tells old and new values; above, it names keys, and the values follow it anyway."""

NAMED = 8
"""Keys that such a message names."""


@check("contracts.schema")
def schema(contract: ContractFile) -> Iterator[Finding]:
    """Yield a finding for each key that is missing, mistyped, repeated or unknown."""
    yield from _spoken(contract, "CTR101")


@check("contracts.entrypoint")
def entrypoint(contract: ContractFile) -> Iterator[Finding]:
    """Yield a finding for each script of an implemented backbone that is not there, or not to be trusted."""
    yield from _spoken(contract, "CTR103")


@check("contracts.evidence_surface")
def evidence_surface(contract: ContractFile) -> Iterator[Finding]:
    """Yield a finding for each piece of evidence that the contract does not ask for."""
    yield from _spoken(contract, "CTR104")


@check("contracts.path_escape")
def path_escape(contract: ContractFile) -> Iterator[Finding]:
    """Yield a finding for each required file that lies outside its run."""
    yield from _spoken(contract, "CTR105")


@check("contracts.publication_policy")
def publication_policy(contract: ContractFile) -> Iterator[Finding]:
    """Yield a finding for each phrase that contradicts another, and for each kind that nothing denies."""
    yield from _spoken(contract, "CTR106")


@check("contracts.gate_unknown")
def gate_unknown(contract: ContractFile) -> Iterator[Finding]:
    """Yield a finding when the checkpoint gate is not known."""
    yield from _spoken(contract, "CTR107")


def _spoken(contract: ContractFile, rule: str) -> Iterator[Finding]:
    for issue in contract.of(rule):
        yield Finding(
            path=contract.file.path,
            pointer=issue.pointer or None,
            message=issue.message,
            expected=issue.expected,
            actual=issue.actual,
            help=issue.help or None,
            variant=issue.variant,
            key=issue.expected if isinstance(issue.expected, str) else None,
        )


class _Difference(Struct, frozen=True):
    """A key of the contract, where the file keeps it, and the two values."""

    key: str
    pointer: str
    kept: Any
    present: Any


@check("contracts.drift")
def drift(contract: Contract, embedded: tuple[EmbeddedContract, ...]) -> Iterator[Finding]:
    """Yield a finding for each file whose contract text is not that of the contract in force."""
    for each in embedded:
        foreign = [text for text in each.texts if text.name is not None and text.name != contract.id]
        if foreign:
            yield _named_otherwise(contract, each, foreign[0])
            continue
        found: dict[tuple[str, str], _Difference] = {}
        for text in each.texts:
            for value in text.kept:
                for present in _at(contract.raw, value.keys):
                    for difference in _differences(".".join(value.keys), value.pointer, value.value, present):
                        found.setdefault((difference.key, repr(difference.kept)), difference)
        if found:
            yield _drifted(contract, each, list(found.values()))


def _named_otherwise(contract: Contract, embedded: EmbeddedContract, text: ContractText) -> Finding:
    return Finding(
        path=embedded.file.path,
        pointer=text.at,
        message=(
            f"written under the contract {shown(text.name)}, but the run is judged by {shown(contract.id)}; "
            "their texts are not compared"
        ),
        expected=contract.id,
        actual=text.name,
        help="Judge the run by the contract that it names, or correct the name.",
    )


def _drifted(contract: Contract, embedded: EmbeddedContract, found: list[_Difference]) -> Finding:
    keys = "1 key" if len(found) == 1 else f"{len(found)} keys"
    head = f"the contract text kept here differs in {keys} from {contract.id} as it is now: "
    message = head + "; ".join(_told(each) for each in found)
    if len(message) > LONGEST:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        message = head + ", ".join(each.key for each in found[:NAMED]) + more
    pointers = {each.pointer for each in found}
    around = [text.pointer for text in embedded.texts if all(each.startswith(f"{text.pointer}/") for each in pointers)]
    return Finding(
        path=embedded.file.path,
        pointer=min(pointers) if len(pointers) == 1 else max(around, key=len, default="") or None,
        message=message,
        expected={each.key: each.present for each in found},
        actual={each.key: each.kept for each in found},
        key=contract.id,
    )


def _told(each: _Difference) -> str:
    if isinstance(each.kept, list) and isinstance(each.present, list):
        new = [item for item in each.present if item not in each.kept]
        gone = [item for item in each.kept if item not in each.present]
        parts = [f"{words} {_first(items)}" for words, items in (("now has", new), ("no longer has", gone)) if items]
        return f"{each.key} {' and '.join(parts) or 'repeats its items otherwise'}"
    if each.present is None:
        return f"{each.key} was {shown(each.kept)} and is no longer set"
    return f"{each.key} was {shown(each.kept)}, is now {shown(each.present)}"


def _first(items: list[Any]) -> str:
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"{shown(items[0])}{more}"


def _at(value: Any, keys: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands there in the contract, if anything does: other keys are not the contract's."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return
        value = value[key]
    yield value


def _differences(key: str, pointer: str, kept: Any, present: Any) -> Iterator[_Difference]:
    """Yield where a kept value differs; of an object only the keys that were kept count.

    What has another form than the contract (an object of results under a contract's key) is no contract text.
    """
    if isinstance(kept, dict) and isinstance(present, dict):
        for name, value in kept.items():
            inner, at = f"{key}.{name}", pointer + pointer_of((name,))
            if name in present:
                yield from _differences(inner, at, value, present[name])
            elif _one_form(value, present):
                yield _Difference(inner, at, value, None)
    elif isinstance(kept, list) and isinstance(present, list):
        if sorted(map(repr, kept)) != sorted(map(repr, present)):
            yield _Difference(key, pointer, kept, present)
    elif not isinstance(kept, dict | list) and not isinstance(present, dict | list):
        absent = (None, "")  # an entrypoint that is not there yet is written either way
        same = kept == present and isinstance(kept, bool) == isinstance(present, bool)
        if not same and not (kept in absent and present in absent):
            yield _Difference(key, pointer, kept, present)


def _one_form(value: Any, siblings: dict[str, Any]) -> bool:
    """Whether a value that the contract lacks looks like its neighbours there, and says something."""
    return value not in (None, "", []) and any(isinstance(value, type(each)) for each in siblings.values())
