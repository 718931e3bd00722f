"""``omnicheck package``: judge, select, redact, write, scan again, seal, rename."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from omnicheck.bundle import sbom
from omnicheck.bundle.archive import source_date, write_tar, write_zip
from omnicheck.bundle.carried import carried_report
from omnicheck.bundle.inside import REPORT
from omnicheck.bundle.sealing import seal
from omnicheck.bundle.selection import Staged, list_source, stage
from omnicheck.bundle.staging import publish, staging, write_new
from omnicheck.contracts.registry import Registry
from omnicheck.engine.check import Request, check_paths
from omnicheck.engine.config import LoadedConfig
from omnicheck.model.bundle import BundleRecord
from omnicheck.model.config import Allow
from omnicheck.model.errors import UsageError
from omnicheck.model.report import Report, Verdict
from omnicheck.readers.json_document import read_json
from omnicheck.readers.yaml_document import parse_yaml

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

SHIPPED_FAMILIES = ("PUB", "SEC", "BND")
"""Families that judge what ships; all others judge the run it is taken from."""


class PackageRequest(Struct, frozen=True, kw_only=True):
    """What the user asked for.

    Attributes:
        source: the run directory.
        target: what is made; None is a dry run.
        cwd: the working directory, absolute.
        contract: id of the contract, over the configuration's.
        archive: one file instead of a directory.
        key: signs the bundle; None leaves it unsigned, which only a dry run may.
        today: for the allow list.
        jobs: processes at most; 0 takes the cores there are.
    """

    source: Path
    target: Path | None
    cwd: Path
    contract: str | None = None
    archive: Literal["tar", "zip"] | None = None
    key: EllipticCurvePrivateKey | None = None
    today: date
    jobs: int = 0


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        source: the report on the run, profile ``publish``.
        finished: the report on the bytes that ship; None where the run forbade to go on.
        record: what ships and what does not.
        written: whether the bundle stands at the target.
    """

    source: Report
    finished: Report | None = None
    record: BundleRecord | None = None
    written: bool = False

    @property
    def verdict(self) -> Verdict:
        """The worse of the two verdicts: ``error``, ``fail``, ``incomplete`` or ``pass``."""
        order: tuple[Verdict, ...] = ("error", "fail", "incomplete", "pass")
        said = [self.source.verdict] + ([self.finished.verdict] if self.finished else [])
        return min(said, key=order.index)


def package(request: PackageRequest, loaded: LoadedConfig) -> Outcome:
    """Make a bundle of a run, or say what forbids it.

    Args:
        request: what was asked for.
        loaded: the configuration in force.

    Raises:
        OmnicheckError: usage, the configuration or a contract is wrong, or a file changed meanwhile.
    """
    root = Path(os.path.abspath(request.cwd / request.source))  # noqa: PTH100 - resolve() would follow links
    if request.target is not None and root in (target := Path(os.path.abspath(request.target)), *target.parents):  # noqa: PTH100
        raise UsageError("the bundle would lie inside the run", path=str(request.source), hint="give another --out")
    files = list_source(root, request.cwd, loaded.config.exclude)
    judged = check_paths(
        Request(
            paths=(request.source,),
            cwd=request.cwd,
            contract=request.contract,
            profile="publish",
            ignore=SHIPPED_FAMILIES,
            today=request.today,
            jobs=request.jobs,
        ),
        loaded,
    )
    if judged.verdict != "pass" and request.target is not None:
        return Outcome(source=judged)
    contract = _contract(judged, loaded)
    with _workplace(request.target) as part:
        tree = part / "tree"
        tree.mkdir()
        staged = stage(root, files, tree, contract, loaded)
        record = _record(contract, staged)
        facts = sbom.model_facts(root.name, _documents(tree, judged, staged), contract, _card(tree))
        made = {
            REPORT: carried_report(judged, record, request.source, request.cwd),
            sbom.NAME: sbom.write_sbom(facts, record.files),
        }
        for name, data in made.items():
            write_new(tree, name, data)
        finished = _judge_bundle(tree, contract, request, _inside_the_bundle(loaded, judged.roots[0]))
        outcome = Outcome(source=judged, finished=finished, record=record)
        if request.target is None or request.key is None or outcome.verdict != "pass":
            return outcome
        written = {each.path: each.sha256 for each in record.files}
        written |= {name: hashlib.sha256(data).hexdigest() for name, data in made.items()}
        seal(tree, written, request.key)
        publish(_form(part, tree, request.archive), request.target)
    return msgspec.structs.replace(outcome, written=True)


