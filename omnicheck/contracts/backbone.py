"""The backbone contract: what a model branch trains on, must prove, and may publish."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from omnicheck.contracts.backbone_form import judge_text
from omnicheck.contracts.issue import Issue, mapping, pointer_of, shown
from omnicheck.contracts.pydantic_issues import issues_of
from omnicheck.contracts.sample_models import AnswerSchema, SampleContract

__all__ = ["Backbone", "Issue", "validate_backbone"]

_OPEN = ConfigDict(frozen=True, extra="allow", strict=True, defer_build=True)

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Count = Annotated[int, Field(gt=0)]
Unique = Field(json_schema_extra={"uniqueItems": True})
Files = Annotated[list[Text], Unique]


class SplitCounts(BaseModel):
    """Episodes per split; none may be empty."""

    model_config = _OPEN

    train: Count
    val: Count
    test: Count


class SplitPolicy(BaseModel):
    """How the data is divided, and what keeps the parts apart."""

    model_config = _OPEN

    # Windows of one episode share frames, so they are no unit to divide by.
    unit: Literal["episode", "session", "subject"]
    default_counts: SplitCounts
    leakage_guard: Text


class ArtifactContract(BaseModel):
    """The files that prove a run, and the phrases that say what may be published."""

    model_config = _OPEN

    checkpoint_gate: Text
    required_eval_files: Annotated[Files, Field(min_length=1)]
    required_training_files: Annotated[Files, Field(min_length=1)]
    public_package_allowed: Annotated[Files, Field(min_length=1)]
    public_package_forbidden: Annotated[Files, Field(min_length=1)]


class Shipment(BaseModel):
    """One file that may be published although its kind is denied: exactly these bytes."""

    model_config = _OPEN

    role: Text
    kind: Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Publish(BaseModel):
    """What this contract releases, file by file."""

    model_config = _OPEN

    ship: list[Shipment] = []


class Backbone(BaseModel):
    """A backbone contract; keys that are not known are kept, and told."""

    model_config = _OPEN

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    display_name: Text
    status: Literal["implemented", "planned_adapter"]
    model_family: Text
    default_model_id: str | None = None
    local_model_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    dataset_contract: Text
    training_objective: Text
    split_policy: SplitPolicy
    modalities: Annotated[dict[str, list[str]], Field(min_length=1)]
    entrypoints: dict[str, str | None]
    primary_metrics: Annotated[Files, Field(min_length=1)]
    artifact_contract: ArtifactContract
    extension_requirements: list[str]
    sample_contract: SampleContract | None = Field(default=None, description="what one row of the dataset must hold")
    answer_schema: AnswerSchema | None = Field(default=None, description="the fields of a strict answer")
    metric_definitions: dict[str, Annotated[str, Field(pattern=r"^[a-z0-9_]+@[a-z0-9_]+(\*100)?$")]] = Field(
        default={}, description="metric to the named definition it is computed by, such as macro_f1@truth"
    )
    environment: dict[str, str] = Field(default={}, description="library to the version a run must have used")
    publish: Publish | None = Field(default=None, description="files released although their kind is denied")
    do_not_claim: list[Text] = Field(default=[], description="statements that no text about the run may make")


def validate_backbone(value: Any) -> tuple[Backbone | None, tuple[Issue, ...]]:
    """Return the model of a contract and everything that is wrong with it; none of it stops the list.

    Issues of rule CTR103 are those that the text alone shows; ``judge_entrypoints`` looks into a workspace.

    Args:
        value: decoded JSON.

    Returns:
        The model, or None when the contract does not have the form of one; and the issues by rule and pointer.
    """
    model: Backbone | None = None
    issues: list[Issue] = []
    try:
        model = Backbone.model_validate(value)
    except ValidationError as error:
        issues += map(_routed, issues_of(error, value, "CTR101"))
    if isinstance(value, dict):
        twice = _repeated(value)
        model = None if twice else model
        issues += [*twice, *_unknown_keys(value), *judge_text(value)]
    return model, tuple(sorted(issues, key=lambda each: (each.rule, each.pointer, each.message)))


_EVIDENCE = {
    "/split_policy/default_counts/train",
    "/split_policy/default_counts/val",
    "/split_policy/default_counts/test",
    "/split_policy/leakage_guard",
    "/primary_metrics",
}


def _routed(issue: Issue) -> Issue:
    """Give what is absent, empty or no count among the evidence to CTR104; a wrong type stays with CTR101."""
    given = issue.actual
    number = isinstance(given, int) and not isinstance(given, bool)
    if issue.pointer == "/primary_metrics":
        undeclared = given == []
    else:
        undeclared = given is None or number or (isinstance(given, str) and not given.strip())
    if issue.pointer in _EVIDENCE and undeclared:
        return Issue("CTR104", issue.pointer, issue.message, issue.expected, given, issue.help)
    return issue


def _repeated(value: dict[str, Any]) -> list[Issue]:
    artifacts = mapping(value.get("artifact_contract"))
    lists: dict[tuple[str, ...], Any] = {("primary_metrics",): value.get("primary_metrics")}
    lists |= {("artifact_contract", key): artifacts.get(key) for key in ArtifactContract.model_fields}
    issues = []
    for parts, items in lists.items():
        seen: set[str] = set()
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if not isinstance(item, str):
                continue
            if item in seen:
                text = f"{parts[-1]} lists {shown(item)} more than once"
                issues.append(Issue("CTR101", pointer_of((*parts, index)), text, "unique items", item, "Remove one."))
            seen.add(item)
    return issues


def _unknown_keys(value: dict[str, Any]) -> list[Issue]:
    split, publish = mapping(value.get("split_policy")), mapping(value.get("publish"))
    places: list[tuple[tuple[str | int, ...], Any, type[BaseModel]]] = [
        ((), value, Backbone),
        (("split_policy",), split, SplitPolicy),
        (("split_policy", "default_counts"), split.get("default_counts"), SplitCounts),
        (("artifact_contract",), value.get("artifact_contract"), ArtifactContract),
        (("publish",), publish, Publish),
    ]
    shipped = publish.get("ship")
    places += [
        (("publish", "ship", i), each, Shipment) for i, each in enumerate(shipped if isinstance(shipped, list) else ())
    ]
    return [
        Issue(
            "CTR101",
            pointer_of((*parts, key)),
            f"{shown(key)} is an unknown key",
            None,
            None,
            "Mend its spelling, or remove it: nothing reads it.",
            "unknown-key",
        )
        for parts, found, model in places
        for key in mapping(found)
        if key not in model.model_fields
    ]
