"""Classification measures against scikit-learn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from omnicheck.measures.agreement import agrees, matching
from omnicheck.measures.classification import (
    Confusion,
    accuracy,
    balanced_accuracy,
    confusion,
    f1_average,
    merged,
    per_class,
)
from omnicheck.measures.definitions import DEFINITIONS, definition, definitions_of, evaluate_all

LABELS = ["a", "b", "c", "unknown", "", "never"]
rows = st.lists(st.tuples(st.sampled_from(LABELS[:5]), st.sampled_from(LABELS[:5])), min_size=1, max_size=40)


def split(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [true for true, _ in pairs], [predicted for _, predicted in pairs]


def f1(true: list[str], predicted: list[str], labels: list[str], average: str, zero_division: float = 0) -> float:
    return float(oracle.f1_score(true, predicted, labels=labels, average=average, zero_division=zero_division))


def close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)


@given(rows)
def test_accuracy_and_per_class_agree_with_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    true, predicted = split(pairs)
    assert accuracy(true, predicted) == pytest.approx(oracle.accuracy_score(true, predicted), abs=1e-12)
    table = oracle.precision_recall_fscore_support(true, predicted, labels=LABELS, zero_division=0)
    for row, precision, recall, score, support in zip(per_class(true, predicted, LABELS), *table, strict=True):
        assert (row.support, row.predicted) == (support, predicted.count(row.label))
        assert close(row.precision, precision)
        assert close(row.recall, recall)
        assert close(row.f1, score)
    counts = oracle.confusion_matrix(true, predicted, labels=LABELS)
    ours = confusion(true, predicted).counts
    assert {(LABELS[i], LABELS[j]): int(n) for i, line in enumerate(counts) for j, n in enumerate(line) if n} == ours


@given(rows, st.lists(st.sampled_from(LABELS), min_size=1, unique=True))
def test_averages_agree_with_scikit_learn_over_any_labels(pairs: list[tuple[str, str]], labels: list[str]) -> None:
    true, predicted = split(pairs)
    for average in ("macro", "micro", "weighted"):
        if not set(labels) & set(true):  # scikit-learn refuses labels that are all absent from the truth
            continue
        assert close(f1_average(true, predicted, average=average, labels=labels), f1(true, predicted, labels, average))


@given(rows)
def test_each_definition_agrees_with_its_oracle(pairs: list[tuple[str, str]]) -> None:
    true, predicted = split(pairs)
    truth, guessed = sorted(set(true)), sorted(set(predicted))
    union = sorted({*true, *predicted})
    known = [(t, p) for t, p in pairs if t not in ("", "unknown")]
    answered = [(t, p) for t, p in pairs if p not in ("", "unknown")]
    found: dict[str, float] = {}
    for metric in ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "weighted_f1"):
        found |= evaluate_all(metric, true, predicted, LABELS)
    expected = {
        "accuracy@all": oracle.accuracy_score(true, predicted),
        "accuracy@casefold": oracle.accuracy_score(true, predicted),
        "balanced_accuracy@truth": sum(
            oracle.recall_score(true, predicted, labels=truth, average=None, zero_division=0)
        )
        / len(truth),
        "balanced_accuracy@label_space": oracle.recall_score(
            true, predicted, labels=LABELS, average="macro", zero_division=0
        ),
        "balanced_accuracy@union": oracle.recall_score(true, predicted, labels=union, average="macro", zero_division=0),
        "macro_f1@truth": f1(true, predicted, truth, "macro"),
        "macro_f1@union": f1(true, predicted, union, "macro"),
        "macro_f1@label_space": f1(true, predicted, LABELS, "macro"),
        "macro_f1@seen": f1(true, predicted, truth, "macro"),
        "macro_f1@label_space_empty_as_one": f1(true, predicted, LABELS, "macro", 1.0),
        "micro_f1@union": f1(true, predicted, union, "micro"),
        "micro_f1@truth": f1(true, predicted, truth, "micro"),
        "micro_f1@label_space": f1(true, predicted, LABELS, "micro"),
        "weighted_f1@union": f1(true, predicted, union, "weighted"),
        "weighted_f1@label_space": f1(true, predicted, LABELS, "weighted"),
    }
    if set(guessed) & set(true):
        expected["macro_f1@predicted"] = f1(true, predicted, guessed, "macro")
        expected["micro_f1@predicted"] = f1(true, predicted, guessed, "micro")
        expected["weighted_f1@predicted"] = f1(true, predicted, guessed, "weighted")
    if len(truth) > 1:
        recalls = oracle.recall_score(true, predicted, labels=truth, average="macro", zero_division=0)
        expected["balanced_accuracy@adjusted"] = (recalls - 1 / len(truth)) / (1 - 1 / len(truth))
    if known:
        left, right = split(known)
        expected["accuracy@known"] = oracle.accuracy_score(left, right)
        expected["macro_f1@known"] = f1(left, right, sorted({*left, *right}), "macro")
    if answered:
        expected["accuracy@answered"] = oracle.accuracy_score(*split(answered))
    wrong = {name: (found.get(name), value) for name, value in expected.items() if not close(found[name], value)}
    assert not wrong
    assert all(close(found[f"{name}*100"], found[name] * 100) for name in expected)
    assert ("accuracy@known" in found) == bool(known)


def test_mean_based_macro_f1_is_a_different_number() -> None:
    true, predicted = ["a", "a", "b", "b"], ["a", "b", "b", "b"]
    values = evaluate_all("macro_f1", true, predicted, None)
    precision = oracle.precision_score(true, predicted, average="macro")
    recall = oracle.recall_score(true, predicted, average="macro")
    assert values["macro_f1@means_union"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert values["macro_f1@means_union"] != pytest.approx(values["macro_f1@union"], abs=1e-3)


def test_balanced_accuracy_is_that_of_scikit_learn() -> None:
    true, predicted = list("aaabbc"), list("aabbbb")
    assert balanced_accuracy(true, predicted) == pytest.approx(oracle.balanced_accuracy_score(true, predicted))
    adjusted = evaluate_all("balanced_accuracy", true, predicted, None)["balanced_accuracy@adjusted"]
    assert adjusted == pytest.approx(oracle.balanced_accuracy_score(true, predicted, adjusted=True))


def test_no_rows_have_no_value() -> None:
    assert accuracy([], []) is None
    assert balanced_accuracy([], []) is None
    assert f1_average([], [], average="macro", labels=["a"]) is None
    assert f1_average(["a"], ["a"], average="macro", labels=[]) is None
    for metric in ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "weighted_f1"):
        assert evaluate_all(metric, [], [], ["a"]) == {}


def test_rows_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        accuracy(["a"], [])


def test_without_a_label_space_its_definitions_are_absent() -> None:
    values = evaluate_all("macro_f1", ["a"], ["b"], None)
    assert "macro_f1@union" in values
    assert not [name for name in values if "label_space" in name or "seen" in name]


def test_a_padded_label_space_lowers_macro_f1() -> None:
    values = evaluate_all("macro_f1", ["a", "b"], ["a", "b"], ["a", "b", "c", "d", "d"])
    assert (values["macro_f1@union"], values["macro_f1@label_space"]) == (1.0, 0.5)
    assert values["macro_f1@label_space_empty_as_one"] == 1.0


def test_casefold_accuracy_forgives_case_and_space_only() -> None:
    values = evaluate_all("accuracy", ["Pour", "Pour", "Pour"], [" pour ", "Pour it", "Pour"], None)
    assert values["accuracy@all"] == pytest.approx(1 / 3)
    assert values["accuracy@casefold"] == pytest.approx(2 / 3)


def test_merged_counts_are_the_counts_of_all_rows() -> None:
    parts = [confusion(["a", "b"], ["a", "a"]), confusion(["b"], ["a"]), Confusion({})]
    assert merged(parts) == confusion(["a", "b", "b"], ["a", "a", "a"])
    assert merged(parts).truth == merged(parts).union == ("a", "b")
    assert merged(parts).predicted == ("a",)


def test_registry_is_consistent() -> None:
    assert definitions_of("no such metric") == ()
    assert definition("macro_f1@nowhere") is None
    for name, found in DEFINITIONS.items():
        assert found.name == name
        assert name.startswith(f"{found.metric}@")
        assert found.meaning.endswith(".")
        assert (found.scale == 100) == name.endswith("*100")
    assert [definitions_of(m)[0].name for m in ("accuracy", "macro_f1")] == ["accuracy@all", "macro_f1@union"]


@pytest.mark.parametrize(
    ("stated", "recomputed", "printed", "expected"),
    [
        (0.97, 0.9650001, None, True),
        (0.97, 0.9649, None, False),
        (0.0313, 0.03125, None, True),
        (0.0312, 0.03125, None, True),
        (0.03, 0.0312, None, True),
        (0.03125, 0.031251, None, True),
        (0.03125, 0.03126, None, False),
        (1.0, 0.96, None, False),
        (1.0, 0.99999, None, True),
        (0.5, 0.53, None, False),
        (0.0, 0.002, None, False),
        (0.0, 0.0, None, True),
        (97, 97.2, None, False),
        (96.9, 96.93, None, True),
        (96.9, 96.96, None, False),
        (3479.218317, 3479.218317102503, None, True),
        (3479.218317102503, 3479.2183171, None, True),
        (3479.218317102503, 3479.2184, None, False),
        (1e-05, 2e-05, None, False),
        (0.9828178694158075, 0.9828178694158074, None, True),
        (0.9828178694158075, 0.9828179, None, False),
        (1.0, 0.96, "1", True),
        (1.0, 0.96, "1.0", True),
        (1.0, 0.94, "1.0", False),
        (0.031, 0.0312, "0.0310", False),
        (0.031, 0.03104, "0.0310", True),
        (0.969, 0.9688, "96.9%", True),
        (0.969, 0.96, "96.9%", False),
        (96.9, 96.88, "96.9 %", True),
        (96.9, 96.8, "96.9%", False),
        (float("nan"), float("nan"), None, False),
        (float("inf"), float("inf"), None, False),
        (0.5, 0.5, "not a number", True),
    ],
)
def test_agreement_follows_the_printed_digits(
    stated: float, recomputed: float, printed: str | None, *, expected: bool
) -> None:
    assert agrees(stated, recomputed, printed=printed) is expected


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 11))
def test_a_rounded_value_agrees_with_its_printed_form(value: float, digits: int) -> None:
    printed = f"{value:.{digits}f}"
    assert agrees(float(printed), value, printed=printed)
    assert agrees(value, value)


@given(st.floats(), st.floats(), st.none() | st.text(max_size=12))
def test_agreement_never_fails(stated: float, recomputed: float, printed: str | None) -> None:
    assert agrees(stated, recomputed, printed=printed) in (True, False)


def test_matching_names_each_definition_and_prefers_the_plain_one() -> None:
    values = {"m@a": 0.25, "m@b": 0.5, "m@a*100": 25.0, "m@z": 0.0, "m@z*100": 0.0}
    assert matching(0.25, values) == ["m@a"]
    assert matching(25.0, values) == ["m@a*100"]
    assert matching(0.0, values) == ["m@z"]
    assert matching(0.75, values) == []
