"""The parabolic cylinder function D_v(x) of every real order, and its derivative.

At x >= 0, where it falls, it is Tricomi's function (DLMF 12.7.14): D_v(x) = 2^(v/2) exp(-x^2/4) U(-v/2, 1/2, x^2/2). At
x < 0 of whole orders, polynomials, it has their parity; of negative orders it is the integral of a positive function
(DLMF 12.5.1). Of others it grows there, and the even and the odd solution (DLMF 12.4.1, 12.7.12) do not cancel:

    D_v(x) = exp(-x^2/4) (D_v(0) M(-v/2, 1/2, x^2/2) + x D_v'(0) M((1-v)/2, 3/2, x^2/2)).

SciPy's recurrences lose all digits there from v = 10 on, and at x >= 0 of negative orders beside x = 2.

The second solution V_v(x), which is V(a, x) of a = -v - 1/2, is likewise the sum of an even and an odd one (DLMF
12.2.8-9, 12.4.1), which at x > 0 have one sign where they grow. At x < 0 that leaves cos(pi v) of their sizes: where
it is small, V_v(x) = gamma(-v)/pi (D_v(-x) - cos(pi v) D_v(x)) (DLMF 12.2.20).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .bessel_paths import turn
from .hypergeometric import kummer
from .quadrature import in_blocks, log_of_peak
from .scipy_rows import doubles, float_kind, refuse_complex
from .tricomi import tricomi

_NEXT = 1e-100  # to 0
_LARGE = 600.0  # exp of it is no infinity, nor a moderate power times it


def _at_zero(v: Any) -> Any:
    from scipy import special

    return 2.0 ** (v / 2) * math.sqrt(math.pi) * special.rgamma((1 - v) / 2)


def _slope_at_zero(v: Any) -> Any:
    from scipy import special

    return -(2.0 ** ((v + 1) / 2)) * math.sqrt(math.pi) * special.rgamma(-v / 2)


def _falling(v: Any, x: Any) -> Any:
    """D_v(x) for vectors of x >= 0; next to 0, where x^2 would vanish, a line is all."""
    apart = x > _NEXT
    y = 2.0 ** (v / 2) * np.exp(-x * x / 4) * tricomi(-v / 2, np.full_like(v, 0.5), np.where(apart, x * x / 2, 1.0))
    return np.where(apart, y, _at_zero(v) + _slope_at_zero(v) * x)


def _even_and_odd(v: Any, x: Any) -> tuple[Any, Any]:
    """The solutions of values and slopes 1, 0 and 0, 1 at 0; for a large y by M(a, c, y) = exp(y) M(c-a, c, -y)."""
    y = x * x / 2
    large = y > _LARGE
    scale = np.exp(np.where(large, y, -y) / 2)
    even, odd = np.where(large, (1 + v) / 2, -v / 2), np.where(large, 1 + v / 2, (1 - v) / 2)
    side = np.where(large, -y, y)
    return scale * kummer(even, 0.5, side), scale * x * kummer(odd, 1.5, side)


def _growing(v: Any, x: Any) -> Any:
    """D_v(x) for vectors of x < 0, v > 0."""
    even, odd = _even_and_odd(v, x)
    return _at_zero(v) * even + _slope_at_zero(v) * odd


def _by_integral(v: Any, x: Any) -> Any:
    """D_v(x) for vectors of x < 0, v < 0."""
    from scipy import special

    def log_integrand(u: Any, v: Any, x: Any) -> Any:
        t = np.exp(u)
        return -v * u - (t / 2 + x) * t

    peak = np.log((np.hypot(x, 2 * np.sqrt(-v)) - x) / 2)
    return np.exp(log_of_peak(log_integrand, peak, -v, v, x) - x * x / 4 - special.gammaln(-v))


def _cylinder(v: Any, x: Any) -> Any:
    polynomial = (v >= 0) & (v == np.floor(v))
    y = np.empty_like(x)
    with ignoring():
        for f, where in (
            (_falling, (x >= 0) | polynomial),
            (_growing, (x < 0) & (v > 0) & ~polynomial),
            (_by_integral, (x < 0) & (v < 0)),
        ):
            if where.any():
                y[where] = f(v[where], np.abs(x[where]) if f is _falling else x[where])
    return np.where((x < 0) & polynomial & (v % 2 == 1), -y, y)


def _slope(v: Any, x: Any) -> Any:
    """v D_(v-1) - x/2 D_v (DLMF 12.8.2), whose terms do not cancel by more than a third of themselves."""
    with ignoring():
        below = np.where(v == 0, 0.0, v * _cylinder(np.where(v == 0, 1.0, v) - 1, x))
        return below - x / 2 * _cylinder(v, x)


def _second(v: Any, x: Any) -> Any:
    """V_v(x) for vectors."""
    from scipy import special

    cosine = turn(v)[0]
    mirrored = (x < 0) & (np.abs(cosine) < 0.5)
    y = np.empty_like(x)
    with ignoring():
        if mirrored.any():
            m, at, c = v[mirrored], x[mirrored], cosine[mirrored]
            root = np.exp(0.5 * special.gammaln(-m))  # of gamma(-m), which may leave the range
            rest = _cylinder(m, -at) - c * _cylinder(m, at)
            y[mirrored] = special.gammasgn(-m) / math.pi * root * rest * root
        if not mirrored.all():
            m, at = v[~mirrored], x[~mirrored]
            even, odd = _even_and_odd(m, at)
            cos, sin = turn(m / 2)
            value = -(2.0 ** (-m / 2)) * sin * special.rgamma(1 + m / 2)
            slope = 2.0 ** ((1 - m) / 2) * cos * special.rgamma((1 + m) / 2)
            y[~mirrored] = np.where(value == 0, 0.0, value * even) + np.where(slope == 0, 0.0, slope * odd)
    return y


def _second_slope(v: Any, x: Any) -> Any:
    """V' by the neighbour of the one or of the other side (DLMF 12.8.6, 12.8.7), whichever cancels less."""
    with ignoring():
        half = x / 2 * _second(v, x)
        below, above = _second(v - 1, x), -(v + 1) * _second(v + 1, x)
        one, two = below - half, half + above
        lost_one, lost_two = (np.abs(a) / np.abs(b) for a, b in ((half, one), (half, two)))
        return np.where(~np.isfinite(one) | (lost_two < lost_one), two, one)


