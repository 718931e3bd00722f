"""The standard library and numpy see the same numbers, and the norm is that of the product."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.measures import tensors
from omnicheck.measures.tensors import Numbers, state_of, update_norm

KINDS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


def numbers(array: np.ndarray, dtype: str) -> Numbers:
    data = array.astype(KINDS[dtype]).tobytes() if dtype in KINDS else bfloat(array)
    return Numbers(b"\1\2\3" + data, dtype, array.shape, 3)


def bfloat(array: np.ndarray) -> bytes:
    return (array.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes()


VALUES = st.lists(st.sampled_from([0.0, -0.0, 1.0, -2.5, math.inf, -math.inf, math.nan, 6e-8]), max_size=20)


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
@given(values=VALUES)
def test_both_ways_see_the_same(dtype: str, values: list[float]) -> None:
    given_ = numbers(np.array(values, np.float64), dtype)
    small = state_of(given_)
    assert small[0] == sum(not math.isfinite(value) for value in values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensors, "SMALL", -1)
        if values:
            assert state_of(given_) == small


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
@pytest.mark.parametrize("shape", [(1, 3, 2), (4, 8, 6), (4, 2000, 300)])
def test_the_norm_is_that_of_the_product(dtype: str, shape: tuple[int, int, int]) -> None:
    rank, inputs, outputs = shape
    rng = np.random.default_rng(7)
    a, b = rng.integers(-4, 5, (rank, inputs)) / 4, rng.integers(-4, 5, (outputs, rank)) / 4
    wanted = np.linalg.norm(b @ a)
    assert update_norm(numbers(a, dtype), numbers(b, dtype)) == pytest.approx(wanted, rel=1e-5)
