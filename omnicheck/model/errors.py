"""The errors a user can meet: what happened, where, and what to do next."""

from __future__ import annotations


class OmnicheckError(Exception):
    """An error that is told to the user without a traceback.

    Args:
        message: what happened, as one sentence.
        path: the file or directory it happened in, if any.
        line: 1-based line in that file, if known.
        pointer: JSON pointer (RFC 6901) in that file, if known.
        hint: what to do next.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        pointer: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.pointer = pointer
        self.hint = hint

    def __str__(self) -> str:
        place = self.path or ""
        if self.line is not None:
            place += f":{self.line}"
        if self.pointer:
            place += f" {self.pointer}"
        text = f"{place.strip()}: {self.message}" if place else self.message
        return f"{text}\n  help: {self.hint}" if self.hint else text


class UsageError(OmnicheckError):
    """The command line asks for something that does not exist or does not fit together."""


class ConfigError(OmnicheckError):
    """The configuration is wrong."""


class RuleError(OmnicheckError):
    """A rule page or a check is malformed."""


class ContractError(OmnicheckError):
    """A contract, or the directory of contracts, is wrong."""


class ReadError(OmnicheckError):
    """A file is not what its role says: truncated, not UTF-8, duplicate keys, over a bound."""


class EscapeError(ReadError):
    """A path that came from data leads out of its root."""
