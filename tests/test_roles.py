"""Names bind to roles as their globs say."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from omnicheck.runs.roles import ROLES, Role, role_of

GLOBS = st.text("ab*.?[]-", min_size=1, max_size=8)


@given(GLOBS, st.text("ab.-", max_size=8))
def test_a_glob_over_base_names_means_what_fnmatch_says(glob: str, name: str) -> None:
    assert (role_of(f"run/{name}", (Role("x", (glob,)),)) is not None) == fnmatchcase(name, glob)


def test_a_glob_with_a_slash_fits_at_any_depth() -> None:
    table = (Role("x", ("validation/*.json",)),)
    assert role_of("a/b/validation/e.json", table)
    assert role_of("validation/e.json", table)
    assert not role_of("validation/deep/e.json", table)
    assert not role_of("e.json", table)


def test_the_first_role_that_fits_binds() -> None:
    found = role_of("run/eval/predictions.partial.jsonl", ROLES)
    assert found is not None
    assert found.name == "partial_predictions"
