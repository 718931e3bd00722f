"""One name for each value: the only place where aliases of keys are folded."""

from __future__ import annotations

ALIASES: dict[str, tuple[str, ...]] = {
    # counts
    "held_out_episode_count": ("held_out_episode_count", "num_eval_episodes"),
    "num_samples": ("num_samples", "num_eval_samples", "num_eval_windows", "n_samples"),
    "num_train_samples": ("num_train_samples", "train_samples", "num_train_windows"),
    "num_val_samples": ("num_val_samples", "val_samples"),
    "num_windows": ("num_windows",),
    "window_frames": ("label_window_frames", "window_frames"),
    "stride_frames": ("stride_frames",),
    # identity
    "run_id": ("run_id",),
    "episode": ("episode_id",),
    "session": ("top_level_session", "session_id", "session"),
    "sample_id": ("id", "sample_id"),
    "split": ("split",),
    "model_id": ("model_id", "model_dir", "base_model"),
    "adapter": ("adapter_dir", "adapter_path", "adapter_id"),
    "checkpoint": ("checkpoint_dir", "checkpoint_path", "checkpoint"),
    "dataset_path": ("dataset_jsonl", "dataset_path"),
    "seed": ("seed", "random_seed"),
    # time
    "time": ("timestamp", "time"),
    "started_at": ("started_at_unix", "started_at"),
    "finished_at": ("finished_at_unix", "finished_at"),
    # windows
    "window": ("center_window", "window", "label_window"),
    "start_frame": ("start_frame", "start"),
    "end_frame": ("end_frame", "end"),
    # predictions
    "true_label": ("true_label",),
    "predicted_label": ("predicted_label", "pred_label"),
    "true_answer": ("true_json", "answer_json"),
    "predicted_answer": ("pred_json",),
    "raw_prediction": ("raw_prediction",),
    "action_options": ("action_options", "label_options", "classes"),
    "subtask_options": ("subtask_options",),
    "eval_split": ("eval_split",),
    # shards
    "sample_offset": ("sample_offset", "eval_shard_index", "shard_index"),
    "sample_stride": ("sample_stride", "eval_num_shards", "num_shards"),
    # training
    "lora_rank": ("r", "lora_rank", "rank", "lora_r"),
    "lora_alpha": ("alpha", "lora_alpha"),
}
"""Canonical key to the names it has in files, the preferred name first."""
