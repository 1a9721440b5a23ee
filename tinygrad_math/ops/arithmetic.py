"""Sums, products, quotients and powers, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import alias, derived, elementwise, general, helper
from ..core.errors import DTypeError, describe
from ..core.quiet import ignoring
from ..core.samples import sample
from ..core.standing import as_array
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "abs", "absolute", "add", "cbrt", "copysign", "divide", "divmod", "fabs", "float_power", "floor_divide", "fmod",
    "hypot", "ldexp", "mod", "multiply", "negative", "positive", "pow", "power", "reciprocal", "remainder", "sign",
    "sqrt", "square", "subtract", "true_divide",
]  # fmt: skip


_FLOAT = np.float64  # of a single number, which takes longer to say its dtype than to be multiplied


def _pairs(*more: Any, positive: bool = False) -> Any:
    """Samples of a function of two numbers: every way to broadcast, a Python number on either side, `more`."""
    second = points.positive if positive else points.real
    return lambda: [
        sample(points.real(3), second(3, key=1)),
        sample(points.real(2, 3), second(3, key=1)),
        sample(points.real(2, 1), second(1, 3, key=1)),
        sample(points.real(), second(2, key=1)),
        sample(points.real(), second(key=1)),
        sample(points.real(0, 2), second(2, key=1)),
        sample(points.real(1, 1, 2), second(3, 1, 1, key=1)),
        sample(points.real(3), 2.0),
        sample(3, second(3)),
        *more,
    ]


def _complex_pairs(positive: bool = False) -> Any:
    def samples() -> Any:
        z, w = points.complexes(3), points.complexes(3, key=1) + (3 if positive else 0)
        return _pairs(sample(z, w), sample(z, 2.5), sample(points.real(3), w), positive=positive)()

    return samples


# The busiest rules are written out: of three array operations the interpreter would cost more than the arithmetic.

add = elementwise(
    np.add,
    1,
    1,
    latex="{0} + {1}",
    holomorphic=True,
    samples=_complex_pairs(),
    doc="The sum of x1 and x2. Derivatives: 1 and 1.",
)
add.defvjp(lambda xp, need, g, y, a, b: (g, g))

subtract = elementwise(
    np.subtract,
    1,
    -1,
    latex="{0} - {1}",
    holomorphic=True,
    samples=_complex_pairs(),
    doc="The difference of x1 and x2. Derivatives: 1 and -1.",
)
subtract.defvjp(lambda xp, need, g, y, a, b: (g, -g if need[1] else None))

multiply = elementwise(
    np.multiply,
    lambda xp, y, a, b: b,
    lambda xp, y, a, b: a,
    latex=r"{0} \odot {1}",
    holomorphic=True,
    samples=_complex_pairs(),
    doc="The product of x1 and x2, element by element. Derivatives: x2 and x1.",
)


def _factors(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if y.__class__ is not _FLOAT and y.dtype.kind == "c":
        a, b = xp.conj(a), xp.conj(b)
    return g * b if need[0] else None, g * a if need[1] else None


multiply.defvjp(_factors)

divide = general(
    arity=2,
    latex=r"\frac{{{0}}}{{{1}}}",
    shape="broadcast of the arguments",
    holomorphic=True,
    samples=_complex_pairs(positive=True),
    doc="The quotient x1 / x2. Derivatives: 1 / x2 and -y / x2. A zero divisor gives IEEE's inf or nan.",
)(np.divide)


@divide.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if y.__class__ is not _FLOAT and y.dtype.kind == "c":
        y, b = xp.conj(y), xp.conj(b)
    if not need[0]:
        return None, -(g * y) / b  # 1 / b may overflow where y / b does not
    ga = g / b
    return ga, -ga * y if need[1] else None


@divide.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    if tb is None:
        return ta / b
    return -(y / b) * tb if ta is None else (ta - y * tb) / b


negative = elementwise(np.negative, -1, latex="-{0}", holomorphic=True, doc="Minus x. Derivative: -1.")
positive = elementwise(np.positive, 1, latex="+{0}", holomorphic=True, doc="A copy of x. Derivative: 1.")
square = elementwise(
    np.square, lambda xp, y, x: x + x, latex="{0}^2", holomorphic=True, doc="x times x. Derivative: 2 x."
)
sqrt = elementwise(
    np.sqrt,
    lambda xp, y, x: 0.5 / y,
    latex=r"\sqrt{{{0}}}",
    domain=(0.2, 3.0),
    holomorphic=True,
    note="the derivative at 0 is inf",
    doc="The square root, nan for negative numbers. Derivative: 1 / (2 y), which is inf at 0.",
)


def _cbrt_slope(xp: Any, y: Any, x: Any) -> Any:
    far = xp.isinf(y)  # there the derivative of the square would be inf times 0
    return xp.where(far, 0, 1 / (3 * xp.square(xp.where(far, 1, y))))


cbrt = elementwise(
    np.cbrt,
    _cbrt_slope,
    latex=r"\sqrt[3]{{{0}}}",
    domain=(0.2, 3.0),
    note="the derivative at 0 is inf",
    doc="The cube root, of negative numbers too. Derivative: 1 / (3 y^2), which is inf at 0.",
)
reciprocal = elementwise(
    np.reciprocal,
    lambda xp, y, x: -y * y,
    latex=r"\frac{{1}}{{{0}}}",
    domain=(0.3, 3.0),
    holomorphic=True,
    doc="1 / x. Derivative: -1 / x^2.",
)


# -- size and sign ----------------------------------------------------------------------------------------

absolute = general(
    latex=r"\lvert {0} \rvert",
    shape="same as x",
    note="the derivative at 0 is 0",
    samples=lambda: [
        sample(points.real(2, 3)),
        sample(points.real()),
        sample(points.real(0, 2)),
        sample(points.complexes(3)),
        sample(np.zeros(2), smooth=False),
        sample(np.zeros(2, complex), smooth=False),
    ],
    doc="The absolute value. Derivative: sign(x), so 0 at 0; for complex x the gradient of |x| is x / |x|.",
)(np.absolute)


@absolute.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    return (g * xp.sign(x),)


@absolute.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    (t,) = ts
    return t * xp.sign(x) if x.dtype.kind != "c" else xp.real(t * xp.conj(xp.sign(x)))


sign = general(
    latex=r"\operatorname{{sign}} {0}",
    shape="same as x",
    note="the derivative is 0 for real x, at 0 too",
    samples=lambda: [
        sample(points.real(2, 3)),
        sample(points.real()),
        sample(points.real(0, 2)),
        sample(points.complexes(3)),
        sample(np.zeros(2), smooth=False),
        sample(np.zeros(2, complex), smooth=False),
    ],
    doc="-1, 0 or 1 for real x, with derivative 0; x / |x| for complex x, which turns with x.",
)(np.sign)


def _turn(xp: Any, v: Any, y: Any, x: Any) -> Any:
    """The derivative of x / |x|: what is left of v across the direction y, over |x|. It is its own adjoint."""
    if x.dtype.kind != "c":
        return xp.zeros_like(x)
    r = xp.abs(x)
    return (v - y * xp.real(xp.conj(y) * v)) / xp.where(r > 0, r, np.inf)


sign.defvjp(lambda xp, need, g, y, x: (_turn(xp, g, y, x),))
sign.defjvp(lambda xp, ts, y, x: _turn(xp, ts[0], y, x))

fabs = elementwise(
    np.fabs,
    lambda xp, y, x: xp.sign(x),
    latex=r"\lvert {0} \rvert",
    note="the derivative at 0 is 0",
    doc="The absolute value of real numbers, as floats. Derivative: sign(x), so 0 at 0.",
)
copysign = elementwise(
    np.copysign,
    lambda xp, y, a, b: xp.sign(a) * xp.sign(y),
    0,
    latex=r"\operatorname{{copysign}}({0}, {1})",
    note="the derivative at x1 = 0 is 0",
    samples=_pairs(sample(np.array([0.0, -0.0]), np.array([-1.0, 2.0]), smooth=False)),
    doc="|x1| with the sign of x2 (of a zero, too). Derivatives: sign(x1) sign(y), so 0 at x1 = 0, and 0.",
)


def _hypot_share(a: Any, b: Any, /) -> Any:
    h = np.hypot(a, b)
    info = np.finfo(h.dtype)
    with ignoring("invalid"):
        y = np.divide(a, np.where(h == 0, 1, h))
    odd = np.where(h < 1, (h < 4 * info.tiny) & (h > 0), np.isinf(h))
    if not odd.any():
        return y
    far = np.isinf(a) & np.isfinite(b)
    scale = np.where(h < 1, 2.0 ** (info.nmant + 3), 0.25).astype(h.dtype)  # h overflows, or has lost digits
    with ignoring("over", "invalid"):
        p, q = a * scale, b * scale
        return np.where(odd, np.where(far, np.sign(a), p / np.hypot(p, q)), y)[()]


def _over(xp: Any, x: Any, h: Any) -> Any:
    """x / h, and 0 at the origin, where h is 0."""
    return x / xp.where(xp.equal(h, 0), math.inf, h)


hypot_share = elementwise(
    _hypot_share,
    lambda xp, y, a, b: xp.hypot_share(b, a) * _over(xp, xp.hypot_share(b, a), xp.hypot(a, b)),
    lambda xp, y, a, b: -y * _over(xp, xp.hypot_share(b, a), xp.hypot(a, b)),
    name="hypot_share",
    latex=r"\frac{{{0}}}{{\sqrt{{{0}^2 + {1}^2}}}}",
    note="0 with derivatives 0 at (0, 0)",
    samples=_pairs(sample(np.zeros(2), np.array([0.0, 1.0]), smooth=False)),
    doc="x1 / hypot(x1, x2), of any size; 0 at (0, 0). Derivatives: x2^2 / h^3 and -x1 x2 / h^3; nothing cancels.",
)
hypot = elementwise(
    np.hypot,
    lambda xp, y, a, b: xp.hypot_share(a, b),
    lambda xp, y, a, b: xp.hypot_share(b, a),
    latex=r"\sqrt{{{0}^2 + {1}^2}}",
    note="the derivatives at (0, 0) are 0",
    samples=_pairs(
        sample(np.zeros(2), np.array([0.0, 1.0]), smooth=False), sample(np.array([1e200]), 1e200, smooth=False)
    ),
    doc="sqrt(x1^2 + x2^2) without overflow. Derivatives: x1 / y and x2 / y, so 0 at (0, 0).",
)


# -- powers -----------------------------------------------------------------------------------------------


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


@general(
    arity=2,
    latex=r"{0} \cdot 2^{{{1}}}",
    shape="broadcast of the arguments",
    samples=lambda: [sample(points.real(3), np.array([0, -2, 5])), sample(points.real(2, 1), np.arange(3))],
    doc="x1 * 2**x2 for integers x2. Derivative in x1: 2**x2.",
)
def ldexp(x1: Any, x2: Any, /) -> Any:
    """x1 * 2**x2 for integers x2. Derivative in x1: 2**x2."""
    return np.ldexp(x1, x2)


ldexp.defvjp(lambda xp, need, g, y, a, b: (xp.ldexp(g, b), None))
ldexp.defjvp(lambda xp, ts, y, a, b: None if ts[0] is None else xp.ldexp(ts[0], b))


# -- quotient and remainder -------------------------------------------------------------------------------

floor_divide = elementwise(
    np.floor_divide,
    0,
    0,
    latex=r"\left\lfloor \frac{{{0}}}{{{1}}} \right\rfloor",
    note="the derivative is 0, at the jumps too",
    samples=_pairs(sample(np.array([1.0, -4.0]), np.array([1.0, 2.0]), smooth=False), positive=True),
    doc="The largest integer not above x1 / x2. Derivative: 0.",
)
remainder = elementwise(
    np.remainder,
    1,
    lambda xp, y, a, b: -xp.floor_divide(a, b),
    latex=r"{0} \bmod {1}",
    note="the derivative at the jumps is that from the right",
    samples=_pairs(sample(np.array([1.0, -4.0]), np.array([1.0, 2.0]), smooth=False), positive=True),
    doc="x1 - x2 floor(x1 / x2), with the sign of x2. Derivatives: 1 and -floor(x1 / x2).",
)
fmod = elementwise(
    np.fmod,
    1,
    lambda xp, y, a, b: -xp.rint((a - y) / b),  # trunc(a / b) would be off by one where the quotient rounds up
    latex=r"\operatorname{{fmod}}({0}, {1})",
    note="the derivative at the jumps is that of the branch taken",
    samples=_pairs(sample(np.array([1.0, -4.0]), np.array([1.0, 2.0]), smooth=False), positive=True),
    doc="x1 - x2 trunc(x1 / x2), with the sign of x1, as in C. Derivatives: 1 and -trunc(x1 / x2).",
)


@derived
def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """The quotient `floor_divide(x1, x2)` and the remainder `remainder(x1, x2)`.

    >>> import tinygrad_math as tm
    >>> tm.divmod(7.5, 2.0)
    (tensor(3.), tensor(1.5))
    """
    return rec.floor_divide(x1, x2), rec.remainder(x1, x2)


abs, true_divide, mod = absolute, divide, remainder
alias("abs", absolute)
alias("true_divide", divide)
alias("mod", remainder)
