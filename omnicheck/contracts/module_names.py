"""Which modules an adapter's configuration means; its patterns are foreign regular expressions, so they are bounded.

The rules are PEFT's: a list names modules by their last path parts, a string is a regular expression over the whole
path, and what is excluded or saved whole is not adapted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from omnicheck.model.errors import ContractError

MAX_PATTERN = 1000
MAX_NAME = 500

# A repetition inside of a repetition, or repeated alternatives: what makes a backtracking engine run away.
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*(?:[*+]|\{\d+,\d*\})(?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,\d*\})")
_ALTERNATIVES = re.compile(r"\((?:[^()\\]|\\.)*\|(?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,\d*\})")

Matcher = Callable[[str], bool]


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Matcher:
    """Return a function that tells whether a whole path fits a pattern, in time linear in the path.

    Raises:
        ContractError: the pattern is too long, is no regular expression, or could run away and cannot be bounded.
    """
    if len(pattern) > MAX_PATTERN:
        raise ContractError(f"a pattern of {len(pattern):,} characters; at most {MAX_PATTERN:,} are evaluated")
    try:
        backtracking = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ContractError(f"{pattern[:80]!r} is no regular expression: {error}") from error
    linear = _linear(pattern)
    if linear is not None:
        return linear
    if runs_away(pattern):
        raise ContractError(f"{pattern[:80]!r} repeats a repetition, which can run for years on a long name")
    return lambda name: len(name) <= MAX_NAME and backtracking.fullmatch(name) is not None


def runs_away(pattern: str) -> bool:
    """Whether a pattern nests repetitions, so that a backtracking engine may need exponential time."""
    return bool(_NESTED.search(pattern) or _ALTERNATIVES.search(pattern))


def named(module: str, targets: str | Sequence[str]) -> bool:
    """Whether a module's path is meant by a list of names or by one regular expression.

    Raises:
        ContractError: the expression cannot be evaluated under a bound.
    """
    if isinstance(targets, str):
        return targets == "all-linear" or compiled(targets)(module)
    return any(module == target or module.endswith(f".{target}") for target in targets)


def _linear(pattern: str) -> Matcher | None:
    try:
        import re2  # type: ignore[import-untyped]  # noqa: PLC0415 - loaded only where a configuration holds a pattern
    except ImportError:
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(pattern, options)
    except re2.error:
        return None  # look-around, which a linear engine does not know
    return lambda name: found.fullmatch(name) is not None
