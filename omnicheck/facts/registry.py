"""How a fact is declared: a frozen class, and one function or fold that makes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    runtime_checkable,
)

from msgspec import Struct

from omnicheck.model.errors import RuleError

Arity = Literal["one", "maybe", "many", "any", "each"]
Maker = Callable[..., Any]
F = TypeVar("F", bound=Maker)
FoldType = TypeVar("FoldType", bound=type)


class Want(Struct, frozen=True):
    """A parameter that asks for a fact.

    ``X`` is one, ``X | None`` maybe, ``tuple[X, ...]`` many (at least one), ``tuple[X, ...] | None`` any (none
    is an empty tuple), ``Each[X]`` the fact of every run that has it.
    """

    name: str
    fact: type
    arity: Arity


@runtime_checkable
class Fold(Protocol):
    """A fact about rows: fed chunks of rows, merged across parts of a file, frozen at the end.

    Attributes:
        roles: roles whose files it reads, one fold for each file.
        needs: facts that must be made before its pass.
    """

    roles: ClassVar[tuple[str, ...]]
    needs: ClassVar[tuple[type, ...]]

    def __init__(self, given: Mapping[type, Any]) -> None:
        """Start with the facts of earlier passes, by class; ``RunFile`` maps to the file about to be read."""
        ...

    def idle(self) -> bool:
        """Whether the pass can be left out because earlier passes showed nothing suspicious."""
        ...

    def feed(self, rows: Sequence[dict[str, Any]], first: int) -> None:
        """Take consecutive rows; ``first`` is the 1-based line (JSONL) or data row (CSV) of the first of them."""
        ...

    def merge(self, other: Any) -> None:
        """Take over what a fold saw that read the part of the file after this one."""
        ...

    def fact(self) -> Any:
        """Return the frozen fact."""
        ...


T = TypeVar("T")


class Each(Struct, Generic[T], frozen=True):
    """A fact of every run that has it, for rules that compare runs: display path of the run, and the fact."""

    values: tuple[tuple[str, T], ...]


class Provider(Struct, frozen=True):
    """Who makes a fact, and what a rule that misses it is told."""

    maker: Any
    absent: str
    fold: bool
    wants: tuple[Want, ...] = ()
    many: bool = False


_PROVIDERS: dict[type, Provider] = {}


def fact(absent: str) -> Callable[[F], F]:
    """Declare a function that makes the fact named by its return annotation.

    The function's parameters are facts too (or ``Source``). ``X``: always made; ``X | None``: may be absent;
    ``tuple[X, ...]``: one for each file or group, and a rule that asks for it is skipped when it is empty.

    Args:
        absent: why a rule is skipped without it, such as "no predictions".
    """

    def register(function: F) -> F:
        made, many = _result(function)
        _register(made, Provider(function, absent, fold=False, many=many))
        return function

    return register


def fold(made: type, absent: str) -> Callable[[FoldType], FoldType]:
    """Declare a class that folds the rows of each file of its roles into the fact ``made``."""

    def register(cls: FoldType) -> FoldType:
        _register(made, Provider(cls, absent, fold=True, many=True))
        return cls

    return register


def provider(made: type) -> Provider:
    """Return who makes a fact.

    Raises:
        RuleError: nobody does.
    """
    try:
        return _PROVIDERS[made]
    except KeyError:
        raise RuleError(f"no maker for the fact {made.__name__}") from None


@lru_cache(maxsize=4096)
def wants(function: Maker, *, beside: frozenset[str] = frozenset()) -> tuple[Want, ...]:
    """Read from the signature which facts a function asks for; parameters named in ``beside`` are left out."""
    hints = inspect.get_annotations(function, eval_str=True)
    names = inspect.signature(function).parameters if hasattr(function, "__wrapped__") else _parameters(function)
    return tuple(_want(name, hints[name]) for name in names if name not in beside)


def _parameters(function: Maker) -> Iterable[str]:
    """Return the names of the parameters; ``inspect.signature`` gives the same and takes ten times as long."""
    code = getattr(function, "__code__", None)
    if code is None:
        return inspect.signature(function).parameters
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names


def _want(name: str, hint: Any) -> Want:
    if get_origin(hint) is tuple:
        return Want(name, get_args(hint)[0], "many")
    if get_origin(hint) is Each:
        return Want(name, get_args(hint)[0], "each")
    choices = [choice for choice in get_args(hint) if choice is not type(None)]
    if choices and len(choices) < len(get_args(hint)):
        if get_origin(choices[0]) is tuple:
            return Want(name, get_args(choices[0])[0], "any")
        return Want(name, choices[0], "maybe")
    return Want(name, hint, "one")


def _result(function: Maker) -> tuple[type, bool]:
    hint = inspect.get_annotations(function, eval_str=True)["return"]
    want = _want("return", hint)
    return want.fact, want.arity == "many"


def _register(made: type, entry: Provider) -> None:
    if made in _PROVIDERS and _PROVIDERS[made].maker.__qualname__ != entry.maker.__qualname__:
        raise RuleError(f"two makers for the fact {made.__name__}")
    _PROVIDERS[made] = entry
