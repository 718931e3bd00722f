"""``omnicheck index``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from omnicheck.contracts.registry import Registry
from omnicheck.contracts.window_index import ADAPTERS
from omnicheck.engine.config import load_config
from omnicheck.engine.redact import redact_text
from omnicheck.facts.own_keys import OwnKeys
from omnicheck.produce.window_index import Request, write_index
from omnicheck.produce.window_views import views_of
from omnicheck.report.plain import printable
from omnicheck.runs.inventory import display_path


def index(
    dataset: Annotated[Path, typer.Argument(help="Rows of a question-answering dataset (JSON Lines).")],
    dataset_manifest: Annotated[
        Path | None, typer.Option(help="Manifest of the dataset; its counts must be those of the rows.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "--output-jsonl", help="The index; window_index.jsonl beside the dataset.")
    ] = None,
    output_manifest: Annotated[
        Path | None, typer.Option(help="Its manifest; window_index_manifest.json beside the index.")
    ] = None,
    run_id: Annotated[str | None, typer.Option(help="Run id of the index; the dataset manifest's if absent.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    config: Annotated[Path | None, typer.Option(help="The configuration; it names contracts and own keys.")] = None,
    isolated: Annotated[bool, typer.Option("--isolated", help="Use no configuration at all.")] = False,
) -> None:
    """Write the model-neutral window index of a dataset. Exit code 1: rows lack values, and nothing is written."""
    cwd = Path.cwd()
    loaded = load_config(cwd, config, isolated=isolated)
    registry = Registry.load([loaded.base / path for path in loaded.config.contracts.paths] if not isolated else ())
    views = views_of({name: registry.get(name).value for name in ADAPTERS})
    target = out or dataset.parent / "window_index.jsonl"
    request = Request(
        dataset=dataset,
        manifest=dataset_manifest,
        out=target,
        out_manifest=output_manifest or target.parent / "window_index_manifest.json",
        run_id=run_id,
        overwrite=overwrite,
        shown=lambda path: display_path((cwd / path).absolute(), (cwd / path).absolute().parent, cwd),
        translate=OwnKeys(loaded.config.fields, dataset=True).translate,
    )
    outcome = write_index(request, views)
    if outcome.manifest is None:
        for fault in outcome.faults:
            line = f":{fault.line}" if fault.line is not None else ""
            place = f" {fault.pointer}" if fault.pointer else ""
            sys.stdout.write(printable(f"{fault.path}{line}{place}: {redact_text(fault.message)}") + "\n")
        more = f"; reading stopped after {len(outcome.faults)}" if outcome.more else ""
        sys.stderr.write(f"omnicheck: {len(outcome.faults)} errors{more}; nothing was written\n")
        raise typer.Exit(1)
    made = outcome.manifest
    sys.stderr.write(
        f"wrote {request.out} and {request.out_manifest}: "
        f"{made.num_records:,} records of {made.num_episodes:,} episodes\n"
    )
