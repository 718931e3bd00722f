"""The model-neutral window index and its manifest: what a record must hold before any backbone may read it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1)]
Frame = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Labels = Annotated[tuple[Name, ...], Meta(min_length=1)]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a record: complete, and with nothing beside what is named."""


class LabelWindow(_Part, frozen=True, kw_only=True):
    """The frames that are labelled; the end is included."""

    start_frame: Frame
    end_frame: Frame
    num_frames: Positive


class ContextWindow(_Part, frozen=True, kw_only=True):
    """The frames that a model may see; the end is included."""

    start_frame: Frame
    end_frame: Frame
    max_video_frames: Positive


class VideoStream(_Part, frozen=True, kw_only=True):
    """One camera."""

    name: Name
    path: Name


class Media(_Part, frozen=True, kw_only=True):
    """Video and audio; null says that the dataset states there is none."""

    video_streams: Annotated[tuple[VideoStream, ...], Meta(min_length=1)]
    mosaic_video_path: Name | None
    audio_path: Name | None
    context_window: ContextWindow


class SensorFeatures(_Part, frozen=True, kw_only=True):
    """One row of a feature file."""

    path: Name
    index: Frame
    dim: Positive


class Language(_Part, frozen=True, kw_only=True):
    """The question and the labels that an answer may use."""

    question: Name
    action_options: Labels
    subtask_options: Labels


class Modalities(_Part, frozen=True, kw_only=True):
    """What a model may be given; ``sensor_features`` is left out where the dataset has none."""

    media: Media
    sensor_features: SensorFeatures | UnsetType = UNSET
    language: Language


class EvidenceWindow(_Part, frozen=True, kw_only=True):
    """The frames that show the answer; the end is included."""

    start_frame: Frame
    end_frame: Frame


class Answer(_Part, frozen=True, kw_only=True):
    """The strict answer of seven fields."""

    action: Name
    subtask: Name
    objects: tuple[Name, ...]
    contact: Name
    transition: Name
    next_action: Name
    evidence_window: EvidenceWindow


class Supervision(Answer, frozen=True, kw_only=True):
    """The seven fields, and the answer that they make up."""

    json_answer: Answer


class QwenOmniView(_Part, frozen=True, kw_only=True):
    """What a structured question-answering backbone takes from a record."""

    sample_contract: Name
    messages_available: bool
    direct_modalities: tuple[Name, ...]
    bridged_modalities: tuple[Name, ...]


class WorldModelView(_Part, frozen=True, kw_only=True):
    """What a world model takes from a record."""

    sample_contract: Name
    context_window: ContextWindow
    available_conditioning: tuple[Name, ...]
    candidate_targets: tuple[Name, ...]
    requires_new_exporter: bool


class PolicyView(_Part, frozen=True, kw_only=True):
    """What a policy branch takes from a record."""

    sample_contract: Name
    observation_window: LabelWindow
    candidate_targets: tuple[Name, ...]
    requires_action_space_design: bool


class AdapterViews(_Part, frozen=True, kw_only=True):
    """One record as each backbone sees it."""

    qwen3_omni_lora: QwenOmniView
    cosmos_world_model: WorldModelView
    policy_vla_branch: PolicyView


class Provenance(_Part, frozen=True, kw_only=True):
    """Where a record comes from: the keys of its dataset row, and the export shard where rows were merged."""

    dataset_record_fields: Labels
    parallel_export_shard: Any = UNSET


class IndexRecord(_Part, frozen=True, kw_only=True):
    """One window of ``window_index.jsonl``; session and path stand there when the dataset states them."""

    id: Name
    source_record_id: Name
    episode_id: Name
    top_level_session: Name | UnsetType = UNSET
    episode_path: Name | UnsetType = UNSET
    split: Name
    target: Name
    prompt_type: Name
    window: LabelWindow
    modalities: Modalities
    supervision: Supervision
    adapter_views: AdapterViews
    provenance: Provenance


class ModalityCounts(_Part, frozen=True, kw_only=True):
    """Records that have each modality."""

    mosaic_video: Count
    audio: Count
    sensor_features: Count
    language: Count


class DatasetSummary(_Part, frozen=True, kw_only=True):
    """What the dataset's manifest says, as far as the rows bear it out."""

    run_id: Name | UnsetType = UNSET
    num_samples: Count
    num_episodes: Count
    split_counts: dict[str, Count]


class IndexManifest(_Part, frozen=True, kw_only=True):
    """``window_index_manifest.json``: counted from the records that were written.

    The two keys about the dataset's manifest are left out where none was given.
    """

    run_id: Name
    source_dataset_jsonl: Name
    source_dataset_manifest: Name | UnsetType = UNSET
    output_jsonl: Name
    num_records: Positive
    num_episodes: Positive
    sample_split_counts: dict[str, Positive]
    episode_split_counts: dict[str, Positive]
    modality_record_counts: ModalityCounts
    adapter_contracts: dict[str, Name]
    source_dataset_summary: DatasetSummary | UnsetType = UNSET


ADAPTERS = ("qwen3_omni_lora", "cosmos_world_model", "policy_vla_branch")
"""Contracts whose view a record holds."""
