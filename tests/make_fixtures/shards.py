"""Writes the fixture trees of the SHD rules: ``python -m tests.make_fixtures.shards``."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.make_fixtures.counts import Tree, write

ACTIONS = ["fold towel", "rinse cup", "stack plates", "wipe shelf"]
SAMPLES, STRIDE = 10, 3
Row = dict[str, Any]


def sample(at: int, split: str = "test", **changes: Any) -> Row:
    """A dataset row; train rows stand between test rows, so that ordinals are not line numbers."""
    return {
        "id": f"{split}-kitchen{at // 5}__ep1:{at}",
        "episode_id": f"{split}-kitchen{at // 5}__ep1",
        "split": split,
        "label": ACTIONS[at % 4],
        **changes,
    }


def dataset() -> list[Row]:
    return [row for at in range(SAMPLES) for row in (sample(at, "train"), sample(at))]


def row(at: int, predicted: str | None = None, **changes: Any) -> Row:
    """A prediction: right but for every fifth."""
    given = predicted or ACTIONS[(at + (at % 5 == 0)) % 4]
    return {
        "id": f"test-kitchen{at // 5}__ep1:{at}",
        "split": "test",
        "episode_id": f"test-kitchen{at // 5}__ep1",
        "true_label": ACTIONS[at % 4],
        "predicted_label": given,
        "correct": int(given == ACTIONS[at % 4]),
        **changes,
    }


def statement(offset: int, **changes: Any) -> dict[str, Any]:
    return {
        "num_samples": len(range(offset, SAMPLES, STRIDE)),
        "model_id": "toy-base",
        "adapter_dir": "checkpoints/evening/adapter_lora",
        "eval_split": "test",
        "sample_offset": offset,
        "sample_stride": STRIDE,
        "max_new_tokens": 64,
        **changes,
    }


def shard(offset: int) -> list[Row]:
    return [row(at) for at in range(offset, SAMPLES, STRIDE)]


def union() -> list[Row]:
    return [row(at) for at in range(SAMPLES)]


def merged_metrics(**changes: Any) -> dict[str, Any]:
    return {
        "num_samples": SAMPLES,
        "accuracy": 0.8,
        "model_id": "toy-base",
        "adapter_dir": "checkpoints/evening/adapter_lora",
        "eval_split": "test",
        "shard_dirs": [f"shard_{offset}" for offset in range(STRIDE)],
        "coverage": {"expected_eval_samples": 10, "merged_prediction_rows": 10, "missing_prediction_rows": 0},
        "issues": [],
        **changes,
    }


def whole() -> Tree:
    """Three sound shards inside an evaluation, with the merged file."""
    tree: Tree = {
        "run/dataset/dataset.jsonl": dataset(),
        "run/eval/predictions.jsonl": union(),
        "run/eval/metrics.json": merged_metrics(),
    }
    for offset in range(STRIDE):
        tree[f"run/eval/shard_{offset}/predictions.jsonl"] = shard(offset)
        tree[f"run/eval/shard_{offset}/metrics.json"] = statement(offset)
    return copy.deepcopy(tree)


def apart() -> Tree:
    """Three sound shards beside each other, not yet merged, that state nothing."""
    tree: Tree = {f"run/night_eval_shard{offset}/predictions.jsonl": shard(offset) for offset in range(STRIDE)}
    tree["run/night_eval/dataset.jsonl"] = dataset()
    return copy.deepcopy(tree)


def logged() -> Tree:
    """Shards whose progress logs say what they hold."""
    tree = whole()
    for offset in range(STRIDE):
        del tree[f"run/eval/shard_{offset}/metrics.json"]
        tree[f"run/eval/shard_{offset}/progress.jsonl"] = [
            {"event": "setup", "timestamp": 1_750_000_000 + offset},
            {"event": "eval_start", "timestamp": 1_750_000_010 + offset, **statement(offset)},
        ]
    return tree


def changed(tree: Tree, **changes: Any) -> Tree:
    """A tree with files replaced, named by the end of their names (``shard_1/metrics.json``); None removes one."""
    for name, content in changes.items():
        (path,) = [each for each in tree if each.endswith(f"/{name}")]
        if content is None:
            del tree[path]
        else:
            tree[path] = content
    return tree


P0, P1, P2 = (f"shard_{offset}/predictions.jsonl" for offset in range(STRIDE))
M1 = "shard_1/metrics.json"
CUT = "".join(json.dumps(each) + "\n" for each in shard(1))[:-40]


def padded() -> Tree:
    """Ten samples over three ranks, filled up to twelve rows with the first two again."""
    return changed(whole(), **{P1: [*shard(1), row(0)], P2: [*shard(2), row(1)], M1: statement(1, num_samples=4)})


def unmerged(tree: Tree) -> Tree:
    return {name: content for name, content in tree.items() if not name.startswith("run/eval/") or "shard_" in name}


def rank(number: int, samples: int = 2) -> dict[str, Any]:
    return {"eval_num_shards": 3, "eval_shard_index": number, "num_eval_samples": samples}


RANKS: Tree = {
    "run/metrics.json": {"num_eval_samples": 6, "eval_num_shards": 3},
    **{f"run/rank_{number}_metrics.json": rank(number) for number in range(3)},
}

CASES: dict[str, dict[str, dict[str, Tree]]] = {
    "SHD101": {
        "pass": {
            "whole": whole(),
            "beside-each-other": apart(),
            "claimed-complete": {
                "run/metrics.json": merged_metrics(),
                "run/predictions.jsonl": union(),
            },
            "limited": {
                "run/dataset/dataset.jsonl": dataset(),
                **{f"run/eval/shard_{at}/predictions.jsonl": [row(at), row(at + 2)] for at in (0, 1)},
                **{
                    f"run/eval/shard_{at}/metrics.json": statement(at, sample_stride=2, max_eval_samples=4)
                    for at in (0, 1)
                },
            },
            "all-ranks": RANKS,
        },
        "fail": {
            "absent-shard": unmerged(changed(whole(), **{P2: None, "shard_2/metrics.json": None})),
            "short-shard": unmerged(changed(whole(), **{P1: shard(1)[:-1]})),
            "beside-each-other": {
                name: rows for name, rows in apart().items() if not name.startswith("run/night_eval_shard2")
            },
            "without-dataset": {
                name: content
                for name, content in unmerged(changed(whole(), **{P0: None, "shard_0/metrics.json": None})).items()
                if "dataset" not in name
            },
            "claimed": {
                "run/predictions.jsonl": union()[:8],
                "run/metrics.json": merged_metrics(
                    num_samples=8,
                    coverage={
                        "expected_eval_samples": 10,
                        "merged_prediction_rows": 8,
                        "missing_prediction_rows": 2,
                    },
                    issues=["missing predictions for 2 expected samples"],
                ),
            },
            "absent-rank": {name: each for name, each in RANKS.items() if "rank_1" not in name},
        },
    },
    "SHD102": {
        "pass": {"whole": whole(), "without-dataset": {k: v for k, v in whole().items() if "dataset" not in k}},
        "fail": {
            "identical": changed(whole(), **{P1: [*shard(1), row(6)]}),
            "conflicting": changed(whole(), **{P1: [*shard(1), row(6, "rinse cup")]}),
            "padding": padded(),
            "twice-in-one": changed(whole(), **{P1: [*shard(1), row(4)]}),
        },
    },
    "SHD103": {
        "pass": {"whole": whole()},
        "fail": {
            "train-row": changed(whole(), **{P0: [*shard(0), row(4, id="train-kitchen0__ep1:4", split="train")]}),
            "unknown": changed(whole(), **{P2: [*shard(2), row(4, id="other-kitchen0__ep1:4")]}),
        },
    },
    "SHD104": {
        "pass": {
            "whole": whole(),
            "logged": logged(),
            "inferred": apart(),
            "blocks": {
                "run/dataset/dataset.jsonl": dataset(),
                "run/eval/shard_0/predictions.jsonl": union()[:5],
                "run/eval/shard_1/predictions.jsonl": union()[5:],
            },
            "padding": padded(),
        },
        "fail": {
            "exchanged": changed(whole(), **{P1: shard(2), P2: shard(1)}),
            "one-row-of-another": changed(whole(), **{P1: [row(1), row(5), row(7)], P2: [row(2), row(4), row(8)]}),
            "logged": changed(logged(), **{P1: shard(2), P2: shard(1)}),
            "short": unmerged(changed(whole(), **{P0: shard(0)[:2]})),
            "empty": changed(whole(), **{P2: ""}),
            "same-offset": changed(whole(), **{M1: statement(2)}),
            "other-stride": changed(whole(), **{M1: statement(1, sample_stride=4)}),
            "size-without-dataset": {
                name: content
                for name, content in unmerged(changed(whole(), **{P0: shard(0)[:1]})).items()
                if "dataset" not in name
            },
        },
    },
    "SHD105": {
        "pass": {
            "whole": whole(),
            "logged": logged(),
            "same-checkpoint-elsewhere": changed(
                whole(), **{M1: statement(1, adapter_dir="/scratch/checkpoints/evening/adapter_lora")}
            ),
        },
        "fail": {
            "checkpoint": changed(whole(), **{M1: statement(1, adapter_dir="checkpoints/morning/adapter_lora")}),
            "decoding": changed(whole(), **{M1: statement(1, max_new_tokens=128, temperature=0.7)}),
            "prompt": {
                **whole(),
                **{
                    f"run/eval/shard_{at}/run_config.json": {"prompt_version": "v3" if at else "v2"}
                    for at in range(STRIDE)
                },
            },
            "merged-under-another-name": changed(
                whole(), **{"eval/metrics.json": merged_metrics(adapter_dir="checkpoints/noon/adapter_lora")}
            ),
        },
    },
    "SHD106": {
        "pass": {
            "whole": whole(),
            "other-order": changed(whole(), **{"eval/predictions.jsonl": [*union()[5:], *union()[:5]]}),
            "claimed": {"run/metrics.json": merged_metrics(), "run/predictions.jsonl": union()},
            "ranks": RANKS,
        },
        "fail": {
            "lost-row": changed(whole(), **{"eval/predictions.jsonl": union()[:9]}),
            "changed-answer": changed(whole(), **{"eval/predictions.jsonl": [row(0, "stack plates"), *union()[1:]]}),
            "mean-of-shards": changed(
                whole(),
                **{
                    "shard_0/metrics.json": statement(0, accuracy=0.75),
                    M1: statement(1, accuracy=1.0),
                    "shard_2/metrics.json": statement(2, accuracy=2 / 3),
                    "eval/metrics.json": {
                        key: value
                        for key, value in merged_metrics(accuracy=(0.75 + 1 + 2 / 3) / 3).items()
                        if key not in ("shard_dirs", "coverage", "issues")
                    },
                },
            ),
            "coverage": {
                "run/predictions.jsonl": union(),
                "run/metrics.json": merged_metrics(
                    coverage={
                        "expected_eval_samples": 12,
                        "merged_prediction_rows": 11,
                        "missing_prediction_rows": 0,
                    }
                ),
            },
            "issues": {
                "run/predictions.jsonl": union(),
                "run/metrics.json": merged_metrics(issues=["duplicate id test-kitchen0__ep1:3 in shard_1"]),
            },
            "ranks": {**RANKS, "run/metrics.json": {"num_eval_samples": 4, "eval_num_shards": 3}},
        },
    },
    "SHD107": {
        "pass": {
            "whole": whole(),
            "no-line-end": changed(whole(), **{P1: "\n".join(json.dumps(each) for each in shard(1))}),
        },
        "fail": {"cut": changed(whole(), **{P1: CUT})},
    },
}


FIXTURES = {
    f"{rule}/{outcome}/{case}": tree
    for rule, outcomes in CASES.items()
    for outcome, trees in outcomes.items()
    for case, tree in trees.items()
}

if __name__ == "__main__":
    write(FIXTURES)
