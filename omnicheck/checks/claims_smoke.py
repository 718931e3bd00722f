"""CLM110: a smoke or overfit run presented as a held-out result."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.facts.documents import Metrics, VerifiedSummary
from omnicheck.model.finding import Finding

_PRESENTED = frozenset({"verified", "pass", "passed", "ok", "success"})
_RUN_IDS = ("train_run_id", "eval_run_id", "run_id")
_SMOKE = re.compile(
    r"(?<![a-z0-9])(?:smoke(?:[_-]?test)?|overfit(?:ting)?|(?:one|single)[_-]?(?:episode|sample))(?![a-z0-9])",
    re.IGNORECASE,
)
_DENIED = re.compile(r"(?<![a-z0-9])(?:no|not|non|anti|post|after|vs)[_-]\Z", re.IGNORECASE)
_HELD_OUT = frozenset({"test", "held_out", "heldout", "holdout"})


@check("claims_smoke.smoke_as_result")
def smoke_as_result(summaries: tuple[VerifiedSummary, ...], metrics: tuple[Metrics, ...] | None) -> Iterator[Finding]:
    """Yield each package that presents a smoke run, or a test on one episode, as verified."""
    for each in summaries:
        status = each.record.value.get("status")
        if not isinstance(status, str) or status.lower() not in _PRESENTED:
            continue
        named = next(((key, found) for key in _RUN_IDS if (found := _smoke(each.record.value.get(key)))), None)
        if named is not None:
            key, (run_id, word) = named
            yield Finding(
                path=each.file.path,
                pointer=f"/{key}",
                message=f"status is '{status}', but {key} '{run_id}' names a run of the kind '{word}', "
                "which is no held-out result",
                actual=run_id,
                key="name",
            )
            continue
        for stated in metrics or ():
            episodes = stated.record.raw("held_out_episode_count")
            if stated.record.raw("eval_split") in _HELD_OUT and episodes == 1 and not isinstance(episodes, bool):
                yield Finding(
                    path=stated.file.path,
                    pointer=stated.record.pointer("held_out_episode_count"),
                    message=f"{each.file.path} has status '{status}', but the test is over 1 episode",
                    actual=1,
                    key="episodes",
                )
                break


def _smoke(value: object) -> tuple[str, str] | None:
    """Return a run id and the word in it that names a smoke run."""
    if not isinstance(value, str):
        return None
    match = _SMOKE.search(value.replace("_", "-"))
    if match is None or _DENIED.search(value.replace("_", "-")[: match.start()]):
        return None
    return value, match[0]
