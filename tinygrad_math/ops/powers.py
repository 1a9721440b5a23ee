"""Powers, whose derivatives are 0 wherever one of their factors is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import derived, elementwise, general, helper
from ..core.errors import DTypeError, describe
from ..core.quiet import ignoring
from ..core.samples import sample
from ..core.standing import as_array
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["float_power", "pow", "power"]


def _partial(x1: Any, x2: Any, n: int, m: int) -> Any:
    """d^n/dx1^n d^m/dx2^m x1^x2: x1^(x2-n) times a polynomial in log(x1) and x2. It is 0 where either factor is 0.

    Where x1^(x2-n) alone is beyond the range of its dtype, or below it, the polynomial is multiplied by the fourth root
    of it four times: the product may well be within.
    """
    dtype = np.result_type(x1, x2)
    a, b = as_array(x1, dtype), as_array(x2, dtype)
    factor = _polynomial(a, b, n, m)
    with ignoring("over", "under"):
        y = np.power(a if np.all(factor) else np.where(np.logical_or(a, factor), a, 1), b - n if n else b)
        info = np.finfo(dtype)
        size = np.abs(y)
        odd = ~((size >= info.tiny) & (size <= info.max))
    with ignoring("invalid"):
        product = y * factor if not odd.any() else np.where((y == 0) | (factor == 0) & np.isinf(y), 0, y * factor)
    if odd.any() and (odd := odd & (a != 0) & (factor != 0)).any():
        odd, a, b, factor, y = np.broadcast_arrays(odd, a, b, factor, y)
        product = np.array(product)
        product[odd] = _within(a[odd], b[odd] - n, factor[odd], y[odd])
    return product[()]


def _within(a: Any, e: Any, factor: Any, y: Any) -> Any:
    """a^e times a factor, where y = a^e is out of range."""
    with ignoring():
        if y.dtype.kind == "c":
            root = np.power(a, e / 4)
        else:
            root, factor = np.power(np.abs(a), e / 4), factor * np.where(np.isnan(y), y, np.copysign(1, y))
        almost = np.where(root == 0, 0, factor * root * root * root)
    return almost * root


def _polynomial(a: Any, b: Any, n: int, m: int) -> Any:
    """The m-th derivative in b of b (b-1) ... (b-n+1) a^b, over a^b: a polynomial in log(a)."""
    taylor = [np.ones_like(b), *[np.zeros_like(b)] * m]  # of b (b-1) ... (b-n+1), in b
    with ignoring("over"):
        for k in range(n):
            taylor = [t * (b - k) + (taylor[j - 1] if j else 0) for j, t in enumerate(taylor)]
    if not m:
        return taylor[0]
    with ignoring("divide", "invalid"):
        log = np.log(a)
        y = taylor[0]
        for j in range(1, m + 1):
            y = y * np.where((y == 0) & np.isinf(log), 0, log) + math.perm(m, j) * taylor[j]
    return y


@general(
    arity=2,
    latex=r"{0}^{{{1}}} \ln^{{{n}}} {0}",
    shape="broadcast of the arguments",
    holomorphic=True,
    samples=lambda: [
        sample(points.positive(3), points.real(3)),
        sample(points.positive(2, 1), points.real(3), n=2),
        sample(points.positive(), 2.0),
        sample(points.positive(0, 2), points.real(2)),
        sample(points.positive(3) + 0.5j, points.complexes(3)),
        sample(np.zeros(3), np.array([0.5, 1.0, 2.0]), smooth=False),
    ],
)
def power_log(x1: Any, x2: Any, /, n: int = 1) -> Any:
    """x1**x2 * log(x1)**n: the n-th derivative of a power in its exponent; 0 where the power is 0.

    Derivatives: in x1 that of `power_slope`, n x1^(x2-1) log^(n-1)(x1) + x2 x1^(x2-1) log^n(x1); in x2 that of n + 1.
    """
    return _partial(x1, x2, 0, n)


def _along_both(xp: Any, ts: Any, a: Any, b: Any, n: int, first: Any, second: Any) -> Any:
    """The tangent of the n-th derivative of a^b in a, where one argument may rest while the slope in it is infinite.

    What rests gives 0 times log(0) as 0, which is the limit. Of 0 times a pole there is none: (s^3)^(1/3) moves though
    s^3 rests, so it is NaN. It is 0 in first and second derivatives of a^0 and a^1, where an infinite logarithm stands
    beside a pole, or that is multiplied by more.
    """
    ta, tb = ts
    if ta is None or tb is None:
        return tb * second() if ta is None else ta * first()
    along, across = first(), second()
    base = a.node.data if isinstance(a, Tensor) and not a.node.live else a
    if not isinstance(base, (np.ndarray, np.generic)) or not base.all():  # it may be 0
        ta = xp.where(_undecided(xp, ta, a, b, n, 1, along), math.nan, ta)
        tb = xp.where(_undecided(xp, tb, a, b, n, 0, across), math.nan, tb)
    return xp.resting_product(ta, along) + xp.resting_product(tb, across)


def _undecided(xp: Any, t: Any, a: Any, b: Any, n: int, more: int, slope: Any) -> Any:
    """Where t is 0 and the slope a pole of a^(b - n - more) at 0 that counts."""
    pole = xp.logical_and(xp.equal(a, 0), xp.less(xp.real(b), n + more))
    if n < 2:
        pole = xp.logical_and(pole, xp.not_equal(b * (1 - b), 0))
    return xp.logical_and(xp.logical_and(xp.equal(t, 0), pole), xp.logical_not(xp.isfinite(slope)))


def _against_both(xp: Any, need: Any, g: Any, y: Any, first: Any, second: Any) -> Any:
    slopes = [slope() if needed else None for slope, needed in zip((first, second), need, strict=True)]
    return tuple(None if d is None else g * (xp.conj(d) if y.dtype.kind == "c" else d) for d in slopes)


@general(
    arity=2,
    latex=r"\partial_{{1}}^{{{n}}} \partial_{{2}}^{{{m}}} {0}^{{{1}}}",
    shape="broadcast of the arguments",
    holomorphic=True,
    note="0 where the falling factorial is 0, also at a zero base",
    samples=lambda: [
        sample(points.positive(3), points.real(3)),
        sample(points.positive(2, 1), points.real(3), n=2),
        sample(points.positive(), 2.0),
        sample(points.positive(0, 2), points.real(2)),
        sample(points.positive(3) + 0.5j, points.complexes(3)),
        sample(points.positive(3), points.real(3), n=2, m=1),
        sample(points.positive(3), points.real(), n=1, m=2),
        sample(points.positive(3) + 0.5j, points.complexes(3), n=1, m=1),
        sample(np.zeros(3), np.array([1.0, 2.0, 3.5]), smooth=False),
    ],
)
def power_slope(x1: Any, x2: Any, /, n: int = 1, m: int = 0) -> Any:
    """The n-th derivative of a power in its base, and the m-th of that in its exponent. Without the latter it is
    x2 (x2-1) ... (x2-n+1) x1^(x2-n), for n = m = 1 x1^(x2-1) (1 + x2 log(x1)): 0 of x1^0, x1^1, ... once that is a
    constant, also at 0.

    Closed under differentiation, so that powers are right at every order. Derivatives: in x1 that of n + 1, in x2 that
    of m + 1.
    """
    return _partial(x1, x2, n, m)


power_log.defvjp(
    lambda xp, need, g, y, a, b, n: _against_both(
        xp, need, g, y, lambda: xp.power_slope(a, b, n=1, m=n), lambda: xp.power_log(a, b, n=n + 1)
    )
)
power_log.defjvp(
    lambda xp, ts, y, a, b, n: _along_both(
        xp, ts, a, b, 0, lambda: xp.power_slope(a, b, n=1, m=n), lambda: xp.power_log(a, b, n=n + 1)
    )
)
power_slope.defvjp(
    lambda xp, need, g, y, a, b, n, m: _against_both(
        xp, need, g, y, lambda: xp.power_slope(a, b, n=n + 1, m=m), lambda: xp.power_slope(a, b, n=n, m=m + 1)
    )
)
power_slope.defjvp(
    lambda xp, ts, y, a, b, n, m: _along_both(
        xp, ts, a, b, n, lambda: xp.power_slope(a, b, n=n + 1, m=m), lambda: xp.power_slope(a, b, n=n, m=m + 1)
    )
)


def _power_base(xp: Any, y: Any, a: Any, b: Any) -> Any:
    if isinstance(b, (int, float, complex)):
        if not b:
            return xp.zeros_like(y)
        size = math.hypot(b.real, b.imag)  # `abs` is the op here
        if 1 <= size <= 8 or (isinstance(b, int) and 1 <= b <= 16):  # products lose 4 bits of numbers below tiny
            return b * xp.pow(a, b - 1)
        if not isinstance(b, complex) and -1 < b < 0:
            return b * y / a
    return xp.power_slope(a, b, n=1)  # a^(b-1) may be out of range where b times that is not


def _power_exponent(xp: Any, y: Any, a: Any, b: Any) -> Any:
    # y may overflow where y log(a) does not
    if isinstance(a, (int, float)) and a > 0 and math.fabs(log := math.log(a)) >= 1:
        return y * log
    return xp.power_log(a, b, n=1)


power = elementwise(
    np.power,
    _power_base,
    _power_exponent,
    latex="{0}^{{{1}}}",
    holomorphic=True,
    note="right at a zero base: x**0, x**1, x**2 have derivatives 0, 1, 0; d/dp 0**p = 0 for p > 0",
    samples=lambda: [
        sample(points.positive(3), points.real(3)),
        sample(points.positive(2, 1), points.real(3)),
        sample(points.positive(), points.real()),
        sample(points.positive(0, 2), points.real(2)),
        sample(points.positive(3), 2.5),
        sample(points.real(3), 3),
        sample(-points.positive(3), -2),
        sample(2, points.real(3)),
        sample(points.complexes(3) + 2, points.complexes(3, key=1)),
        sample(points.complexes(3), 3),
        sample(points.positive(3), points.complexes(3)),
        sample(np.zeros(3), np.array([0.0, 1.0, 2.0]), smooth=False),
        sample(np.array([-2.0, -1.0]), np.array([3, -2], np.int8)),
    ],
    doc=(
        "x1 to the power x2. Derivatives: x2 x1^(x2-1), which is 0 for x2 = 0, and y log(x1), which is 0 where y is 0 "
        "and nan for negative x1."
    ),
)


power.jvp = lambda xp, ts, y, a, b: _along_both(
    xp, ts, a, b, 0, lambda: _power_base(xp, y, a, b), lambda: _power_exponent(xp, y, a, b)
)


@general(
    latex="{0}^{{{n}}}",
    shape="same as x",
    holomorphic=True,
    samples=lambda: [
        sample(points.real(2, 3), 3),
        sample(points.real(), 5),
        sample(points.real(0, 2), 4),
        sample(points.positive(3), -2),
        sample(points.complexes(3), 7),
        sample(np.zeros(2), 3),
    ],
)
def integer_power(x: Any, /, n: int) -> Any:
    """x**n for a whole number n by repeated squaring, some fifty times faster than the general power.

    Derivative: n x^(n-1).
    """
    base, left, y = (x if n > 0 else np.reciprocal(x)), n if n > 0 else -n, None
    while True:
        if left & 1:
            y = base if y is None else y * base
        left >>= 1
        if not left:
            return y
        base = base * base


@integer_power.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, n: int) -> Any:
    d = n * xp.pow(x, n - 1)
    return (g * xp.conj(d) if y.dtype.kind == "c" else g * d,)


@integer_power.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, n: int) -> Any:
    return ts[0] * (n * xp.pow(x, n - 1))


_SHORT = {1: "positive", 2: "square", -1: "reciprocal", 0.5: "sqrt"}  # as NumPy's own operator does


@helper("pow")
def _pow(xp: Any, a: Any, b: Any, /) -> Any:
    if type(b) in (int, float) and hasattr(a, "dtype"):
        if a.dtype.kind in "fc":
            short = _SHORT.get(b)
            if short == "sqrt" and isinstance(a, Tensor) and type(a.node.data) in (float, complex):
                return xp.power(a, b)  # a Python number that is traced: the operator makes one of it
            if short is not None:
                return getattr(xp, short)(a)
            if -8 <= b <= 8 and b == int(b) and b:
                return xp.integer_power(a, n=int(b))
        elif b < 0 and type(b) is int:
            raise DTypeError(
                f"{describe(a)} ** {b}: integers have no negative powers; use x.astype(float) or float_power"
            )
    return xp.power(a, b)


@derived
def pow(x1: Any, x2: Any, /) -> Any:
    """x1 to the power x2, as the operator `**`: `power`, with short ways for small whole numbers and for 0.5.

    Arguments: x1, x2 arrays or numbers that broadcast. Returns an array of their common dtype.
    Derivative: x2 x1^(x2-1) in x1, y log(x1) in x2, with the conventions of `power`.

    >>> import tinygrad_math as tm
    >>> tm.pow(tm.tensor([1.0, 2.0, 3.0]), 3)
    tensor([ 1.,  8., 27.])
    """
    return _pow(rec, x1 if hasattr(x1, "dtype") else as_tensor(x1), x2)


@derived
def float_power(x1: Any, x2: Any, /) -> Any:
    """x1 to the power x2 in double precision, whatever the dtypes; integers may have negative powers.

    Derivative: as `power`.

    >>> import tinygrad_math as tm
    >>> tm.float_power([1, 2, 4], -1)
    tensor([1.  , 0.5 , 0.25])
    """
    a = as_tensor(x1)
    return rec.power(rec.astype(a, np.result_type(a.dtype, np.float64)), x2)
