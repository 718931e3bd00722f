"""The bill of materials against the published schema of CycloneDX."""

from __future__ import annotations

import importlib.resources
import json
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from omnicheck.bundle.sbom import ModelFacts, model_facts, write_sbom
from omnicheck.model.bundle import ShippedFile

FILES = (
    ShippedFile(path="README.md", size=3, sha256="ab" * 32, kind="text"),
    ShippedFile(path="eval/metrics.json", size=30, sha256="cd" * 32, kind="json"),
)
FULL = model_facts(
    "fallback",
    {
        "metrics": {"run_id": "r1", "eval_split": "test", "accuracy": 0.5, "labels": [], "model_id": "base-1b"},
        "training": {"model_id": "base-1b", "dataset_revision": "v1"},
    },
    {"primary_metrics": ["accuracy", "macro_f1"], "model_family": "decoder", "dataset_contract": "qa_v1"},
    {"license": "apache-2.0"},
)


def validate(document: Any) -> None:
    folder = importlib.resources.files("cyclonedx.schema._res")
    schemas = {
        name: json.loads(folder.joinpath(f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()
    )
    jsonschema.Draft7Validator(schemas["bom-1.6"], registry=registry).validate(document)


@pytest.mark.parametrize("facts", [FULL, ModelFacts(name="bare")], ids=["full", "bare"])
def test_it_is_valid(facts: ModelFacts) -> None:
    document = json.loads(write_sbom(facts, FILES))
    validate(document)
    references = [each["bom-ref"] for each in document["components"]]
    assert len(set(references)) == len(references)
    assert set(document["dependencies"][0]["dependsOn"]) <= set(references)


def test_it_says_what_the_files_say() -> None:
    document = json.loads(write_sbom(FULL, FILES))
    card = document["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [{"type": "accuracy", "value": "0.5", "slice": "test"}]
    assert card["modelParameters"] == {
        "architectureFamily": "decoder",
        "modelArchitecture": "base-1b",
        "datasets": [{"ref": "dataset"}],
    }
    assert document["metadata"]["component"]["name"] == "r1"
    assert {"alg": "SHA-256", "content": "cd" * 32} in [
        each for file in document["components"] for each in file.get("hashes", [])
    ]


def test_the_same_content_gives_the_same_bytes_and_another_content_another_serial_number() -> None:
    assert write_sbom(FULL, FILES) == write_sbom(FULL, FILES)
    serial = json.loads(write_sbom(FULL, FILES))["serialNumber"]
    assert json.loads(write_sbom(FULL, FILES[:1]))["serialNumber"] != serial
    assert b"timestamp" not in write_sbom(FULL, FILES)


def test_documents_of_wrong_types_are_left_out() -> None:
    facts = model_facts("n", {"metrics": [1], "training": {"model_id": 3}}, {"primary_metrics": "accuracy"}, "card")
    assert facts == ModelFacts(name="n")
