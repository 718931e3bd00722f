"""BND: a package is what its lists say, and a signature covers what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omnicheck.checks.declare import check
from omnicheck.facts.file_lists import Claimed, Compared, ComparedLists, Differs
from omnicheck.facts.registry import Each
from omnicheck.facts.run_copies import Copy, RunCopies
from omnicheck.facts.signature import ReadableSignature, SignedTree
from omnicheck.model.finding import Finding

FEW = 3


@check("bundles.manifest_mismatch")
def manifest_mismatch(lists: ComparedLists) -> Iterator[Finding]:
    """Yield listed files that are missing or differ, and entries that are none."""
    for compared in lists.lists:
        name = compared.list.file.base
        for key, one, several, entries in (
            ("missing", "is not in the directory", "are not in the directory", compared.missing),
            ("outside", "leads out of the directory", "lead out of the directory", compared.outside),
            ("doubled", "stands there twice with two digests", "stand there with two digests", compared.doubled),
            ("unread", "cannot be read", "cannot be read", compared.unread),
        ):
            if entries:
                which = f"1 file that {one}" if len(entries) == 1 else f"{len(entries):,} files that {several}"
                yield _of_list(compared, entries, key, f"{name} lists {which}")
        if compared.list.bad:
            line, reason = compared.list.bad[0]
            count = len(compared.list.bad)
            more = f", and so are {count - 1:,} more" if count > 1 else ""
            yield Finding(
                path=compared.list.file.path, line=line, message=f"line {line} is {reason}{more}", key="lines"
            )
        yield from (_differs(compared, each) for each in compared.differing)


@check("bundles.signature_form")
def signature_form(trees: tuple[SignedTree, ...]) -> Iterator[Finding]:
    """Yield signatures whose form or statement is not acceptable."""
    for tree in trees:
        if tree.refused:
            yield Finding(path=tree.file.path, message=f"the signature is not acceptable: {tree.refused}", key="form")


@check("bundles.unlisted_file")
def unlisted_file(lists: ComparedLists) -> Iterator[Finding]:
    """Yield, for each list that means to be whole, the files it does not name."""
    for compared in lists.lists:
        if compared.unlisted:
            names = [file.name for file in compared.unlisted]
            count = "1 file stands" if len(names) == 1 else f"{len(names):,} files stand"
            where = (
                compared.list.pointer.lstrip("/") + " of " if compared.list.pointer else ""
            ) + compared.list.file.base
            yield Finding(
                path=compared.list.file.path,
                pointer=compared.list.pointer,
                message=f"{count} in the directory without being listed in {where}: {_few(names)}",
                expected="every file listed",
                actual=names[:20],
                key="unlisted",
            )


@check("bundles.altered_in_packaging")
def altered_in_packaging(runs: Each[RunCopies]) -> Iterator[Finding]:
    """Yield packaged files that differ from the run's, unless the package records the edit."""
    by_name: dict[str, list[RunCopies]] = {}
    for _, run in runs.values:
        by_name.setdefault(run.name, []).append(run)
    for _, package in runs.values:
        origins = [
            (stage, run_id, origin)
            for stage, run_id in package.made_from
            for origin in by_name.get(run_id, ())
            if origin.path != package.path
        ]
        if package.is_bundle:
            origins += [("", "", run) for _, run in runs.values if run.path != package.path and package.comes_from(run)]
        for copy in package.files:
            originals = list(_originals(package, copy, origins))
            recorded = package.recorded.get(copy.name)
            if originals and not any(each.sha256 in (copy.sha256, recorded) for each in originals) and recorded != "":
                yield _altered(copy, originals[0], recorded)


@check("bundles.not_covered")
def not_covered(signatures: tuple[ReadableSignature, ...]) -> Iterator[Finding]:
    """Yield what a signature leaves out although it is there."""
    for signature in signatures:
        if signature.ignored:
            yield Finding(
                path=signature.file.path,
                message=f"the signature ignores {_few(signature.ignored)}, and the directory holds that",
                actual=list(signature.ignored[:20]),
                key="ignored",
            )
        if signature.linked:
            yield Finding(
                path=signature.file.path,
                message="the signer followed symbolic links: where they led is not signed",
                key="links",
            )


def _originals(package: RunCopies, copy: Copy, origins: Sequence[tuple[str, str, RunCopies]]) -> Iterator[Copy]:
    for stage, run_id, origin in origins:
        by_name = {each.name: each for each in origin.files}
        found = next((name for name in package.names_of(copy.name, stage, run_id) if name in by_name), None)
        if found is not None:
            yield by_name[found]


def _altered(copy: Copy, original: Copy, recorded: str | None) -> Finding:
    if copy.plain == original.plain:
        how = f"only the line endings differ ({original.ending} in the run, {copy.ending} here)"
    elif len(copy.lines) == len(original.lines) > 0:
        count = sum(ours != theirs for ours, theirs in zip(copy.lines, original.lines, strict=True))
        how = f"{count:,} of {len(copy.lines):,} lines differ"
    else:
        how = f"{original.size:,} bytes in the run, {copy.size:,} here"
    what = "records no such edit" if recorded is None else "records an edit of another original"
    return Finding(
        path=copy.path,
        message=f"packaging changed this file, and the package {what}: {how}; the run's file is {original.path}",
        expected=original.sha256,
        actual=copy.sha256,
        key=copy.name,
    )


def _differs(compared: Compared, each: Differs) -> Finding:
    place = f"line {each.entry.line} of " if each.entry.line else ""
    if each.entry.pointer:
        place = f"{each.entry.pointer} of "
    return Finding(
        path=each.file.path,
        message=f"is not the file that {place}{compared.list.file.base} lists: its {each.what} differs",
        expected=each.expected,
        actual=each.actual,
        key=f"{compared.list.file.base} {each.entry.name}",
    )


def _of_list(compared: Compared, entries: Sequence[Claimed], key: str, message: str) -> Finding:
    first = entries[0]
    return Finding(
        path=compared.list.file.path,
        pointer=first.pointer or compared.list.pointer,
        line=first.line,
        message=f"{message}: {_few([entry.name for entry in entries])}",
        actual=[entry.name for entry in entries[:20]],
        key=key,
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:FEW]) + (f" and {len(names) - FEW:,} more" if len(names) > FEW else "")
