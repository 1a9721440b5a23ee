"""Data put on another scale, angles in degrees, and losses of one number: boxcox and its kin, sindg, huber, ...

`boxcox` is the integral of exp(lam s) from 0 to log(x), and its derivatives in lam are those of s^n exp(lam s), by
Kummer's 1F1(n + 1; n + 2; u): there is no quotient by lam and no trouble where lam is 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import real, sample
from . import logarithms  # noqa: F401  (the op of inv_boxcox in lam)
from .hypergeometric import kummer
from .scipy_rows import differentiate, doubles, float_kind, forward_of, refuse_complex, row

__all__ = [
    "boxcox",
    "boxcox1p",
    "cosdg",
    "cosm1",
    "cotdg",
    "exprel",
    "huber",
    "inv_boxcox",
    "inv_boxcox1p",
    "pseudo_huber",
    "sindg",
    "tandg",
]

_DEGREE = math.pi / 180


def _exprel_slope(xp: Any, u: Any) -> Any:
    return 0.5 * xp.hyp1f1(2.0, 3.0, u)


exprel = row(
    "exprel",
    lambda xp, y, x: _exprel_slope(xp, x),
    latex=r"\frac{{e^{{{0}}} - 1}}{{{0}}}",
    doc="(exp(x) - 1) / x, and 1 at 0. d/dx = hyp1f1(2, 3, x) / 2.",
)


@general(
    arity=2,
    latex=r"\int_0^{{{0}}} s^{n} e^{{{1} s}} \, ds",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(real(3), real(3, key=1), n=1),
        sample(real(2, 1), real(1, 3), n=2),
        sample(real(), real(key=1), n=1),
        sample(real(0, 2), 0.5, n=1),
    ],
)
def exponential_moment(log: Any, lam: Any, /, n: int = 1) -> Any:
    """The integral of s^n exp(lam s) from 0 to log, the n-th derivative of (exp(lam log) - 1) / lam in lam.

    d/d log = log^n exp(lam log), d/d lam is that of the next n.
    """
    return log ** (n + 1) / (n + 1) * kummer(n + 1.0, n + 2.0, lam * log)


differentiate(
    exponential_moment,
    lambda xp, y, log, lam, n: math.prod([log] * n) * xp.exp(lam * log),
    lambda xp, y, log, lam, n: xp.exponential_moment(log, lam, n=n + 1),
)


def _in_lam(xp: Any, log: Any, lam: Any) -> Any:
    """d/d lam of (exp(lam log) - 1) / lam."""
    return xp.exponential_moment(log, lam, n=1)


boxcox = row(
    "boxcox",
    lambda xp, y, x, lam: xp.power(x, lam - 1),
    lambda xp, y, x, lam: _in_lam(xp, xp.log(x), lam),
    arguments="x lam",
    domain=((0.2, 3.0), (-2.0, 2.0)),
    doc="""Box and Cox's transformation (x^lam - 1) / lam, and log(x) where lam is 0. d/dx = x^(lam - 1).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.boxcox)(4.0, 0.5)
    tensor(0.5)
    """,
)
boxcox1p = row(
    "boxcox1p",
    lambda xp, y, x, lam: xp.exp((lam - 1) * xp.log1p(x)),
    lambda xp, y, x, lam: _in_lam(xp, xp.log1p(x), lam),
    arguments="x lam",
    domain=((-0.8, 2.0), (-2.0, 2.0)),
    doc="boxcox(1 + x, lam), accurate for a small x. d/dx = (1 + x)^(lam - 1).",
)


def _inverse(y: Any, lam: Any) -> Any:
    """The logarithm of the x of which boxcox(x, lam) is y: log(1 + lam y) / lam, also where lam y overflows."""
    refuse_complex("inv_boxcox", y, lam)
    y, lam = doubles(y, lam)
    with ignoring():
        u = lam * y
        far = np.isinf(u) & np.isfinite(y) & np.isfinite(lam) & (y * np.sign(lam) > 0)
        large = (np.log(np.abs(y)) + np.log(np.abs(lam))) / lam
        return np.where(far, large, np.where(u == 0, y, np.log1p(u) / np.where(u == 0, 1.0, lam)))


def inverse_boxcox(y: Any, lam: Any, /) -> Any:
    """The x of which boxcox(x, lam) is y."""
    with ignoring():
        return np.exp(_inverse(y, lam)).astype(float_kind(y, lam))[()]


def inverse_boxcox1p(y: Any, lam: Any, /) -> Any:
    """The x of which boxcox1p(x, lam) is y."""
    with ignoring():
        return np.expm1(_inverse(y, lam)).astype(float_kind(y, lam))[()]


inv_boxcox = row(
    "inv_boxcox",
    lambda xp, x, y, lam: xp.exp((1 - lam) * xp.logarithm_moment(y, lam)),
    lambda xp, x, y, lam: -x * xp.logarithm_moment(y, lam, n=1),
    arguments="y lam",
    forward=inverse_boxcox,
    domain=((-0.4, 0.4), (-2.0, 2.0)),
    doc="The x of which boxcox(x, lam) is y, (1 + lam y)^(1/lam). d/dy = x / (1 + lam y); in lam -x times the integral "
    "of s / (1 + lam s)^2 from 0 to y.",
)
inv_boxcox1p = row(
    "inv_boxcox1p",
    lambda xp, x, y, lam: xp.exp((1 - lam) * xp.logarithm_moment(y, lam)),
    lambda xp, x, y, lam: -xp.inv_boxcox(y, lam) * xp.logarithm_moment(y, lam, n=1),
    arguments="y lam",
    forward=inverse_boxcox1p,
    domain=((-0.4, 0.4), (-2.0, 2.0)),
    doc="The x of which boxcox1p(x, lam) is y. Its derivatives are those of inv_boxcox.",
)
huber = row(
    "huber",
    lambda xp, y, delta, r: xp.maximum(xp.abs(r) - delta, 0),
    lambda xp, y, delta, r: xp.minimum(xp.maximum(r, -delta), delta),
    arguments="delta r",
    domain=((0.4, 1.1), (-2.0, 2.0)),
    doc="""Huber's loss: r^2 / 2 up to delta, and delta (|r| - delta / 2) beyond. d/dr = r, and delta sign(r) beyond.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.huber, argnums=1)(1.0, 3.0)
    tensor(1.)
    """,
)


def _pseudo_huber_in_delta(xp: Any, y: Any, delta: Any, r: Any) -> Any:
    """(h - delta)^2 / h with h = hypot(delta, r): h w^2, with 1 - delta/h taken as (r/h)^2 / (1 + delta/h)."""
    w = xp.square(xp.hypot_share(r, delta)) / (1 + xp.hypot_share(delta, r))
    return xp.hypot(delta, r) * w * w  # in this order: the square of w may have no number


def _pseudo_huber_in_r(xp: Any, y: Any, delta: Any, r: Any) -> Any:
    """delta r / h, as the smaller one times the share of the other: then no slope of it is a difference of equals."""
    inside = xp.abs(r) < xp.abs(delta)
    small = xp.where(inside, r, 0.0)
    return xp.where(inside, small * xp.hypot_share(delta, small), delta * xp.hypot_share(r, delta))


_scipys_pseudo_huber = forward_of("pseudo_huber", "delta", "r")


def _pseudo_huber(delta: Any, r: Any, /) -> Any:
    """SciPy's function, but where the square of r/delta leaves the range: r^2 delta/(hypot(delta, r) + delta)."""
    plain = np.asarray(_scipys_pseudo_huber(delta, r))
    info = np.finfo(plain.dtype if plain.dtype.kind == "f" else np.float64)
    a, b = doubles(delta, r)
    with ignoring():
        ratio = np.abs(b) / a
        odd = (a > 0) & (b != 0) & np.isfinite(a) & np.isfinite(b)
        odd &= ~((ratio > info.tiny**0.25) & (ratio < info.tiny**-0.25) & (np.abs(plain) > info.tiny))
        if not odd.any():
            return plain[()]
        p, q = np.where(odd, a, 1.0), np.abs(np.where(odd, b, 1.0))
        small, large = np.minimum(p, q), np.maximum(p, q)
        share = small / large
        own = np.where(p < q, p * (q / (np.hypot(share, 1) + share)), q * (q / (np.hypot(share, 1) + 1)))
        return np.where(odd, own, plain).astype(plain.dtype)[()]


