"""EVD: episode records that are complete, and checkpoint gates that hold."""

from __future__ import annotations

from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.facts.clock import shown_span
from omnicheck.facts.episode_records import ManifestRecords, ManifestTime
from omnicheck.facts.gate_state import GateEvidence, GateState
from omnicheck.model.finding import Finding


@check("evidence_records.missing_gate_evidence")
def missing_gate_evidence(evidence: GateEvidence) -> Iterator[Finding]:
    """Yield one finding when no file proves the contract's checkpoint gate."""
    if evidence.missing:
        wanted = "; ".join(" or ".join(group) for group in evidence.missing)
        yield Finding(
            path=evidence.path,
            message=f"nothing here proves the checkpoint gate {evidence.gate}: expected {wanted}",
            expected=[list(group) for group in evidence.missing],
            key="gate",
        )


@check("evidence_records.manifest_record")
def manifest_record(
    manifests: tuple[ManifestRecords, ...], times: tuple[ManifestTime, ...] | None
) -> Iterator[Finding]:
    """Yield a finding for each manifest with incomplete records, and for each made after the training began."""
    for each in manifests:
        if each.lacking:
            gaps = ", ".join(f"{name} in {count:,}" for name, count in each.lacking.items())
            yield Finding(
                path=each.file.path,
                pointer=each.first,
                message=f"episode records are incomplete: of {each.records:,}, they lack {gaps}",
                expected=["id", "path", "split", "size", "missing modalities"],
                actual=each.lacking,
                key="records",
            )
    for time in times or ():
        if time.later > 0:
            yield Finding(
                path=time.file.path,
                pointer=time.pointer,
                message=(
                    f"the manifest was made {shown_span(time.later)} after the training began "
                    f"({time.training.base}): it cannot have guarded the split"
                ),
                actual=time.made,
                variant="newer-than-training",
                key="newer",
            )


@check("evidence_records.checkpoint_gate")
def checkpoint_gate(state: GateState) -> Iterator[Finding]:
    """Yield a finding for each way in which the contract's checkpoint gate does not hold."""
    for fault in state.faults:
        yield Finding(
            path=fault.file.path,
            pointer=fault.pointer,
            tensor=fault.tensor,
            message=f"the gate {state.gate} does not hold: {fault.message}",
            expected=fault.expected,
            actual=fault.actual,
            key=f"{fault.pointer}:{fault.tensor}",
        )
