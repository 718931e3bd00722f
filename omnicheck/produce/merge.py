"""Deterministic shards of an evaluation merged into one: judged first, recomputed, judged again, then put in place."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from omnicheck import __version__
from omnicheck.engine.judge import judge
from omnicheck.engine.rulebook import Rulebook, choose, load_rulebook
from omnicheck.engine.unit import Spoken, Unit
from omnicheck.engine.verdict import Judge
from omnicheck.facts.record import Record
from omnicheck.facts.split_names import TEST, split_name
from omnicheck.model.errors import UsageError
from omnicheck.model.report import Diagnostic
from omnicheck.model.run import Run, RunFile
from omnicheck.produce.merge_files import FILES, write_metrics, write_report, write_rows, write_tables
from omnicheck.produce.merge_inputs import Inputs, gather
from omnicheck.produce.merge_metrics import Counts
from omnicheck.produce.merge_rows import RowPlaces, Truth, index_rows, read_truth
from omnicheck.produce.merge_statements import check_split, statements, unsliced
from omnicheck.produce.placing import place, refuse_taken, staged
from omnicheck.runs.inventory import kind_of, take_inventory
from omnicheck.runs.roles import ROLES, role_of, tag_of

BEFORE = ("SHD", "OMN006")
AFTER = ("SHD106", "PRD", "EVD", "OMN006")
NEEDED = ("SHD101", "SHD102", "SHD103", "SHD104", "SHD107")
"""Rules that must have judged the shards: a rule that was skipped proves nothing."""

LISTED = 20


class MergeRequest(Struct, frozen=True, kw_only=True):
    """What the user asked for.

    Attributes:
        shards: directories with predictions, or prediction files.
        dataset: the dataset rows.
        out: directory to write.
        cwd: the working directory, absolute.
        eval_split: the split that was evaluated.
        train_split: the split whose labels count as seen.
        stride: number of shards of the evaluation, where the shards do not state it.
        run_id: id of the merged run, or None.
        incomplete: why missing rows are accepted, or None.
        overwrite: replace what is in the target.
        dry_run: write nothing.
    """

    shards: tuple[Path, ...]
    dataset: Path
    out: Path
    cwd: Path
    eval_split: str = "test"
    train_split: str = "train"
    stride: int | None = None
    run_id: str | None = None
    incomplete: str | None = None
    overwrite: bool = False
    dry_run: bool = False


class Merged(Struct, frozen=True):
    """What came of a merge.

    Attributes:
        findings: what the rules said, the excused ones left out.
        excused: findings of missing rows that the reason covers.
        files: name and size in bytes of each file; empty when a finding of level error forbade the merge.
        metrics: the merged metrics; empty likewise.
    """

    findings: tuple[Diagnostic, ...]
    excused: tuple[Diagnostic, ...]
    files: tuple[tuple[str, int], ...]
    metrics: dict[str, Any]

    @property
    def refused(self) -> bool:
        """Whether nothing was written because of a finding."""
        return any(each.severity == "error" for each in self.findings)


def merge(request: MergeRequest) -> Merged:
    """Merge shards, unless a rule of level error speaks.

    The rows of the shards are copied byte by byte in dataset order; every metric is recomputed from them. The merged
    files are judged beside shards and dataset before the directory is put in its place.

    Raises:
        UsageError: a path or an option does not fit, or the target is taken.
        ReadError: a file cannot be read, or changed meanwhile.
    """
    out = request.cwd / request.out
    inputs = gather(request.shards, request.dataset, request.cwd)
    _refuse_inputs(inputs, out)
    refuse_taken(out, overwrite=request.overwrite)
    said = statements(inputs)
    check_split(inputs, said, request.eval_split, request.stride)
    findings, excused, ran = _judged(inputs.run, request, BEFORE)
    if not any(each.severity == "error" for each in findings):
        idle = [rule for rule in NEEDED if rule not in ran]
        if idle:
            raise UsageError(
                f"the shards cannot be judged: {', '.join(idle)} found nothing to compare",
                path=inputs.dataset.path,
                hint="give the dataset file that was evaluated, and its --eval-split",
            )
        truth = read_truth(inputs.dataset, request.eval_split, request.train_split)
        places = index_rows(inputs.shards, truth)
        strays = unsliced(inputs, said, places, request.stride)
        findings += _diagnostics([Spoken("SHD104", each) for each in strays])
        if not strays:
            return _produced(request, _Draft(inputs, said, truth, places, findings, excused), out)
    return Merged(tuple(findings), tuple(excused), (), {})


class _Draft(Struct, frozen=True):
    """What is known before anything is written: inputs, what shards state, where rows stand, what the rules said."""

    inputs: Inputs
    said: list[list[Record]]
    truth: Truth
    places: RowPlaces
    findings: list[Diagnostic]
    excused: list[Diagnostic]


def _produced(request: MergeRequest, draft: _Draft, out: Path) -> Merged:
    if request.dry_run:
        with tempfile.TemporaryDirectory(prefix="omnicheck-merge-") as name:
            return _written(request, draft, Path(name))
    with staged(out) as folder:
        merged = _written(request, draft, folder)
        if not merged.refused:
            place(folder, out)
    return merged


def _written(request: MergeRequest, draft: _Draft, folder: Path) -> Merged:
    inputs = draft.inputs
    counts, episodes = write_rows(folder, inputs.shards, draft.places, draft.truth)
    labels = counts.labelled.union
    if not labels:
        raise UsageError(
            "no row has a label",
            path=inputs.shards[0].predictions.path,
            hint="merge recomputes metrics from true_label and predicted_label",
        )
    metrics = _metrics(request, draft, counts, episodes)
    write_tables(folder, counts, labels)
    write_metrics(folder, metrics)
    write_report(folder, metrics, len(inputs.shards))
    files = take_inventory((folder,), folder).files
    again, _, _ = _judged(_merged_run(inputs, files, request.out), request, AFTER)
    known = {each.fingerprint for each in draft.findings}
    findings = draft.findings + [each for each in again if each.fingerprint not in known]
    refused = any(each.severity == "error" for each in findings)
    sizes = {each.name or each.path: each.size for each in files}
    written = () if refused else tuple((name, sizes[name]) for name in FILES)
    return Merged(tuple(findings), tuple(draft.excused), written, {} if refused else metrics)


def _metrics(request: MergeRequest, draft: _Draft, counts: Counts, episodes: int) -> dict[str, Any]:
    truth, inputs = draft.truth, draft.inputs
    values, definitions = counts.metrics()
    missing = [sample for sample, ordinal in truth.places.items() if draft.places.shard[ordinal] < 0]
    stated: dict[str, Any] = {}
    for name in ("model_id", "adapter", "checkpoint", "dataset_path"):
        holder = next((each for records in draft.said for each in records if each.has(name)), None)
        if holder is not None and not (name == "dataset_path" and str(holder.raw(name)).startswith("/")):
            stated[holder.key(name) or name] = holder.raw(name)
    stated.setdefault("dataset_jsonl", stated.pop("dataset_path", inputs.dataset_shown))
    table = counts.labelled
    support = dict.fromkeys(table.truth, 0)
    for (true, _), count in table.counts.items():
        support[true] += count
    found = {
        "num_samples": counts.rows,
        **({"run_id": request.run_id} if request.run_id else {}),
        **stated,
        "eval_split": request.eval_split,
        "train_split": request.train_split,
        "num_eval_episodes": episodes,
        "held_out_episode_count": episodes,
        **values,
        "metric_definitions": definitions,
        "labels": list(table.union),
        "eval_label_counts": support,
        "shard_dirs": [each.shown for each in inputs.shards],
        "coverage": {
            "expected_eval_samples": len(truth.places),
            "merged_prediction_rows": counts.rows,
            "missing_prediction_rows": len(missing),
        },
        "issues": [each.message for each in draft.excused],
        "merged_by": f"omnicheck {__version__}",
    }
    if request.incomplete is not None and missing:
        found["incomplete"] = {"reason": request.incomplete, "missing_ids": missing[:LISTED]}
    return found


def _merged_run(inputs: Inputs, files: Sequence[RunFile], out: Path) -> Run:
    """Return the merged files with shards and dataset as one run; the files are shown where they will lie."""
    merged = []
    for each in files:
        base = each.location.rpartition("/")[2]
        role = role_of(base, ROLES)
        merged.append(
            msgspec.structs.replace(
                each,
                path=(out / base).as_posix(),
                name=base,
                kind=kind_of(each),
                role=role.name if role else None,
                tag=tag_of(base),
            )
        )
    everything = tuple(sorted([*inputs.run.files, *merged], key=lambda file: file.name))
    return msgspec.structs.replace(inputs.run, path=out.as_posix(), files=everything)


def _judged(
    run: Run, request: MergeRequest, families: tuple[str, ...]
) -> tuple[list[Diagnostic], list[Diagnostic], frozenset[str]]:
    """Return what the rules say of a run, what of it the user's reason excuses, and the rules that judged."""
    # The table is written with the rows, cell by cell; a merge of the validation split is open about it.
    ignored = ("PRD105",) if split_name(request.eval_split) == TEST else ("PRD105", "EVD108")
    chosen = choose(_rulebook().rules(), families, ignored, preview=False)
    rules = tuple(rule for rule in chosen if rule.scope == "run")
    result = judge(Unit(run=run, rules=rules, workspace=str(request.cwd)))
    excusable = [each for each in result.spoken if request.incomplete is not None and _of_missing_rows(each)]
    left = [each for each in result.spoken if each not in excusable]
    return _diagnostics(left), _diagnostics(excusable), frozenset(result.ran)


def _of_missing_rows(spoken: Spoken) -> bool:
    """Whether a finding says no more than that rows are missing; conflicts and mixtures are never excused."""
    key = spoken.finding.key or ""
    return spoken.rule == "SHD101" or (spoken.rule == "SHD104" and key.startswith(("size:", "empty:")))


def _diagnostics(spoken: Sequence[Spoken]) -> list[Diagnostic]:
    return Judge(_rulebook(), {}, "lint").diagnostics((each.rule, each.finding.path, each.finding) for each in spoken)


@cache
def _rulebook() -> Rulebook:
    return load_rulebook()


def _refuse_inputs(inputs: Inputs, out: Path) -> None:
    inside = [each for each in inputs.run.files if Path(each.location).is_relative_to(out)]
    if inside:
        raise UsageError("the target holds what is merged", path=inside[0].path, hint="choose another --out")
