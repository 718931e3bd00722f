"""The JSON Schema of the report, generated from the model."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec

from omnicheck.model.report import Report

IDENTIFIER = "https://omnicheck.dev/schemas/report.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of what ``--format json`` writes."""
    (_,), definitions = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    root = definitions.pop("Report")
    for described in (root, *definitions.values()):
        # Python 3.13 takes the indentation out of docstrings, earlier ones do not.
        described["description"] = cleandoc(described.get("description", ""))
    root["properties"]["schema_version"] = {"const": Report.__struct_defaults__[0]}
    root["required"] = ["schema_version", *root["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTIFIER,
        "title": "omnicheck report",
        **{key: value for key, value in root.items() if key != "title"},
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Return the schema as the text that ``schemas/report.schema.json`` has."""
    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"
