"""Tricomi's confluent hypergeometric function U(a, b, x), for x > 0 and moderate a and b of either sign.

For a > 0 it is an integral of a positive function (DLMF 13.4.4),

    U(a, b, x) = 1 / gamma(a) times that of exp(-x t) t^(a-1) (1 + t)^(b-a-1) from 0 on,

which has one peak. So it is for a - b + 1 > 0, as U(a, b, x) = x^(1-b) U(a-b+1, 2-b, x) (DLMF 13.2.40). Where
neither holds, U oscillates in x. The same equation brings b to 1 or above, and two recurrences lead there, each in the
direction in which U grows: down in a from (0, 1) (DLMF 13.3.7) at a b of not much more than x, then up in b
(DLMF 13.3.10).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .quadrature import in_blocks, log_of_peak
from .scipy_rows import doubles, float_kind, refuse_complex

_MOST = 20_000  # steps of a recurrence
_GONE = -760.0  # the logarithm of what is 0 in doubles
_POWER = 500  # of 2, by which numbers in it are divided before they overflow
_HUGE = 2.0**_POWER


def _log_by_integral(a: Any, b: Any, x: Any) -> Any:
    """The logarithm of U for vectors of a > 0."""
    from scipy import special

    def log_integrand(u: Any, a: Any, b: Any, log: Any) -> Any:  # of t = exp(u), which may leave the range
        return -np.exp(u + log) + a * u + (b - a - 1) * np.logaddexp(0, u)

    c, log = x - b + 1, np.log(x)
    root = np.hypot(c, 2 * np.sqrt(a * x))
    peak = np.where(c > 0, np.log(2 * a / (c + root)), np.log((root - c) / 2) - log)
    return log_of_peak(log_integrand, peak, a, a, b, log) - special.gammaln(a)


def _vanishes(a: Any, b: Any, x: Any, log_factor: Any) -> Any:
    """Where U is 0 in doubles, as x^(1-b) gamma(b-1) / gamma(a) is above it for 2 <= b <= a + 1, and it grows with b.

    There the logarithms of large numbers, whose difference is that of U, may have no digits in common.
    """
    from scipy import special

    b = np.maximum(b, 2.0)
    above = log_factor + (1 - b) * np.log(x) + special.gammaln(b - 1) - special.gammaln(a)
    return (a + 1 >= b) & (above < _GONE)


def _rescaled(now: Any, other: Any, power: Any) -> tuple[Any, Any, Any]:
    """Both numbers times 2**power, without overflow of either."""
    large = (np.abs(now) > _HUGE) | (np.abs(other) > _HUGE)
    shrink = np.where(large, 1 / _HUGE, 1.0)
    return now * shrink, other * shrink, power + np.where(large, _POWER, 0)


def _down_in_a(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """U for vectors of a <= 0, by those of a + n, which is 0, where U is 1, or between 0 and 1; and a power of 2."""
    steps = np.ceil(-a)
    at, power = a + steps, np.zeros(a.shape, np.int64)
    start = np.where(at > 0, at, 0.5)
    now = np.where(at > 0, np.exp(_log_by_integral(start, b, x)), 1.0)
    above = np.where(at > 0, np.exp(_log_by_integral(start + 1, b, x)), 0.0)
    for k in range(int(steps.max(initial=0))):
        going = k < steps
        below = (x + 2 * at - b) * now - at * (at - b + 1) * above
        above, now, at = np.where(going, now, above), np.where(going, below, now), np.where(going, at - 1, at)
        now, above, power = _rescaled(now, above, power)
    return now, power


def _oscillating(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """U for vectors of a <= 0, b >= 1 and a - b + 1 <= 0, and a power of 2 as a factor."""
    steps = np.where(a == np.floor(a), 0, np.maximum(np.ceil(b - np.maximum(x, 1)), 0))  # of polynomials none is needed
    low = b - steps
    (now, power), (above, other) = _down_in_a(a, low, x), _down_in_a(a, low + 1, x)
    above = np.ldexp(above, other - power)
    for k in range(int(steps.max(initial=0))):
        going = k < steps
        after = ((low + x) * above - (low - a) * now) / x
        now, above, low = np.where(going, above, now), np.where(going, after, above), np.where(going, low + 1, low)
        now, above, power = _rescaled(now, above, power)
    return now, power


def tricomi(a: Any, b: Any, x: Any) -> Any:
    """U for vectors of finite numbers, x > 0; NaN for parameters of which there would be too many steps."""
    y = np.full(x.shape, math.nan)
    swapped = (a <= 0) & ((a - b + 1 > 0) | (b < 1))
    log_factor = np.where(swapped, (1 - b) * np.log(x), 0.0)
    a, b = np.where(swapped, a - b + 1, a), np.where(swapped, 2 - b, b)
    positive = a > 0
    with ignoring():
        gone = positive & _vanishes(a, b, x, log_factor)
        y[gone] = 0.0
        positive &= ~gone
        if positive.any():
            y[positive] = np.exp(log_factor[positive] + _log_by_integral(a[positive], b[positive], x[positive]))
        rest = ~positive & ~gone & (-a <= _MOST) & (b <= _MOST)
        if rest.any():
            value, power = _oscillating(a[rest], b[rest], x[rest])
            whole = np.round(log_factor[rest] / math.log(2))
            y[rest] = np.ldexp(value * np.exp(log_factor[rest] - whole * math.log(2)), power + whole.astype(np.int64))
    return y


def _at_zero(a: Any, b: Any) -> Any:
    """The limits from above (DLMF 13.2(iii)): (-1)^n (b)_n of a polynomial, of a = -n, gamma(1 - b)/gamma(a - b + 1)
    for b < 1, and else infinite with the sign of gamma(a); SciPy's are inf for every b > 1."""
    from scipy import special

    whole = (a <= 0) & (a == np.floor(a))
    n = np.where(whole, -a, 0.0)
    with ignoring():
        polynomial = np.where(n % 2 == 0, 1.0, -1.0) * special.poch(b, n)
        low = special.gamma(1 - b) * special.rgamma(a - b + 1)
        many = np.exp(special.gammaln(1 - b) - special.gammaln(a - b + 1)) * special.gammasgn(a - b + 1)
        low = np.where(np.isfinite(low), low, many)
        return np.where(whole, polynomial, np.where(b < 1, low, special.gammasgn(a) * math.inf))


def hyperu_of(a: Any, b: Any, x: Any, /) -> Any:
    """Tricomi's function; SciPy's values below 0, and where there would be too many steps."""
    from scipy import special

    refuse_complex("hyperu", a, b, x)
    kind = float_kind(a, b, x)
    a, b, x = doubles(a, b, x)
    ours = np.isfinite(a) & np.isfinite(b) & np.isfinite(x) & (x > 0)
    y = np.full(x.shape, math.nan)
    if ours.any():
        y[ours] = in_blocks(tricomi, a[ours], b[ours], x[ours])
    zero = np.isfinite(a) & np.isfinite(b) & (x == 0)
    if zero.any():
        y[zero] = _at_zero(a[zero], b[zero])
    left = np.isnan(y)
    if left.any():
        with ignoring():
            y[left] = special.hyperu(a[left], b[left], x[left])
    return y.astype(kind)[()]
