"""One self-contained page: no script, nothing fetched."""

from __future__ import annotations

from html import escape
from itertools import groupby

from omnicheck.model.report import Diagnostic, Report
from omnicheck.report import wording
from omnicheck.report.plain import printable

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
article { border-left: 4px solid; margin: .75rem 0; padding: .25rem .9rem; }
.error { border-color: #c62828; } .warning { border-color: #b26a00; } .info { border-color: #1565c0; }
.suppressed { opacity: .6; }
.verdict { border: 2px solid; font-weight: 600; padding: .75rem 1rem; }
.verdict.pass { border-color: #2e7d32; } .verdict.fail, .verdict.error { border-color: #c62828; }
.verdict.incomplete { border-color: #6a1b9a; }
code, dd { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; margin: .3rem 0; }
dd { margin: 0; }
td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
""".strip()


def render(report: Report) -> str:
    """Render every finding, suppressed ones too, as an HTML page without script or outside resource."""
    note = wording.explanation(report)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width">',
        f"<title>omnicheck: {report.verdict}</title><style>\n{STYLE}\n</style></head><body>",
        "<h1>omnicheck</h1>",
        f'<p class="verdict {report.verdict}">{_text(wording.summary_line(report))}</p>',
    ]
    if note:
        parts.append(f"<p>{_text(note)}</p>")
    for path, of_file in groupby(report.findings, key=wording.shown_path):
        parts.append(f"<h2><code>{_text(path)}</code></h2>")
        parts += [_finding(found) for found in of_file]
    parts += _coverage(report)
    made = (
        f"{report.tool.name} {report.tool.version}, profile {report.config.profile}, rules {report.tool.rules_digest}"
    )
    return "\n".join([*parts, f"<footer><small>{_text(made)}</small></footer>", "</body></html>"]) + "\n"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _finding(found: Diagnostic) -> str:
    where = wording.place(found)
    at = f" at <code>{_text(where)}</code>" if where else ""
    kind = f"{found.severity} suppressed" if found.suppressed else found.severity
    listed = "".join(f"<dt>{label}</dt><dd>{_text(value)}</dd>" for label, value in wording.details(found))
    details = f"<dl>{listed}</dl>" if listed else ""
    head = f"<strong>{kind} {_text(found.rule)}</strong> {_text(found.name)}{at}"
    return f'<article class="{kind}">{head}<br>{_text(found.message)}{details}</article>'


def _coverage(report: Report) -> list[str]:
    covered = report.coverage
    runs = "".join(
        f"<tr><td><code>{_text(run.root)}</code></td><td>{_text(run.layout)}</td>"
        f"<td>{_text(wording.contract_of(run.contract, run.contract_source))}</td></tr>"
        for run in report.runs
    )
    skipped = "".join(
        f"<tr><td>{_text(reason)}</td><td>{runs}</td><td>{_text(', '.join(rules))}</td></tr>"
        for reason, rules, runs in wording.skipped_by_reason(report)
    )
    parts = [
        "<h2>Runs</h2>",
        f"<table><tr><th>root</th><th>layout</th><th>contract</th></tr>{runs}</table>"
        if runs
        else "<p>No run was found.</p>",
        "<h2>Rules that ran</h2>",
        f"<p>{_text(', '.join(covered.rules_run)) or 'None.'}</p>",
    ]
    if skipped:
        parts += ["<h2>Rules skipped</h2>", f"<table><tr><th>why</th><th>runs</th><th>rules</th></tr>{skipped}</table>"]
    if covered.files.unknown:
        names = "".join(f"<li><code>{_text(name)}</code></li>" for name in covered.files.unknown)
        parts += ["<h2>Files of unknown kind</h2>", f"<ul>{names}</ul>"]
    return parts
