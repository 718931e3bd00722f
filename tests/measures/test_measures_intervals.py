"""Intervals and sweeps against scipy, numpy and brute force."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from omnicheck.measures.classification import f1_average
from omnicheck.measures.intervals import (
    Interval,
    episode_bootstrap,
    episode_bootstrap_statistic,
    paired_difference_interval,
    wilson,
)
from omnicheck.measures.sweeps import Window, count_cross_overlaps, cross_overlaps, same_split_overlaps


@given(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.99])
)
def test_wilson_agrees_with_scipy(case: tuple[int, int], level: float) -> None:
    successes, trials = case
    expected = stats.binomtest(successes, trials).proportion_ci(confidence_level=level, method="wilson")
    found = wilson(successes, trials, level)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.contains(successes / trials)


def test_bootstrap_of_single_rows_is_close_to_that_of_scipy() -> None:
    values = np.random.default_rng(3).normal(size=60)
    groups = {f"e{number:02}": [float(value)] for number, value in enumerate(values)}
    found = episode_bootstrap(groups, seed=1, resamples=4000)
    expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=5).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)


def test_bootstrap_widens_when_rows_of_an_episode_agree() -> None:
    clustered = {str(number): [float(number % 2)] * 50 for number in range(10)}
    scattered = {str(number): [float(index % 2) for index in range(50)] for number in range(10)}
    wide, narrow = episode_bootstrap(clustered, seed=0), episode_bootstrap(scattered, seed=0)
    rows = wilson(250, 500)
    assert wide is not None
    assert rows is not None
    assert wide.high - wide.low > 3 * (rows.high - rows.low)
    assert narrow == Interval(0.5, 0.5, 10)


def test_bootstrap_is_repeatable_and_does_not_depend_on_the_order_of_episodes() -> None:
    groups = {str(number): [number / 7, 1.0] for number in range(7)}
    backwards = dict(reversed(groups.items()))
    assert episode_bootstrap(groups, seed=4) == episode_bootstrap(backwards, seed=4)
    assert episode_bootstrap(groups, seed=4) != episode_bootstrap(groups, seed=5)


def test_statistic_bootstrap_of_the_mean_is_the_mean_bootstrap() -> None:
    groups = {str(number): [float(number), 1.0 + number % 3][: 1 + number % 2] for number in range(9)} | {"none": []}
    by_statistic = episode_bootstrap_statistic(groups, lambda rows: sum(rows) / len(rows), seed=2, level=0.9)
    direct = episode_bootstrap(groups, seed=2, level=0.9)
    assert by_statistic is not None
    assert direct is not None
    assert (by_statistic.low, by_statistic.high) == pytest.approx((direct.low, direct.high))
    assert by_statistic.groups == direct.groups == 9


def test_percentiles_are_those_of_numpy() -> None:
    seen: list[float] = []

    def statistic(rows: list[float]) -> float:
        seen.append(sum(rows))
        return seen[-1]

    found = episode_bootstrap_statistic({str(n): [float(n**2)] for n in range(12)}, statistic, seed=9, resamples=137)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(seen, [2.5, 97.5])))
    assert len(seen) == 137


def test_bootstrap_of_f1_contains_its_value() -> None:
    rows = {str(n): [("a", "a"), ("b", "a" if n % 3 else "b"), ("b", "b")] for n in range(12)}

    def macro(pairs: list[tuple[str, str]]) -> float | None:
        return f1_average([t for t, _ in pairs], [p for _, p in pairs], average="macro", labels=["a", "b"])

    whole = macro([row for name in rows for row in rows[name]])
    found = episode_bootstrap_statistic(rows, macro, seed=0, resamples=300)
    assert found is not None
    assert whole is not None
    assert found.low < whole < found.high


def test_a_paired_difference_is_sharper_than_two_intervals() -> None:
    easy = {str(n): [float(n > 4)] * 4 for n in range(10)}
    better = {name: [*rows[:3], 1.0] for name, rows in easy.items()}

    def mean(rows: list[float]) -> float | None:
        return sum(rows) / len(rows) if rows else None

    found = paired_difference_interval(better, easy | {"other": [1.0]}, mean, seed=0)
    assert found is not None
    assert found.groups == 10
    assert 0.0 < found.low < 0.125 < found.high <= 0.25
    assert paired_difference_interval(easy, easy, mean, seed=0) == Interval(0.0, 0.0, 10)


def test_too_few_episodes_have_no_interval() -> None:
    assert episode_bootstrap({"a": [1.0, 0.0], "b": []}, seed=0) is None
    assert episode_bootstrap_statistic({"a": [1.0]}, lambda _: 1.0, seed=0) is None
    assert episode_bootstrap_statistic({"a": [1.0], "b": [1.0]}, lambda _: None, seed=0) is None
    assert paired_difference_interval({"a": [1.0]}, {"b": [1.0]}, lambda _: 1.0, seed=0) is None
    assert wilson(0, 0) is None


window_lists = st.lists(
    st.tuples(st.integers(-5, 40), st.integers(-1, 12), st.sampled_from([0, 0, 1, 2])), max_size=18
).map(lambda rows: [(start, start + length, split, row) for row, (start, length, split) in enumerate(rows)])


def frames(window: Window) -> set[int]:
    return set(range(window[0], window[1] + 1))


def distance(one: Window, other: Window) -> tuple[int, int]:
    """Frames between, and frames shared."""
    gap = min(abs(a - b) - 1 for a in frames(one) for b in frames(other))
    return max(gap, 0), len(frames(one) & frames(other))


@given(window_lists, st.integers(0, 8))
def test_cross_overlaps_agree_with_brute_force(windows: list[Window], embargo: int) -> None:
    real = [window for window in windows if frames(window)]
    expected = {}
    for held in real:
        for split in range(held[2]):
            near = [distance(held, other) for other in real if other[2] == split]
            if any(shared or gap < embargo for gap, shared in near):
                expected[held[3], split] = (min(gap for gap, _ in near), any(shared for _, shared in near))
    pairs = list(cross_overlaps(windows, embargo=embargo))
    assert {(pair.row, pair.other_split): (pair.gap, pair.shared > 0) for pair in pairs} == expected
    assert len(pairs) == len(expected)
    for pair in pairs:
        held, other = windows[pair.row], windows[pair.other_row]
        assert (held[2], other[2]) == (pair.split, pair.other_split)
        assert distance(held, other) == (pair.gap, pair.shared)
        assert pair.against_train == (other[2] == 0)
        assert pair.kind == ("overlap" if pair.shared else "touching" if not pair.gap else "near")
    counts = count_cross_overlaps(windows, embargo=embargo)
    assert sum(counts.train.values()) == sum(pair.against_train for pair in pairs)
    assert counts.held_out.get("overlap", 0) == sum(pair.kind == "overlap" and not pair.against_train for pair in pairs)


@given(window_lists)
def test_same_split_overlaps_agree_with_brute_force(windows: list[Window]) -> None:
    real = [window for window in windows if frames(window)]
    expected = sum(
        any(one is not other and one[2] == other[2] and frames(one) & frames(other) for other in real) for one in real
    )
    independent = 0
    for split in (0, 1, 2):
        mine = [window for window in real if window[2] == split]
        independent += largest_disjoint(mine)
    assert same_split_overlaps(windows) == (expected, independent)


def largest_disjoint(windows: list[Window]) -> int:
    """Exhaustive: with or without the first window."""
    if not windows:
        return 0
    first, *rest = windows
    apart = [window for window in rest if not frames(window) & frames(first)]
    without = 0 if len(apart) == len(rest) else largest_disjoint(rest)
    return max(1 + largest_disjoint(apart), without)


def test_touching_is_told_apart_from_overlap() -> None:
    windows = [(0, 19, 0, 0), (20, 39, 1, 1), (50, 69, 2, 2)]
    assert list(cross_overlaps(windows)) == []
    assert [(pair.row, pair.kind) for pair in cross_overlaps(windows, embargo=1)] == [(1, "touching")]
    found = {(pair.row, pair.other_row): (pair.kind, pair.gap) for pair in cross_overlaps(windows, embargo=40)}
    assert found == {(1, 0): ("touching", 0), (2, 0): ("near", 30), (2, 1): ("near", 10)}


def test_importing_the_measures_loads_nothing_heavy() -> None:
    names = "classification definitions sets retrieval regression baselines intervals sweeps temporal"
    code = (
        f"import sys, importlib; [importlib.import_module('omnicheck.measures.' + n) for n in '{names}'.split()];"
        "print(*({'numpy', 'pydantic', 'sklearn', 'statistics'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
