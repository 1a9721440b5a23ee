"""The parabolic cylinder function D_v(x) of every real order, and its derivative.

At x >= 0, where it falls, it is Tricomi's function (DLMF 12.7.14): D_v(x) = 2^(v/2) exp(-x^2/4) U(-v/2, 1/2, x^2/2). At
x < 0 of whole orders, polynomials, it has their parity; of negative orders it is the integral of a positive function
(DLMF 12.5.1). Of others it grows there, and the even and the odd solution (DLMF 12.4.1, 12.7.12) do not cancel:

    D_v(x) = exp(-x^2/4) (D_v(0) M(-v/2, 1/2, x^2/2) + x D_v'(0) M((1-v)/2, 3/2, x^2/2)).

SciPy's recurrences lose all digits there from v = 10 on, and at x >= 0 of negative orders beside x = 2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .quadrature import in_blocks, log_of_peak
from .scipy_rows import doubles, float_kind, refuse_complex
from .tricomi import tricomi

_LARGE = 600.0  # exp of it is no infinity, nor a moderate power times it


def _at_zero(v: Any) -> Any:
    from scipy import special

    return 2.0 ** (v / 2) * math.sqrt(math.pi) * special.rgamma((1 - v) / 2)


def _falling(v: Any, x: Any) -> Any:
    """D_v(x) for vectors of x >= 0."""
    y = 2.0 ** (v / 2) * np.exp(-x * x / 4) * tricomi(-v / 2, np.full_like(v, 0.5), np.where(x > 0, x * x / 2, 1.0))
    return np.where(x > 0, y, _at_zero(v))


def _growing(v: Any, x: Any) -> Any:
    """D_v(x) for vectors of x < 0, v > 0; for a large y by M(a, c, y) = exp(y) M(c - a, c, -y)."""
    from scipy import special

    y = x * x / 2
    large = y > _LARGE
    scale = np.exp(np.where(large, y, -y) / 2)
    even, odd = np.where(large, (1 + v) / 2, -v / 2), np.where(large, 1 + v / 2, (1 - v) / 2)
    side = np.where(large, -y, y)
    slope = -(2.0 ** ((v + 1) / 2)) * math.sqrt(math.pi) * special.rgamma(-v / 2)
    return scale * (_at_zero(v) * special.hyp1f1(even, 0.5, side) + x * slope * special.hyp1f1(odd, 1.5, side))


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


def _values(f: Any, place: int, v: Any, x: Any) -> Any:
    """f where v and x are finite, and SciPy's `pbdv` elsewhere, and where f has overflowed on the way."""
    from scipy import special

    refuse_complex("pbdv", v, x)
    kind = float_kind(v, x)
    v, x = doubles(v, x)
    ours = np.isfinite(v) & np.isfinite(x)
    y = np.full(x.shape, math.nan)
    if ours.any():
        y[ours] = in_blocks(f, v[ours], x[ours])
    left = np.isnan(y)
    if left.any():
        with ignoring():
            y[left] = special.pbdv(v[left], x[left])[place]
    return y.astype(kind)[()]


def cylinder_d(v: Any, x: Any, /) -> Any:
    """D_v(x)."""
    return _values(_cylinder, 0, v, x)


def cylinder_d_slope(v: Any, x: Any, /) -> Any:
    """D_v'(x)."""
    return _values(_slope, 1, v, x)
