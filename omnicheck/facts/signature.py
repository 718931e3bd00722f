"""Signatures found in a run, read without trusting them: no key is known here."""

from __future__ import annotations

from msgspec import Struct

from omnicheck.facts.registry import fact
from omnicheck.facts.source import Source
from omnicheck.model.errors import ReadError
from omnicheck.model.run import RunFile
from omnicheck.readers.gate import open_regular


class SignedTree(Struct, frozen=True):
    """A signature file and the statement in it.

    Attributes:
        file: the signature file.
        refused: why the form is not acceptable; empty when it is.
        digests: name to SHA-256, hex; empty when refused.
        ignored: names the signer left out that are in the directory, the signature's own name apart.
        linked: whether the signer followed links.
    """

    file: RunFile
    refused: str
    digests: dict[str, str]
    ignored: tuple[str, ...] = ()
    linked: bool = False


class ReadableSignature(SignedTree, frozen=True):
    """A signature whose form is acceptable."""


@fact(absent="no signature (model.sig)")
def signed_trees(source: Source) -> tuple[SignedTree, ...]:
    """Read every signature file of the run."""
    return tuple(_signed(source, file) for file in source.run.of("signature"))


@fact(absent="no signature (model.sig) that can be read")
def readable_signatures(trees: tuple[SignedTree, ...]) -> tuple[ReadableSignature, ...]:
    """Return the signatures whose form is acceptable."""
    return tuple(
        ReadableSignature(tree.file, "", tree.digests, tree.ignored, tree.linked) for tree in trees if not tree.refused
    )


def _signed(source: Source, file: RunFile) -> SignedTree:
    from omnicheck.signing.dsse import Refused  # noqa: PLC0415 - most runs hold no signature
    from omnicheck.signing.oms import MAX_BYTES, open_bundle  # noqa: PLC0415 - as above

    try:
        with open_regular(file.disk, MAX_BYTES) as stream:
            statement = open_bundle(stream.read(), None)
    except (Refused, ReadError) as error:
        return SignedTree(file, str(error), {})
    present = tuple(
        name
        for name in sorted(statement.ignored)
        if name != file.base and name not in statement.digests and source.exists(file.disk.parent, name)
    )
    return SignedTree(file, "", statement.digests, present, statement.allow_symlinks)
