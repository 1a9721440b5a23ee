"""What 2F1 and 1F1 and their derivatives in all parameters are computed with.

The coefficients of both series are products of factors that each depend on one parameter only, so a derivative in
parameters is a series too, whose factors follow recurrences: with A_n = (a)_n, C_n = 1/(c)_n and D for the derivative,

    D^i A_(n+1) = (a + n) D^i A_n + i D^(i-1) A_n,      D^k C_(n+1) = (D^k C_n - k D^(k-1) C_(n+1)) / (c + n)

(DLMF 15.2.1, 13.2.2, differentiated). None divides by a + n, so whole numbers a <= 0 are like others. The sum of the
sizes of all terms tells how many digits were lost. Where that is too many, or the series is slow, it is used close to
0 only, and the rest of the way is made by Taylor steps of the differential equation (DLMF 15.10.1, 13.2.1), which is
differentiated in the parameters likewise; twice, with steps of different length, whose difference is the estimate of
the error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .hypergeometric_steps import EPS, Orders, Problem, box, chosen, taylor_step

_TERMS = 3000
_STEPS = 200


def series(p: Problem, z: Any, orders: Sequence[Orders]) -> tuple[Any, Any, Any]:
    """The derivatives of these orders, those of z d/dz, and the sums of the sizes of all terms (inf: no end)."""
    i, j, k = (list(o) for o in zip(*orders, strict=True))
    (a, b, c), m = p, len(z)
    top, right, low = (np.zeros((max(n) + 1, m)) for n in (i, j, k))
    top[0] = right[0] = low[0] = 1.0
    rise_a, rise_b = np.arange(1, len(top))[:, None], np.arange(1, len(right))[:, None]
    total, moment, size = (np.zeros((len(orders), m)) for _ in range(3))
    sure = -np.minimum(np.minimum(a, a if b is None else b), c) + 2  # from here on no factor is small by chance
    first = max(i) + max(j) + max(k) + 2  # the derivatives of the first factors are zero
    latest: Any = (0, 0)  # the one that was still large when all were looked at last
    calm = 0
    for n in range(_TERMS):
        numerator = top[i] if b is None else top[i] * right[j]
        term = np.where(numerator == 0, 0.0, numerator * low[k])
        total += term
        moment += n * term
        size += np.abs(term)
        if not abs(term[latest]) * max(n, 1) > EPS / 8 * abs(total[latest]):
            small = np.abs(term) * max(n, 1) <= EPS / 8 * np.abs(total)
            lost = ~np.isfinite(total)  # no further term makes a number of it
            done = (small & (n > sure)) | (numerator == 0) | lost
            calm = calm + 1 if done.all() else 0
            if calm > 2 and n > first:
                break
            if not calm:
                latest = np.unravel_index(done.argmin(), done.shape)
        else:
            calm = 0
        over = (1.0 if b is None else z) / (n + 1)
        if len(top) > 1:
            rising = rise_a * top[:-1]
        top = (a + n) * top
        if len(top) > 1:
            top[1:] += rising
        top *= over
        if b is not None:
            if len(right) > 1:
                rising = rise_b * right[:-1]
            right = (b + n) * right
            if len(right) > 1:
                right[1:] += rising
            right /= n + 1
        low = low * (z if b is None else n + 1)
        for r in range(len(low)):
            low[r] = (low[r] - (r * low[r - 1] if r else 0.0)) / (c + n)
    else:
        size = np.where(np.abs(term) <= 1e-3 * EPS * np.abs(total), size, np.inf)
    return total, moment, np.where(np.isfinite(total), size, np.inf)


def _rate(p: Problem, z: Any, y: Any) -> Any:
    """How fast solutions change, for the length of a step: exponents at the singular points, waves between them."""
    a, b, c = p
    if b is None:
        return 2.5 / z + (np.abs(c) / z + np.sqrt(np.abs(a) / z) + 1) / 3
    waves = np.sqrt(np.abs(a * b) / (z * y))
    return 2.5 / np.minimum(z, y) + (np.abs(c) / z + np.abs(a + b - c) / y + waves) / 3


def _length(p: Problem, start: Any, z: Any, y: Any) -> Any:
    """About how many steps there are from `start` to z: the integral of the rate."""
    a, b, c = p
    up = np.log(z / start)
    if b is None:
        return 2.5 * up + (np.abs(c) * up + 2 * np.sqrt(np.abs(a) * z) + z) / 3
    down = -np.log(y)
    return 2.5 * (up + down) + (np.abs(c) * up + np.abs(a + b - c) * down + math.pi * np.sqrt(np.abs(a * b))) / 3


def _walked(p: Problem, z: Any, y: Any, orders: Sequence[Orders], stride: float) -> tuple[Any, Any]:
    """The derivatives of these orders and z d/dz, by steps from close to 0; NaN where there are too many."""
    whole = box(orders)
    start = np.minimum(z, 10.0 if p[1] is None else 0.8) * stride
    f, moment, size = series(p, start, whole)
    rough = np.flatnonzero(~np.all(size <= 50 * np.abs(f), 0))
    if len(rough):
        start[rough] = _start(chosen(p, rough), z[rough]) * stride
        f[:, rough], moment[:, rough], size[:, rough] = series(chosen(p, rough), start[rough], whole)
    f[:, ~np.all(np.isfinite(size), 0)] = math.nan
    d, at, one = moment / start, start.copy(), 1 - start
    f[:, ~(_length(p, start, z, y) <= _STEPS * stride)] = math.nan
    walk(p, at, one, f, d, z, y, whole, stride)
    rows = [whole.index(o) for o in orders]
    return f[rows], d[rows] * z


def walk(p: Problem, at: Any, one: Any, f: Any, d: Any, z: Any, y: Any, whole: Sequence[Orders], stride: float) -> None:
    """Take f and d, those of a whole box of orders, from `at` = 1 - `one` to z = 1 - y, in place; NaN where there are
    too many steps."""
    going = np.flatnonzero((z > at) & np.all(np.isfinite(f), 0))
    for _ in range(2 * _STEPS):
        if not len(going):
            break
        here, there = at[going], one[going]
        end_z, end_y = z[going], y[going]
        part = chosen(p, going)
        h = stride / _rate(part, here, there)
        high = (there < 0.5) & (p[1] is not None)  # where 1 - z has more digits than z
        late = (end_y < 0.5) & (p[1] is not None)
        last = h >= np.where(late, there - end_y, end_z - here) * (1 - 1e-12)
        low_y = np.where(last, end_y, np.where(high, there - h, 1 - (here + h)))
        up_z = np.where(last, end_z, np.where(high, 1 - low_y, here + h))
        h = np.where(high, there - low_y, up_z - here)  # what the step has become by rounding
        value, slope = taylor_step(part, here, there, h, f[:, going], d[:, going], whole)
        f[:, going], d[:, going] = value, np.where(h > 0, slope, d[:, going])
        at[going], one[going] = up_z, low_y
        going = going[~last]
    f[:, going] = math.nan


def _start(p: Problem, z: Any) -> Any:
    """How far from 0 the first terms of the series stay small."""
    a, b, c = p
    size = np.abs(a) if b is None else np.abs(a * b)
    with ignoring():
        first = 0.5 * np.maximum(np.abs(c), 0.1) / np.maximum(size, 1e-3)
    return np.minimum(z, np.minimum(first, 3.0 if b is None else 0.35))


def derivatives(p: Problem, z: Any, y: Any, orders: Sequence[Orders]) -> tuple[Any, Any]:
    """The derivatives of these orders for vectors of z, y = 1 - z; and the estimates of their errors.

    z from 0 on, of 2F1 below 1; a negative z is left to the series alone.
    """
    with ignoring():
        near = np.ones(len(z), bool)
        if p[1] is not None:
            near = (z <= 0.9) | (p[2] - p[0] - p[1] > 5) | _ends(p, z, orders)  # terms fall as a power there, or end
        found, error = np.zeros((len(orders), len(z))), np.full((len(orders), len(z)), math.inf)
        if np.any(near):
            found[:, near], _, size = series(chosen(p, near), z[near], orders)
            error[:, near] = 4 * EPS * size
        hard = ~np.all(error <= 2e-12 * np.abs(found), 0) & (z > 0) & ((z < 1) | (p[1] is None))
        if np.any(hard):
            part, zs, ys = chosen(p, hard), z[hard], y[hard]
            one, _ = _walked(part, zs, ys, orders, 1.0)
            two, size = _walked(part, zs, ys, orders, 0.7)
            off = np.abs(one - two) + 4 * EPS * (np.abs(two) + 0 * np.abs(size))
            better = ~(off > error[:, hard]) & np.isfinite(two)
            found[:, hard] = np.where(better, two, found[:, hard])
            error[:, hard] = np.where(better, off, error[:, hard])
    return found, error


def _ends(p: Problem, z: Any, orders: Sequence[Orders]) -> Any:
    """Whether 2F1 is a polynomial, or z is beyond 1, where it has to be one."""
    out = z > 1
    for x, k in ((p[0], 0), (p[1], 1)):
        if not any(o[k] for o in orders):
            out = out | ((x <= 0) & (x == np.floor(x)) & (x > -_TERMS))
    return out