def _far(v: Any, x: Any) -> Any:
    """Where exp(-x^2/4) has vanished, whatever power of x and gamma function of v, beside its poles, goes with it."""
    beside = (np.abs(v - np.round(v)) < 1e-3) & (v != np.round(v))
    return np.isfinite(v) & (np.abs(x) > np.where(beside, 80, 60) + 4 * np.abs(v))


def _limit(name: str, place: int, v: Any, x: Any) -> Any:
    """What is far out: D_v falls to 0 or grows with the sign of gamma(-v), V_v with that of 1 and -cos(pi v) (DLMF
    12.9.1-2, 12.2.15-20); towards -inf the slope of what grows has the other sign."""
    from scipy import special

    if name == "pbdv":
        sign = np.where((x > 0) | ((v >= 0) & (v == np.floor(v))), 0.0, special.gammasgn(-v))
    else:
        sign = np.where(x > 0, 1.0, -np.sign(turn(v)[0]))
    sign = np.where((x < 0) & (place == 1), -sign, sign)
    return np.where(sign == 0, 0.0, np.where(sign > 0, math.inf, -math.inf))


def _values(f: Any, name: str, place: int, v: Any, x: Any) -> Any:
    """f where v and x are finite, its limit far out, and SciPy's function elsewhere, and where f has overflowed on the
    way."""
    from scipy import special

    refuse_complex(name, v, x)
    kind = float_kind(v, x)
    v, x = doubles(v, x)
    with ignoring("invalid"):  # of v at infinity
        far = _far(v, x)
    ours = np.isfinite(v) & np.isfinite(x) & ~far
    y = np.full(x.shape, math.nan)
    if ours.any():
        y[ours] = in_blocks(f, v[ours], x[ours])
    if far.any():
        y[far] = _limit(name, place, v[far], x[far])
    left = np.isnan(y)
    if left.any():
        with ignoring():
            y[left] = getattr(special, name)(v[left], x[left])[place]
    return y.astype(kind)[()]


def cylinder_d(v: Any, x: Any, /) -> Any:
    """D_v(x)."""
    return _values(_cylinder, "pbdv", 0, v, x)


def cylinder_d_slope(v: Any, x: Any, /) -> Any:
    """D_v'(x)."""
    return _values(_slope, "pbdv", 1, v, x)


def cylinder_v(v: Any, x: Any, /) -> Any:
    """V_v(x)."""
    return _values(_second, "pbvv", 0, v, x)


def cylinder_v_slope(v: Any, x: Any, /) -> Any:
    """V_v'(x)."""
    return _values(_second_slope, "pbvv", 1, v, x)
