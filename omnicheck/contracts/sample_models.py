"""Sample contracts as pydantic models, for the schema and for what is wrong with one; ``samples`` is what rows meet."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from omnicheck.contracts.samples import NUMERIC_ACTIONS, ActionKind, Conditioning, FieldType, TargetKind

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
