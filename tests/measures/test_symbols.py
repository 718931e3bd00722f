"""Symbol algebra: sums of sizes, what they prove and refute, and sizes that satisfy them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.measures.symbols import Linear, System, parse, value_of


@pytest.mark.parametrize(
    ("text", "terms", "constant"),
    [
        ("T", {"T": 1}, 0),
        ("past_sequence_length + sequence_length", {"past_sequence_length": 1, "sequence_length": 1}, 0),
        ("past+1", {"past": 1}, 1),
        ("2*T - 3", {"T": 2}, -3),
        ("T * 4", {"T": 4}, 0),
        ("T + T", {"T": 2}, 0),
        ("T - T", {}, 0),
        ("17", {}, 17),
        ("batch-size", {"batch-size": 1}, 0),
        ("Max(1, s0)", {"Max(1, s0)": 1}, 0),
        ("a*b", {"a*b": 1}, 0),
        ("s15 // 2", {"s15 // 2": 1}, 0),
        ("past_key_values.0.key_dim", {"past_key_values.0.key_dim": 1}, 0),
    ],
)
def test_sizes_are_sums(text: str, terms: dict[str, int], constant: int) -> None:
    assert parse(text) == Linear(tuple(sorted(terms.items())), constant)


def test_numbers_are_sizes() -> None:
    assert parse(8) == Linear((), 8)


def test_a_system_proves_what_follows() -> None:
    system = System()
    assert system.add(parse("total"), parse("past + new"))
    assert system.add(parse("past"), parse(5))
    assert system.proves(parse("total"), parse("new + 5"))
    assert not system.proves(parse("total"), parse("new"))
    assert system.refutes(parse("total"), parse("new"))
    assert not system.refutes(parse("total"), parse("other"))
    assert not system.add(parse("total"), parse("new + 6"))


@pytest.mark.parametrize(
    "equations",
    [
        [("T", 4), ("T", 5)],
        [("T", "T + 1")],
        [("T", "P + N"), ("P", "T + 1")],
        [("T", 0)],
        [("2*T", 5)],
        [("T", "P + 3"), ("T", 2)],
    ],
)
def test_contradictions_are_told(equations: list[tuple[str, int | str]]) -> None:
    system = System()
    assert not all(system.add(parse(left), parse(right)) for left, right in equations) or system.sizes() is None


def test_feeds_are_distinct_primes() -> None:
    system = System()
    system.add(parse("T_total"), parse("T_cache + T_new"))
    system.know(parse("B"))
    sizes = system.sizes()
    assert sizes is not None
    assert sizes["T_total"] == sizes["T_cache"] + sizes["T_new"]
    free = [size for name, size in sizes.items() if name != "T_total"]
    assert len(set(free)) == len(free)
    assert all(size > 1 and all(size % d for d in range(2, size)) for size in free)
    assert value_of("T_cache + 1", sizes) == sizes["T_cache"] + 1
    assert value_of("elsewhere", sizes) is None
    assert value_of(None, sizes) is None


def test_a_difference_gets_sizes_that_keep_it_positive() -> None:
    system = System()
    system.add(parse("past"), parse("total - new"))
    sizes = system.sizes()
    assert sizes is not None
    assert sizes["past"] + sizes["new"] == sizes["total"]
    assert min(sizes.values()) > 0


NAMES = st.sampled_from(["a", "b", "c", "d"])
SUMS = st.builds(
    lambda terms, constant: Linear(tuple(sorted((name, count) for name, count in terms.items() if count)), constant),
    st.dictionaries(NAMES, st.integers(-3, 3)),
    st.integers(-9, 9),
)


def weigh(size: Linear, sizes: dict[str, int]) -> int:
    return size.constant + sum(count * sizes[name] for name, count in size.terms)


@given(st.dictionaries(NAMES, st.integers(1, 20), min_size=4), st.lists(st.tuples(SUMS, SUMS), max_size=4))
def test_what_holds_for_some_sizes_is_never_refuted(sizes: dict[str, int], pairs: list[tuple[Linear, Linear]]) -> None:
    system = System()
    for left, right in pairs:
        # Shifted so that the equation holds for the drawn sizes.
        held = right + Linear((), weigh(left, sizes) - weigh(right, sizes))
        assert not system.refutes(left, held)
        assert system.add(left, held)
        assert system.proves(left, held)


@given(st.lists(st.tuples(SUMS, SUMS), max_size=3))
def test_sizes_satisfy_every_equation(pairs: list[tuple[Linear, Linear]]) -> None:
    system = System()
    taken = [pair for pair in pairs if system.add(*pair)]
    sizes = system.sizes()
    if len(taken) == len(pairs) and sizes is not None:
        assert min(sizes.values(), default=1) > 0
        for left, right in pairs:
            assert weigh(left, sizes) == weigh(right, sizes)
