"""Writes the fixture trees of the CLM rules: ``python -m tests.make_fixtures.claims``."""

from __future__ import annotations

from typing import Any

from tests.make_fixtures.counts import Tree, contract, write

LOSS = {"epoch": 1, "train_loss": 0.4}
CLOSED = {"epoch": 0, "train_loss": None, "note": "mean of the training rows; no weights changed"}
TABLE = """
| metric | v1 | v2 | v2 - v1 |
| --- | ---: | ---: | ---: |
| Accuracy | 0.400000 | {after} | {delta} |
| Contact accuracy | 0.500000 | 0.700000 | +0.200000 |

{claim}
"""


def report(title: str, body: str = "- Processes: `1`", **metadata: Any) -> Tree:
    return {
        "run/RUN_REPORT.md": f"# {title}\n\n{body}\n",
        "run/training_metadata.json": {"run_id": "walk_v3", **metadata},
    }


def packed(result: str, **pipeline: Any) -> Tree:
    return {"run/packer_summary.json": {"status": result, "rows": 4, "pipeline": pipeline}}


def compared(after: str, delta: str, claim: str, rows: str = "Both use 1,000 held-out test predictions.") -> Tree:
    return {
        "run/COMPARISON.md": f"# v1 and v2\n\n{rows}\n" + TABLE.format(after=after, delta=delta, claim=claim),
        "run/metrics.json": {"accuracy": 0.4},
    }


def states(readiness: str, claim: str) -> Tree:
    return {
        "run/BLOCKERS.md": f"# Blockers\n\nEpisodes: 1\n{readiness}\nSource: none\n",
        "run/STATUS.md": f"# Status\n\nThe lab has data. {claim} More follows.\n",
        "run/metrics.json": {"accuracy": 0.4},
    }


def listed(claim: str) -> Tree:
    return {
        "run/README.md": f"# Walker\n\n{claim}\n",
        "run/training_metadata.json": {"run_id": "walk_v3", "backbone": "toy_lab"},
        "contracts/toy_lab.json": contract() | {"do_not_claim": ["safe to deploy"]},
        "omnicheck.toml": '[contracts]\npaths = ["contracts"]\n',
    }


def presented(status: str = "verified", train: str = "walk_v3", episodes: int = 4) -> Tree:
    return {
        "run/verified_result_summary.json": {"status": status, "train_run_id": train, "eval_run_id": "walk_v3_eval"},
        "run/eval/metrics.json": {"eval_split": "test", "held_out_episode_count": episodes, "accuracy": 0.4},
    }


FIXTURES: dict[str, Tree] = {
    "CLM103/pass/larger": states("Ready for 500-episode pilot: False", "The 128-episode pilot is now complete."),
    "CLM103/pass/ready": states("Ready for 32-episode pilot: True", "The 128-episode pilot is now complete."),
    "CLM103/fail/pilot": states("Ready for 32-episode pilot: False", "The 128-episode pilot is now complete."),
    "CLM103/fail/verified": states("- Ready for 8-subject study: no", "An 8-subject study was finished last week."),
    "CLM104/pass/large": compared("0.460000", "+0.060000", "v2 improves accuracy."),
    "CLM104/pass/denied": compared(
        "0.402000", "+0.002000", "It never improves accuracy but v2 improves contact accuracy."
    ),
    "CLM104/fail/noise": compared("0.402000", "+0.002000", "v2 improves accuracy and contact accuracy."),
    "CLM104/fail/wrong-sign": compared("0.340000", "-0.060000", "v2 improves accuracy over v1."),
    "CLM106/pass/trained": report("Walker Fine-Tuning Result", history=[LOSS]),
    "CLM106/pass/denied": report("Base model, not fine-tuned", weights_updated=False),
    "CLM106/fail/closed-form": report("Verified Fine-Tuning Result", history=[CLOSED]),
    "CLM106/fail/frozen": report("Fine-tuned walker", weights_updated=False, history=[]),
    "CLM107/pass/lora": report("Walker LoRA Training", tuning_mode="lora", lora={"r": 4}),
    "CLM107/pass/full": report("Walker full-parameter smoke", tuning_mode="full"),
    "CLM107/fail/full": report("Walker LoRA Training", tuning_mode="full", lora={"r": 4}),
    "CLM107/fail/lora": report("Walker full fine-tuning", tuning_mode="lora"),
    "CLM109/pass/loaded": packed("pass", status="ready", pipeline_loaded=True),
    "CLM109/pass/dry-run": packed("dry_run", status="ready_pipeline_not_loaded", pipeline_loaded=False),
    "CLM109/fail/status": packed("pass", status="ready_pipeline_not_loaded", pipeline_loaded=False),
    "CLM109/fail/flag": packed("passed", executed=False),
    "CLM110/pass/whole": presented(),
    "CLM110/pass/candidate": presented("candidate", "walk_smoke", 1),
    "CLM110/pass/other-words": presented(train="smokestack_walks_overfitted_v3"),
    "CLM110/fail/overfit": presented(train="walk_overfit_v3"),
    "CLM110/fail/one-episode": presented(episodes=1),
    "CLM111/pass/denied": listed("The walker is not safe to deploy."),
    "CLM111/pass/other-words": listed("It is unsafe to deploy. Whether it is safe to deploy is open."),
    "CLM111/fail/claimed": listed("The walker walks. It is safe to deploy."),
    "CLM111/fail/after-but": listed("It has not been tuned, but it is safe-to-deploy."),
}

if __name__ == "__main__":
    write(FIXTURES)
