"""The keys of a LoRA adapter's configuration, over the versions of PEFT from 0.4 to 0.21, and their types."""

from __future__ import annotations

_TABLE = """
peft_type str; auto_mapping dict; peft_version str; task_type str; base_model_name_or_path str; revision str;
inference_mode bool; r int; target_modules str list; exclude_modules str list; lora_alpha int float;
lora_dropout int float; fan_in_fan_out bool; bias str; use_rslora bool; modules_to_save list;
init_lora_weights bool str; layers_to_transform int list; layers_pattern str list; rank_pattern dict;
alpha_pattern dict; megatron_config dict; megatron_core str; trainable_token_indices list dict; loftq_config dict;
eva_config dict; corda_config dict; lora_ga_config dict; use_dora bool; velora_config dict;
alora_invocation_tokens list; use_qalora bool; qalora_group_size int; monteclora_config dict; layer_replication list;
runtime_config dict; lora_bias bool; target_parameters list; use_bdlora bool dict; arrow_config dict; kasa_config dict;
ensure_weight_tying bool; merge_weights bool; enable_lora list bool; transformers_version str; trust_remote_code bool
"""
_KINDS: dict[str, type] = {each.__name__: each for each in (str, int, float, bool, list, dict)}

TYPES: dict[str, tuple[type, ...]] = {
    key: tuple(_KINDS[kind] for kind in kinds)
    for key, *kinds in (entry.split() for entry in _TABLE.replace("\n", " ").split(";"))
}
"""Key to the JSON types that it may have; null is a value of every key."""

KNOWN = frozenset(TYPES)
