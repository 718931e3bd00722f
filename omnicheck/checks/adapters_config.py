"""LOR: an adapter's configuration: what it may hold, and the versions its keys depend on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from omnicheck.checks.declare import check
from omnicheck.contracts.adapter_config import KNOWN, TYPES
from omnicheck.contracts.module_names import compiled, runs_away
from omnicheck.facts.adapter_spec import AdapterSpec
from omnicheck.facts.adapter_versions import AdapterVersions
from omnicheck.model.errors import ContractError
from omnicheck.model.finding import Finding

_LOCAL = re.compile(r"/|~|\.{1,2}/|[A-Za-z]:[\\/]|\\\\|file:")
_CODE = ("auto_mapping", "trust_remote_code", "megatron_core", "megatron_config")
_PATTERNS = ("target_modules", "exclude_modules")


@check("adapters_config.config")
def config(specs: tuple[AdapterSpec, ...]) -> Iterator[Finding]:
    """Yield a finding for each key that is unknown, mistyped, names code or a local path, or could run away."""
    for spec in specs:
        if spec.config:
            value = spec.record.value
            for key in value:
                yield from _key(spec, key, value[key])
            yield from _expressions(spec)


def _key(spec: AdapterSpec, key: str, value: Any) -> Iterator[Finding]:
    if key not in KNOWN:
        near = difflib.get_close_matches(key, KNOWN, 1)
        meant = f"; is {near[0]} meant?" if near else ": no version of the library reads it"
        yield _at(
            spec, key, f"{key!r} is no key of an adapter's configuration{meant}", near[0] if near else None, value
        )
    elif key in _CODE and value not in (None, False, {}, "megatron.core"):
        yield _at(spec, key, f"{key} makes a loader import code that the configuration names", None, value)
    elif key == "base_model_name_or_path" and isinstance(value, str) and _LOCAL.match(value):
        kind = "a path of the machine that trained it, not the id of a model"
        yield _at(spec, key, f"{key} is {kind}", "id of the base model", f"a path of {len(value)} characters")
    elif value is not None and key in TYPES and not _fits(value, TYPES[key]):
        names = " or ".join(sorted(each.__name__ for each in TYPES[key]))
        yield _at(spec, key, f"{key} is {type(value).__name__}, where {names} is wanted", names, value)
    elif key in ("r", "lora_alpha") and isinstance(value, int | float) and value <= 0:
        yield _at(spec, key, f"{key} is {value}", "> 0", value)


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _expressions(spec: AdapterSpec) -> Iterator[Finding]:
    value = spec.record.value
    found = [(key, value[key]) for key in _PATTERNS if isinstance(value.get(key), str)]
    for key in ("rank_pattern", "alpha_pattern"):
        table = value.get(key)
        found += [(f"{key}", pattern) for pattern in table] if isinstance(table, dict) else []
    for key, pattern in found:
        if runs_away(pattern):
            said = "nests repetitions: on a long name a loader's engine may run for years"
            yield _at(spec, key, f"the expression of {key} {said}", "an expression without nested repetitions", pattern)
            continue
        try:
            compiled(pattern)
        except ContractError as error:
            yield _at(spec, key, f"{key}: {error.message}", "a regular expression", pattern[:80])


@check("adapters_config.versions")
def versions(found: tuple[AdapterVersions, ...]) -> Iterator[Finding]:
    """Yield a finding for each version that decides what an adapter's keys mean and is not recorded."""
    for each in found:
        if each.fragile and each.transformers is None:
            yield _at(
                each.spec,
                "transformers_version",
                f"no transformers version is recorded, and {each.fragile}: under another version they are other "
                "modules, "
                "and a loader leaves them out with no more than a warning",
                "a version",
                None,
                variant="version-dependent",
            )
        if each.peft is None:
            yield _at(
                each.spec,
                "peft_version",
                "no PEFT version is recorded"
                + (f", and {each.fragile}" if each.fragile else "; this plain layout loads under all of them"),
                "a version",
                None,
                variant=None if each.fragile else "plain",
            )


def _at(
    spec: AdapterSpec, key: str, message: str, expected: Any, actual: Any, *, variant: str | None = None
) -> Finding:
    return Finding(
        path=spec.file.path,
        pointer=f"{spec.at}/{key.replace('~', '~0').replace('/', '~1')}",
        message=message,
        expected=expected,
        actual=actual,
        variant=variant,
        key=f"{key} {message[:40]}",
    )
