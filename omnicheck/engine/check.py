"""The way of the data, end to end: paths, inventory, runs, findings, verdict, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from omnicheck import __version__
from omnicheck.contracts.registry import Registry
from omnicheck.engine.baseline import apply_baseline, read_baseline
from omnicheck.engine.cache import Cache
from omnicheck.engine.config import LoadedConfig
from omnicheck.engine.contract_units import broken_findings, conflict_findings, contract_units, refusal
from omnicheck.engine.coverage import coverage_of, summary_of
from omnicheck.engine.executor import map_units, usable_cores
from omnicheck.engine.overrides import configured
from omnicheck.engine.own_rules import covers, scan_findings
from omnicheck.engine.rulebook import Rulebook, choose, extensions, load_rulebook
from omnicheck.engine.store import cache_directory
from omnicheck.engine.unit import RunResult, Unit
from omnicheck.engine.verdict import Judge, apply_allow, decide, summarise
from omnicheck.model.config import Config
from omnicheck.model.errors import ConfigError
from omnicheck.model.finding import Severity
from omnicheck.model.report import (
    ConfigSummary,
    Report,
    Tool,
)
from omnicheck.model.rule import Rule
from omnicheck.model.run import Run
from omnicheck.runs.discover import discover
from omnicheck.runs.inventory import take_inventory
from omnicheck.runs.resolve import resolve_contract


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for.

    Attributes:
        paths: what to scan.
        cwd: the working directory, absolute.
        linked: groups of directories that make one run.
        contract: id of the contract for every run.
        profile: over the configuration's.
        select: over the configuration's.
        ignore: added to the configuration's.
        fail_on: over the configuration's.
        today: for the allow list.
        use_cache: False reads and writes no cache.
        jobs: processes at most; 0 takes the cores there are.
    """

    paths: tuple[Path, ...]
    cwd: Path
    linked: tuple[tuple[Path, ...], ...] = ()
    contract: str | None = None
    profile: Literal["lint", "publish"] | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity | None = None
    today: date
    use_cache: bool = True
    jobs: int = 0


