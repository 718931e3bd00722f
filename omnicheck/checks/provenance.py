"""RUN105 to RUN110: which run the files belong to, and what the run records of its making."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from omnicheck.checks.declare import check
from omnicheck.facts.checkpoints import CheckpointUse, same_checkpoint
from omnicheck.facts.clock import shown_time
from omnicheck.facts.identity import DirectoryIds, Identity, IdPair
from omnicheck.facts.interruption import Presentation
from omnicheck.facts.recorded import Provenance, ValidatedInput, ValidationLosses
from omnicheck.model.finding import Finding

WORDS = {"train": "training", "dataset": "dataset", "eval": "evaluation"}


class OlderValidation(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of RUN108: how many seconds a validation may be older than what it validates (clocks differ)."""

    tolerance_seconds: float = 1.0


class Overfit(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of RUN109: the rise of the loss, relative to the best one, that is still noise."""

    tolerance: float = 0.0


@check("provenance.mixed_runs")
def mixed_runs(directories: tuple[DirectoryIds, ...]) -> Iterator[Finding]:
    """Yield one finding for each directory that holds artifacts of several runs."""
    mixed: dict[str, list[DirectoryIds]] = {}
    for directory in directories:
        if len({each.stem for each in directory.identities}) > 1:
            mixed.setdefault(directory.folder, []).append(directory)
    for folder, parts in mixed.items():
        shown = []
        for part in parts:
            runs = [
                ", ".join(sorted({each.file.base for each in found})) for found in _by_run(part.identities).values()
            ]
            shown.append(f"{WORDS[part.part]} files of {len(runs):,} runs ({' | '.join(runs)})")
        yield Finding(
            path=folder,
            message=f"one directory holds artifacts of several runs: {'; '.join(shown)}",
            actual={
                run: sorted({each.file.base for each in found})
                for part in parts
                for run, found in _by_run(part.identities).items()
            },
            key="mixed",
        )


def _by_run(identities: tuple[Identity, ...]) -> dict[str, list[Identity]]:
    runs: dict[str, list[Identity]] = {}
    for identity in identities:
        known = next((run for run in runs if runs[run][0].stem == identity.stem), identity.run_id)
        runs.setdefault(known, []).append(identity)
    return runs


@check("provenance.run_id_mismatch")
def run_id_mismatch(pairs: tuple[IdPair, ...]) -> Iterator[Finding]:
    """Yield a finding for each file whose run id differs from that of the file it belongs to."""
    for pair in pairs:
        if pair.owner.stem != pair.other.stem:
            yield Finding(
                path=pair.other.file.path,
                pointer=pair.other.pointer,
                line=pair.other.line,
                row=pair.other.line,
                message=(
                    f"names the {WORDS[pair.other.part]} run {pair.other.run_id}, "
                    f"but {pair.owner.file.base} names {pair.owner.run_id}"
                ),
                expected=pair.owner.run_id,
                actual=pair.other.run_id,
                key=f"{pair.other.part}:{pair.owner.file.base}",
            )


@check("provenance.wrong_checkpoint")
def wrong_checkpoint(uses: tuple[CheckpointUse, ...]) -> Iterator[Finding]:
    """Yield a finding for each evaluated or checked checkpoint that is not the one trained."""
    for use in uses:
        if use.used is None:
            message = f"no adapter was loaded for the evaluation, but {use.training.base} trained {use.trained[0]}"
        elif any(same_checkpoint(use.used, trained) for trained in use.trained):
            continue
        else:
            message = f"{use.use} {use.used}, but {use.training.base} trained {use.trained[0]}"
        yield Finding(
            path=use.file.path, pointer=use.pointer, message=message, expected=use.trained[0], actual=use.used
        )


@check("provenance.older_validation")
def older_validation(inputs: tuple[ValidatedInput, ...], params: OlderValidation) -> Iterator[Finding]:
    """Yield a finding for each validation that is older than its input, or was made of other bytes."""
    for each in inputs:
        if each.stated is not None:
            if each.stated.removeprefix("sha256:") != each.actual:
                yield Finding(
                    path=each.file.path,
                    pointer=each.pointer,
                    message=f"validated other bytes: the digest of {each.input.name} is not the recorded one",
                    expected=each.actual,
                    actual=each.stated,
                )
        elif each.made is not None and each.changed is not None and each.made < each.changed - params.tolerance_seconds:
            yield Finding(
                path=each.file.path,
                pointer=each.pointer,
                message=(
                    f"was made at {shown_time(each.made)}, before what it validates was finished "
                    f"({each.input.base}, {shown_time(each.changed)})"
                ),
                expected=each.changed,
                actual=each.made,
                key=each.input.name,
            )


@check("provenance.overfit_promoted")
def overfit_promoted(
    histories: tuple[ValidationLosses, ...], presented: tuple[Presentation, ...], params: Overfit
) -> Iterator[Finding]:
    """Yield a finding when a run is presented as verified although its last validation loss is above an earlier one."""
    for history in histories:
        *earlier, (last_epoch, last) = history.losses
        best_epoch, best = min(earlier, key=lambda each: each[1])
        if history.selector is None and last > best + abs(best) * params.tolerance:
            yield Finding(
                path=history.file.path,
                pointer=history.pointer,
                message=(
                    f"the validation loss rose to {last:.4g} in epoch {last_epoch} "
                    f"from {best:.4g} in epoch {best_epoch}, yet {presented[0].file.base} says {presented[0].status!r}"
                ),
                expected=best,
                actual=last,
                key="val_loss",
            )


@check("provenance.incomplete")
def incomplete(provenance: Provenance) -> Iterator[Finding]:
    """Yield one finding for a run that does not record what its repetition needs."""
    if provenance.missing:
        yield Finding(
            path=provenance.file.path,
            message=f"no file of the run records the {_listed(provenance.missing)}",
            expected=[*provenance.recorded, *provenance.missing],
            actual=list(provenance.recorded),
            key="provenance",
        )


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
