"""MET: a clean evaluation is silent, one broken number makes its rule speak, scikit-learn computes what we compute."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from omnicheck.facts.metric_keys import Measured, measured
from tests.checks.trees import check_tree, skipped, spoken
from tests.make_fixtures.metrics import GOOD, LABELS, SPACE, answers, confusion, metrics, per_class, rows

Files = dict[str, Any]
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "xperience10m"
NAMED = {
    "macro_f1": "macro_f1@union",
    "weighted_f1": "weighted_f1@union",
    "balanced_accuracy": "balanced_accuracy@truth",
}


def clean() -> Files:
    return copy.deepcopy(
        {
            "run/predictions.jsonl": answers(GOOD, {}),
            "run/metrics.json": metrics(GOOD, labels=SPACE, json_validity_rate=1.0, metric_definitions=NAMED),
            "run/confusion_matrix.csv": confusion(GOOD, LABELS),
            "run/per_class_metrics.csv": per_class(GOOD, LABELS),
        }
    )


def fired(files: Files, folder: Path) -> set[str]:
    return {rule for rule, _ in spoken(check_tree(folder, files, "MET"))}


def state(key: str, value: Any) -> Callable[[Files], None]:
    return lambda files: files["run/metrics.json"].update({key: value})


def shift_cell(files: Files) -> None:
    files["run/confusion_matrix.csv"] = files["run/confusion_matrix.csv"].replace(",2,", ",3,", 1)


def swap_rows(files: Files) -> None:
    files["run/per_class_metrics.csv"] = files["run/per_class_metrics.csv"].replace("rinse cup", "stack plate")


def repair(files: Files) -> None:
    files["run/predictions.jsonl"][0]["raw_prediction"] = "```json\n{}\n```"


def forget(files: Files) -> None:
    del files["run/metrics.json"]["metric_definitions"]


def rename(files: Files) -> None:
    files["run/metrics.json"]["metric_definitions"]["macro_f1"] = "macro_f1@label_space"


MUTANTS: dict[str, tuple[Callable[[Files], None], set[str]]] = {
    "accuracy": (state("accuracy", 0.7916666666666666), {"MET101"}),
    "rounded up": (state("accuracy", 0.76), {"MET101"}),
    "weighted F1": (state("weighted_f1", 0.9), {"MET101"}),
    "validity": (state("json_validity_rate", 0.5), {"MET101"}),
    "another definition": (rename, {"MET101"}),
    "a cell": (shift_cell, {"MET102"}),
    "a class": (swap_rows, {"MET102"}),
    "a negative error": (state("mse", -1.0), {"MET103"}),
    "above one": (state("val_accuracy_seen", 0.5), set()),
    "a guessed baseline": (state("baseline_macro_f1", 0.7), {"MET109"}),
    "a repaired answer": (repair, {"MET110"}),
    "no definition": (forget, {"MET111"}),
}


def test_a_clean_evaluation_is_silent(tmp_path: Path) -> None:
    report = check_tree(tmp_path, clean(), "MET")
    assert spoken(report) == []
    assert set(skipped(report)) == {"MET105", "MET109"}


@pytest.mark.parametrize("name", MUTANTS)
def test_one_broken_thing_makes_its_rule_speak(name: str, tmp_path: Path) -> None:
    files = clean()
    mutate, wanted = MUTANTS[name]
    mutate(files)
    assert fired(files, tmp_path) == wanted


def test_metrics_without_predictions_are_skipped_not_passed(tmp_path: Path) -> None:
    report = check_tree(tmp_path, {"run/metrics.json": metrics(GOOD)}, "MET")
    assert "MET101" in skipped(report)
    assert skipped(report)["MET101"] == "no metrics with the predictions or losses behind them"


def test_one_value_under_two_names_is_told_once(tmp_path: Path) -> None:
    files = clean()
    files["run/metrics.json"].update(macro_f1=0.5, action_macro_f1=0.5)
    found = check_tree(tmp_path, files, "MET101").findings
    assert [each.message.partition(" is stated")[0] for each in found] == ["macro_f1 = action_macro_f1"]


def test_rows_of_another_split_are_left_out(tmp_path: Path) -> None:
    files = clean()
    extra = [{**each, "id": f"train:{each['id']}", "split": "train"} for each in rows({0, 1, 2, 3, 4, 5})]
    files["run/predictions.jsonl"] += answers(extra, {})
    del files["run/confusion_matrix.csv"], files["run/per_class_metrics.csv"]
    assert "MET101" not in fired(files, tmp_path)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=2, max_size=30))
@settings(max_examples=25, deadline=None)
def test_scikit_learn_agrees(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    true, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    stated = {
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": f1_score(true, predicted, average="macro", zero_division=0.0),
        "micro_f1": f1_score(true, predicted, average="micro", zero_division=0.0),
        "weighted_f1": f1_score(true, predicted, average="weighted", zero_division=0.0),
        "metric_definitions": {
            "accuracy": "accuracy@all",
            "macro_f1": "macro_f1@union",
            "micro_f1": "micro_f1@union",
            "weighted_f1": "weighted_f1@union",
        },
    }
    if set(predicted) <= set(true) and len(set(true)) > 1:
        stated["balanced_accuracy"] = balanced_accuracy_score(true, predicted)
    files = {
        "run/predictions.jsonl": [
            {"id": str(at), "true_label": one, "predicted_label": other} for at, (one, other) in enumerate(pairs)
        ],
        "run/metrics.json": stated,
    }
    folder = tmp_path_factory.mktemp("oracle")
    assert spoken(check_tree(folder, files, "MET101")) == []
    files["run/metrics.json"]["accuracy"] += 0.01
    assert spoken(check_tree(folder, files, "MET101")) == [("MET101", "run/metrics.json")]


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("accuracy", (Measured("accuracy"),)),
        ("contact_accuracy", (Measured("accuracy", "contact"),)),
        ("object_micro_f1", (Measured("set_f1", "objects"),)),
        ("action_accuracy_from_retrieved_future", (Measured("accuracy"), Measured("accuracy", "action"))),
        ("future_retrieval_recall_at_5", (Measured("recall_at", k=5),)),
        ("train_final_accuracy", ()),
        ("accuracy_delta", ()),
        ("majority_baseline_accuracy", (Measured("majority"),)),
    ],
)
def test_what_a_key_measures(key: str, wanted: tuple[Measured, ...]) -> None:
    assert measured(key, {"contact", "objects", "action"}, ("action",)) == wanted


@pytest.mark.skipif(not REAL.is_dir(), reason="the real results are not here")
def test_every_metric_of_the_real_results_is_recomputed(tmp_path: Path) -> None:
    folder = REAL / "results" / "min_action_model"
    files = {
        f"run/{path.name}": path.read_text("utf-8") for path in folder.iterdir() if path.suffix in (".csv", ".json")
    }
    report = check_tree(tmp_path, files, "MET")
    assert [each for each in spoken(report) if each[0] in ("MET101", "MET102")] == []
    changed = json.loads(files["run/metrics.json"])
    changed["weighted_f1"] += 1e-6
    report = check_tree(tmp_path, {**files, "run/metrics.json": changed}, "MET101")
    assert [each.pointer for each in report.findings] == ["/weighted_f1"]


@pytest.mark.parametrize("stated", [0.335, 0.335 / 4, 0.335 * 4])
def test_a_scale_of_the_losses_is_known(stated: float, tmp_path: Path) -> None:
    files = {
        "run/loss_records.jsonl": [{"split": "test", "loss": 0.335, "loss_scale": 4.0} for _ in range(3)],
        "run/metrics.json": {"split": "test", "test_forward_dynamics_mse": stated, "val_forward_dynamics_mse": 9.0},
    }
    assert spoken(check_tree(tmp_path, files, "MET101")) == []


def test_ranks_of_another_split_are_left_out(tmp_path: Path) -> None:
    files = {
        "run/rank_0_metrics.json": {"split": "val", "losses": [1.0, 3.0]},
        "run/metrics.json": {"split": "test", "test_forward_dynamics_mse": 0.5, "val_forward_dynamics_mse": 2.5},
    }
    assert [each.pointer for each in check_tree(tmp_path, files, "MET101").findings] == ["/val_forward_dynamics_mse"]


@pytest.mark.parametrize(("lacking", "stated"), [("contact", 23 / 24), (None, 1.0)])
def test_an_answer_is_valid_by_its_keys_not_by_its_values(lacking: str | None, stated: float, tmp_path: Path) -> None:
    files = clean()
    first = files["run/predictions.jsonl"][0]
    if lacking is None:
        first["pred_json"]["contact"] = None
    else:
        del first["pred_json"][lacking]
    files["run/metrics.json"]["json_validity_rate"] = stated
    assert "MET101" not in fired(files, tmp_path)
