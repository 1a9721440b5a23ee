"""A Taylor step of the equations of 2F1 and 1F1, differentiated in the parameters, in doubles or in decimal numbers.

DLMF 15.10.1 and 13.2.1: p0 f'' + q f' - r f = 0 with p0 = z (1 - z), q = c - (a + b + 1) z, r = a b; or z, c - z and a.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

EPS = float(np.finfo(float).eps)

Problem = tuple[Any, Any, Any]  # vectors a, b, c: of 2F1(a, b; c; z), or of 1F1(a; c; z) with None for b
Orders = tuple[int, int, int]  # of the derivatives in a, b and c; of 1F1, which has one numerator, b is 0


def box(orders: Sequence[Orders]) -> list[Orders]:
    """All orders up to these."""
    top = [max(o[k] for o in orders) for k in range(3)]
    return [(i, j, k) for i, j, k in itertools.product(*(range(t + 1) for t in top))]


def chosen(p: Problem, where: Any) -> Problem:
    return p[0][where], None if p[1] is None else p[1][where], p[2][where]


_LOWER: tuple[Orders, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0))


def _less(o: Orders, k: Orders) -> Orders:
    return o[0] - k[0], o[1] - k[1], o[2] - k[2]


def taylor_step(
    p: Problem,
    z: Any,
    y: Any,
    h: Any,
    f: Any,
    d: Any,
    orders: Sequence[Orders],
    rounding: Any = EPS / 8,
    most: int = 120,
) -> tuple[Any, Any]:
    """The solution and its derivative at z + h of those at z, y = 1 - z; rows are orders, of a whole box."""
    where = {o: n for n, o in enumerate(orders)}
    lower = {o: [(k, where.get(_less(o, k))) for k in _LOWER] for o in orders}
    a, b, c = p
    if b is None:
        p0, p1, q = z, 1.0, c - z
    else:
        p0, p1, q = z * y, y - z, c - (a + b + 1) * z
    before, now = f, d * h
    value, slope = f + now, now.copy()
    for n in range(most):
        after = np.empty_like(now)
        inverse = h / (p0 * (n + 2) * (n + 1))
        factor_now = (n + 1) * (p1 * n + q)
        factor_before = (n + a) * h if b is None else (n + a) * (n + b) * h
        for row, o in enumerate(orders):
            total = factor_before * before[row] - factor_now * now[row]
            for which, other in lower[o]:
                if other is None:
                    continue
                if which == (1, 1, 0):
                    total = total + o[0] * o[1] * h * before[other]
                elif which == (0, 0, 1):
                    total = total - o[2] * (n + 1) * now[other]
                else:
                    mine, partner = (o[0], b) if which[0] else (o[1], a)
                    through = h if b is None else (n + partner) * h
                    total = total + mine * through * before[other]
                    if b is not None:
                        total = total + mine * (n + 1) * z * now[other]
            after[row] = total * inverse
        before, now = now, after
        value += now
        slope += (n + 2) * now
        if n > 8 and np.all((n + 2) * np.abs(now) + np.abs(before) <= rounding * (np.abs(value) + np.abs(slope))):
            break
    return value, slope / np.where(h == 0, 1.0, h)
