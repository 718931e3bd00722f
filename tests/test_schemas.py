"""The published schemas are what the model says; ``make schemas`` writes them."""

import json
from pathlib import Path

import jsonschema

from omnicheck.report.schema import IDENTIFIER, schema_text

SCHEMAS = Path(__file__).parents[1] / "schemas"


def test_the_report_schema_is_current() -> None:
    assert (SCHEMAS / "report.schema.json").read_text("utf-8") == schema_text(), "stale: run `make schemas`"


def test_every_published_schema_is_a_schema_with_its_own_id() -> None:
    paths = sorted(SCHEMAS.glob("*.schema.json"))
    values = [json.loads(path.read_text("utf-8")) for path in paths]
    for value in values:
        jsonschema.validators.validator_for(value).check_schema(value)
    assert [value["$id"].rpartition("/")[2] for value in values] == [path.name for path in paths]
    assert IDENTIFIER in {value["$id"] for value in values}
