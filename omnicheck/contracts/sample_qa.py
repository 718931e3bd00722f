"""Episode QA rows: a strict answer whose labels come from the row's own options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from omnicheck.contracts.issue import Issue, shown
from omnicheck.contracts.sample_parts import Parts, is_finite, issue, judge_required, judge_window
from omnicheck.readers.json_document import parse_json

if TYPE_CHECKING:
    from omnicheck.contracts.samples import AnswerField, AnswerSchema, EpisodeQa


def judge(contract: EpisodeQa, row: Mapping[str, Any]) -> list[Issue]:
    """Return the issues of one row."""
    issues = judge_required(row, contract.required)
    given = row.get(contract.answer_key)
    if given is None or given == "":
        if contract.answer_key not in contract.required:
            issues += judge_required(row, (contract.answer_key,))
        return issues
    return issues + judge_answer(contract.answer, given, row, (contract.answer_key,))


def judge_answer(schema: AnswerSchema, given: Any, row: Mapping[str, Any], parts: Parts = ()) -> list[Issue]:
    """Return the issues of one answer.

    Args:
        schema: its fields.
        given: the answer, an object or its JSON text.
        row: the row that lists the options.
        parts: where the answer stands in the row.
    """
    answer = given
    if isinstance(given, str):
        document = parse_json(given.encode("utf-8", "surrogatepass"))
        if not document.readable or document.problems:
            why = document.problems[0].message if document.problems else "unreadable"
            return [issue(parts, f"the answer is no strict JSON: {why}", "one JSON object", shown(given))]
        answer = document.value
    if not isinstance(answer, dict):
        return [issue(parts, f"the answer is {shown(answer)}, not an object", "an object", shown(answer))]
    issues = [
        issue((*parts, name), f"the answer has no {name}", field.type, None)
        for name, field in schema.fields.items()
        if name not in answer
    ]
    if schema.exact:
        issues += [
            issue(
                (*parts, name),
                f"the answer has a field {shown(name)} that is not declared",
                sorted(schema.fields),
                name,
            )
            for name in sorted(answer.keys() - schema.fields.keys())
        ]
    for name, field in schema.fields.items():
        if name in answer:
            issues += _judge_field(field, answer[name], (*parts, name), row, schema.unknown)
    return issues


def _judge_field(field: AnswerField, value: Any, parts: Parts, row: Mapping[str, Any], unknown: str) -> list[Issue]:
    name = parts[-1]
    if field.type == "frame_window":
        return judge_window(value, parts)
    if field.type == "labels":
        return _judge_labels(field, value, parts)
    if field.type == "choice":
        if isinstance(value, str) and value in field.choices:
            return []
        return [issue(parts, f"{name} is {shown(value)}, not one of the choices", list(field.choices), value)]
    if not _fits(field.type, value):
        return [issue(parts, f"{name} is {shown(value)}, not a {field.type}", field.type, value)]
    options = row.get(field.options_from) if field.options_from else None
    if field.type == "label" and isinstance(options, list) and value != unknown and value not in options:
        text = f"{name} {shown(value)} is not among the row's {len(options)} {field.options_from}"
        return [issue(parts, text, field.options_from, value, "Copy the label exactly from the options.")]
    return []


def _judge_labels(field: AnswerField, value: Any, parts: Parts) -> list[Issue]:
    name = parts[-1]
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        return [issue(parts, f"{name} is {shown(value)}, not a list of texts", "a list of texts", shown(value))]
    issues = []
    if field.max_items is not None and len(value) > field.max_items:
        text = f"{name} has {len(value)} items, at most {field.max_items} are allowed"
        issues.append(issue(parts, text, field.max_items, len(value)))
    folded = [item.strip().casefold() for item in value]
    twice = sorted({item for item in folded if folded.count(item) > 1})
    if twice:
        issues.append(issue(parts, f"{name} lists {shown(twice[0])} more than once", "unique items", twice))
    return issues


def _fits(kind: str, value: Any) -> bool:
    if kind in ("label", "text"):
        return isinstance(value, str) and bool(value.strip())
    if kind == "boolean":
        return isinstance(value, bool)
    return is_finite(value) and (kind == "number" or isinstance(value, int))
