"""Where a check comes from: the package itself, or an entry point that the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from omnicheck.model.errors import ConfigError, OmnicheckError, RuleError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from omnicheck.checks.declare import Check

GROUP = "omnicheck.checks"


def resolve(name: str, enabled: tuple[str, ...]) -> Check:
    """Return a check by its name in a page: ``family.function``, or ``plug-in:function``.

    An entry point of the group ``omnicheck.checks`` points at a mapping of function names to check functions,
    and is loaded only when the configuration enables it under ``[rules] checks``.

    Raises:
        RuleError: the check does not exist, or its plug-in is not enabled, not installed or cannot be loaded.
    """
    from omnicheck.checks.declare import describe, find_check  # noqa: PLC0415 - loaded only when a run is judged

    plugin, colon, function = name.partition(":")
    if not colon:
        return find_check(name)
    if plugin not in enabled:
        raise RuleError(
            f"the plug-in {plugin!r} is not enabled", hint=f'add it to the configuration: [rules] checks = ["{plugin}"]'
        )
    found = _load(plugin).get(function)
    if not callable(found):
        raise RuleError(f"the plug-in {plugin!r} has no check {function!r}")
    try:
        return describe(name, found)
    except OmnicheckError:
        raise
    except Exception as error:  # the signature of a stranger's function: whatever is wrong with it
        raise RuleError(f"the signature of the check {name!r} cannot be read: {error}") from error


def installed(plugins: Sequence[str]) -> None:
    """Make sure that every plug-in which the configuration names is there.

    Raises:
        ConfigError: no installed package offers it.
    """
    offered = {entry.name for entry in _offered()}
    for plugin in plugins:
        if plugin not in offered:
            there = ", ".join(sorted(offered)) or "none"
            raise ConfigError(
                f"no installed package offers the checks {plugin!r}",
                pointer="/rules/checks",
                hint=f"entry points of the group {GROUP} that are installed: {there}",
            )


def _offered() -> Sequence[EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - 40 ms, only for plug-ins

    return tuple(entry_points(group=GROUP))


def _load(plugin: str) -> dict[str, Any]:
    for entry in _offered():
        if entry.name == plugin:
            try:
                loaded = entry.load()
            except Exception as error:  # a stranger's module may raise anything while it is imported
                raise RuleError(f"the plug-in {plugin!r} cannot be loaded: {type(error).__name__}: {error}") from error
            if not isinstance(loaded, dict):
                raise RuleError(f"the entry point {plugin!r} must point at a mapping of names to check functions")
            return loaded
    raise RuleError(
        f"no installed package offers the checks {plugin!r}", hint=f"entry points of the group {GROUP} are searched"
    )
