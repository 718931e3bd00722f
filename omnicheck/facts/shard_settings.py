"""What shards state of how they were made: checkpoint, prompt, configuration and decode settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnicheck.facts.record import Record, record
from omnicheck.facts.registry import fact
from omnicheck.facts.shards import Shard, ShardSet
from omnicheck.facts.source import Source
from omnicheck.model.run import RunFile

NAMED = ("model_id", "adapter", "checkpoint", "dataset_path", "eval_split", "train_split")
OF_THE_MAKING = re.compile(
    r"(?:.*_)?(?:prompt|instruction|chat_template|template|prompt_type|prompt_style|prompt_version|prompt_id|prompt_name)"
    r"(?:_(?:type|style|version|id|name|hash|sha256|sha|digest|text|template))?$"
    r"|(?:max_new_tokens|max_tokens|max_length|min_new_tokens|temperature|top_p|top_k|min_p|num_beams|do_sample"
    r"|repetition_penalty|length_penalty|stop|stop_strings|sampling_params|generation_config|generation|decoding"
    r"|decode|decode_settings|greedy|quantization|torch_dtype|dtype|backend|engine|max_video_frames|video_fps|fps"
    r"|max_pixels|num_frames|constrained_decoding|json_schema|guided_decoding)$"
    r"|(?:config|config_path|config_name|config_sha256|config_hash|config_digest)$"
    r"|(?:git_|code_|repo_)?(?:commit|revision|sha)$|(?:\w+_)?(?:checkpoint|adapter|weights|model)_(?:sha256|hash|digest|step|revision)$"
)
"""Keys of settings that every shard of one evaluation shares."""

CONFIGURATIONS = re.compile(r"(?:generation_|run_|eval_)?config\.json$")


class Setting(Struct, frozen=True):
    """A value that one holder states.

    Attributes:
        who: the shard's name, or ``the merged metrics``.
        file: where it stands.
        pointer: JSON pointer there.
        value: as it stands.
    """

    who: str
    file: RunFile
    pointer: str
    value: Any


class ShardSettings(Struct, frozen=True):
    """The settings of a set of shards: key to what each holder states; a key that one alone states is left out."""

    shards: ShardSet
    stated: dict[str, tuple[Setting, ...]]


@fact(absent="no two shards state how they were made")
def shard_settings(source: Source, sets: tuple[ShardSet, ...]) -> tuple[ShardSettings, ...]:
    """Read the settings of each set."""
    found = []
    for each in sets:
        stated: dict[str, list[Setting]] = {}
        for shard in each.shards:
            for key, setting in _of_shard(source, shard):
                held = stated.setdefault(key, [])
                if all(other.who != setting.who or other.value != setting.value for other in held):
                    held.append(setting)
        if each.metrics is not None and len(each.shards) > 1:
            for key, setting in _settings("the merged metrics", each.metrics.record):
                # A merge that was not told a value may write none.
                if key in stated and setting.value is not None:
                    stated[key].append(setting)
        several = {key: tuple(held) for key, held in stated.items() if len(held) > 1}
        if several:
            found.append(ShardSettings(each, several))
    return tuple(found)


def _of_shard(source: Source, shard: Shard) -> Iterator[tuple[str, Setting]]:
    for holder in shard.holders:
        yield from _settings(shard.name, holder)
    if shard.rows.file.role != "shard_predictions":
        return
    for file in source.run.of("shard_file"):
        if file.folder == shard.rows.file.folder and CONFIGURATIONS.match(file.base):
            yield from _settings(shard.name, record(source, file))


def _settings(who: str, holder: Record) -> Iterator[tuple[str, Setting]]:
    for name in NAMED:
        if holder.has(name):
            yield name, Setting(who, holder.file, holder.pointer(name), holder.raw(name))
    known = {holder.key(name) for name in NAMED}
    for key, value in holder.value.items():
        if key not in known and OF_THE_MAKING.fullmatch(key):
            yield key, Setting(who, holder.file, holder.pointer(key), value)
