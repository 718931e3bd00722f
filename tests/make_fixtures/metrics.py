"""Writes the fixture trees of the MET rules: ``python -m tests.make_fixtures.metrics``.

Numbers are computed by scikit-learn, so that the fixtures are an oracle of their own.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_recall_fscore_support

from tests.make_fixtures.counts import Tree, contract, write

LABELS = ["fold towel", "rinse cup", "stack plates", "wipe shelf"]
SPACE = [*LABELS, "open drawer", "pour tea", "sort spoons", "water plant"]
WRONG = {1, 6, 9, 14, 19, 22}
LINK = '[[run]]\npath = "run"\ncontract = "toy_lab"\n'
ROWS = 24


def rows(wrong: set[int] = WRONG, truth: list[str] | None = None) -> list[dict[str, Any]]:
    """Six episodes of four rows; the rows of ``wrong`` get the next label."""
    found = []
    for at in range(ROWS):
        true = (truth or LABELS)[(at * 5 + at // 4) % len(truth or LABELS)]
        given = LABELS[(LABELS.index(true) + 1) % len(LABELS)] if at in wrong else true
        found.append(
            {
                "id": f"kitchen{at // 4}__ep1:{at}",
                "episode_id": f"kitchen{at // 4}__ep1",
                "split": "test",
                "true_label": true,
                "predicted_label": given,
                "correct": int(true == given),
            }
        )
    return found


def sides(given: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    return [each["true_label"] for each in given], [each["predicted_label"] for each in given]


def metrics(given: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    true, predicted = sides(given)
    return {
        "eval_split": "test",
        "num_samples": len(given),
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": f1_score(true, predicted, average="macro"),
        "weighted_f1": f1_score(true, predicted, average="weighted"),
        "balanced_accuracy": balanced_accuracy_score(true, predicted),
        **more,
    }


def table(header: list[str], lines: list[list[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *lines])
    return stream.getvalue()


def confusion(given: list[dict[str, Any]], labels: list[str]) -> str:
    pairs = list(zip(*sides(given), strict=True))
    return table(["true\\pred", *labels], [[one, *(pairs.count((one, other)) for other in labels)] for one in labels])


def per_class(given: list[dict[str, Any]], labels: list[str]) -> str:
    true, predicted = sides(given)
    columns = precision_recall_fscore_support(true, predicted, labels=labels, zero_division=0.0)
    lines = [
        [label, int(support), predicted.count(label), precision, recall, f1]
        for label, precision, recall, f1, support in zip(labels, *columns, strict=True)
    ]
    return table(["class_name", "support", "predicted", "precision", "recall", "f1"], lines)


def over_space(given: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    true, predicted = sides(given)
    value = f1_score(true, predicted, average="macro", labels=SPACE, zero_division=0.0)
    return {**metrics(given), "labels": SPACE, "macro_f1": value, "action_macro_f1": value, **more}


def answers(given: list[dict[str, Any]], texts: dict[int, str]) -> list[dict[str, Any]]:
    found = []
    for at, each in enumerate(given):
        truth = {"action": each["true_label"], "contact": "yes" if at % 3 else "no"}
        reply = {"action": each["predicted_label"], "contact": truth["contact"]}
        found.append(
            {**each, "true_json": truth, "pred_json": reply, "raw_prediction": texts.get(at, json.dumps(reply))}
        )
    return found


def retrieval(ranks: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"kitchen{at // 4}__ep1:future:{at}",
            "episode_id": f"kitchen{at // 4}__ep1",
            "split": "test",
            "future_record_id": f"kitchen{at // 4}__ep1:{at + 1}",
            "pred_future_record_id": f"kitchen{(at * 7 % ROWS) // 4}__ep1:{at * 7 % ROWS + 1}",
            "rank": rank,
            "feature_reconstruction_error": 2.0 + at / 8,
        }
        for at, rank in enumerate(ranks)
    ]


def retrieval_metrics(given: list[dict[str, Any]]) -> dict[str, Any]:
    ranks = [each["rank"] for each in given]
    return {
        "eval_split": "test",
        "num_samples": len(given),
        "future_retrieval_mrr": sum(1 / rank for rank in ranks) / len(ranks),
        "future_retrieval_recall_at_5": sum(rank <= 5 for rank in ranks) / len(ranks),
        "feature_reconstruction_error": sum(each["feature_reconstruction_error"] for each in given) / len(given),
    }


def temporal(given: list[dict[str, Any]]) -> str:
    lines = []
    for episode in dict.fromkeys(each["episode_id"] for each in given):
        own = [each for each in given if each["episode_id"] == episode]
        ranks = [each["rank"] for each in own]
        errors = [each["feature_reconstruction_error"] for each in own]
        shares = [sum(1 / rank for rank in ranks), sum(rank <= 5 for rank in ranks), sum(errors)]
        lines.append([episode, len(own), *(share / len(own) for share in shares)])
    return table(["episode_id", "num_queries", "mrr", "recall_at_5", "mean_feature_reconstruction_error"], lines)


GOOD = rows()
NEAR = [1 + at * 11 % ROWS for at in range(ROWS)]
SHARP = [1 + at % 3 for at in range(ROWS)]
LOSSES = [{"split": "test", "index": at, "loss": 0.25 + at / 64} for at in range(12)]
TRAJECTORIES = [
    {
        "id": f"t{at}",
        "episode_id": f"kitchen{at // 4}__ep1",
        "true_trajectory": [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
        "pred_trajectory": [[0.0, 0.0, 0.5], [1.0, 0.75, 1.0]],
    }
    for at in range(8)
]
UNBALANCED = ["fold towel"] * 5 + ["rinse cup"]


def run(given: list[dict[str, Any]], stated: dict[str, Any], **more: Any) -> Tree:
    return {"run/predictions.jsonl": given, "run/metrics.json": stated, **more}


NAMED = {
    **contract(),
    "metric_definitions": {"macro_f1": "macro_f1@label_space", "action_macro_f1": "macro_f1@label_space"},
}
CONSTANT = rows(set(range(ROWS)), UNBALANCED)
for _each in CONSTANT:
    _each["predicted_label"] = "fold towel"
    _each["correct"] = int(_each["true_label"] == "fold towel")
SAME = rows(set(), ["rinse cup"])
NAMES = {"macro_f1": "macro_f1@union", "balanced_accuracy": "balanced_accuracy@truth"}
SPACED = over_space(GOOD)

CASES: dict[str, Tree] = {
    "MET101/pass/exact": run(GOOD, metrics(GOOD)),
    "MET101/pass/rounded": run(
        GOOD, {key: round(v, 4) if isinstance(v, float) else v for key, v in metrics(GOOD).items()}
    ),
    "MET101/pass/retrieval": {
        "run/future_predictions.jsonl": retrieval(SHARP),
        "run/metrics.json": retrieval_metrics(retrieval(SHARP)),
    },
    "MET101/pass/losses": {
        "run/loss_records.jsonl": LOSSES,
        "run/metrics.json": {"split": "test", "test_forward_dynamics_mse": sum(x["loss"] for x in LOSSES) / 12},
    },
    "MET101/pass/positions": {
        "run/policy_predictions.jsonl": TRAJECTORIES,
        "run/metrics.json": {"trajectory_mpjpe": (0.5 + 1.25) / 2},
    },
    "MET101/fail/accuracy": run(GOOD, metrics(GOOD, accuracy=0.8333333333333334)),
    "MET101/fail/another-definition": run(
        GOOD, {**SPACED, "macro_f1": 0.7494, "metric_definitions": {"action_macro_f1": "macro_f1@union"}}
    ),
    "MET101/fail/retrieval": {
        "run/future_predictions.jsonl": retrieval(SHARP),
        "run/metrics.json": {**retrieval_metrics(retrieval(SHARP)), "future_retrieval_mrr": 0.75},
    },
    "MET101/fail/losses": {
        "run/loss_records.jsonl": LOSSES,
        "run/metrics.json": {"split": "test", "test_forward_dynamics_mse": 0.25},
    },
    "MET101/fail/positions": {
        "run/policy_predictions.jsonl": TRAJECTORIES,
        "run/metrics.json": {"trajectory_mpjpe": 0.5},
    },
    "MET102/pass/tables": run(
        GOOD,
        metrics(GOOD),
        **{"run/confusion_matrix.csv": confusion(GOOD, SPACE), "run/per_class_metrics.csv": per_class(GOOD, LABELS)},
    ),
    "MET102/pass/episodes": {
        "run/future_predictions.jsonl": retrieval(SHARP),
        "run/metrics.json": retrieval_metrics(retrieval(SHARP)),
        "run/temporal_consistency.csv": temporal(retrieval(SHARP)),
    },
    "MET102/fail/matrix": run(GOOD, metrics(GOOD), **{"run/confusion_matrix.csv": confusion(rows({1, 6, 9}), LABELS)}),
    "MET102/fail/per-class": run(GOOD, metrics(GOOD), **{"run/per_class_metrics.csv": per_class(GOOD, LABELS[:3])}),
    "MET102/fail/episodes": {
        "run/future_predictions.jsonl": retrieval(SHARP),
        "run/metrics.json": retrieval_metrics(retrieval(SHARP)),
        "run/temporal_consistency.csv": temporal(retrieval(NEAR)),
    },
    "MET103/pass/legitimate": {
        "run/metrics.json": {
            "accuracy": 0.5,
            "feature_reconstruction_error": 3479.2,
            "mse": 1358.2,
            "r2": -1763.4,
            "loss": -2.5,
            "learning_rate": 2.0,
            "frame_rate": 30,
            "accuracy_delta": -0.25,
            "correlation": -0.5,
            "num_samples": 24,
        }
    },
    "MET103/pass/percent": {"run/metrics.json": {"accuracy": 97.5, "macro_f1": 91.25, "recall_at_5": 100}},
    "MET103/fail/impossible": {
        "run/metrics.json": {"accuracy": 1.04, "macro_f1": 0.9, "recall_at_5": -1, "mse": -0.5, "r2": 1.5, "mrr": "nan"}
    },
    "MET104/pass/union": run(GOOD, {**metrics(GOOD), "labels": SPACE}),
    "MET104/pass/by-contract": {
        **run(GOOD, SPACED),
        "omnicheck.toml": LINK,
        "contracts/toy_lab.json": NAMED,
    },
    "MET104/fail/whole-space": run(GOOD, SPACED),
    "MET105/pass/alike": {
        "run/a/predictions.jsonl": GOOD,
        "run/a/metrics.json": {**metrics(GOOD), "labels": SPACE},
        "run/b/predictions.jsonl": rows({2, 7}),
        "run/b/metrics.json": {**metrics(rows({2, 7})), "labels": SPACE},
    },
    "MET105/fail/two-spaces": {
        "run/a/predictions.jsonl": GOOD,
        "run/a/metrics.json": {**metrics(GOOD), "labels": SPACE},
        "run/b/predictions.jsonl": rows({2, 7}),
        "run/b/metrics.json": over_space(rows({2, 7})),
    },
    "MET106/pass/above": run(GOOD, metrics(GOOD)),
    "MET106/fail/constant": run(CONSTANT, metrics(CONSTANT)),
    "MET107/pass/sharp": {
        "run/future_predictions.jsonl": retrieval(SHARP),
        "run/metrics.json": retrieval_metrics(retrieval(SHARP)),
    },
    "MET107/fail/near": {
        "run/future_predictions.jsonl": retrieval(NEAR),
        "run/metrics.json": retrieval_metrics(retrieval(NEAR)),
    },
    "MET108/pass/four-labels": run(rows(set()), metrics(rows(set()))),
    "MET108/fail/one-label": run(SAME, {"num_samples": ROWS, "accuracy": 1.0}),
    "MET109/pass/far": run(GOOD, metrics(GOOD, baseline_accuracy=0.25)),
    "MET109/fail/near": run(GOOD, metrics(GOOD, baseline_accuracy=0.7, thresholds={"macro_f1": 0.7})),
    "MET110/pass/wrong-anyway": run(answers(GOOD, {1: "I cannot tell"}), metrics(GOOD)),
    "MET110/fail/repaired": run(
        answers(GOOD, {2: 'Sure! {"action": "stack plates", "contact": "yes"}', 3: "fold towel"}), metrics(GOOD)
    ),
    "MET111/pass/named": run(
        GOOD, {**metrics(GOOD), "labels": SPACE, "metric_definitions": {**NAMES, "weighted_f1": "weighted_f1@union"}}
    ),
    "MET111/pass/unambiguous": run(GOOD, {**metrics(GOOD), "labels": LABELS}),
    "MET111/fail/open": run(GOOD, {**metrics(GOOD), "labels": SPACE}),
}


if __name__ == "__main__":
    write(CASES)
