"""The JSON Schemas of contracts, configuration and index, generated from the models."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = "https://omnicheck.dev/schemas"


def json_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of a backbone contract."""
    from omnicheck.contracts.backbone import Backbone  # noqa: PLC0415 - pydantic is loaded only where it is needed

    generated = Backbone.model_json_schema(ref_template="#/$defs/{model}")
    definitions = generated.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "$id": f"{SCHEMAS}/backbone.schema.json",
        **generated,
        "title": "omnicheck backbone contract",
        "$defs": dict(sorted(definitions.items())),
    }


def struct_schema(kind: type[Struct], name: str, title: str) -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of a model.

    Args:
        kind: the model.
        name: what it is published as, ``<name>.schema.json``.
        title: what people call it.
    """
    (_,), definitions = msgspec.json.schema_components([kind], schema_hook=_anything, ref_template="#/$defs/{name}")
    for each in definitions.values():
        _describe(each)
    root = definitions.pop(kind.__name__)
    return {
        "$schema": DIALECT,
        "$id": f"{SCHEMAS}/{name}.schema.json",
        **root,
        "title": title,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Return the schema as the text that ``schemas/backbone.schema.json`` has."""
    return _text(json_schema())


def config_schema_text() -> str:
    """Return the text of ``schemas/config.schema.json``."""
    from omnicheck.model.config import Config  # noqa: PLC0415 - each schema loads its own model only

    return _text(struct_schema(Config, "config", "omnicheck configuration"))


def window_index_schema_text() -> str:
    """Return the text of ``schemas/window-index.schema.json``, which describes one record."""
    from omnicheck.contracts.window_index import IndexRecord  # noqa: PLC0415 - as above

    return _text(struct_schema(IndexRecord, "window-index", "omnicheck window index record"))


def window_index_manifest_schema_text() -> str:
    """Return the text of ``schemas/window-index-manifest.schema.json``."""
    from omnicheck.contracts.window_index import IndexManifest  # noqa: PLC0415 - as above

    return _text(struct_schema(IndexManifest, "window-index-manifest", "omnicheck window index manifest"))


TEXTS: dict[str, Callable[[], str]] = {
    "backbone.schema.json": schema_text,
    "config.schema.json": config_schema_text,
    "window-index.schema.json": window_index_schema_text,
    "window-index-manifest.schema.json": window_index_manifest_schema_text,
}
"""File name to what makes its text; the report's schema lies beside the report."""


def _describe(schema: dict[str, Any]) -> None:
    """Move what a docstring says of each attribute to the attribute."""
    text, _, attributes = cleandoc(schema.get("description", "")).partition("\n\nAttributes:\n")
    if text:
        schema["description"] = " ".join(text.split())
    told = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
    for name, words in told:
        for key in (name, name.replace("_", "-")):
            if key in schema["properties"]:
                schema["properties"][key]["description"] = " ".join(words.split())


def _anything(kind: type) -> dict[str, Any]:
    if kind is object:  # a value that its reader judges, such as the parameter of a rule
        return {"description": "any value"}
    raise NotImplementedError(kind)


def _text(schema: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
