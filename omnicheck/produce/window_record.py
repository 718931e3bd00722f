"""One row of a question-answering dataset as a record of the model-neutral window index, or what it lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from omnicheck.contracts.issue import Issue, pointer_of, shown
from omnicheck.contracts.sample_qa import judge_answer
from omnicheck.contracts.samples import EpisodeQa
from omnicheck.contracts.window_index import (
    Answer,
    ContextWindow,
    Frame,
    IndexRecord,
    Labels,
    LabelWindow,
    Language,
    Media,
    Modalities,
    Name,
    Positive,
    Provenance,
    SensorFeatures,
    Supervision,
    VideoStream,
)
from omnicheck.facts.split_names import split_name
from omnicheck.produce.window_views import Views

SENSOR_KEYS = ("sensor_feature_path", "sensor_feature_index", "sensor_feature_dim")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_ANSWER = EpisodeQa().answer


class _Stream(Struct, frozen=True):
    name: Name
    path: Name


class _Media(Struct, frozen=True):
    video_paths: Annotated[tuple[_Stream, ...], Meta(min_length=1)]
    context_start_frame: Frame
    context_end_frame: Frame
    max_video_frames: Positive
    mosaic_video_path: Name | None
    audio_path: Name | None


class _Window(Struct, frozen=True):
    start_frame: Frame
    end_frame: Frame
    num_frames: Positive


class _Row(Struct, frozen=True, kw_only=True):
    """The keys that a row must hold; others are only named in the provenance."""

    id: Name
    episode_id: Name
    top_level_session: Name | UnsetType = UNSET
    episode_path: Name | UnsetType = UNSET
    split: Name
    target: Name
    prompt_type: Name
    center_window: _Window
    media: _Media
    question: Name
    action_options: Labels
    subtask_options: Labels
    answer_json: Any
    sensor_feature_path: Name | UnsetType = UNSET
    sensor_feature_index: Frame | UnsetType = UNSET
    sensor_feature_dim: Positive | UnsetType = UNSET
    messages: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1)] | UnsetType = UNSET
    parallel_export_shard: Any = UNSET


_REQUIRED = tuple(field.name for field in msgspec.structs.fields(_Row) if field.required)


def record_of(given: Mapping[str, Any], views: Views, *, sensors: bool) -> IndexRecord | list[Issue]:
    """Return the record of a row, or everything that it lacks, with pointers into the row.

    Args:
        given: the row.
        views: what each backbone takes.
        sensors: whether the rows of this dataset have sensor features; one that differs lacks a value.
    """
    issues: list[Issue] = []
    row = _typed(given, issues)
    if "answer_json" in given:
        issues += judge_answer(_ANSWER, given["answer_json"], given, ("answer_json",))
    if row is None:
        return issues
    issues += _disordered(row)
    issues += _sensor_issues(row, sensors=sensors)
    split = split_name(row.split)
    if split is None:
        issues.append(_issue("/split", f"split is {shown(row.split)}, which names no split", "train, val or test"))
    if issues or split is None:
        return issues
    answer = row.answer_json
    answer = msgspec.convert(msgspec.json.decode(answer) if isinstance(answer, str) else answer, Answer)
    media, window = row.media, _window(row.center_window)
    context = ContextWindow(
        start_frame=media.context_start_frame,
        end_frame=media.context_end_frame,
        max_video_frames=media.max_video_frames,
    )
    return IndexRecord(
        id=row.id,
        source_record_id=row.id,
        episode_id=row.episode_id,
        top_level_session=row.top_level_session,
        episode_path=row.episode_path,
        split=split,
        target=row.target,
        prompt_type=row.prompt_type,
        window=window,
        modalities=Modalities(
            media=Media(
                video_streams=tuple(VideoStream(name=each.name, path=each.path) for each in media.video_paths),
                mosaic_video_path=media.mosaic_video_path,
                audio_path=media.audio_path,
                context_window=context,
            ),
            sensor_features=_sensors(row),
            language=Language(
                question=row.question, action_options=row.action_options, subtask_options=row.subtask_options
            ),
        ),
        supervision=Supervision(json_answer=answer, **msgspec.structs.asdict(answer)),
        adapter_views=views.of(
            window,
            context,
            audio=media.audio_path is not None,
            sensors=sensors,
            messages=row.messages is not UNSET,
        ),
        provenance=Provenance(dataset_record_fields=tuple(given), parallel_export_shard=row.parallel_export_shard),
    )


def _typed(given: Mapping[str, Any], issues: list[Issue]) -> _Row | None:
    """Return the row; keys that are missing are told together, of wrong values the first."""
    absent = [name for name in _REQUIRED if name not in given]
    issues.extend(_issue(f"/{name}", f"the row has no {name}", "a value") for name in absent)
    try:
        return msgspec.convert(given, _Row)
    except msgspec.ValidationError as error:
        if not absent:
            issues.append(_said(str(error)))
    return None


def _said(text: str) -> Issue:
    """Turn what msgspec says of a row into an issue with a pointer."""
    words, _, place = text.partition(" - at `$")
    parts = [key or index for key, index in _STEP.findall(place.rstrip("`"))]
    missing = _MISSING.fullmatch(words)
    if missing is not None:
        parts.append(missing[1])
        return _issue(pointer_of(parts), f"the row has no {'.'.join(parts)}", "a value")
    wanted, _, found = words.removeprefix("Expected ").replace("`", "").partition(", got ")
    what = f" is {found}, not {wanted}" if found else f": expected {wanted}"
    return _issue(pointer_of(parts), f"{'.'.join(parts) or 'the row'}{what}", wanted)


def _disordered(row: _Row) -> list[Issue]:
    window, media = row.center_window, row.media
    issues = []
    if window.start_frame > window.end_frame:
        text = f"center_window ends at frame {window.end_frame}, before its start {window.start_frame}"
        issues.append(_issue("/center_window", text, "start_frame <= end_frame"))
    elif window.num_frames != (frames := window.end_frame - window.start_frame + 1):
        text = f"center_window has {frames} frames, num_frames says {window.num_frames}"
        issues.append(_issue("/center_window/num_frames", text, frames))
    if media.context_start_frame > media.context_end_frame:
        text = f"the context ends at frame {media.context_end_frame}, before its start {media.context_start_frame}"
        issues.append(_issue("/media/context_end_frame", text, "context_start_frame <= context_end_frame"))
    return issues


def _sensor_issues(row: _Row, *, sensors: bool) -> list[Issue]:
    present = [key for key in SENSOR_KEYS if getattr(row, key) is not UNSET]
    if sensors:
        absent = [key for key in SENSOR_KEYS if key not in present]
        return [_issue(f"/{key}", f"the row has no {key}", "a value") for key in absent]
    return [_issue(f"/{key}", f"the row has {key}, the first row has no sensor features", "none") for key in present]


def _sensors(row: _Row) -> SensorFeatures | UnsetType:
    path, index, dim = row.sensor_feature_path, row.sensor_feature_index, row.sensor_feature_dim
    if isinstance(path, UnsetType) or isinstance(index, UnsetType) or isinstance(dim, UnsetType):
        return UNSET
    return SensorFeatures(path=path, index=index, dim=dim)


def _window(window: _Window) -> LabelWindow:
    return LabelWindow(start_frame=window.start_frame, end_frame=window.end_frame, num_frames=window.num_frames)


def _issue(pointer: str, message: str, expected: Any) -> Issue:
    return Issue("", pointer, message, expected)
