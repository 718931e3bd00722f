"""What is wrong with one answer under a strict answer schema, by cause."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from omnicheck.contracts.samples import EpisodeQa, sample_contract_of
from omnicheck.readers.json_document import parse_json

NOT_JSON = "not JSON"
NOT_OBJECT = "not an object"
SURROUNDED = "text around the JSON"
REPEATED_KEY = "repeated key"
MISSING = "missing key"
EXTRA = "extra key"
WRONG_TYPE = "wrong type"
NOT_CHOICE = "not one of the choices"
NOT_OPTION = "label not among the options"
TOO_MANY = "too many items"
REPEATED_ITEM = "repeated item"
BAD_WINDOW = "malformed frame window"


class Field(Struct, frozen=True):
    """One field of an answer.

    Attributes:
        type: ``label``, ``choice``, ``labels``, ``frame_window``, ``text``, ``integer``, ``number`` or ``boolean``.
        choices: the only values of a choice.
        options_from: name of the list that its labels come from, or None.
        max_items: limit of a list of labels, or None.
    """

    type: str
    choices: tuple[str, ...] = ()
    options_from: str | None = None
    max_items: int | None = None


class AnswerRules(Struct, frozen=True):
    """A strict answer schema.

    Attributes:
        fields: every field, by name.
        exact: whether other fields are forbidden.
        unknown: the label that may always stand.
    """

    fields: dict[str, Field]
    exact: bool
    unknown: str


class Fault(Struct, frozen=True):
    """One cause for which an answer fails, and what was found."""

    cause: str
    detail: str


def answer_rules(contract: Mapping[str, Any] | None) -> AnswerRules | None:
    """Return the answer schema of a raw contract; without one, that of episode question answering.

    None when the contract's samples have no answers.
    """
    found = sample_contract_of(contract if contract is not None else {"dataset_contract": "episode_qa"})
    if not isinstance(found, EpisodeQa):
        return None
    return AnswerRules(
        {
            name: Field(each.type, tuple(each.choices), each.options_from, each.max_items)
            for name, each in found.answer.fields.items()
        },
        found.answer.exact,
        found.answer.unknown,
    )


def read_answer(raw: Any, stored: Any) -> tuple[dict[str, Any] | None, list[Fault]]:
    """Return the answer that a row gives, and what is wrong with its form.

    Args:
        raw: the model's own text, or None when the row does not keep it.
        stored: the answer that the evaluator parsed out of it, or None.
    """
    parsed = stored if isinstance(stored, dict) and stored else None
    if not isinstance(raw, str):
        return parsed, [] if parsed else [Fault(NOT_JSON, "no parsed answer")]
    try:
        value = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        if parsed is not None:
            return parsed, [Fault(SURROUNDED, _short(raw))]
        return None, [Fault(NOT_JSON, _short(raw))]
    if not isinstance(value, dict):
        return None, [Fault(NOT_OBJECT, _short(raw))]
    if raw.count(":") > len(value):
        problems = parse_json(raw.encode("utf-8", "surrogatepass")).problems
        if problems:
            return value, [Fault(REPEATED_KEY, problems[0].message)]
    return value, []


def judge_answer(
    rules: AnswerRules, answer: Mapping[str, Any], options: Mapping[str, Collection[str]]
) -> Iterator[Fault]:
    """Yield what is wrong with the fields of an answer.

    Args:
        rules: the schema.
        answer: the answer.
        options: lists of labels by name; a list that is not known judges nothing.
    """
    for name, field in rules.fields.items():
        if name not in answer:
            yield Fault(MISSING, name)
        else:
            yield from _judge(name, field, answer[name], options, rules.unknown)
    if rules.exact:
        for name in answer.keys() - rules.fields.keys():
            yield Fault(EXTRA, name)


def _judge(
    name: str, field: Field, value: Any, options: Mapping[str, Collection[str]], unknown: str
) -> Iterator[Fault]:
    if field.type == "frame_window":
        if window_of_answer(value) is None:
            yield Fault(BAD_WINDOW, f"{name} {_short(value)}")
    elif field.type == "labels":
        yield from _judge_labels(name, field, value)
    elif not _fits(field.type, value):
        yield Fault(WRONG_TYPE, f"{name} {_short(value)}")
    elif field.type == "choice":
        if value not in field.choices:
            yield Fault(NOT_CHOICE, f"{name} {_short(value)}")
    elif field.type == "label" and value != unknown:
        known = options.get(field.options_from or "")
        if known is not None and value not in known:
            yield Fault(NOT_OPTION, f"{name} {_short(value)}")


def _judge_labels(name: str, field: Field, value: Any) -> Iterator[Fault]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        yield Fault(WRONG_TYPE, f"{name} {_short(value)}")
        return
    if field.max_items is not None and len(value) > field.max_items:
        yield Fault(TOO_MANY, f"{name} has {len(value)}, at most {field.max_items} are allowed")
    seen: set[str] = set()
    for item in value:
        folded = item.strip().casefold()
        if folded in seen:
            yield Fault(REPEATED_ITEM, f"{name} {_short(item)}")
            return
        seen.add(folded)


def window_of_answer(value: Any) -> tuple[int, int] | None:
    """Return (start frame, end frame inclusive) of an answer's window, in whatever order; None when it is none."""
    if not isinstance(value, dict):
        return None
    start, end = value.get("start_frame"), value.get("end_frame")
    if type(start) is not int or type(end) is not int:
        return None
    return start, end


def _fits(kind: str, value: Any) -> bool:
    if kind in ("label", "text", "choice"):
        return isinstance(value, str) and bool(value.strip())
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (kind == "number" and isinstance(value, float))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
