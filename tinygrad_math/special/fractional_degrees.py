"""Legendre's, Chebyshev's, Gegenbauer's, Jacobi's and Laguerre's functions of degrees that are not whole.

Chebyshev's are cosines and sines (DLMF 18.5.1, 18.5.2). The others are a binomial coefficient (DLMF 18.5.7, 18.5.12)
times

    F_v = 2F1(-v, v+a+b+1; a+1; (1-x)/2),   or   1F1(-v; a+1; x) of Laguerre's.

In [-1, 1], where the terms of 2F1 cancel, it is summed for two small degrees only; from there the recurrence in the
degree (DLMF 18.9.2) leads to v. It is written in differences of F, which is 1 at x = 1: so no digits are lost beside
it. Beside x = -1, where F of b > 1 grows, it is taken on along its equation. Below x = -1, where these functions are
not real, they are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import NoConvergence
from ..core.quiet import ignoring
from .hypergeometric import evaluated
from .hypergeometric_series import derivatives, walk
from .hypergeometric_steps import EPS
from .quadrature import in_blocks

__all__ = ["jacobis", "of_fractional_degree"]

LONGEST = 2e4  # the degree to which the recurrence goes: it takes some microseconds a step
_STEEPEST = 30.0  # b to which this is tried: F grows as (1+x)^-b at the end, what rounding mixes in does not
_STEEP = 5.0  # b to which it always holds
_FIRST = 40.0  # the degree up to which, where F falls, it is 2F1's
_TOO_BAD = 1e-7  # relative, as in `hypergeometric`
_LARGEST = 709.0  # exp of more overflows
_VALUE = [(0, 0, 0)]  # the orders of the derivatives in the parameters


def _phase(degree: Any, x: Any) -> Any:
    """degree * arccos(x), up to a multiple of 2 pi; at x < 0 by the angle to pi, which has all digits there."""
    angle = degree * np.arccos(np.abs(np.clip(x, -1, 1)))
    return np.where(x < 0, np.pi * np.mod(degree, 2.0) - angle, angle)


def _chebyt(v: Any, x: Any) -> Any:
    y = np.where(x > 1, np.cosh(v * np.arccosh(np.maximum(x, 1))), np.cos(_phase(v, x)))
    return np.where(x >= -1, y, np.nan)


def _chebyu(v: Any, x: Any) -> Any:
    root = np.sqrt(np.abs(1 - x)) * np.sqrt(np.abs(1 + x))
    t = (v + 1) * np.arccosh(np.maximum(x, 1))
    beyond = np.where(np.abs(t) < 700, np.sinh(t) / root, np.sign(t) * np.exp(np.abs(t) - np.log(2 * root)))
    y = np.where(x > 1, beyond, np.sin(_phase(v + 1, x)) / root)
    return np.where(x == 1, v + 1, np.where(x >= -1, y, np.nan))


def _choose(v: Any, p: Any) -> Any:
    """The binomial coefficient of v + p - 1 and v, Gamma(v + p) / (Gamma(p) Gamma(v + 1))."""
    from scipy import special

    return 1 / ((v + p) * special.beta(p, v + 1))


def _summed(v: Any, a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """F in (-1, 1] by 2F1 of z and 1 - z, each with all its digits, and the estimate of its error."""
    found, error = derivatives((-v, v + a + b + 1, a + 1), (1 - x) / 2, (1 + x) / 2, _VALUE)
    return found[0], error[0]


def _start(v: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """From which degree on the recurrence is used, and by how much it then multiplies an error: as (1 + x)^-b
    grows at the end, F falls with the degree up to b over the angle to -1, while what rounding mixes in grows."""
    turn = (np.maximum(b, 0) + 1) / np.maximum(np.arccos(-x), 1e-300)
    base = np.where(b > 1, np.clip(np.floor(turn), 1, _FIRST), 1.0)
    return base, (np.maximum(np.minimum(v, turn), base) / base) ** (2 * np.maximum(b, 0))


def _climbed(v: Any, a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """F in (-1, 1] by its recurrence in the degree, and the estimate of its error."""
    base, grown = _start(v, b, x)
    steps = np.maximum(np.floor(v) - base, 0)
    n = v - steps  # of the second of two degrees
    now, off = _summed(n, a, b, x)
    before, more = _summed(np.where(steps > 0, n - 1, n), a, b, x)
    relative = np.fmax(off, more) / np.fmax(np.abs(now), np.abs(before))
    rise, s, twice_z = now - before, a + b, 1 - x
    for k in range(int(steps.max(initial=0))):
        m, going = 2 * n + s, k < steps
        next_rise = n * (n + b) * (m + 2) / ((n + a + 1) * (n + s + 1) * m) * rise
        next_rise = next_rise - (m + 1) * (m + 2) / (2 * (n + a + 1) * (n + s + 1)) * twice_z * now
        rise, now, n = (
            np.where(going, new, old) for new, old in ((next_rise, rise), (now + next_rise, now), (n + 1, n))
        )
    size = np.fmax(np.abs(now), np.abs(now - rise))
    return now, np.where(steps > 0, relative * grown * size, off)


def _walked(v: Any, a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """F beside -1, where a recurrence would lose what it mixes in: from further off, where there is one that does not,
    by steps along its equation, in the direction in which it grows."""
    angle = (b + 2) / _FIRST
    z, y = np.cos(angle / 2) ** 2, np.sin(angle / 2) ** 2
    start = y - z
    first, off = _climbed(v, a, b, start)
    fall, more = _climbed(v - 1, a + 1, b + 1, start)
    p, ends = (-v, v + a + b + 1, a + 1), []
    for stride in (1.0, 0.7):
        f, d = first[None].copy(), (-v * (v + a + b + 1) / (a + 1) * fall)[None]
        walk(p, z.copy(), y.copy(), f, d, (1 - x) / 2, (1 + x) / 2, _VALUE, stride)
        ends.append(f[0])
    relative = off / np.abs(first) + more / np.abs(fall)
    error = np.abs(ends[0] - ends[1]) + (relative + 20 * EPS) * np.abs(ends[1])
    return ends[1], np.where(np.isnan(error), np.inf, error)


def _direct(v: Any, a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """F by 2F1, which is infinite where its last terms have overflowed."""
    found, error = evaluated(-v, v + a + b + 1, a + 1, (1 - x) / 2, _VALUE)
    size = v * np.arccosh(np.maximum(x, 1)) - (np.abs(a) + np.abs(b) + 1) * np.log(v + 2)
    over = (size > _LARGEST) & (a > -1) & (b > -1)
    return np.where(over, np.inf, found[0]), np.where(over, 0.0, error[0])


def jacobis(v: Any, a: Any, b: Any, x: Any, otherwise: Any = None) -> tuple[Any, Any]:
    """F of vectors and the estimate of its error, where it is summed or led to here; else by `otherwise`, if given."""
    v = np.maximum(v, -v - a - b - 1)
    found, error = np.full(x.shape, np.nan), np.full(x.shape, np.inf)
    inside = (x > -1) & (x <= 1) & (a > -1) & (b > -1) & (b <= _STEEPEST) & (v <= LONGEST)
    late = inside & (b > 1) & (b + 1 > _FIRST * np.arccos(-x)) & (v > _FIRST)
    for f, at in ((_climbed, inside & ~late), (_walked, late)):
        if at.any():
            found[at], error[at] = f(v[at], a[at], b[at], x[at])
    left = ~inside | ((b > _STEEP) & ~(error <= _TOO_BAD * np.abs(found)))
    if otherwise is not None and left.any():
        found[left], error[left] = otherwise(v[left], a[left], b[left], x[left])
    return found, error


def _gauss(v: Any, a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """F of vectors, and the estimate of its error; NaN, for sure, below -1 and at a pole."""
    found, error = np.full(x.shape, np.nan), np.zeros(x.shape)
    at = (x >= -1) & ~_pole(a + 1)
    if at.any():
        found[at], error[at] = jacobis(v[at], a[at], b[at], x[at], _direct)
    return found, error


def _pole(c: Any) -> Any:
    return (c <= 0) & (c == np.floor(c))


def _kummer(v: Any, a: Any, x: Any) -> tuple[Any, Any]:
    """1F1 of vectors, and the estimate of its error; infinite with the sign of its last terms, as 1/Gamma(-v)."""
    from scipy import special

    found, error = evaluated(-v, None, a + 1, x, _VALUE)
    over, pole = (x > 2 * _LARGEST + 8 * np.abs(v)) & ~(error[0] < np.inf), _pole(a + 1)
    value = np.where(over, np.sign(special.rgamma(-v)) * np.sign(special.gamma(a + 1)) * np.inf, found[0])
    return np.where(pole, np.nan, value), np.where(over | pole, 0.0, error[0])


def _checked(name: str, f: Any, v: Any, *others: Any) -> Any:
    """f, with an error where more digits than half are lost, beside the larger of it and of that of the next degree."""
    value, off = f(v, *others)
    bad = np.flatnonzero(~(off <= _TOO_BAD * np.abs(value)) & ~np.isnan(others[-1]) & ~((off == 0) & np.isnan(value)))
    if len(bad):
        beside, _ = f(v[bad] + 1, *(p[bad] for p in others))
        size = np.fmax(np.abs(value[bad]), np.abs(beside))
        worse = bad[~(off[bad] <= _TOO_BAD * size)]
        if len(worse):
            call = f"{name} of the degree {v[worse[0]]:.17g} at x = {others[-1][worse[0]]:.17g}"
            raise NoConvergence(
                f"{call} would have fewer than 7 digits: the terms of its series cancel, or its degree, which is not "
                "whole, is too large; take a whole or a smaller degree, smaller parameters, or an x nearer to 0"
            )
    return value


def _legendre(v: Any, x: Any) -> Any:
    zero = np.zeros_like(x)
    return _checked("eval_legendre", _gauss, v, zero, zero, x)


def _jacobi(v: Any, a: Any, b: Any, x: Any) -> Any:
    return _choose(v, a + 1) * _checked("eval_jacobi", _gauss, v, a, b, x)


def _gegenbauer(v: Any, a: Any, x: Any) -> Any:
    return _choose(v, 2 * a) * _checked("eval_gegenbauer", _gauss, v, a - 0.5, a - 0.5, x)


def _genlaguerre(v: Any, a: Any, x: Any) -> Any:
    return _choose(v, a + 1) * _checked("eval_genlaguerre", _kummer, v, a, x)


def _laguerre(v: Any, x: Any) -> Any:
    return _checked("eval_laguerre", _kummer, v, np.zeros_like(x), x)


_BY_NAME: dict[str, Callable[..., Any]] = {
    "eval_legendre": _legendre,
    "eval_chebyt": _chebyt,
    "eval_chebyu": _chebyu,
    "eval_gegenbauer": _gegenbauer,
    "eval_jacobi": _jacobi,
    "eval_laguerre": _laguerre,
    "eval_genlaguerre": _genlaguerre,
}


def of_fractional_degree(name: str, degree: Any, *others: Any) -> Any:
    """The function of that name in SciPy, of finite vectors whose degrees are not whole."""
    with ignoring():
        return in_blocks(_BY_NAME[name], degree, *others)
