"""Where a check comes from: the package itself, or an entry point that the configuration names."""

from __future__ import annotations

from typing import Any

from omnicheck.checks.declare import Check, describe, find_check
from omnicheck.model.errors import RuleError

GROUP = "omnicheck.checks"


def resolve(name: str, enabled: tuple[str, ...]) -> Check:
    """Return a check by its name in a page: ``family.function``, or ``plug-in:function``.

    An entry point of the group ``omnicheck.checks`` points at a mapping of function names to check functions,
    and is loaded only when the configuration enables it under ``[rules] checks``.

    Raises:
        RuleError: the check does not exist, or its plug-in is not enabled or not installed.
    """
    plugin, colon, function = name.partition(":")
    if not colon:
        return find_check(name)
    if plugin not in enabled:
        raise RuleError(
            f"the plug-in {plugin!r} is not enabled", hint=f'add it to the configuration: [rules] checks = ["{plugin}"]'
        )
    found = _load(plugin).get(function)
    if found is None:
        raise RuleError(f"the plug-in {plugin!r} has no check {function!r}")
    return describe(name, found)


def _load(plugin: str) -> dict[str, Any]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - 40 ms, only for plug-ins

    for entry in entry_points(group=GROUP):
        if entry.name == plugin:
            loaded = entry.load()
            if not isinstance(loaded, dict):
                raise RuleError(f"the entry point {plugin!r} must point at a mapping of names to check functions")
            return loaded
    raise RuleError(
        f"no installed package offers the checks {plugin!r}", hint=f"entry points of the group {GROUP} are searched"
    )
