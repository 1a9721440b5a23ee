"""Sums, products and quotients, size and sign, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import alias, derived, elementwise, general
from ..core.quiet import ignoring
from ..core.samples import sample
from ..core.tensor import rec

__all__ = [
    "abs", "absolute", "add", "cbrt", "copysign", "divide", "divmod", "fabs", "floor_divide", "fmod",
    "hypot", "ldexp", "mod", "multiply", "negative", "positive", "reciprocal", "remainder", "sign",
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
    samples=lambda: points.whole_plane(
        sample(np.zeros(2), smooth=False),
        sample(np.zeros(2, complex), smooth=False),
    ),
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
    samples=lambda: points.whole_plane(
        sample(np.zeros(2), smooth=False),
        sample(np.zeros(2, complex), smooth=False),
    ),
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
