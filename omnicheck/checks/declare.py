"""How a check is declared: a pure function of facts and parameters, under a name that rule pages use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import get_annotations
from typing import Any, ParamSpec

import msgspec

from omnicheck.facts.registry import Want, wants
from omnicheck.model.errors import RuleError
from omnicheck.model.finding import Finding

P = ParamSpec("P")
Findings = Iterator[Finding]

_CHECKS: dict[str, Callable[..., Findings]] = {}


class Check(msgspec.Struct, frozen=True):
    """A check ready to be called.

    Attributes:
        name: as pages spell it, ``split.window_overlap``.
        function: yields findings.
        wants: the facts it asks for.
        params: the class its parameters are decoded into, or None.
    """

    name: str
    function: Callable[..., Findings]
    wants: tuple[Want, ...]
    params: type | None


def check(name: str) -> Callable[[Callable[P, Findings]], Callable[P, Findings]]:
    """Declare a function as the check ``name``; its annotations say which facts it needs.

    A parameter called ``params`` takes the page's ``[params]``, decoded into its annotation.
    """

    def register(function: Callable[P, Findings]) -> Callable[P, Findings]:
        _CHECKS[name] = function
        return function

    return register


def find_check(name: str) -> Check:
    """Return a built-in check by name; ``family.function`` lies in the module ``omnicheck.checks.family``.

    Raises:
        RuleError: there is no such check.
    """
    if name not in _CHECKS:
        module = f"omnicheck.checks.{name.partition('.')[0]}"
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    if name not in _CHECKS:
        raise RuleError(f"no check is called {name!r}", hint="see CONTRIBUTING.md for how a check is declared")
    return describe(name, _CHECKS[name])


def describe(name: str, function: Callable[..., Findings]) -> Check:
    """Read a check's needs from its signature."""
    hints = get_annotations(function, eval_str=True)
    return Check(name, function, wants(function, beside=frozenset({"params"})), hints.get("params"))


def decode_params(found: Check, params: dict[str, Any]) -> dict[str, Any]:
    """Return the keyword argument ``params`` for a check, typed; an empty dict when it takes none.

    Raises:
        RuleError: a parameter is unknown or of the wrong type.
    """
    if found.params is None:
        if params:
            raise RuleError(f"the check {found.name} takes no parameters, got {sorted(params)}")
        return {}
    try:
        return {"params": msgspec.convert(params, found.params)}
    except msgspec.ValidationError as error:
        raise RuleError(f"parameters of {found.name}: {error}") from error
