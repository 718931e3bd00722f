"""Future window rows: a context, a later target, what is given and what is foretold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from omnicheck.contracts.issue import Issue, mapping, shown
from omnicheck.contracts.sample_parts import is_frame, issue, judge_required, judge_window

if TYPE_CHECKING:
    from omnicheck.contracts.samples import FutureWindow

CONTEXT_KEYS = ("context_window", "window")
TARGET_KEYS = ("target_window", "future_window")

_CONDITIONING: Mapping[str, str] = {
    **dict.fromkeys(("question", "task", "main_task", "instruction", "subtask", "objects"), "language"),
    **dict.fromkeys(("transition", "next_action"), "language"),
    "action": "action",
    "contact": "contact",
}
_TARGETS: Mapping[str, str] = dict.fromkeys(("action", "subtask", "objects", "next_action"), "future_labels")
# Keys of the row itself that carry an input or a target.
_ROW_INPUTS = {"media": "video", "sensor_feature_path": "sensor_features"}
_ROW_TARGETS = {"future_media": "future_video", "future_sensor_feature_path": "future_sensor_features"}
_LABELS = frozenset({"action", "subtask", "objects", "contact", "transition", "next_action"})


def judge(contract: FutureWindow, row: Mapping[str, Any]) -> list[Issue]:
    """Return the issues of one row."""
    issues = judge_required(row, contract.required)
    for names, what in ((CONTEXT_KEYS, "context"), (TARGET_KEYS, "target")):
        key = next((name for name in names if row.get(name) is not None), None)
        if key is None:
            issues.append(issue((), f"the row has no {what} window", list(names), None, f"Write {names[0]}."))
        else:
            issues += judge_window(row[key], (key,))
    issues += _judge_horizon(contract, row)
    return issues + _judge_conditioning(contract, row) + _judge_targets(contract, row)


def _judge_horizon(contract: FutureWindow, row: Mapping[str, Any]) -> list[Issue]:
    windows = row.get("horizon_windows")
    if contract.horizon_windows == "row" and (not is_frame(windows) or windows == 0):
        text = f"the row's horizon_windows is {shown(windows)}, not a count of windows"
        return [issue(("horizon_windows",), text, ">= 1", windows, "Write in each row how far ahead its target lies.")]
    declared = {"horizon_windows": contract.horizon_windows, "horizon_frames": contract.horizon_frames}
    return [
        issue((key,), f"{key} is {shown(row[key])}, the contract says {wanted}", wanted, row[key])
        for key, wanted in declared.items()
        if isinstance(wanted, int) and row.get(key) is not None and (isinstance(row[key], bool) or row[key] != wanted)
    ]


def _judge_conditioning(contract: FutureWindow, row: Mapping[str, Any]) -> list[Issue]:
    given = row.get("conditioning")
    if given is not None and not isinstance(given, dict):
        return [issue(("conditioning",), f"conditioning is {shown(given)}, not an object", "an object", shown(given))]
    present = {kind for key, kind in _ROW_INPUTS.items() if row.get(key)}
    issues = []
    for key, value in sorted(mapping(given).items()):
        # Labels of the context window, told in words, are language where the contract has no kind of their own.
        kind = _CONDITIONING.get(key, key)
        if kind not in contract.conditioning and key in _LABELS:
            kind = "language"
        if kind not in contract.conditioning:
            text = f"the row is conditioned on {shown(key)}, which the contract does not declare"
            issues.append(issue(("conditioning", key), text, list(contract.conditioning), key))
        elif value is not None:
            present.add(kind)
    if not present & set(contract.conditioning) and not issues:
        issues.append(issue(("conditioning",), "the row is conditioned on nothing", list(contract.conditioning), given))
    return issues


def _judge_targets(contract: FutureWindow, row: Mapping[str, Any]) -> list[Issue]:
    key = "target" if isinstance(row.get("target"), dict) else "future_target"
    given = row.get(key)
    if given is not None and not isinstance(given, dict):
        return [issue((key,), f"{key} is {shown(given)}, not an object", "an object", shown(given))]
    declared = set(contract.targets)
    present = {kind for name, kind in _ROW_TARGETS.items() if row.get(name)}
    issues = []
    for name, value in sorted(mapping(given).items()):
        kind = _TARGETS.get(name, name)
        if kind not in declared and name not in _LABELS:
            text = f"the row foretells {shown(name)}, which is no target kind of the contract"
            issues.append(issue((key, name), text, sorted(declared), name))
        elif value is not None:
            present.add(kind)
    if not present & declared and not issues:
        issues.append(issue((key,), "the row has none of the declared targets", sorted(declared), given))
    return issues
