"""``omnicheck contracts``: the contracts that are known, what they say, and what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from omnicheck.cli.contracts_io import derive, diff
from omnicheck.contracts.issue import Issue
from omnicheck.contracts.registry import Entry, Registry
from omnicheck.engine.config import load_config
from omnicheck.model.errors import UsageError
from omnicheck.report.plain import plain, printable

app = typer.Typer(
    help="List, show, validate, scaffold, derive and compare contracts.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command("derive")(derive)
app.command("diff")(diff)

Format = Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")]
Paths = Annotated[
    list[Path] | None,
    typer.Option("--path", help="A directory of contracts, or one file; instead of the configuration's. Repeatable."),
]


@app.command("list")
def list_(path: Paths = None, format_: Format = "text") -> None:
    """List the contracts that are known. Exit code 1: two files claim one id, or a file cannot be used."""
    registry = _registry(path)
    if format_ == "json":
        _write_json(
            {
                "contracts": [_summary(entry) for entry in registry.entries.values()],
                "conflicts": {name: [_shown(each) for each in paths] for name, paths in registry.conflicts.items()},
                "shadowed": [entry.id for entry in registry.shadowed],
                "ignored": [{"path": _shown(each), "reason": reason} for each, reason in registry.ignored],
                "unusable": [
                    {"path": _shown(each.path), "message": each.message, "line": each.line}
                    for each in registry.unusable
                ],
            }
        )
    else:
        width = max((len(name) for name in registry.ids()), default=0)
        for entry in registry.entries.values():
            name = _text(entry.value.get("display_name"))
            _say(f"{entry.id:<{width}}  {entry.origin:<7}  {_text(entry.value.get('status')):<15}  {name}")
        for each, reason in registry.ignored:
            _warn(f"note: {_shown(each)} was passed over: {reason}")
        for entry in registry.shadowed:
            _warn(f"note: {entry.id} of yours is used instead of the built-in one")
        for issue in _registry_issues(registry):
            _warn(f"error: {issue.rule} {issue.message}")
    raise typer.Exit(1 if registry.conflicts or registry.unusable else 0)


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="Exact id of a contract.")], path: Paths = None, format_: Format = "text"
) -> None:
    """Show what a contract asks for."""
    entry = _registry(path).get(id)
    if format_ == "json":
        _write_json({**_summary(entry), "contract": entry.value})
        return
    value = entry.value
    artifacts = value.get("artifact_contract")
    artifacts = artifacts if isinstance(artifacts, dict) else {}
    _say(f"{entry.id}: {_text(value.get('display_name'))}")
    for key in ("status", "model_family", "default_model_id", "dataset_contract", "training_objective"):
        _say(f"  {key.replace('_', ' ')}: {_text(value.get(key))}")
    for key in ("split_policy", "modalities", "entrypoints", "primary_metrics", "metric_definitions"):
        _block(key, value.get(key))
    for key, found in artifacts.items():
        _block(str(key), found)
    for key in ("sample_contract", "do_not_claim", "extension_requirements"):
        _block(key, value.get(key))
    _say(f"  from: {_shown(entry.path) if entry.origin == 'user' else 'built in'}, sha256 {entry.digest}")


@app.command()
def validate(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids; all contracts when none is given.")] = None,
    path: Paths = None,
    workspace: Annotated[
        Path | None,
        typer.Option(help="Repository whose scripts the entrypoints name; the working directory if absent."),
    ] = None,
    format_: Format = "text",
) -> None:
    """Tell everything that is wrong with contracts. Exit code 1: errors. 3: nothing to validate."""
    from omnicheck.contracts.backbone import validate_backbone  # noqa: PLC0415 - pydantic is loaded only here
    from omnicheck.contracts.entrypoints import judge_entrypoints  # noqa: PLC0415 - as above

    if workspace is not None and not workspace.is_dir():
        raise UsageError("no such directory", path=str(workspace))
    registry = _registry(path)
    entries = [registry.get(name) for name in ids] if ids else _all_files(registry)
    found: list[tuple[str, str, Issue]] = []
    for entry in entries:
        place = _shown(entry.path) if entry.origin == "user" else f"built-in {entry.id}"
        _, issues = validate_backbone(entry.value)
        found += [
            (place, entry.id, issue) for issue in (*issues, *judge_entrypoints(entry.value, workspace or Path.cwd()))
        ]
    if not ids:
        found += [("contracts", "", issue) for issue in _registry_issues(registry)]
    errors = sum(_severity(issue) == "error" for *_, issue in found)
    users = sum(entry.origin == "user" for entry in entries)
    if format_ == "json":
        rows = [
            {"path": place, "contract": name, "severity": _severity(issue), **_fields(issue)}
            for place, name, issue in found
        ]
        _write_json({"validated": [entry.id for entry in entries], "errors": errors, "issues": rows})
    else:
        for place, _, issue in found:
            _say(f"{place}:{issue.pointer or '/'}: {_severity(issue)} {issue.rule} {issue.message}")
            if issue.help:
                _say(f"  help: {issue.help}")
        _say(f"{len(entries)} contracts, {errors} errors, {len(found) - errors} warnings")
    if errors:
        raise typer.Exit(1)
    if not ids and not users:
        _warn("omnicheck: there is no contract of yours to validate; --path names where they lie")
        raise typer.Exit(3)


@app.command()
def scaffold(
    id: Annotated[str, typer.Option(help="Id of the new contract.")],
    display_name: Annotated[str, typer.Option(help="The name that people read.")],
    model_family: Annotated[str, typer.Option(help="Family of the model.")],
    dataset_contract: Annotated[str, typer.Option(help="Id of the dataset's contract.")],
    training_objective: Annotated[str, typer.Option(help="What is learnt.")],
    checkpoint_gate: Annotated[str, typer.Option(help="Gate that its checkpoint must pass.")],
    template: Annotated[str, typer.Option(help="Id of the contract to clone.")] = "policy_vla_branch",
    local_model_env: Annotated[str | None, typer.Option(help="Variable with the model's directory.")] = None,
    status: Annotated[Literal["planned_adapter", "implemented"], typer.Option(help="State.")] = "planned_adapter",
    out: Annotated[
        Path | None, typer.Option(help="Directory to write to; the configuration's first if absent.")
    ] = None,
    path: Paths = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a contract that is there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the contract, write nothing.")] = False,
) -> None:
    """Make a new contract from one that stands. It is validated before anything is written."""
    from omnicheck.contracts.gates import judge_gate  # noqa: PLC0415 - needed here only
    from omnicheck.produce import scaffold as produce  # noqa: PLC0415 - needed here only

    registry = _registry(path)
    value = produce.scaffold(
        registry.get(template),
        id=id,
        display_name=display_name,
        model_family=model_family,
        dataset_contract=dataset_contract,
        training_objective=training_objective,
        checkpoint_gate=checkpoint_gate,
        local_model_env=local_model_env,
        status=status,
    )
    for issue in judge_gate(value):
        _warn(f"warning: {issue.rule} {issue.message}. {issue.help}")
    taken = registry.entries.get(id)
    if taken is not None and taken.origin == "user" and not overwrite:
        raise UsageError(
            f"the id {id!r} is taken", path=_shown(taken.path), hint="choose another id, or add --overwrite"
        )
    if dry_run:
        sys.stdout.write(produce.scaffold_text(value))
        return
    loaded = load_config(Path.cwd())
    written = produce.write_scaffold(value, out or loaded.base / loaded.config.contracts.paths[0], overwrite=overwrite)
    _warn(f"wrote {_shown(written)}; next: omnicheck contracts validate {id}")


def _registry(paths: list[Path] | None) -> Registry:
    for path in paths or ():
        if not path.exists():
            raise UsageError("no such file or directory", path=str(path))
    if paths:
        return Registry.load(paths)
    loaded = load_config(Path.cwd())
    return Registry.load([loaded.base / path for path in loaded.config.contracts.paths])


def _all_files(registry: Registry) -> list[Entry]:
    """Return every usable contract, and of conflicting ones the first: the conflict itself is told apart."""
    return list(registry.entries.values())


def _registry_issues(registry: Registry) -> list[Issue]:
    """Return the issues between files: ids claimed twice, files that cannot be used."""
    issues = [
        Issue(
            "CTR102",
            "/id",
            f"{len(paths)} files claim the id {name}: {', '.join(_shown(path) for path in paths)}",
            "one file",
            [_shown(path) for path in paths],
            "Give each contract an id of its own.",
        )
        for name, paths in registry.conflicts.items()
    ]
    return issues + [
        Issue(
            "CTR101", "", f"{_shown(each.path)}{f':{each.line}' if each.line else ''}: {each.message}", help="Mend it."
        )
        for each in registry.unusable
    ]


def _summary(entry: Entry) -> dict[str, Any]:
    value = entry.value
    artifacts = value.get("artifact_contract")
    entrypoints = value.get("entrypoints")
    named = entrypoints if isinstance(entrypoints, dict) else {}
    kept = ("display_name", "status", "model_family", "dataset_contract", "training_objective", "primary_metrics")
    return {
        "id": entry.id,
        **{key: value.get(key) for key in kept},
        "checkpoint_gate": artifacts.get("checkpoint_gate") if isinstance(artifacts, dict) else None,
        "entrypoints": sorted(name for name, script in named.items() if script),
        "entrypoints_without_script": sorted(name for name, script in named.items() if not script),
        "origin": entry.origin,
        "path": _shown(entry.path) if entry.origin == "user" else entry.path.name,
        "sha256": entry.digest,
    }


def _severity(issue: Issue) -> str:
    return "warning" if issue.variant is not None or issue.rule == "CTR107" else "error"


def _fields(issue: Issue) -> dict[str, Any]:
    names = ("rule", "pointer", "message", "expected", "actual", "help")
    return {name: getattr(issue, name) for name in names}


def _block(name: str, value: Any) -> None:
    if value in (None, [], {}):
        return
    _say(f"  {name.replace('_', ' ')}:")
    if isinstance(value, dict):
        for key, each in value.items():
            _say(f"    {key}: {_text(each)}")
    else:
        for each in value if isinstance(value, list) else [value]:
            _say(f"    {_text(each)}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return "none" if value is None else msgspec.json.encode(plain(value)).decode()


def _shown(path: Path) -> str:
    cwd = Path.cwd()
    return str(path.relative_to(cwd)) if path.is_absolute() and path.is_relative_to(cwd) else str(path)


def _say(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")


def _warn(line: str) -> None:
    sys.stderr.write(f"{printable(line)}\n")


def _write_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain(value)), indent=2).decode() + "\n")