pseudo_huber = row(
    "pseudo_huber",
    _pseudo_huber_in_delta,
    _pseudo_huber_in_r,
    arguments="delta r",
    forward=_pseudo_huber,
    domain=((0.4, 1.1), (-2.0, 2.0)),
    doc="delta^2 (sqrt(1 + (r / delta)^2) - 1), a smooth form of Huber's loss. d/dr = r / sqrt(1 + (r / delta)^2).",
)


def _turned(name: str, x: Any) -> Any:
    """SciPy's function of degrees, which is 0 from 1e14 of them on and at infinity: of what is left of whole turns."""
    from scipy import special

    refuse_complex(name, x)
    with ignoring():
        return getattr(special, name)(np.fmod(x, 360))


def sine_of_degrees(x: Any, /) -> Any:
    """sindg of any angle, NaN at infinity."""
    return _turned("sindg", x)


def cosine_of_degrees(x: Any, /) -> Any:
    """cosdg of any angle, NaN at infinity."""
    return _turned("cosdg", x)


def tangent_of_degrees(x: Any, /) -> Any:
    """tandg of any angle, NaN at infinity."""
    return _turned("tandg", x)


sindg = row(
    "sindg",
    lambda xp, y, x: _DEGREE * xp.cosdg(x),
    forward=sine_of_degrees,
    doc="The sine of degrees. d/dx = pi/180 cosdg(x).",
)
cosdg = row(
    "cosdg",
    lambda xp, y, x: -_DEGREE * xp.sindg(x),
    forward=cosine_of_degrees,
    doc="The cosine of degrees. d/dx = -pi/180 sindg(x).",
)
tandg = row(
    "tandg",
    lambda xp, y, x: _DEGREE * (1 + y * y),
    forward=tangent_of_degrees,
    doc="The tangent of degrees. d/dx = pi/180 (1 + tandg(x)^2).",
)


def cotangent_of_degrees(x: Any, /) -> Any:
    """SciPy's cotdg, which takes the tangent of 90 - x: within 45 degrees of a pole one over the tangent of x."""
    from scipy import special

    refuse_complex("cotdg", x)
    (at,) = doubles(x)
    with ignoring():
        at = np.fmod(at, 360)
    y = np.array(special.cotdg(at))
    turned = np.abs(at - 180 * np.round(at / 180))
    near = (turned < 45) & (turned > 0)
    with ignoring():
        y[near] = 1 / special.tandg(at[near])
        return y.astype(float_kind(x))[()]


cotdg = row(
    "cotdg",
    lambda xp, y, x: -_DEGREE * (1 + y * y),
    domain=(20.0, 150.0),
    forward=cotangent_of_degrees,
    doc="The cotangent of degrees. d/dx = -pi/180 (1 + cotdg(x)^2).",
)
cosm1 = row(
    "cosm1",
    lambda xp, y, x: -xp.sin(x),
    latex=r"\cos {0} - 1",
    doc="cos(x) - 1, accurate for a small x. d/dx = -sin(x).",
)
