"""Sample contracts: what one row of a dataset must hold, by the kind of task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from omnicheck.contracts.issue import Issue

FieldType = Literal["label", "choice", "labels", "frame_window", "text", "integer", "number", "boolean"]
Conditioning = Literal[
    "video",
    "audio",
    "pose",
    "depth",
    "mocap",
    "imu",
    "language",
    "contact",
    "action",
    "sensor_features",
]
TargetKind = Literal[
    "future_video",
    "future_sensor_features",
    "future_latent_state",
    "future_labels",
    "transition",
    "contact",
]
ActionKind = Literal[
    "action_class",
    "next_action",
    "hand_trajectory",
    "contact",
    "retargeted_humanoid",
    "robot_token",
    "camera_pose_delta",
]

NUMERIC_ACTIONS = frozenset({"hand_trajectory", "retargeted_humanoid", "camera_pose_delta"})
"""Action targets that are matrices of numbers, and so need a normaliser before they are learnt."""

Positive = Annotated[int, Meta(gt=0)]


class AnswerField(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of an answer: its type, its choices, and how many items it may hold.

    Attributes:
        type: form of the value.
        choices: the only values of a choice.
        options_from: key of the row that lists the labels that may be used.
        max_items: limit of a list of labels.
    """

    type: FieldType
    choices: tuple[str, ...] = ()
    options_from: str | None = None
    max_items: Positive | None = None


class AnswerSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of an answer; with ``exact`` there may be no others, and ``unknown`` may always stand for a label."""

    fields: Annotated[dict[str, AnswerField], Meta(min_length=1)]
    exact: bool = True
    unknown: str = "unknown"


def _seven_fields() -> AnswerSchema:
    ternary = AnswerField("choice", choices=("yes", "no", "unknown"))
    return AnswerSchema(
        {
            "action": AnswerField("label", options_from="action_options"),
            "subtask": AnswerField("label", options_from="subtask_options"),
            "objects": AnswerField("labels", max_items=8),
            "contact": ternary,
            "transition": ternary,
            "next_action": AnswerField("label", options_from="action_options"),
            "evidence_window": AnswerField("frame_window"),
        }
    )


class EpisodeQa(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="episode_qa"):
    """A question about one window of an episode, answered in strict JSON."""

    required: tuple[str, ...] = ("id", "episode_id", "split", "answer_json")
    answer_key: str = "answer_json"
    answer: AnswerSchema = msgspec.field(default_factory=_seven_fields)

    @property
    def kind(self) -> str:
        """The task that rows of this contract are samples of."""
        return "episode_qa"


class FutureWindow(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="future_window", kw_only=True
):
    """A context window, a later target window of the same episode, and what is known and foretold.

    Attributes:
        required: keys of every row.
        horizon_frames: frames from context start to target start.
        horizon_windows: windows from context to target; ``row`` when each row declares its own.
        conditioning: what may be known.
        targets: what may be foretold.
    """

    required: tuple[str, ...] = ("id", "episode_id", "split")
    horizon_frames: Positive | None = None
    horizon_windows: Positive | Literal["row"] | None = None
    conditioning: Annotated[tuple[Conditioning, ...], Meta(min_length=1)]
    targets: Annotated[tuple[TargetKind, ...], Meta(min_length=1)]

    @property
    def kind(self) -> str:
        """The task that rows of this contract are samples of."""
        return "future_window"


class Normalization(Struct, frozen=True, forbid_unknown_fields=True):
    """How numeric targets are scaled: statistics that are fit on train episodes only."""

    fit_split: Literal["train"]
    stats_file: Annotated[str, Meta(min_length=1)]


class ActionTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """A named action target: numbers per step, steps per target, and the normaliser it needs."""

    kind: ActionKind
    dims: Positive | None = None
    chunk_size: Positive | None = None
    normalization: Normalization | None = None


class ObservationAction(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="observation_action", kw_only=True
):
    """An observation and an instruction, and the action that follows; ``provenance`` names keys of a target."""

    required: tuple[str, ...] = ("id", "episode_id", "split")
    instruction_required: bool = True
    action_targets: Annotated[tuple[ActionTarget, ...], Meta(min_length=1)]
    provenance: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The task that rows of this contract are samples of."""
        return "observation_action"


SampleContract = EpisodeQa | FutureWindow | ObservationAction


def sample_contract_from(value: Any) -> SampleContract:
    """Return a sample contract from decoded JSON.

    Raises:
        msgspec.ValidationError: it is malformed; ``sample_models`` lists everything that is wrong.
    """
    try:
        found: SampleContract = msgspec.convert(value, SampleContract)
    except UnicodeEncodeError as error:  # half a character stands for a choice
        raise msgspec.ValidationError(str(error)) from error
    if isinstance(found, FutureWindow) and found.horizon_frames is None and found.horizon_windows is None:
        raise msgspec.ValidationError("declares no horizon, neither in frames nor in windows")
    if isinstance(found, ObservationAction):
        for target in found.action_targets:
            if target.kind in NUMERIC_ACTIONS - {"camera_pose_delta"} and target.normalization is None:
                raise msgspec.ValidationError(f"the action target {target.kind} needs normalization")
    return found


def sample_contract_of(value: Mapping[str, Any]) -> SampleContract | None:
    """Return the sample contract of a raw backbone contract; None when it has none, or a malformed one.

    A top-level ``answer_schema`` is the answer of an episode QA contract that has no ``answer`` of its own. A contract
    without a sample contract gets the plain one of the family that its ``dataset_contract`` names, if any.
    """
    raw = value.get("sample_contract")
    if raw is None:
        return _family_contract(value.get("dataset_contract"), value.get("answer_schema"))
    answer = value.get("answer_schema")
    if isinstance(raw, dict) and raw.get("kind") == "episode_qa" and "answer" not in raw and answer is not None:
        raw = {**raw, "answer": answer}
    try:
        return sample_contract_from(raw)
    except msgspec.ValidationError:
        return None  # rule CTR101 tells what is wrong with it


def _family_contract(name: Any, answer: Any) -> SampleContract | None:
    if not isinstance(name, str):
        return None
    if "episode_json_qa" in name or "episode_qa" in name:
        return sample_contract_of({"sample_contract": {"kind": "episode_qa"}, "answer_schema": answer})
    # What the name does not say (horizon, sizes) is left open, which a written contract may not do.
    if "future_window" in name:
        return FutureWindow(conditioning=get_args(Conditioning), targets=get_args(TargetKind))
    kinds: tuple[ActionKind, ...] = get_args(ActionKind) if "observation_action" in name else ()
    if "camera_pose_forward_dynamics" in name:
        kinds = ("camera_pose_delta",)
    if not kinds:
        return None
    return ObservationAction(action_targets=tuple(ActionTarget(kind) for kind in kinds))


def judge_sample(contract: SampleContract, row: Any) -> list[Issue]:
    """Return the PRD109 issues of one row against its sample contract.

    How far apart the windows of a pair are is rule SPL108's to judge, over all rows; here only their form counts.
    """
    from omnicheck.contracts import sample_action, sample_qa, sample_window  # noqa: PLC0415 - they import this module

    if not isinstance(row, dict):
        return [Issue("PRD109", "", "the row is not an object", "an object", row, "Write one JSON object per line.")]
    if isinstance(contract, EpisodeQa):
        return sample_qa.judge(contract, row)
    if isinstance(contract, FutureWindow):
        return sample_window.judge(contract, row)
    return sample_action.judge(contract, row)