def _judge_bundle(tree: Path, contract: dict[str, Any] | None, request: PackageRequest, loaded: LoadedConfig) -> Report:
    """Scan the finished bytes."""
    asked = Request(
        paths=(Path(),),
        cwd=tree,
        contract=None if contract is None else contract["id"],
        profile="publish",
        select=SHIPPED_FAMILIES,
        today=request.today,
        jobs=request.jobs,
    )
    return check_paths(asked, loaded)


def _documents(tree: Path, report: Report, staged: Staged) -> dict[str, Any]:
    """Return the metrics and the training metadata that ship, decoded; the first of each role."""
    names = {each.path for each in staged.files}
    found: dict[str, Any] = {}
    for key, role in (("metrics", "metrics"), ("training", "training_metadata")):
        for run in report.runs:
            for path in run.roles.get(role, ()):
                name = next((each for each in names if path == each or path.endswith(f"/{each}")), None)
                if name is not None and key not in found:
                    found[key] = read_json(tree / name).value
    return found


def _card(tree: Path) -> Any:
    """Return the front matter of the card that ships; None without one."""
    place = tree / "README.md"
    text = place.read_text("utf-8", "replace") if place.is_file() else ""
    head, _, rest = text.removeprefix("\ufeff").partition("\n")
    front, end, _ = rest.partition("\n---")
    return parse_yaml(front).value if head.strip() == "---" and end else None


def _contract(report: Report, loaded: LoadedConfig) -> dict[str, Any] | None:
    named = sorted({run.contract for run in report.runs if run.contract is not None})
    if len(named) > 1:
        raise UsageError(
            f"runs of different contracts lie here: {', '.join(named)}", hint="package one run directory at a time"
        )
    if not named:
        return None
    return Registry.load([loaded.base / path for path in loaded.config.contracts.paths]).get(named[0]).value


def _record(contract: dict[str, Any] | None, staged: Staged) -> BundleRecord:
    return BundleRecord(
        contract="" if contract is None else contract["id"],
        contract_sha256=hashlib.sha256(msgspec.json.encode(contract, order="sorted")).hexdigest(),
        policy_sha256=staged.policy_sha256,
        files=staged.files,
        left_out=staged.left_out,
    )


def _inside_the_bundle(loaded: LoadedConfig, source: str) -> LoadedConfig:
    """Return the configuration with the paths of its exceptions as they are inside the bundle."""
    prefix = source.rstrip("/") + "/"

    def moved(entry: Allow) -> Allow:
        return msgspec.structs.replace(entry, path=entry.path.removeprefix(prefix))

    allow = tuple(moved(entry) for entry in loaded.config.allow if entry.rule.startswith(SHIPPED_FAMILIES))
    config = msgspec.structs.replace(loaded.config, allow=allow, baseline=None, exclude=(), run=())
    return msgspec.structs.replace(loaded, config=config)


def _form(part: Path, tree: Path, archive: str | None) -> Path:
    if archive is None:
        return tree
    made = part / f"bundle.{archive}"
    (write_tar if archive == "tar" else write_zip)(tree, made, time=source_date())
    return made


@contextmanager
def _workplace(target: Path | None) -> Iterator[Path]:
    if target is not None:
        with staging(target) as part:
            yield part
        return
    with TemporaryDirectory(prefix="omnicheck-") as made:
        yield Path(made)
