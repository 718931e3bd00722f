"""Fixed reports with every kind of field."""

import json
from pathlib import Path
from typing import Any

from omnicheck.model.report import (
    ConfigSummary,
    Coverage,
    Diagnostic,
    FileCoverage,
    Report,
    RunSummary,
    SkippedRule,
    Summary,
    Suppression,
    Tool,
    Verdict,
)

SARIF = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text("utf-8"))

FLAWED = "results/flawed"
OTHER = "results/other"


def diagnostic(**changed: Any) -> Diagnostic:
    values: dict[str, Any] = {
        "rule": "SPL103",
        "name": "window-overlap-across-splits",
        "severity": "error",
        "path": f"{FLAWED}/predictions.jsonl",
        "members": (),
        "pointer": None,
        "line": None,
        "row": None,
        "tensor": None,
        "node": None,
        "message": "A held-out window shares frames with a training window.",
        "expected": None,
        "actual": None,
        "help": "",
        "fingerprint": "0f1e2d3c4b5a6978",
        "suppressed": None,
        "run": FLAWED,
    }
    return Diagnostic(**(values | changed))


FINDINGS = (
    diagnostic(
        rule="OMN005",
        name="ignored-configuration",
        severity="info",
        path=f"{FLAWED}/bundle.tar.gz",
        members=("inner.zip", "omnicheck.toml"),
        message="A configuration below a scanned path is ignored.",
        fingerprint="aa01",
    ),
    diagnostic(
        rule="MET201",
        name="accuracy-differs",
        path=f"{FLAWED}/eval/metrics.json",
        pointer="/accuracy",
        line=3,
        message="The stored accuracy is not the one that the predictions give; macro_f1@union would match.",
        expected=0.75,
        actual=0.9,
        help="Recompute the metrics from predictions.jsonl, or name the definition in the contract. "
        "Never edit the number by hand.",
        fingerprint="aa02",
    ),
    diagnostic(
        row=12,
        expected={"overlap": 0, "episodes": []},
        actual={"overlap": 5, "episodes": ["ep1", "ep2"], "share": float("nan")},
        help="Split by episode, then cut windows.",
        fingerprint="aa03",
    ),
    diagnostic(
        row=13, actual="ep2 <b>&\x1b[31m\u202e%", help="Split by episode, then cut windows.", fingerprint="aa03"
    ),
    diagnostic(
        rule="RUN104",
        name="log-ends-early",
        severity="warning",
        path=f"{FLAWED}/train\n::error::log %25.txt",
        line=7,
        message="The log ends at step 90 of 100, says `tail`: @nobody | *see* <script>alert(1)</script>.",
        fingerprint="aa04",
    ),
    diagnostic(
        rule="CTR110",
        name="tensor-shape-differs",
        severity="warning",
        path=f"{OTHER}/model.safetensors",
        tensor="model.layers.0.q_proj.weight",
        node="MatMul_7",
        message="A tensor has another shape than the contract says.",
        expected=[4, 8],
        actual=[8, 4],
        suppressed=Suppression("transposed on purpose, see the card", "2031-01-31"),
        fingerprint="aa05",
        run=OTHER,
    ),
)


def report(**changed: Any) -> Report:
    values: dict[str, Any] = {
        "tool": Tool("omnicheck", "0.1.0", "5ca1ab1e"),
        "config": ConfigSummary("omnicheck.toml", "c0ffee", "lint"),
        "roots": ("results",),
        "verdict": "fail",
        "summary": Summary(3, 1, 1, 1),
        "findings": FINDINGS,
        "coverage": Coverage(
            ("CTR110", "MET201", "OMN005", "RUN104", "SPL103"),
            (
                SkippedRule("MET301", FLAWED, "no confusion matrix"),
                SkippedRule("MET301", OTHER, "no confusion matrix"),
                SkippedRule("MET302", FLAWED, "no confusion matrix"),
                SkippedRule("SHD101", OTHER, "no shards"),
            ),
            FileCoverage(
                14, {"json": 9, "csv": 2, "unknown": 3}, ("results/a.bin", "results/b.bin", "results/c\x07.bin")
            ),
        ),
        "runs": (
            RunSummary(
                FLAWED, "flat", "qwen3_omni_lora", "metadata", {"predictions": (f"{FLAWED}/predictions.jsonl",)}
            ),
            RunSummary(OTHER, "packaged", None, "none", {}),
        ),
    }
    return Report(**(values | changed))


def clean() -> Report:
    run = RunSummary("results/sound", "flat", "policy_vla_branch", "config", {})
    coverage = Coverage(("SPL103",), (), FileCoverage(2, {"json": 2}, ()))
    return report(verdict="pass", summary=Summary(0, 0, 0, 0), findings=(), coverage=coverage, runs=(run,))


def empty(verdict: Verdict = "incomplete") -> Report:
    coverage = Coverage((), (), FileCoverage(0, {}, ()))
    return report(verdict=verdict, summary=Summary(0, 0, 0, 0), findings=(), coverage=coverage, runs=())


def crashed() -> Report:
    found = diagnostic(rule="OMN003", name="check-crashed", message="The check of SPL103 raised KeyError.", path=FLAWED)
    trace = "checks/split.py:12 in window_overlap\nKeyError: 'start'"
    return report(verdict="error", summary=Summary(1, 0, 0, 0), findings=(found,), traces=(trace,))


def flood(count: int = 200) -> Report:
    rules = ("SPL103", "MET201", "PRD105")
    findings = tuple(
        diagnostic(
            rule=rules[i % 3],
            severity=("warning", "error", "info")[i % 3],
            path=f"{FLAWED}/part-{i // 20}.jsonl",
            row=i + 1,
            fingerprint=str(i),
            help="Split by episode, then cut windows.",
        )
        for i in range(count)
    )
    return report(findings=findings, summary=Summary(67, 67, 66, 0))
