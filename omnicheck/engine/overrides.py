"""What a configuration says about rules, held against the rules that there are: a slip of the pen is an error."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from omnicheck.engine.plugins import installed, resolve
from omnicheck.engine.rulebook import Rulebook, known_rule
from omnicheck.model.config import Config
from omnicheck.model.errors import ConfigError, RuleError
from omnicheck.model.rule import Rule
from omnicheck.runs.roles import ROLE_NAMES


def configured(chosen: Sequence[Rule], book: Rulebook, config: Config) -> tuple[Rule, ...]:
    """Return the chosen rules with the parameters that the configuration gives them.

    Raises:
        ConfigError: a rule, a parameter, a role or a plug-in that the configuration names does not exist.
    """
    if config.rules.checks:
        installed(config.rules.checks)
    for name in config.rules.severity:
        known_rule(name, book, f"/rules/severity/{name}")
    for i, allow in enumerate(config.allow):
        known_rule(allow.rule, book, f"/allow/{i}/rule")
    _judge_roles(config)
    given = {}
    for name, params in config.rules.params.items():
        rule = known_rule(name, book, f"/rules/params/{name}")
        given[name] = {**rule.params, **params}
        _judge_params(rule, params, config.rules.checks)
    return tuple(msgspec.structs.replace(rule, params=given[rule.id]) if rule.id in given else rule for rule in chosen)


def _judge_params(rule: Rule, params: Mapping[str, Any], plugins: tuple[str, ...]) -> None:
    """Decode the parameters now, so that a rule which is skipped later does not hide a slip."""
    # The page vouches for a plain value of the same type; lists may hold anything, so they are looked at.
    if all(
        name in rule.params and type(value) is type(rule.params[name]) and not isinstance(value, list | dict)
        for name, value in params.items()
    ):
        return
    pointer = f"/rules/params/{rule.id}"
    if not rule.check:
        raise ConfigError(f"{rule.id} takes no parameters, got {', '.join(sorted(params))}", pointer=pointer)
    from omnicheck.checks.declare import decode_params  # noqa: PLC0415 - checks are loaded only when one is asked for

    found = resolve(rule.check, plugins)
    names = [each.name for each in msgspec.structs.fields(found.params)] if found.params is not None else []
    for name in params:
        if names and name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"{rule.id} has no parameter {name!r}", pointer=pointer, hint=f"{hint}known: {', '.join(names)}"
            )
    try:
        decode_params(found, {**rule.params, **params})
    except RuleError as error:
        raise ConfigError(error.message, pointer=pointer, hint=f"`omnicheck explain {rule.id}` prints them") from error


def _judge_roles(config: Config) -> None:
    """Refuse a role that no check knows; a plug-in may bring facts about roles of its own."""
    for name in config.roles:
        if name not in ROLE_NAMES and not config.rules.checks:
            near = difflib.get_close_matches(name, sorted(ROLE_NAMES), n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"no role is called {name!r}", pointer="/roles", hint=f"{hint}known: {', '.join(sorted(ROLE_NAMES))}"
            )
