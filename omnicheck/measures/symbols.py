"""Symbol algebra over sizes: linear sums such as ``past + new``, and sizes that satisfy all of them at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import islice, permutations

from msgspec import Struct

_TERM = re.compile(r"(?:(\d+)\s*\*\s*)?([^\s\d+*/()%,<>=][^\s+*/()%,<>=]*)(?:\s*\*\s*(\d+))?|(\d+)")
_SIGN = re.compile(r"\s*\+\s*|\s+-\s+")
LONGEST = 512
"""Characters of a size that is taken apart."""

ROUNDS = 120
"""Assignments of primes that are tried before a system counts as unsatisfiable."""


class Linear(Struct, frozen=True):
    """A sum of symbols with whole coefficients, and a constant.

    Attributes:
        terms: symbol and coefficient, sorted by symbol, none of them zero.
        constant: the rest.
    """

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    def __add__(self, other: Linear) -> Linear:
        return _linear([*self.terms, *other.terms], self.constant + other.constant)

    def __sub__(self, other: Linear) -> Linear:
        return self + _linear([(name, -count) for name, count in other.terms], -other.constant)

    def text(self) -> str:
        """Return the sum as people write it."""
        parts = [name if count == 1 else f"{count}*{name}" for name, count in self.terms]
        if self.constant or not parts:
            parts.append(str(self.constant))
        return " + ".join(parts).replace("+ -", "- ")


def parse(size: int | str) -> Linear:
    """Return a size as a sum; what is no sum of symbols (``Max(a, b)``, ``a*b``) is one opaque symbol."""
    if isinstance(size, int):
        return Linear((), size)
    text = size.strip()
    if len(text) > LONGEST:
        return Linear(((text, 1),))
    signs = [1, *(-1 if "-" in found else 1 for found in _SIGN.findall(text))]
    terms: list[tuple[str, int]] = []
    constant = 0
    for sign, part in zip(signs, _SIGN.split(text), strict=True):
        found = _TERM.fullmatch(part.strip())
        if found is None or (found[1] and found[3]):
            return Linear(((text, 1),))
        if found[4]:
            constant += sign * int(found[4])
        else:
            terms.append((found[2], sign * int(found[1] or found[3] or 1)))
    return _linear(terms, constant)


def _linear(terms: Iterable[tuple[str, int]], constant: int) -> Linear:
    total: dict[str, int] = {}
    for name, count in terms:
        total[name] = total.get(name, 0) + count
    return Linear(tuple(sorted((name, count) for name, count in total.items() if count)), constant)


class System:
    """Equations between sizes, kept in reduced form.

    Sizes are positive whole numbers; ``add`` tells at once when an equation contradicts those before it.
    """

    def __init__(self) -> None:
        self._rows: dict[str, tuple[dict[str, Fraction], Fraction]] = {}
        self._symbols: set[str] = set()

    def know(self, size: Linear) -> None:
        """Note the symbols of a size, so that ``sizes`` gives them values."""
        self._symbols.update(name for name, _ in size.terms)

    def add(self, left: Linear, right: Linear) -> bool:
        """Take the equation ``left = right``; False when no sizes satisfy it with the others."""
        self.know(left)
        self.know(right)
        terms, constant = self._reduced(left - right)
        if not terms:
            return constant == 0
        named = left.terms[0][0] if len(left.terms) == 1 else ""  # what is defined stays what follows
        pivot = named if named in terms else min(terms)
        scale = terms.pop(pivot)
        row = {name: -count / scale for name, count in terms.items()}, -constant / scale
        for name, (other, rest) in list(self._rows.items()):
            count = other.pop(pivot, None)
            if count is not None:
                for each, more in row[0].items():
                    other[each] = other.get(each, Fraction()) + count * more
                self._rows[name] = ({k: v for k, v in other.items() if v}, rest + count * row[1])
        self._rows[pivot] = row
        return all(terms or (rest > 0 and rest.denominator == 1) for terms, rest in self._rows.values())

    def proves(self, left: Linear, right: Linear) -> bool:
        """Whether the equations so far imply ``left = right``."""
        terms, constant = self._reduced(left - right)
        return not terms and constant == 0

    def refutes(self, left: Linear, right: Linear) -> bool:
        """Whether ``left`` and ``right`` differ whatever the sizes are."""
        terms, constant = self._reduced(left - right)
        if not terms:
            return constant != 0
        # Sizes are positive: a sum of terms of one sign and a constant of that sign is never zero.
        counts = terms.values()
        return (all(count > 0 for count in counts) and constant >= 0) or (
            all(count < 0 for count in counts) and constant <= 0
        )

    def sizes(self) -> dict[str, int] | None:
        """Return a size for each symbol, free ones distinct primes; None when no attempt satisfies the equations."""
        free = sorted(self._symbols - self._rows.keys())
        orders = permutations(free) if len(free) < 6 else (free[at:] + free[:at] for at in range(len(free)))
        for order in islice(orders, ROUNDS):
            chosen = dict(zip(order, _primes(), strict=False))
            for name, (terms, rest) in sorted(self._rows.items()):
                value = rest + sum((count * chosen[each] for each, count in terms.items()), Fraction())
                if value < 1 or value.denominator != 1:
                    break
                chosen[name] = int(value)
            else:
                return chosen
        return None

    def _reduced(self, size: Linear) -> tuple[dict[str, Fraction], Fraction]:
        terms: dict[str, Fraction] = {}
        constant = Fraction(size.constant)
        for name, count in size.terms:
            inner, rest = self._rows.get(name, ({name: Fraction(1)}, Fraction()))
            constant += count * rest
            for each, more in inner.items():
                terms[each] = terms.get(each, Fraction()) + count * more
        return {name: count for name, count in terms.items() if count}, constant


def value_of(size: int | str | None, sizes: Mapping[str, int]) -> int | None:
    """Return a size under an assignment; None when it is not stated or a symbol has no value."""
    if size is None:
        return None
    found = parse(size)
    if any(name not in sizes for name, _ in found.terms):
        return None
    return found.constant + sum(count * sizes[name] for name, count in found.terms)


def _primes() -> Iterable[int]:
    found: list[int] = []
    candidate = 1
    while True:
        candidate += 1
        if all(candidate % prime for prime in found):
            found.append(candidate)
            yield candidate
