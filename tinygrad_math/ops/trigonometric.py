"""Trigonometric functions and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import alias, elementwise, general, helper
from ..core.samples import sample

__all__ = [
    "acos", "arccos", "arcsin", "arctan", "arctan2", "asin", "atan", "atan2", "cos", "deg2rad", "degrees", "rad2deg",
    "radians", "sin", "sinc", "tan",
]  # fmt: skip

sin = elementwise(
    np.sin, lambda xp, y, x: xp.cos(x), latex=r"\sin {0}", holomorphic=True, doc="Sine. Derivative: cos x."
)
cos = elementwise(
    np.cos, lambda xp, y, x: -xp.sin(x), latex=r"\cos {0}", holomorphic=True, doc="Cosine. Derivative: -sin x."
)


def _tan_slope(xp: Any, y: Any, x: Any) -> Any:
    """1 + y^2, of complex numbers as that of tanh(i x) = i y, whose digits do not cancel far from the real axis."""
    return 1 + y * y if x.dtype.kind != "c" else xp.tanh_slope(1j * y, 1j * x)


tan = elementwise(
    np.tan,
    _tan_slope,
    latex=r"\tan {0}",
    domain=(-1.2, 1.2),
    holomorphic=True,
    doc="Tangent. Derivative: 1 + y^2.",
)


def _one_minus_square(x: Any, /) -> Any:
    return (1 - x) * (1 + x)


one_minus_square = elementwise(
    _one_minus_square,
    lambda xp, y, x: -2 * x,  # of the two factors, derivatives would cancel beside 0
    name="one_minus_square",
    latex="1 - {0}^2",
    holomorphic=True,
    doc="1 - x^2, with the digits of 1 - x beside 1 and of 1 + x beside -1. Derivative: -2 x.",
)


@helper("slope_of_arctanh")
def _slope_of_arctanh(xp: Any, x: Any) -> Any:
    """1 / (1 - x^2); of complex x, whose square overflows to NaN, -1 / x^2 from where on the 1 is none to rounding: of
    the derivatives higher powers of the square would overflow long before it does."""
    if x.dtype.kind != "c":
        return 1 / xp.one_minus_square(x)
    far = xp.greater(xp.abs(x), 2 / np.finfo(x.dtype).eps ** 0.5)
    near = 1 / xp.one_minus_square(xp.where(far, 0, x))
    return xp.where(far, -xp.square(1 / xp.where(far, x, 1)), near)


def _root(xp: Any, x: Any) -> Any:
    """sqrt(1 - x^2); of complex x on the branches of arcsin, and without overflow."""
    if x.dtype.kind != "c":
        return xp.sqrt(xp.one_minus_square(x))
    root = xp.arccosh_root(x)
    return 1j * xp.where(xp.signbit(xp.imag(x)), root, -root)


arcsin = elementwise(
    np.arcsin,
    lambda xp, y, x: 1 / _root(xp, x),
    latex=r"\arcsin {0}",
    domain=(-0.9, 0.9),
    holomorphic=True,
    note="the derivatives at -1 and 1 are inf",
    doc="The angle in [-pi/2, pi/2] whose sine is x. Derivative: 1 / sqrt(1 - x^2), inf at -1 and 1.",
)
arccos = elementwise(
    np.arccos,
    lambda xp, y, x: -1 / _root(xp, x),
    latex=r"\arccos {0}",
    domain=(-0.9, 0.9),
    holomorphic=True,
    note="the derivatives at -1 and 1 are -inf",
    doc="The angle in [0, pi] whose cosine is x. Derivative: -1 / sqrt(1 - x^2), -inf at -1 and 1.",
)


def _arctan_slope(xp: Any, y: Any, x: Any) -> Any:
    """1 / (1 + x^2); with hypot, which knows no complex numbers, neither it nor its derivative overflows on the way."""
    if x.dtype.kind == "c":
        return xp.slope_of_arctanh(1j * x)
    c = 1 / xp.hypot(1, x)  # the cosine of the angle
    return c * c


arctan = elementwise(
    np.arctan,
    _arctan_slope,
    latex=r"\arctan {0}",
    domain=(-0.9, 0.9),
    holomorphic=True,
    doc="The angle in (-pi/2, pi/2) whose tangent is x. Derivative: 1 / (1 + x^2).",
)


def _radius(xp: Any, a: Any, b: Any) -> Any:
    """The distance from the origin; at the origin inf, so that what is divided by it is 0."""
    r = xp.hypot(a, b)
    return xp.where(xp.equal(r, 0), math.inf, r)


def _turn_slope(a: Any, b: Any, /) -> Any:
    r = np.hypot(a, b)
    r = np.where(r == 0, 1, r)
    far = np.isinf(b) & ~np.isnan(a)
    return np.divide(np.where(far, 0, b), r) / r


def _square_slope(xp: Any, y: Any, a: Any, b: Any) -> Any:
    p, q, r = xp.hypot_share(a, b), xp.hypot_share(b, a), _radius(xp, a, b)
    return (p - q) * (p + q) / r / r


turn_slope = elementwise(
    _turn_slope,
    lambda xp, y, a, b: -2 * (y * xp.hypot_share(a, b)) / _radius(xp, a, b),
    _square_slope,
    name="turn_slope",
    latex=r"\frac{{{1}}}{{{0}^2 + {1}^2}}",
    note="0 with derivatives 0 at the origin",
    samples=lambda: [sample(points.real(3), points.real(3, key=1)), sample(points.real(2, 1), points.real(3))],
    doc="x2 / (x1^2 + x2^2), the derivative of arctan2. Derivatives: -2 x1 x2 / r^4 and (x1^2 - x2^2) / r^4.",
)
arctan2 = elementwise(
    np.arctan2,
    lambda xp, y, a, b: xp.turn_slope(a, b),
    lambda xp, y, a, b: -xp.turn_slope(b, a),
    latex=r"\operatorname{{atan2}}({0}, {1})",
    note="the derivatives at the origin, where there are none, are 0",
    samples=lambda: [
        sample(points.real(3), points.real(3, key=1)),
        sample(points.real(2, 1), points.real(3)),
        sample(points.real(), points.real()),
        sample(points.real(0, 2), points.real(2)),
        sample(points.real(3), -1.0),
        sample(1.0, points.real(3)),
        sample(np.array([1e200, -1e-200]), np.array([1e200, 1e-200]), smooth=False),
        sample(np.zeros(2), np.array([0.0, 1.0]), smooth=False),
    ],
    doc="The angle of the point (x2, x1) to the first axis, in [-pi, pi]. Derivatives: x2 / r^2 and -x1 / r^2.",
)

deg2rad = elementwise(
    np.deg2rad, math.pi / 180, latex=r"\tfrac{{\pi}}{{180}} {0}", doc="Degrees to radians. Derivative: pi / 180."
)
rad2deg = elementwise(
    np.rad2deg, 180 / math.pi, latex=r"\tfrac{{180}}{{\pi}} {0}", doc="Radians to degrees. Derivative: 180 / pi."
)


# -- sinc, whose derivatives at 0 are no formula in sinc itself -----------------------------------------------


def _sinc_samples() -> list[Any]:
    return [
        sample(points.real(4)),
        sample(points.real(2, 3)),
        sample(points.real()),
        sample(points.real(0, 2)),
        sample(np.array([0.0, 1e-9, -1e-3, 1.0, 7.5])),
        sample(points.complexes(3)),
    ]


@general(latex=r"\operatorname{{sinc}} {0}", shape="same as x", holomorphic=True, samples=_sinc_samples)
def sinc(x: Any, /) -> Any:
    """sin(pi x) / (pi x), and 1 at 0. Right at 0 at every order: the derivatives are 0, -pi^2/3, 0, pi^4/5, ...

    >>> import tinygrad_math as tm
    >>> tm.sinc([0.0, 0.5])
    tensor([1.        , 0.63661977])
    """
    return np.sinc(x)


@general(
    latex=r"\operatorname{{sinc}}^{{({n})}} {0}",
    shape="same as x",
    holomorphic=True,
    samples=lambda: [*_sinc_samples(), sample(points.real(3), n=4), sample(np.array([0.0, 0.6, 0.7, 1.3]), n=3)],
)
def sinc_derivative(x: Any, /, n: int = 1) -> Any:
    """The n-th derivative of sinc. With f(u) = sin(u) / u, it is pi^n f^(n)(pi x).

    Away from 0, differentiating u f = sin n times gives u f^(n) + n f^(n-1) = sin(u + n pi/2). Near 0, where that
    loses digits, the Taylor series: f^(n)(u) = sum over 2k >= n of (-1)^k u^(2k-n) / ((2k+1) (2k-n)!).
    """
    u = np.asarray(np.pi * x)
    reach = max(n, 2)
    near = np.abs(u) < reach
    far = np.where(near, 1, u)
    f, s, c = np.sin(far) / far, np.sin(far), np.cos(far)
    for m in range(1, n + 1):
        s, c = c, -s  # sin(u + m pi/2)
        f = (s - m * f) / far
    v = np.where(near, u, 0)
    series, k = np.zeros_like(v), (n + 1) // 2
    term = v ** (2 * k - n) * (-1.0) ** k
    for j in range(k, k + 12 + 2 * reach):
        series += term / (2 * j + 1)
        term = term * (-(v * v) / ((2 * j - n + 1) * (2 * j - n + 2)))
    return (np.pi**n * np.where(near, series, f))[()]


for _op in (sinc, sinc_derivative):

    @_op.defvjp
    def _(xp: Any, need: Any, g: Any, y: Any, x: Any, n: int = 0) -> Any:
        d = xp.sinc_derivative(x, n=n + 1)
        return (g * xp.conj(d) if y.dtype.kind == "c" else g * d,)

    @_op.defjvp
    def _(xp: Any, ts: Any, y: Any, x: Any, n: int = 0) -> Any:
        return ts[0] * xp.sinc_derivative(x, n=n + 1)


asin, acos, atan, atan2 = arcsin, arccos, arctan, arctan2
radians, degrees = deg2rad, rad2deg
for _name, _op in {
    "asin": arcsin,
    "acos": arccos,
    "atan": arctan,
    "atan2": arctan2,
    "radians": deg2rad,
    "degrees": rad2deg,
}.items():
    alias(_name, _op)
