"""``sbom.cdx.json``: the bill of materials of a bundle as a CycloneDX 1.6 ML-BOM with a model card.

Written as plain data, as no library of ours knows the model card; the tests validate it against the schema of the
specification (https://cyclonedx.org/docs/1.6/json/).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from omnicheck import __version__
from omnicheck.model.bundle import ShippedFile

NAME = "sbom.cdx.json"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://omnicheck.dev/sbom")


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the shipped files of a run say of the model.

    Attributes:
        name: id of the run, or of its contract.
        base_model: id of the model it started from.
        family: architecture family, from the contract.
        objective: training objective, from the contract.
        dataset: name of the dataset contract.
        dataset_revision: as recorded by the training.
        split: split the metrics are of.
        metrics: primary metrics, by name.
        licence: SPDX or hub identifier, from the card.
    """

    name: str
    base_model: str | None = None
    family: str | None = None
    objective: str | None = None
    dataset: str | None = None
    dataset_revision: str | None = None
    split: str | None = None
    metrics: Mapping[str, float | int] = msgspec.field(default_factory=dict)
    licence: str | None = None


def model_facts(name: str, documents: Mapping[str, Any], contract: Mapping[str, Any] | None, card: Any) -> ModelFacts:
    """Collect the facts from decoded JSON documents.

    Args:
        name: what to call the model when no document has a run id.
        documents: the metrics as ``metrics``, the training metadata as ``training``; either may be missing.
        contract: the contract in force.
        card: the front matter of the card.
    """
    metrics, training = _table(documents.get("metrics")), _table(documents.get("training"))
    spec, front = _table(contract), _table(card)
    primary = [key for key in spec.get("primary_metrics") or sorted(metrics) if isinstance(key, str)]
    return ModelFacts(
        name=_text(metrics.get("run_id")) or _text(training.get("run_id")) or name,
        base_model=_text(training.get("model_id")) or _text(metrics.get("model_id")) or _text(front.get("base_model")),
        family=_text(spec.get("model_family")),
        objective=_text(spec.get("training_objective")),
        dataset=_text(spec.get("dataset_contract")),
        dataset_revision=_text(training.get("dataset_revision")),
        split=_text(metrics.get("eval_split")),
        metrics={key: metrics[key] for key in primary if _is_number(metrics.get(key))},
        licence=_text(front.get("license")),
    )


def write_sbom(facts: ModelFacts, files: Sequence[ShippedFile]) -> bytes:
    """Return the document; its serial number is derived from the content, and it holds no time."""
    content = "".join(f"{file.sha256}  {file.path}\n" for file in files)
    model: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": facts.name,
        **({"licenses": [_licence(facts.licence)]} if facts.licence else {}),
        "modelCard": _model_card(facts),
    }
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, facts.name + content)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "omnicheck", "version": __version__}]},
            "component": model,
        },
        "components": [*_related(facts), *map(_file, files)],
        "dependencies": [{"ref": "model", "dependsOn": [each["bom-ref"] for each in _related(facts)]}],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _model_card(facts: ModelFacts) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if facts.objective:
        parameters["task"] = facts.objective
    if facts.family:
        parameters["architectureFamily"] = facts.family
    if facts.base_model:
        parameters["modelArchitecture"] = facts.base_model
    if facts.dataset:
        parameters["datasets"] = [{"ref": "dataset"}]
    card: dict[str, Any] = {"modelParameters": parameters}
    if facts.metrics:
        card["quantitativeAnalysis"] = {
            "performanceMetrics": [
                {"type": name, "value": repr(value), **({"slice": facts.split} if facts.split else {})}
                for name, value in facts.metrics.items()
            ]
        }
    return card


def _related(facts: ModelFacts) -> list[dict[str, Any]]:
    related: list[dict[str, Any]] = []
    if facts.base_model:
        related.append({"type": "machine-learning-model", "bom-ref": "base-model", "name": facts.base_model})
    if facts.dataset:
        revision = {"version": facts.dataset_revision} if facts.dataset_revision else {}
        related.append(
            {"type": "data", "bom-ref": "dataset", "name": facts.dataset, **revision, "data": [{"type": "dataset"}]}
        )
    return related


def _file(file: ShippedFile) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": f"file:{file.path}",
        "name": file.path,
        "hashes": [{"alg": "SHA-256", "content": file.sha256}],
        "properties": [
            {"name": "omnicheck:size", "value": str(file.size)},
            {"name": "omnicheck:kind", "value": file.kind},
        ],
    }


def _licence(name: str) -> dict[str, Any]:
    # Hub identifiers are lower case and not all of SPDX, so they stand as names: the schema knows ids of SPDX only.
    return {"license": {"name": name}}


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
