"""The published schemas are what the models say; ``make schemas`` writes them."""

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from omnicheck.contracts.io_contract import schema_text as io_contract_schema
from omnicheck.contracts.schema import TEXTS
from omnicheck.report.schema import schema_text

SCHEMAS = Path(__file__).parents[1] / "schemas"
GENERATED: dict[str, Callable[[], str]] = {
    "report.schema.json": schema_text,
    "io_contract.schema.json": io_contract_schema,
    **TEXTS,
}


@pytest.mark.parametrize("name", GENERATED)
def test_a_published_schema_is_current(name: str) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        (SCHEMAS / name).write_text(GENERATED[name](), "utf-8")
    assert (SCHEMAS / name).read_text("utf-8") == GENERATED[name](), "stale: run `make schemas`"


def test_every_published_schema_is_a_schema_with_its_own_id() -> None:
    paths = sorted(SCHEMAS.glob("*.schema.json"))
    values = [json.loads(path.read_text("utf-8")) for path in paths]
    for value in values:
        jsonschema.validators.validator_for(value).check_schema(value)
    assert [value["$id"].rpartition("/")[2] for value in values] == [path.name for path in paths]
    assert {path.name for path in paths} >= set(GENERATED)


def test_the_documented_configuration_meets_its_schema() -> None:
    text = (SCHEMAS.parent / "docs" / "configuration.md").read_text("utf-8")
    documented = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    judge = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "config.schema.json").read_text("utf-8")))
    judge.validate(documented)
    assert documented.keys() == json.loads((SCHEMAS / "config.schema.json").read_text("utf-8"))["properties"].keys()
    for wrong in (
        {"fail_on": "error"},
        {"allow": [{"rule": "SPL107", "path": "*"}]},
        {"rules": {"severity": {"A": 1}}},
    ):
        assert not judge.is_valid(wrong)
