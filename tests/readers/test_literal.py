from __future__ import annotations

import ast
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnicheck.readers.literal import parse_literal

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["'", '"', "true", "null", "\\"])
SCALARS = TEXT | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(TEXT | st.integers(), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES.filter(lambda value: value is not None and not isinstance(value, bool)))
def test_what_repr_writes_comes_back(value: Any) -> None:
    found = parse_literal(repr(value))
    assert repr(found) == repr(value)


@given(st.text(max_size=40) | st.text(alphabet="{}[]()'\",: 1e-truN\\", max_size=30))
def test_arbitrary_text_is_a_literal_only_when_python_says_so(text: str) -> None:
    found = parse_literal(text)
    if found is not None:
        with warnings.catch_warnings(action="ignore"):
            assert repr(found) == repr(ast.literal_eval(text.strip()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "__import__('os').system('true')",
        "[open('x')]",
        "1 + 1",
        "{'a': nan}",
        "[1e999]",
        "true",
        "[true]",
        "{1, 2}",
        "b'x'",
        "1j",
        "9" * 5000,
        "[" * 5000,
        "[" * 60 + "]" * 60,
        "-" * 9000 + "1",
        "{[]: 1}",
        "'" + "x" * 20_000 + "'",
        "'\\ud800'",
        "{'a': 1",
        "'\\d' 1",
    ],
)
def test_what_is_none_gives_none(text: str) -> None:
    assert parse_literal(text) is None


def test_a_column_of_dicts() -> None:
    assert parse_literal("{'start_frame': 0, 'ok': True, 'label': \"it's\"}") == {
        "start_frame": 0,
        "ok": True,
        "label": "it's",
    }
    assert parse_literal(" ('a', 1.5) ") == ("a", 1.5)
