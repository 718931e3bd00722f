"""What pydantic says of a contract, in our words and with JSON pointers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from omnicheck.contracts.issue import Issue, pointer_of, shown

_TYPES: Mapping[str, str] = {
    "string_type": "a string",
    "string_unicode": "a string of whole characters",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "finite_number": "a finite number",
}


def issues_of(error: ValidationError, value: Any, rule: str) -> list[Issue]:
    """Return one issue for each error of a validation.

    Args:
        error: what pydantic raised.
        value: the value that was validated.
        rule: id of the rule that speaks of it.
    """
    return [
        _issue(each["type"], each["loc"], each.get("ctx", {}), each["input"], each["msg"], value, rule)
        for each in error.errors(include_url=False)
    ]


def _issue(
    kind: str,
    loc: Sequence[int | str],
    context: Mapping[str, Any],
    given: Any,
    message: str,
    value: Any,
    rule: str,
) -> Issue:
    path = _path(loc, value, absent=kind == "missing")
    name = f"`{path[-1]}`" if path else "the contract"
    if kind == "missing":
        text = f"has no `{path[-1]}`" + (f" in `{path[-2]}`" if len(path) > 1 else "")
        return Issue(rule, pointer_of(path), text, "a value", None, f"Add the key `{path[-1]}`.")
    if kind == "extra_forbidden":
        return Issue(
            rule, pointer_of(path), f"{name} is not a known key", None, given, "Remove it, or mend its spelling."
        )
    if kind in _TYPES:
        wanted = _TYPES[kind]
        return Issue(
            rule, pointer_of(path), f"{name} is {_typed(given)}, not {wanted}", wanted, given, f"Give {wanted}."
        )
    if kind.startswith("union_tag"):
        found = given.get("kind") if isinstance(given, dict) else given
        wanted = str(context.get("expected_tags", "an object with a known kind"))
        text = f"{name} names no known kind: {shown(found)}"
        return Issue(rule, pointer_of((*path, "kind")), text, wanted, found, f"Set kind to one of {wanted}.")
    words = _BOUNDS.get(kind)
    if words is not None:
        wanted = words(context)
        return Issue(
            rule, pointer_of(path), f"{name} is {shown(given)}, not {wanted}", wanted, given, f"Give {wanted}."
        )
    text = str(context["error"]) if "error" in context else message
    return Issue(rule, pointer_of(path), f"{name}: {text}", None, given, "Correct the value.")


_BOUNDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "literal_error": lambda context: f"one of {context['expected']}",
    "string_pattern_mismatch": lambda context: (
        "a filled-in text" if context["pattern"] == r"\S" else f"text of the form {context['pattern']}"
    ),
    "string_too_short": lambda _: "a text that is not empty",
    "too_short": lambda context: f"a list or object of at least {context['min_length']}",
    "too_long": lambda context: f"a list or object of at most {context['max_length']}",
    "greater_than": lambda context: f"more than {context['gt']}",
    "greater_than_equal": lambda context: f"at least {context['ge']}",
    "less_than_equal": lambda context: f"at most {context['le']}",
}


def _path(loc: Sequence[int | str], value: Any, *, absent: bool) -> list[int | str]:
    """Drop from a location what is no step into the value: union tags, marks of keys; an absent key stays."""
    path: list[int | str] = []
    here = value
    for index, part in enumerate(loc):
        if _leads_on(here, part):
            here = here[part]
        elif not absent or index < len(loc) - 1:
            continue
        path.append(part)
    return path


def _leads_on(here: Any, part: int | str) -> bool:
    if isinstance(here, list):
        return isinstance(part, int) and part < len(here)
    return isinstance(here, dict) and part in here


def _typed(given: Any) -> str:
    if isinstance(given, bool) or given is None or isinstance(given, (dict, list)):
        return shown(given)
    return f"the {'text' if isinstance(given, str) else 'number'} {shown(given)}"
