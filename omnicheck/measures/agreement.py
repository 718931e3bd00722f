"""When a stated number is the recomputed one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isclose, isfinite

FULL_PRECISION = 12
"""Significant digits from which a stated value counts as unrounded."""

EXACT = 1e-9
"""Tolerance, absolute and relative, for an unrounded value."""

SHORT = 5e-5
"""Tolerance for a bare number such as ``1.0`` or ``0.5``, which programs seldom write for a rounded value."""

EXPONENT = re.compile(r"[+-]?[0-9]{1,18}")

PERCENT = "*100"
"""Suffix of the definitions that give percent."""


def agrees(stated: float, recomputed: float, *, printed: str | None = None) -> bool:
    """Whether a stated number is the recomputed one, given the digits it is stated with.

    The tolerance is half a unit in the last printed digit, and never below 1e-9.
    A value that is not finite agrees with nothing.

    Args:
        stated: the number found.
        recomputed: the number it ought to be.
        printed: how the number was written (``96.9%``, ``0.0310``); then each digit counts, also a trailing zero.
            Without it the shortest form of ``stated`` is used, and one of fewer than two decimals and three digits
            (``1.0``) is taken as exact to 5e-5, so that a stated 1.0 never passes for 0.96.
    """
    if not (isfinite(stated) and isfinite(recomputed)):
        return False
    if isclose(stated, recomputed, rel_tol=EXACT, abs_tol=EXACT):
        return True
    return abs(stated - recomputed) <= _tolerance(stated, printed)


def matching(stated: float, values: Mapping[str, float]) -> list[str]:
    """Names whose value agrees with the stated one, in the order of ``values``.

    A percent twin is left out when its plain definition agrees too, as at 0.
    """
    names = [name for name, value in values.items() if agrees(stated, value)]
    return [name for name in names if not (name.endswith(PERCENT) and name.removesuffix(PERCENT) in names)]


def _tolerance(stated: float, printed: str | None) -> float:
    text = repr(float(stated)) if printed is None else printed.strip()
    number = text.removesuffix("%").strip().lower()
    mantissa, _, exponent = number.partition("e")
    whole, _, fraction = mantissa.lstrip("+-").partition(".")
    # "0e999" is a number too: no power of ten beyond a double.
    power = max(-400, min(int(exponent), 300)) if EXPONENT.fullmatch(exponent) else 0
    if printed is None:
        fraction = fraction.rstrip("0")
        significant = (whole + fraction).strip("0")
        if len(significant) >= FULL_PRECISION:
            return EXACT * max(1.0, abs(stated))
        if len(significant) < 3 and len(fraction) - power < 2:
            return SHORT
    unit: float = 10.0 ** (power - len(fraction))
    if text.endswith("%") and _is_fraction_of(stated, number):
        unit /= 100
    # The slack is for the binary rounding of values that lie exactly between two printed ones.
    return unit / 2 * (1 + EXACT)


def _is_fraction_of(stated: float, percent: str) -> bool:
    try:
        return isclose(stated * 100, float(percent), rel_tol=0.0, abs_tol=0.5) and not isclose(stated, float(percent))
    except ValueError:
        return False
