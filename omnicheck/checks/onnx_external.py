"""ONX108: external data that leads out, lies past the end, overlaps, or belongs to nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from omnicheck.checks.declare import check
from omnicheck.facts.onnx_digests import RecordedFiles
from omnicheck.facts.onnx_external import ExternalData, Placed, Sidecar, WeightFiles
from omnicheck.facts.onnx_sidecar_sums import SidecarSums
from omnicheck.model.finding import Finding

_HELP = "Export the model again with all weights in one file beside it, and ship that file with it."


@check("onnx_external.external_data")
def external_data(
    data: tuple[ExternalData, ...],
    weights: WeightFiles | None,
    recorded: tuple[RecordedFiles, ...] | None,
    sums: tuple[SidecarSums, ...] | None,
) -> Iterator[Finding]:
    """Yield a finding for each way in which external data is not safely where the model says."""
    sizes = {
        (file.model, file.path.rsplit("/", 1)[-1]): file.size
        for each in recorded or ()
        for file in each.files
        if file.sidecar and file.size is not None
    }
    digests = {(each.model, each.location): each.sha1 for each in sums or ()}
    for each in data:
        for kind, (message, tensors) in _faults(each, sizes, digests).items():
            yield Finding(
                path=each.file.path,
                message=message + (f" (and {len(tensors) - 1:,} more tensors)" if len(tensors) > 1 else ""),
                tensor=tensors[0] or None,
                actual=len(tensors) if len(tensors) > 1 else None,
                variant="link" if kind.startswith("link") else None,
                key=kind,
                help=_HELP,
            )
    if weights is not None and weights.complete:
        for file in weights.files:
            if file.name not in weights.used:
                yield Finding(
                    path=file.path,
                    message="holds weights that no model refers to",
                    variant="orphan",
                    help="Remove the file, or put the model back that it belongs to.",
                )


Faults = dict[str, tuple[str, list[str]]]


def _faults(each: ExternalData, sizes: dict[tuple[str, str], int], digests: dict[tuple[str, str], str]) -> Faults:
    """Return the first message and all tensors of each kind of fault."""
    faults: Faults = {}

    def tell(kind: str, message: str, tensor: Placed) -> None:
        faults.setdefault(kind, (message, []))[1].append(tensor.name)

    ranges: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for tensor in each.tensors:
        side = each.sidecars.get(tensor.location)
        fault = _entries(tensor, side)
        if fault is not None or side is None:
            tell(*(fault or ("nowhere", "")), tensor)
            continue
        size = side.size
        if size is None:  # weights may stay at home when their size is recorded
            size = sizes.get((each.file.name, tensor.location.rsplit("/", 1)[-1]))
        elif side.link:
            tell(f"link:{side.location}", _link(side), tensor)
        fault = _range(tensor, size) or _checksum(tensor, digests.get((each.file.name, tensor.location)))
        if fault is not None:
            tell(*fault, tensor)
        elif tensor.needs and tensor.offset is not None:
            ranges[tensor.location].append((tensor.offset, tensor.offset + tensor.needs, tensor.name))
    for location, found in ranges.items():
        for left, right in _overlaps(found):
            faults.setdefault("overlap", (f"{left} and {right} share bytes of {location} in part", []))[1].append(right)
    return faults


def _range(tensor: Placed, size: int | None) -> tuple[str, str] | None:
    """Return what is wrong with where a tensor lies in a file of a size: kind and message."""
    name, location = tensor.name, tensor.location
    if size is None:
        return f"missing:{location}", f"refers to {location}, and there is no such file"
    offset, length, needs = tensor.offset or 0, tensor.length, tensor.needs
    stop = size if length in (-1, None) else offset + (length or 0)
    if offset > size or stop > size:
        return "range", f"{name} lies at bytes {offset:,} to {stop:,} of {location}, which has {size:,} bytes"
    has = stop - offset
    if needs is not None and (needs > has or (length != -1 and needs != has)):
        return "length", f"{name} takes {needs:,} bytes by type and shape, the model gives it {has:,}"
    return None


def _checksum(tensor: Placed, digest: str | None) -> tuple[str, str] | None:
    if not tensor.checksum or digest is None or digest == tensor.checksum.lower():
        return None
    return "checksum", f"the SHA-1 of {tensor.location} is not the one that the model records"


def _entries(tensor: Placed, side: Sidecar | None) -> tuple[str, str] | None:
    """Return what is wrong with the entries themselves: kind and message."""
    name = tensor.name
    if tensor.repeated:
        keys = ", ".join(tensor.repeated)
        return "repeated", f"{name} states {keys} twice; loaders take the one or the other"
    if side is None:
        return "nowhere", f"{name} is external, but names no location"
    if side.escape:
        return f"escape:{side.location}", side.escape
    if side.itself:
        return "itself", f"{name} lies in the model file itself, whose bytes are no weights"
    if tensor.offset is None or tensor.offset < 0:
        return "offset", f"{name} has an offset that is no count of bytes"
    if tensor.length is None or tensor.length < -1:
        return "length-form", f"{name} has a length that is no count of bytes"
    if tensor.unknown:
        return "unknown", f"{name} has the unknown key {tensor.unknown[0]!a} in its external data"
    return None


def _link(side: Sidecar) -> str:
    if side.link == "symbolic":
        return f"{side.location} is a symbolic link, which some loaders follow and others refuse"
    return f"{side.location} is a hard link: the same bytes have another name, and loaders refuse it"


def _overlaps(ranges: list[tuple[int, int, str]]) -> Iterator[tuple[str, str]]:
    """Yield pairs that share some bytes and not all; tensors that share all are tied on purpose."""
    end, holder, start = -1, "", -1
    for begin, stop, name in sorted(ranges):
        if begin < end and (begin, stop) != (start, end):
            yield holder, name
        if stop > end:
            start, end, holder = begin, stop, name
