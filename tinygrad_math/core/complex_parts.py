"""Arrays of complex numbers whose two parts have digits, and zeros signs, of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from .quiet import ignoring


def plus(x: Any, a: float) -> Any:
    """x + a for a real a: of a complex x with the imaginary part as it is, which may be -0, and tells a branch."""
    x = np.asarray(x)
    if x.dtype.kind != "c":
        return x + a
    y = x.copy()
    y.real += a
    return y


def log1p(z: Any, /) -> Any:
    """log(1 + z) of complex z: where |1 + z| is nearly 1 by its square less 1, summed as if in twice as many digits."""
    z = np.asarray(z)
    if z.dtype.kind != "c":
        return np.log1p(z)
    x, y = z.real.astype(np.float64), z.imag.astype(np.float64)
    with ignoring("over", "invalid", "divide"):
        near = np.maximum(np.abs(x), np.abs(y)) < 4
        rise = _square_less_one(np.where(near, x, 0), np.where(near, y, 0))
        near &= np.abs(rise) < 0.5
        size = np.where(near, 0.5 * np.log1p(np.where(near, rise, 0)), np.log(np.hypot(1 + x, y)))
    w = np.empty(z.shape, np.complex128)
    w.real, w.imag = size, np.arctan2(y, 1 + x)
    return w.astype(z.dtype)[()]


def _square_less_one(x: Any, y: Any) -> Any:
    """|1 + x + i y|^2 - 1 = 2 x + x^2 + y^2, with the errors of squares and sums (Dekker 1971)."""
    (p, lost_p), (q, lost_q) = _square_and_error(x), _square_and_error(y)
    a, lost_a = _sum_and_error(2 * x, p)
    b, lost_b = _sum_and_error(a, q)
    return b + ((lost_a + lost_b) + (lost_p + lost_q))


def _sum_and_error(a: Any, b: Any) -> tuple[Any, Any]:
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _square_and_error(a: Any) -> tuple[Any, Any]:
    p, c = a * a, a * 134217729.0  # 2^27 + 1: the upper half of the digits
    high = c - (c - a)
    low = a - high
    return p, ((high * high - p) + 2 * high * low) + low * low
