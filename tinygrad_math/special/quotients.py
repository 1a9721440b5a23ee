"""Quotients of gamma functions that have names, and their derivatives at the zeros and poles of these: poch, binom."""

from __future__ import annotations

import math
from typing import Any

from .gammas import inverse_gamma_slope
from .scipy_rows import row

__all__ = ["binom", "poch"]


def _at_pole(xp: Any, x: Any) -> Any:
    return xp.less_equal(x, 0) & xp.equal(x, xp.round(x))


def _rising_slope(xp: Any, y: Any, z: Any, m: Any) -> Any:
    """y (psi(z + m) - psi(z)); beside a pole of Gamma(z), where y is nearly 0, as the slope of the product of
    Gamma(z + m) and 1/Gamma(z), which has derivatives of its own there."""
    whole, last, total = xp.round(z), xp.round(z + m), z + m
    close = xp.less(xp.abs(z - whole), 0.01 * xp.minimum(xp.abs(m), 1.0))
    apart = xp.greater(total, 0.01) | xp.greater(xp.abs(total - last), 0.01)
    near = xp.less_equal(whole, 0) & (xp.equal(z, whole) | close) & apart
    near = near | (_at_pole(xp, z) & xp.logical_not(_at_pole(xp, total)))
    off, zero, end = xp.where(near, 1.0, z), xp.where(near, z, 0.0), xp.where(near, total, 1.0)
    inverse = xp.rgamma(zero)
    product = xp.gamma(end) * (xp.digamma(end) * inverse + inverse_gamma_slope(xp, inverse, zero))
    return xp.where(near, product, y * xp.psi_rise(off, m))


poch = row(
    "poch",
    _rising_slope,
    lambda xp, y, z, m: y * xp.digamma(z + m),
    arguments="z m",
    domain=((0.3, 3.0), (0.2, 2.0)),
    latex="({0})_{{{1}}}",
    doc="Pochhammer's symbol gamma(z + m) / gamma(z). d/dz = y (psi(z + m) - psi(z)), d/dm = y psi(z + m).",
)


def _at_zeros(xp: Any, n: Any, k: Any, steps: tuple[float, float]) -> tuple[Any, Any]:
    """The derivative of the binomial coefficient where it is 0, as the product of a quotient of two gamma functions and
    the inverse of the third, which has derivatives of its own there; `steps` are those of n and k."""
    lost = _at_pole(xp, n + 1)
    low = _at_pole(xp, k + 1) & xp.logical_not(lost)
    high = _at_pole(xp, n - k + 1) & xp.logical_not(lost)
    zero = low | high
    at = xp.where(zero, xp.where(low, k, n - k), 1.0) + 1.0
    other = xp.where(zero, xp.where(low, n - k, k), 1.0) + 1.0
    top = xp.where(zero, n + 1, 1.0)
    in_at = xp.where(low, steps[1], steps[0] - steps[1])
    inverse = xp.rgamma(at)
    rise = steps[0] * xp.digamma(top) - (steps[0] - in_at) * xp.digamma(other)
    product = (rise * inverse + in_at * inverse_gamma_slope(xp, inverse, at)) / xp.poch(top, other - top)
    return xp.where(lost, math.nan, product), zero | lost


def _choose_slope(xp: Any, y: Any, n: Any, k: Any) -> Any:
    """y (psi(n-k+1) - psi(k+1))."""
    product, zero = _at_zeros(xp, n, k, (0.0, 1.0))
    a, b = xp.where(zero, 1.0, k + 1), xp.where(zero, 1.0, n - k + 1)
    return xp.where(zero, product, y * (xp.digamma(b) - xp.digamma(a)))


def _choose_of(xp: Any, y: Any, n: Any, k: Any) -> Any:
    """y (psi(n+1) - psi(n-k+1))."""
    product, zero = _at_zeros(xp, n, k, (1.0, 0.0))
    return xp.where(zero, product, y * xp.psi_rise(xp.where(zero, 1.0, n - k + 1), xp.where(zero, 1.0, k)))


binom = row(
    "binom",
    _choose_of,
    _choose_slope,
    arguments="n k",
    domain=((3.0, 6.0), (0.3, 2.5)),
    doc="""The binomial coefficient of real n and k. d/dn = y (psi(n+1) - psi(n-k+1)), d/dk = y (psi(n-k+1) - psi(k+1)).

    NaN where n is -1, -2, ..., its poles.
    SciPy's values, to 9 digits for k beyond 1e8 |n|.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.binom)(4.0, 2.0)  # of n (n - 1) / 2
    tensor(3.5)
    """,
)
