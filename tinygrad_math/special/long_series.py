"""The series of 2F1 and 1F1 in decimal numbers of as many digits as it takes, where doubles lose too many.

The terms are t_(n+1) = t_n (a + n)(b + n) z / ((c + n)(n + 1)) (DLMF 15.2.1; of 1F1 without b, DLMF 13.2.2), and a
derivative in parameters goes through the three factors in turn, by Leibniz's rule for each:

    D_a^i ((a + n) t) = (a + n) D_a^i t + i D_a^(i-1) t,
    D_c^k (t/(c + n)) = (D_c^k t - k D_c^(k-1) (t/(c + n))) / (c + n).

Beyond z = 0.9 2F1 goes on from 0.8 in Taylor steps towards 1, each half of the way. Every operation is right to the
last digit of its numbers, so the largest term over the sum tells how many digits were lost; where fewer than a double
has are left, all is done again with as many more. An element takes some milliseconds: this is for the few that no
other way has the digits of.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from .hypergeometric_steps import EPS, Orders, Problem, box, taylor_step

__all__ = ["long_derivatives"]

_KEPT = 20  # digits that have to be left
_MOST_DIGITS = 800
_MOST_TERMS = 20_000
_LARGEST = 3e3  # of parameters, and of z, beyond which there would be too many terms
_START = 0.8  # z from which on there are steps
_STEP_TERMS = 1000
_NEAREST = 1e-20  # to 1 that steps lead

Table = dict[Orders, Decimal]
Found = tuple[list[Decimal], list[Decimal]]  # numbers, and the estimates of their errors


def long_derivatives(p: Problem, z: Any, y: Any, orders: Sequence[Orders]) -> tuple[Any, Any]:
    """The derivatives of these orders at vectors of z, y = 1 - z, and the estimates of their errors, infinite where
    there is no end to it. z of 2F1 from -1 to 1, or of a polynomial."""
    value, error = np.full((len(orders), len(z)), math.nan), np.full((len(orders), len(z)), math.inf)
    size = np.max([np.abs(v) for v in (*p, z) if v is not None], axis=0)
    for n in np.flatnonzero(size <= _LARGEST):
        a, c = Decimal(float(p[0][n])), Decimal(float(p[2][n]))
        b = None if p[1] is None else Decimal(float(p[1][n]))
        beside = b is not None and abs(y[n]) < 0.5
        with _of_digits(_MOST_DIGITS):
            at = 1 - Decimal(float(y[n])) if beside else Decimal(float(z[n]))
        found = _to_all_digits(lambda: _derivatives((a, b, c), at, orders), len(orders))
        value[:, n], error[:, n] = ([float(v) for v in part] for part in found)
    return value, error + 2 * EPS * np.abs(value)


def _of_digits(digits: int) -> Any:
    return decimal.localcontext(decimal.Context(digits, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[]))


def _to_all_digits(f: Callable[[], Found | None], count: int) -> Found:
    """f, computed with as many digits as it takes."""
    digits = 50
    while True:
        with _of_digits(digits):
            found = f()
            if found is None:
                return [Decimal("nan")] * count, [Decimal("inf")] * count
            left = min((abs(v) / u).adjusted() if u else digits for v, u in zip(*found, strict=True))
            if left >= _KEPT or digits == _MOST_DIGITS:
                return found
        digits = min(max(2 * digits, digits + _KEPT - left), _MOST_DIGITS)


def _derivatives(p: tuple[Decimal, Decimal | None, Decimal], z: Decimal, orders: Sequence[Orders]) -> Found | None:
    start = Decimal(_START)
    if p[1] is None or z <= start + Decimal("0.1") or z > 1:
        found = _summed(*p, z, orders)
        return None if found is None else (found[0], found[2])
    if not 1 - z > _NEAREST:
        return None
    z, whole, ends = +z, box(orders), []
    for first in (start, start - Decimal("0.1")):  # of which the difference is the estimate
        found = _summed(*p, first, whole)
        if found is None:
            return None
        f, d = (np.array(v, object)[:, None] for v in found[:2])
        a, b, c = (np.array([v], object) for v in p)
        at, d = np.array([first], object), d / first
        tiny = Decimal(10) ** -decimal.getcontext().prec
        while at[0] < z:
            h = np.array([min((1 - at[0]) / 2, z - at[0])], object)
            f, d = taylor_step((a, b, c), at, 1 - at, h, f, d, whole, tiny, _STEP_TERMS)
            at = at + h
        ends.append(f[:, 0])
    rows = [whole.index(o) for o in orders]
    return [ends[0][k] for k in rows], [abs(ends[0][k] - ends[1][k]) for k in rows]


def _summed(
    a: Decimal, b: Decimal | None, c: Decimal, z: Decimal, orders: Sequence[Orders]
) -> tuple[list[Decimal], list[Decimal], list[Decimal]] | None:
    """The sums, those of n times the terms, and the estimates of the errors of both; None where there is no end."""
    zero, small = Decimal(0), Decimal(10) ** -decimal.getcontext().prec
    tops = [max(o[k] for o in orders) for k in range(3)]
    whole = box(orders)
    backwards = whole[::-1]
    term: Table = dict.fromkeys(whole, zero)
    term[0, 0, 0] = Decimal(1)
    total, moment, size = ([zero] * len(orders) for _ in range(3))
    sure = sum(tops) + 2 + max(zero, -min(a, c, a if b is None else b))  # from here on no factor is small by chance
    for n in range(_MOST_TERMS):
        calm = n > sure
        for row, o in enumerate(orders):
            t = term[o]
            total[row] += t
            moment[row] += n * t
            large = max(n, 1) * abs(t)
            size[row] = max(size[row], large)
            calm = calm and large <= small * abs(total[row])
        if calm or not any(term.values()):
            rounding = (n + 1) * Decimal(10) ** (2 - decimal.getcontext().prec)
            return total, moment, [rounding * large for large in size]
        for place, x in ((0, a), (1, b)):
            if x is None:
                continue
            factor = x + n
            for o in backwards:
                i = o[place]
                term[o] = factor * term[o] + (i * term[_less(o, place)] if i else zero)
        below, over = c + n, z / (n + 1)
        for o in whole:  # from the lowest on: each takes the quotient of the one before
            k = o[2]
            term[o] = (term[o] - (k * term[_less(o, 2)] if k else zero)) / below
        for o in whole:
            term[o] *= over
    return None


def _less(o: Orders, place: int) -> Orders:
    return o[0] - (place == 0), o[1] - (place == 1), o[2] - (place == 2)