def check_paths(
    request: Request, loaded: LoadedConfig, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Report:
    """Check the paths and return the report.

    Args:
        request: what was asked for.
        loaded: the configuration in force.
        progress: told how many of how many runs are judged.

    Raises:
        OmnicheckError: a path, the configuration, a rule page or a contract is wrong.
    """
    config = loaded.config
    profile = request.profile or config.profile
    scanned = [request.cwd / path for path in request.paths]
    kept = cache_directory(scanned) if request.use_cache else None
    book = load_rulebook(extensions(loaded), kept)
    _pinned(config.rules.digest, book)
    rules = configured(
        choose(
            book.rules(),
            request.select or config.rules.select,
            (*config.rules.ignore, *request.ignore),
            preview=config.rules.preview,
        ),
        book,
        config,
    )
    inventory = take_inventory(request.paths, request.cwd, config.exclude)
    found = discover(inventory, config.roles, _links(request, loaded))
    registry = Registry.load([loaded.base / path for path in config.contracts.paths])
    jobs = request.jobs or usable_cores()
    named = [_naming(run, request.contract, config, profile) for run in found.runs]
    units = [_unit(run, rules, registry, loaded, jobs, profile) for run in named]
    # The code of a plug-in may change while its version stays: what it says is not kept.
    cache = Cache(book.digest, kept if profile == "lint" and not config.rules.checks else None)
    results = _results(units, cache, jobs, progress)
    judged = contract_units(units, registry, rules, request.cwd, loaded.base)
    results += _results(judged, cache, 1, lambda _done, _total: None)
    results += _results(_tree(found.tree, rules, request, loaded, profile), cache, 1, lambda _done, _total: None)
    results.append(_across(rules, results, cache, config.rules.checks, found.tree.path))
    said = [(spoken.rule, result.run, spoken.finding) for result in results for spoken in result.spoken]
    said += scan_findings(rules, inventory, found, loaded)
    said += conflict_findings(rules, registry, request.cwd, loaded.base)
    said += broken_findings(rules, registry, named, request.cwd, loaded.base)
    judge_ = Judge(book, config.rules.severity, profile)
    running = {rule.id for rule in rules}

    def could_match(rule: str, glob: str) -> bool:
        return rule in running and covers(inventory.roots, glob)

    diagnostics, unused, dated = apply_allow(
        judge_.diagnostics(said), config.allow, request.today, locked=profile == "publish", could_match=could_match
    )
    if config.baseline:
        diagnostics, stale = apply_baseline(diagnostics, read_baseline(loaded.base / config.baseline), could_match)
        unused += stale
    own = [("OMN001", found.tree.path, each) for each in unused] + [("OMN002", found.tree.path, each) for each in dated]
    diagnostics = sorted(
        diagnostics + judge_.diagnostics(entry for entry in own if entry[0] in running),
        key=lambda each: (each.path, each.row or 0, each.pointer or "", each.rule),
    )
    skipped = tuple(sorted(skip for result in results for skip in result.skipped))
    required = {rule.id for rule in rules if rule.publish == "required"}
    return Report(
        tool=Tool("omnicheck", __version__, book.digest),
        config=ConfigSummary(_shown(loaded.path, request.cwd), loaded.digest, profile),
        roots=inventory.roots,
        verdict=decide(
            diagnostics,
            request.fail_on or config.fail_on,
            judged=_judged(rules, results) and not (profile == "publish" and any(s.rule in required for s in skipped)),
        ),
        summary=summarise(diagnostics),
        findings=tuple(diagnostics),
        coverage=coverage_of(results, skipped, found),
        runs=tuple(summary_of(unit) for unit in units),
        traces=tuple(trace for result in results for trace in result.crashed),
    )


def _pinned(digest: str | None, book: Rulebook) -> None:
    if digest is not None and not book.digest.startswith(digest):
        raise ConfigError(
            f"the rules are not those that the configuration pins (it pins {digest[:12]}, in force {book.digest[:12]})",
            hint="read the CHANGELOG, then set [rules] digest anew; `omnicheck rules --format json` prints it",
        )


def _judged(rules: Sequence[Rule], results: Sequence[RunResult]) -> bool:
    """Whether any rule ran; what the engine itself speaks always does, and counts where nothing else was wanted."""
    return any(result.ran for result in results) or all(rule.scope == "engine" for rule in rules)


def _links(request: Request, loaded: LoadedConfig) -> tuple[tuple[str, ...], ...]:
    given = [tuple(str((request.cwd / folder).absolute()) for folder in group) for group in request.linked]
    for link in loaded.config.run:
        folders = [name for name in (link.dataset, link.training, link.eval) if name]
        if folders:
            given.append(tuple(str((loaded.base / name).absolute()) for name in folders))
    return tuple(given)


def _naming(run: Run, option: str | None, config: Config, profile: str) -> Run:
    """Return the run with the contract that is named for it, whether or not that can judge."""
    name, by = resolve_contract(run, option, config.run, own_word=profile == "lint")
    return msgspec.structs.replace(run, contract=name, contract_source=by)


def _unit(run: Run, rules: tuple[Rule, ...], registry: Registry, loaded: LoadedConfig, jobs: int, profile: str) -> Unit:
    contract: dict[str, Any] | None = None
    if run.contract is not None:
        # What a run says of itself cannot stop the check; what a person asks for must hold.
        refused = refusal(run.contract, registry) if run.contract_source == "metadata" else None
        if refused is None:
            contract = registry.get(run.contract).value
        else:
            source = f"metadata names {run.contract!r}, {refused}"
            run = msgspec.structs.replace(run, contract=None, contract_source=source)
    return Unit(
        run=run,
        rules=tuple(rule for rule in rules if rule.scope in ("run", "files")),
        comparing=tuple(rule for rule in rules if rule.scope == "across"),
        contract=contract,
        workspace=str(loaded.base),
        fields=loaded.config.fields,
        plugins=loaded.config.rules.checks,
        jobs=jobs,
        profile=profile,
    )


def _tree(tree: Run, rules: Sequence[Rule], request: Request, loaded: LoadedConfig, profile: str) -> tuple[Unit, ...]:
    """Return the unit of the files outside every run: rules about files judge them too."""
    judging = tuple(rule for rule in rules if rule.scope == "files")
    if not judging or not (tree.files or tree.unread):
        return ()
    base = msgspec.structs.replace(tree, location=str(request.cwd))
    return (
        Unit(run=base, rules=judging, workspace=str(loaded.base), plugins=loaded.config.rules.checks, profile=profile),
    )


def _results(units: Sequence[Unit], cache: Cache, jobs: int, progress: Callable[[int, int], None]) -> list[RunResult]:
    kept = [cache.get(unit) for unit in units]
    open_ = [unit for unit, result in zip(units, kept, strict=True) if result is None]
    weight = sum(file.size for unit in open_ for file in unit.run.files)
    fresh: Iterator[RunResult] = iter(())
    if open_:
        from omnicheck.engine.judge import judge  # noqa: PLC0415 - facts and checks are loaded only when a run is judged

        fresh = iter(map_units(judge, open_, weight=weight, jobs=jobs, progress=progress))
    results = []
    for unit, result in zip(units, kept, strict=True):
        if result is None:
            result = next(fresh)  # noqa: PLW2901 - the judged one takes the place of the missing one
            cache.put(unit, result)
        results.append(result)
    cache.prune()
    return results


def _across(
    rules: Sequence[Rule], results: Sequence[RunResult], cache: Cache, plugins: tuple[str, ...], root: str
) -> RunResult:
    comparing = [rule for rule in rules if rule.scope == "across"]

    def compare() -> RunResult:
        from omnicheck.engine.judge import judge_across  # noqa: PLC0415 - as above

        return judge_across(comparing, results, plugins, root)

    return cache.across(comparing, results, compare)


def _shown(path: Path | None, cwd: Path) -> str | None:
    if path is None:
        return None
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else path.name
