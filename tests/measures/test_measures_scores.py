"""Set, retrieval, regression and temporal measures, and baselines, against independent computations."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as oracle
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import MultiLabelBinarizer

from omnicheck.measures.baselines import (
    chance_accuracy,
    constant_accuracy,
    constant_balanced_accuracy,
    constant_macro_f1,
    constant_set_f1,
    stratified_accuracy,
)
from omnicheck.measures.regression import mean_of, mean_of_shards, mpjpe
from omnicheck.measures.retrieval import chance_mrr, chance_recall_at, mrr, recall_at
from omnicheck.measures.sets import evaluate_sets, set_micro_f1
from omnicheck.measures.temporal import MEANINGS, Query, consistency_table, evaluate_consistency
from omnicheck.model.errors import ReadError

members = st.sets(st.sampled_from(["cup", "jar", "lid", "pan"]))
set_rows = st.lists(st.tuples(members, members), min_size=1, max_size=12)
labels = st.lists(st.sampled_from("abcd"), min_size=1, max_size=30)


@given(set_rows)
def test_set_f1_agrees_with_scikit_learn(pairs: list[tuple[set[str], set[str]]]) -> None:
    binary = MultiLabelBinarizer(classes=["cup", "jar", "lid", "pan"])
    true, predicted = [t for t, _ in pairs], [p for _, p in pairs]
    left, right = binary.fit_transform(true), binary.transform(predicted)
    micro = set_micro_f1(true, predicted)
    assert (micro is None) == (not any(true) and not any(predicted))
    if micro is not None:
        assert micro == pytest.approx(oracle.f1_score(left, right, average="micro", zero_division=0))
    samples = evaluate_sets(true, predicted)["object_micro_f1@samples"]
    assert samples == pytest.approx(oracle.f1_score(left, right, average="samples", zero_division=0))


def test_set_variants_differ_by_case_and_ignore_repeats() -> None:
    values = evaluate_sets([["Cup", "jar"]], [["cup ", "jar", "jar"]])
    assert values["object_micro_f1@exact"] == 0.5
    assert values["object_micro_f1@casefold"] == 1.0
    assert values["object_micro_f1@exact*100"] == 50.0
    assert evaluate_sets([], []) == {}
    assert set_micro_f1([[]], [[]]) is None
    assert set_micro_f1([["a"]], [[]]) == 0.0


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_retrieval_agrees_with_scikit_learn(ranks: list[int]) -> None:
    scores = np.array([[1.0 if place == rank else 0.0 for place in range(1, 10)] for rank in ranks])
    order = np.tile(np.arange(9, 0, -1), (len(ranks), 1))
    assert mrr(ranks) == pytest.approx(oracle.label_ranking_average_precision_score(scores, order))
    expected = oracle.top_k_accuracy_score(np.array(ranks) - 1, order, k=5, labels=np.arange(9))
    assert recall_at(ranks, 5) == pytest.approx(expected)


def test_a_future_that_was_not_retrieved_counts_nothing() -> None:
    assert mrr([1, None]) == 0.5
    assert recall_at([5, None, 6], 5) == pytest.approx(1 / 3)
    assert mrr([]) is None
    assert recall_at([], 1) is None
    with pytest.raises(ReadError, match="a rank is 0"):
        mrr([0])


@pytest.mark.parametrize("candidates", [1, 2, 7, 378])
def test_chance_is_the_mean_over_all_ranks(candidates: int) -> None:
    ranks = list(range(1, candidates + 1))
    assert chance_mrr(candidates) == pytest.approx(mrr(ranks))
    for k in (0, 1, 5, 1000):
        assert chance_recall_at(k, candidates) == pytest.approx(recall_at(ranks, k))


def test_chance_mrr_is_continuous_where_the_sum_becomes_an_expansion() -> None:
    exact = math.fsum(1 / rank for rank in range(1, 10_002)) / 10_001
    assert chance_mrr(10_001) == pytest.approx(exact, rel=1e-14)
    assert (chance_mrr(0), chance_recall_at(5, 0)) == (0.0, 0.0)


frames = hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)
poses = frames.flatmap(lambda s: hnp.arrays(float, (2, *s, 3), elements=st.floats(-1e3, 1e3)))


@given(poses)
def test_mpjpe_agrees_with_numpy(pair: np.ndarray) -> None:
    expected = np.linalg.norm(pair[0] - pair[1], axis=-1).mean()
    assert mpjpe(pair[0].tolist(), pair[1].tolist()) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("true", "predicted"),
    [([], [[]]), ([[]], [[[0.0, 0.0, 0.0]]]), ([[[0.0, 0.0, 0.0]]], [[[0.0, 0.0]]])],
    ids=["frames", "joints", "coordinates"],
)
def test_mpjpe_refuses_other_shapes(true: list[list[list[float]]], predicted: list[list[list[float]]]) -> None:
    with pytest.raises(ReadError):
        mpjpe(true, predicted)


def test_means() -> None:
    assert mean_of_shards([[1.0, 2.0, 3.0], [10.0], []]) == {"mean@samples": 4.0, "mean@shards": 6.0}
    assert mean_of_shards([[], []]) == {}
    assert mean_of([]) is None
    assert mean_of([0.1] * 10) == 0.1
    assert math.isnan(mean_of([math.inf, -math.inf]) or 0.0)
    assert mean_of([math.inf, 1.0]) == math.inf


@given(labels)
def test_constant_predictor_agrees_with_a_dummy_classifier(true: list[str]) -> None:
    rows = np.zeros((len(true), 1))
    dummy = DummyClassifier(strategy="most_frequent").fit(rows, true)
    label, score = constant_accuracy(true) or ("", -1.0)
    assert score == pytest.approx(dummy.score(rows, true))
    assert score == pytest.approx(oracle.accuracy_score(true, [label] * len(true)))
    space = list("abcde")
    best, macro = constant_macro_f1(true, space) or ("", -1.0)
    every = {
        one: oracle.f1_score(true, [one] * len(true), labels=space, average="macro", zero_division=0) for one in space
    }
    assert macro == pytest.approx(max(every.values()))
    assert every[best] == pytest.approx(macro)
    balanced = sum(
        oracle.recall_score(true, [true[0]] * len(true), average=None, labels=sorted(set(true)), zero_division=0)
    )
    assert constant_balanced_accuracy(true) == pytest.approx(balanced / len(set(true)))
    assert stratified_accuracy(true) == pytest.approx(np.mean([[a == b for a in true] for b in true]))


@given(st.lists(members, min_size=1, max_size=8))
def test_constant_set_is_the_best_of_all_subsets(true: list[set[str]]) -> None:
    options = [set(some) for size in range(5) for some in itertools.combinations(["cup", "jar", "lid", "pan"], size)]
    scores = [set_micro_f1(true, [option] * len(true)) for option in options]
    best = constant_set_f1(true)
    if not any(true):
        assert best is None
        return
    assert best is not None
    assert best.score == pytest.approx(max(score for score in scores if score is not None))
    assert set_micro_f1(true, [best.members] * len(true)) == pytest.approx(best.score)


def test_baselines_of_nothing() -> None:
    assert constant_accuracy([]) is None
    assert constant_macro_f1([], ["a"]) is None
    assert constant_macro_f1(["a"], []) is None
    assert constant_balanced_accuracy([]) is None
    assert stratified_accuracy([]) is None
    assert (chance_accuracy(4), chance_accuracy(0)) == (0.25, 0.0)
    assert constant_accuracy(["b", "a"]) == ("a", 0.5)


queries = st.lists(
    st.builds(
        Query,
        episode=st.sampled_from("xyz"),
        rank=st.integers(1, 12),
        error=st.none() | st.floats(0, 9),
        predicted_episode=st.sampled_from("xyz"),
        predicted_position=st.integers(0, 5),
    ),
    max_size=25,
)


@given(queries)
def test_consistency_table_agrees_with_numpy(found: list[Query]) -> None:
    table = consistency_table(found)
    assert {row.episode_id: row.num_queries for row in table} == Counter(query.episode for query in found)
    assert [row.episode_id for row in table] == sorted(row.episode_id for row in table)
    for row in table:
        ranks = np.array([query.rank for query in found if query.episode == row.episode_id], dtype=float)
        errors = [query.error for query in found if query.episode == row.episode_id and query.error is not None]
        assert row.mrr == pytest.approx((1 / ranks).mean())
        assert row.recall_at_5 == pytest.approx((ranks <= 5).mean())
        assert row.mean_feature_reconstruction_error == (pytest.approx(np.mean(errors)) if errors else None)


def test_definitions_of_temporal_consistency_are_told_apart() -> None:
    def query(episode: str, predicted: str, position: int) -> Query:
        return Query(episode=episode, rank=1, predicted_episode=predicted, predicted_position=position)

    found = [
        query("x", "x", 0),
        query("x", "x", 5),
        query("x", "x", 3),
        query("x", "y", 1),
        query("y", "x", 1),
        query("y", "x", 1),
    ]
    values = evaluate_consistency(found)
    assert values == pytest.approx(
        {
            "temporal_consistency@same_episode": 3 / 6,
            "temporal_consistency@episode_mean": (3 / 4 + 0) / 2,
            "temporal_consistency@consecutive_own": 2 / 4,
            "temporal_consistency@consecutive_same": 3 / 4,
            "temporal_consistency@consecutive_in_order": 2 / 4,
        }
    )
    assert set(values) == set(MEANINGS)
    assert evaluate_consistency([]) == {}
    assert evaluate_consistency([Query(episode="x", rank=1)]) == {}
    single = evaluate_consistency([Query(episode="x", rank=1, predicted_episode="x")])
    assert set(single) == {"temporal_consistency@same_episode", "temporal_consistency@episode_mean"}
