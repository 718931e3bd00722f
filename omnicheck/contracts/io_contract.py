"""The I/O contract of exported models, version 2: what each graph takes and gives, and how they fit together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from omnicheck.contracts.issue import Issue
from omnicheck.contracts.pydantic_issues import issues_of
from omnicheck.readers.onnx_values import BITS

IDENTIFIER = "https://omnicheck.dev/schemas/io_contract.schema.json"

Name = Annotated[str, Field(min_length=1, max_length=65536)]
Size = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
CacheMode = Literal["growing", "shared", "sliding", "constant", "stateful"]


def _known(dtype: str) -> str:
    if dtype not in BITS:
        raise ValueError(f"no element type is called {dtype!a}")
    return dtype


Dtype = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": sorted(BITS)})]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Port(_Model):
    """An input or output of a graph."""

    name: Name
    dtype: Dtype | None = Field(None, description="Element type; absent: any.")
    shape: list[Size | Name | None] | None = Field(
        None, description="A number, the name or sum of sizes such as `past + new`, or null for any. Absent: any rank."
    )
    kind: Literal["tensor", "sparse_tensor", "sequence", "map", "optional", "opaque"] = "tensor"


class Input(Port):
    """An input that a host feeds."""

    required: bool = Field(default=True, description="Whether the graph must take it.")


class Cache(_Model):
    """How the key-value cache of a model behaves."""

    mode: CacheMode | None = Field(None, description="Mode of self-attention caches.")
    modes: dict[str, CacheMode] = Field(default_factory=dict, description="Mode by kind, such as cross: constant.")
    layers: Annotated[int, Field(ge=1)] | list[Size] | None = Field(
        None, description="Layers that have a cache: a count, or their numbers where some have none."
    )
    window: Annotated[int, Field(ge=1)] | None = Field(None, description="Length at most of a sliding cache.")
    dtype: Dtype | None = None


class ExternalFile(_Model):
    """A file that holds weights of a model."""

    path: Name
    sha256: Digest
    size: Size


class Graph(_Model):
    """One model file."""

    path: Name = Field(description="Relative to the contract's directory.")
    sha256: Digest | None = None
    size: Size | None = None
    ir_version: Annotated[int, Field(ge=1)] | None = None
    opset: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="Version by domain; the standard one is `ai.onnx`."
    )
    inputs: list[Input] = Field(description="In order.")
    outputs: list[Port] = Field(description="In order.")
    required_inputs: list[Name] = Field(
        default_factory=list,
        description="Inputs that the graph must take whatever the exporter made of it; written by a person.",
    )
    cache: Cache | None = None
    external_files: list[ExternalFile] | None = Field(None, description="Every sidecar, with its digest.")


class Edge(_Model):
    """An output that a host feeds to an input of another model."""

    source: Annotated[str, Field(alias="from", pattern=r"^[^:]+:.+$", description="model:output")]
    target: Annotated[str, Field(alias="to", pattern=r"^[^:]+:.+$", description="model:input")]
    host_cast: Dtype | None = Field(None, description="Element type that the host casts to on the way.")


class CachePair(_Model):
    """A prefill graph, and the decode graph that takes its caches."""

    prefill: Name
    decode: Name


class NamingFamily(_Model):
    """A naming family of caches; the built-in table explains the fields."""

    name: Name
    past: Name
    present: Name
    slots: dict[Literal["key", "value"], Name] = Field(default_factory=dict)
    kinds: dict[Name, Literal["", "growing", "shared", "sliding", "constant", "stateful"]] = Field(default_factory=dict)
    time: Size | None = None
    interleaved: bool = False
    single: bool = False
    optional: list[str] = Field(default_factory=list)


class IoContract(_Model):
    """What a set of exported models takes and gives."""

    schema_version: Literal["2"]
    variant: str | None = None
    num_layers: Annotated[int, Field(ge=1)] | None = None
    models: Annotated[dict[Name, Graph], Field(min_length=1)]
    edges: list[Edge] = Field(default_factory=list)
    cache_pairs: list[CachePair] = Field(default_factory=list)
    kv_families: list[NamingFamily] = Field(default_factory=list)
    symbols: dict[Name, Name | int] = Field(
        default_factory=dict, description="Relations between sizes, such as T_total: T_cache + T_new."
    )
    feed_sizes: dict[Name, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="A size for each symbol that satisfies all relations, for feeds."
    )


def validate_io_contract(value: Any) -> list[Issue]:
    """Return everything that is wrong with the form of a version 2 contract."""
    try:
        IoContract.model_validate(value)
    except ValidationError as error:
        return issues_of(error, value, "ONX101")
    return []


def json_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of an I/O contract."""
    generated = IoContract.model_json_schema(ref_template="#/$defs/{model}")
    definitions = generated.pop("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTIFIER,
        **generated,
        "title": "omnicheck I/O contract",
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """Return the schema as the text that ``schemas/io_contract.schema.json`` has."""
    return msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode() + "\n"
