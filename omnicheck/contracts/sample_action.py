"""Observation-action rows: what was seen, what was asked, and one named action target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from omnicheck.contracts.issue import Issue, mapping, shown
from omnicheck.contracts.sample_parts import is_frame, issue, judge_matrix, judge_required, judge_window

if TYPE_CHECKING:
    from omnicheck.contracts.samples import ActionTarget, ObservationAction

TARGET_KEYS = ("cosmos_action_target", "cosmos3_action_target", "cosmos_action_condition", "action_target")
"""Keys under which rows carry their action target."""

_WINDOWS = ("observation_window", "context_window", "center_window", "window")
_INSTRUCTIONS = ("instruction", "language_instruction", "question", "task")
_MODES = ("policy", "forward_dynamics", "inverse_dynamics")
_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "resolution_tier": (256, 480, 704, 720, "256", "480", "704", "720"),
    "view_point": ("ego_view", "third_person_view", "wrist_view", "concat_view"),
}
_LABELLED = frozenset({"action_class", "next_action", "contact"})


def judge(contract: ObservationAction, row: Mapping[str, Any]) -> list[Issue]:
    """Return the issues of one row."""
    issues = judge_required(row, contract.required)
    window = next((key for key in _WINDOWS if row.get(key) is not None), None)
    if window is not None:
        issues += judge_window(row[window], (window,))
    elif not isinstance(row.get("observation"), dict) or not row["observation"]:
        issues.append(issue((), "the row has no observation and no observation window", list(_WINDOWS), None))
    if contract.instruction_required and not any(_is_text(row.get(key)) for key in _INSTRUCTIONS):
        issues.append(issue(("instruction",), "the row has no instruction", "a text", row.get("instruction")))
    named = [key for key in TARGET_KEYS if row.get(key) is not None]
    if not named:
        return [*issues, issue((), "the row has no action target", list(TARGET_KEYS), None, "Write action_target.")]
    if any(row[key] != row[named[0]] for key in named[1:]):
        issues.append(issue((), f"the row has differing action targets: {', '.join(named)}", "one target", named))
    for key in named[:1]:
        target = row[key]
        if isinstance(target, dict):
            issues += _judge_target(contract, row, key, target)
        else:
            issues.append(issue((key,), f"{key} is {shown(target)}, not an object", "an object", shown(target)))
    return issues


def _judge_target(contract: ObservationAction, row: Mapping[str, Any], key: str, target: dict[str, Any]) -> list[Issue]:
    issues = []
    declared: dict[str, ActionTarget] = {each.kind: each for each in contract.action_targets}
    moded = "mode" in target or "raw_actions" in target
    name = target.get("kind", next(iter(declared)) if moded and len(declared) == 1 else None)
    chosen = declared.get(name) if isinstance(name, str) else None
    if chosen is None:
        text = f"the action target is of kind {shown(name)}, which the contract does not declare"
        issues.append(issue((key, "kind"), text, sorted(declared), name, "Name the kind of the action target."))
    if moded:
        issues += _judge_moded(key, target)
    chunk = target.get("chunk_size")
    if chunk is not None or moded:
        issues += _judge_chunk(key, chunk, chosen)
    if moded or (chosen is not None and chosen.kind not in _LABELLED):
        issues += _judge_values(key, target, chosen)
    elif chosen is not None:
        value = target.get("value", target.get("label"))
        if not _is_text(value):
            issues.append(issue((key, "value"), f"the {chosen.kind} is {shown(value)}, not a label", "a text", value))
    return issues + _judge_normalization(key, target) + _judge_provenance(contract, row, key, target)


def _judge_moded(key: str, target: Mapping[str, Any]) -> list[Issue]:
    issues = []
    if target.get("mode") not in _MODES:
        issues.append(issue((key, "mode"), f"mode is {shown(target.get('mode'))}", list(_MODES), target.get("mode")))
    if not _is_text(target.get("domain_name")):
        issues.append(
            issue((key, "domain_name"), "the action target names no domain", "a text", target.get("domain_name"))
        )
    issues += [
        issue((key, name), f"{name} is {shown(target[name])}", list(choices), target[name])
        for name, choices in _CHOICES.items()
        if target.get(name) is not None and (isinstance(target[name], (bool, float)) or target[name] not in choices)
    ]
    return issues


def _judge_chunk(key: str, chunk: Any, chosen: ActionTarget | None) -> list[Issue]:
    if not is_frame(chunk) or chunk < 1:
        return [issue((key, "chunk_size"), f"chunk_size is {shown(chunk)}, not a count of steps", ">= 1", chunk)]
    if chosen is not None and chosen.chunk_size is not None and chunk != chosen.chunk_size:
        text = f"chunk_size is {chunk}, the contract says {chosen.chunk_size}"
        return [issue((key, "chunk_size"), text, chosen.chunk_size, chunk)]
    return []


def _judge_values(key: str, target: Mapping[str, Any], chosen: ActionTarget | None) -> list[Issue]:
    name = next((each for each in ("raw_actions", "values", "tokens") if each in target), None)
    if name is None:
        # A policy or an inverse model may be given its actions elsewhere; forward dynamics is driven by them.
        if "mode" in target and target.get("mode") != "forward_dynamics":
            return []
        return [issue((key, "raw_actions"), "the action target holds no actions", "numbers[steps][dims]", None)]
    steps = target.get("chunk_size") if is_frame(target.get("chunk_size")) else None
    if chosen is not None and chosen.kind == "robot_token":
        return _judge_tokens(key, name, target[name])
    width = target.get("raw_action_dim")
    issues = []
    if width is not None and (not is_frame(width) or width < 1):
        issues.append(issue((key, "raw_action_dim"), f"raw_action_dim is {shown(width)}", ">= 1", width))
        width = None
    dims = chosen.dims if chosen is not None else None
    if width is not None and dims is not None and width != dims:
        issues.append(
            issue((key, "raw_action_dim"), f"raw_action_dim is {width}, the contract says {dims}", dims, width)
        )
    return issues + judge_matrix(target[name], (key, name), steps, dims if width is None else width)


def _judge_tokens(key: str, name: str, value: Any) -> list[Issue]:
    flat = value if isinstance(value, list) else []
    tokens = [item for step in flat for item in (step if isinstance(step, list) else [step])]
    if tokens and all(is_frame(token) for token in tokens):
        return []
    return [issue((key, name), f"{name} is not a list of token numbers", "whole numbers >= 0", shown(value))]


def _judge_normalization(key: str, target: Mapping[str, Any]) -> list[Issue]:
    given = target.get("normalization")
    if given is None:
        return []
    fit = mapping(given).get("fit_split")
    if fit == "train":
        return []
    text = f"the action target is normalised with statistics of {shown(fit)}, not of train"
    return [
        issue((key, "normalization", "fit_split"), text, "train", fit, "Fit the normaliser on train episodes only.")
    ]


def _judge_provenance(
    contract: ObservationAction, row: Mapping[str, Any], key: str, target: Mapping[str, Any]
) -> list[Issue]:
    name = "source" if target.get("source") else "provenance"
    given = target.get(name) or row.get("provenance")
    if not isinstance(given, dict) or not given:
        return [issue((key, "source"), "the action target does not say what it was derived from", "an object", given)]
    place = (key, name) if target.get(name) else ("provenance",)
    return [
        issue((*place, part), f"the provenance of the action target has no {part}", "a value", given.get(part))
        for part in contract.provenance
        if given.get(part) in (None, "", [], {})
    ]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
