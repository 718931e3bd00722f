"""Sample contracts: what one row of a dataset must hold, by the kind of task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

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

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class AnswerField(BaseModel):
    """One field of an answer: its type, its choices, and how many items it may hold."""

    model_config = _STRICT

    type: FieldType
    choices: list[str] = Field(default=[], description="the only values of a choice")
    options_from: str | None = Field(default=None, description="key of the row that lists the labels that may be used")
    max_items: int | None = Field(default=None, gt=0, description="limit of a list of labels")


class AnswerSchema(BaseModel):
    """The fields of an answer; with ``exact`` there may be no others."""

    model_config = _STRICT

    fields: dict[str, AnswerField] = Field(min_length=1)
    exact: bool = True
    unknown: str = Field(default="unknown", description="the label that may always stand for one not known")


def _seven_fields() -> AnswerSchema:
    ternary = AnswerField(type="choice", choices=["yes", "no", "unknown"])
    return AnswerSchema(
        fields={
            "action": AnswerField(type="label", options_from="action_options"),
            "subtask": AnswerField(type="label", options_from="subtask_options"),
            "objects": AnswerField(type="labels", max_items=8),
            "contact": ternary,
            "transition": ternary,
            "next_action": AnswerField(type="label", options_from="action_options"),
            "evidence_window": AnswerField(type="frame_window"),
        }
    )


class EpisodeQa(BaseModel):
    """A question about one window of an episode, answered in strict JSON."""

    model_config = _STRICT

    kind: Literal["episode_qa"]
    required: list[str] = ["id", "episode_id", "split", "answer_json"]
    answer_key: str = "answer_json"
    answer: AnswerSchema = Field(default_factory=_seven_fields)


class FutureWindow(BaseModel):
    """A context window, a later target window of the same episode, and what is known and foretold."""

    model_config = _STRICT

    kind: Literal["future_window"]
    required: list[str] = ["id", "episode_id", "split"]
    horizon_frames: int | None = Field(default=None, gt=0, description="frames from context start to target start")
    horizon_windows: Annotated[int, Field(gt=0)] | Literal["row"] | None = Field(
        default=None, description="windows from context to target; `row` when each row declares its own"
    )
    conditioning: list[Conditioning] = Field(min_length=1)
    targets: list[TargetKind] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_a_horizon(self) -> FutureWindow:
        if self.horizon_frames is None and self.horizon_windows is None:
            raise ValueError("declares no horizon, neither in frames nor in windows")
        return self


class Normalization(BaseModel):
    """How numeric targets are scaled: statistics that are fit on train episodes only."""

    model_config = _STRICT

    fit_split: Literal["train"]
    stats_file: str = Field(min_length=1)


class ActionTarget(BaseModel):
    """A named action target, with its size and the normaliser it needs."""

    model_config = _STRICT

    kind: ActionKind
    dims: int | None = Field(default=None, gt=0, description="numbers per step")
    chunk_size: int | None = Field(default=None, gt=0, description="steps per target")
    normalization: Normalization | None = None


class ObservationAction(BaseModel):
    """An observation and an instruction, and the action that follows."""

    model_config = _STRICT

    kind: Literal["observation_action"]
    required: list[str] = ["id", "episode_id", "split"]
    instruction_required: bool = True
    action_targets: list[ActionTarget] = Field(min_length=1)
    provenance: list[str] = Field(default=[], description="keys that the provenance of a target must hold")

    @model_validator(mode="after")
    def _numbers_are_normalised(self) -> ObservationAction:
        for target in self.action_targets:
            if target.kind in NUMERIC_ACTIONS - {"camera_pose_delta"} and target.normalization is None:
                raise ValueError(f"the action target {target.kind} needs normalization fit on train episodes")
        return self


SampleContract = Annotated[EpisodeQa | FutureWindow | ObservationAction, Field(discriminator="kind")]


def sample_contract_of(value: Mapping[str, Any]) -> EpisodeQa | FutureWindow | ObservationAction | None:
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
    adapter: TypeAdapter[EpisodeQa | FutureWindow | ObservationAction] = TypeAdapter(SampleContract)
    try:
        return adapter.validate_python(raw)
    except ValidationError:
        return None  # rule CTR101 tells what is wrong with it


def _family_contract(name: Any, answer: Any) -> EpisodeQa | FutureWindow | ObservationAction | None:
    if not isinstance(name, str):
        return None
    if "episode_json_qa" in name or "episode_qa" in name:
        return sample_contract_of({"sample_contract": {"kind": "episode_qa"}, "answer_schema": answer})
    # What the name does not say (horizon, sizes) is left open, which a written contract may not do.
    if "future_window" in name:
        return FutureWindow.model_construct(
            kind="future_window", conditioning=list(get_args(Conditioning)), targets=list(get_args(TargetKind))
        )
    kinds: tuple[ActionKind, ...] = get_args(ActionKind) if "observation_action" in name else ()
    if "camera_pose_forward_dynamics" in name:
        kinds = ("camera_pose_delta",)
    if not kinds:
        return None
    targets = [ActionTarget.model_construct(kind=kind) for kind in kinds]
    return ObservationAction.model_construct(kind="observation_action", action_targets=targets)


def judge_sample(contract: EpisodeQa | FutureWindow | ObservationAction, row: Any) -> list[Issue]:
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
