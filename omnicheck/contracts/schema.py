"""The JSON Schema of the backbone contract, generated from the model."""

from __future__ import annotations

from typing import Any

import msgspec

IDENTIFIER = "https://omnicheck.dev/schemas/backbone.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of a backbone contract."""
    from omnicheck.contracts.backbone import Backbone  # noqa: PLC0415 - pydantic is loaded only where it is needed

    generated = Backbone.model_json_schema(ref_template="#/$defs/{model}")
    definitions = generated.pop("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTIFIER,
        **generated,
        "title": "omnicheck backbone contract",
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Return the schema as the text that ``schemas/backbone.schema.json`` has."""
    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"
