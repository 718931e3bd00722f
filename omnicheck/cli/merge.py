"""``omnicheck merge``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from omnicheck.model.errors import UsageError
from omnicheck.model.report import Diagnostic
from omnicheck.report.plain import printable


def merge(
    shards: Annotated[list[Path], typer.Argument(help="Shards: directories with predictions, or prediction files.")],
    dataset: Annotated[Path, typer.Option(help="The dataset rows that were evaluated (JSONL).")],
    out: Annotated[Path, typer.Option(help="Directory to write.")],
    eval_split: Annotated[str, typer.Option(help="The split that was evaluated.")] = "test",
    train_split: Annotated[str, typer.Option(help="The split whose labels count as seen.")] = "train",
    sample_stride: Annotated[
        int | None, typer.Option(help="Number of shards, where they do not state it.", min=1)
    ] = None,
    run_id: Annotated[str | None, typer.Option(help="Id of the merged run.")] = None,
    allow_incomplete: Annotated[
        str | None, typer.Option(metavar="REASON", help="Accept missing rows, and write down why.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the directory.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be written, write nothing.")] = False,
) -> None:
    """Merge deterministic shards of an evaluation, and recompute its metrics.

    Exit code 0: merged. 1: findings, nothing was written. 2: usage, or a file that cannot be read.
    """
    from omnicheck.produce.merge import MergeRequest  # noqa: PLC0415 - checks are loaded only when something is merged
    from omnicheck.produce.merge import merge as produce  # noqa: PLC0415 - as above

    if allow_incomplete is not None and not allow_incomplete.strip():
        raise UsageError("--allow-incomplete wants a reason", hint="say why rows are missing; the metrics will hold it")
    merged = produce(
        MergeRequest(
            shards=tuple(shards),
            dataset=dataset,
            out=out,
            cwd=Path.cwd(),
            eval_split=eval_split,
            train_split=train_split,
            stride=sample_stride,
            run_id=run_id,
            incomplete=allow_incomplete.strip() if allow_incomplete else None,
            overwrite=overwrite,
            dry_run=dry_run,
        )
    )
    _tell(merged.findings)
    if merged.refused:
        errors = sum(each.severity == "error" for each in merged.findings)
        sys.stderr.write(f"omnicheck: nothing was written: {errors} {'error' if errors == 1 else 'errors'}\n")
        raise typer.Exit(1)
    for each in merged.excused:
        sys.stdout.write(f"accepted: {each.rule} {printable(each.message)}\n")
    coverage = merged.metrics["coverage"]
    said = "would write" if dry_run else "wrote"
    for name, size in merged.files:
        sys.stdout.write(f"{said} {printable((out / name).as_posix())} ({size:,} bytes)\n")
    sys.stdout.write(
        f"{coverage['merged_prediction_rows']:,} of {coverage['expected_eval_samples']:,} rows from "
        f"{len(merged.metrics['shard_dirs'])} shards\n"
    )
    for name, definition in merged.metrics["metric_definitions"].items():
        sys.stdout.write(f"  {name} = {merged.metrics[name]:.6g} ({definition})\n")


def _tell(findings: Sequence[Diagnostic]) -> None:
    for each in findings:
        place = f"{each.path}:{each.row}" if each.row is not None else each.path
        sys.stdout.write(f"{printable(place)}: {each.rule} {each.severity} {printable(each.message)}\n")
        if each.severity == "error":
            sys.stdout.write(f"  help: {printable(each.help)}\n")
