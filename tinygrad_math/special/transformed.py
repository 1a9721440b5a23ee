"""Data put on another scale, angles in degrees, and losses of one number: boxcox and its kin, sindg, huber, ...

`boxcox` is the integral of exp(lam s) from 0 to log(x), and its derivatives in lam are those of s^n exp(lam s), by
Kummer's 1F1(n + 1; n + 2; u): there is no quotient by lam and no trouble where lam is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import real, sample
from . import logarithms  # noqa: F401  (the op of inv_boxcox in lam)
from .ends import beyond, nowhere
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
    y = log ** (n + 1) / (n + 1) * kummer(n + 1.0, n + 2.0, lam * log)
    end = np.isinf(log) | np.isinf(lam)
    return np.where(end, _moment_at_ends(log, lam, n), y).astype(np.asarray(y).dtype)[()] if np.any(end) else y


def _moment_at_ends(log: Any, lam: Any, n: int) -> Any:
    """Where the exponential falls n! / |lam|^(n+1), and else no bound; with the sign of s^n ds."""
    log, lam = doubles(log, lam)
    with ignoring():
        size = np.where(lam * np.sign(log) < 0, math.factorial(n) / np.abs(lam) ** (n + 1), math.inf)
        sign = np.where((log < 0) & (n % 2 == 0), -1.0, 1.0)
        return np.where(np.isnan(log) | np.isnan(lam), math.nan, np.where(log == 0, 0.0, sign * size))


differentiate(
    exponential_moment,
    lambda xp, y, log, lam, n: math.prod([log] * n) * xp.exp(lam * log),
    lambda xp, y, log, lam, n: xp.exponential_moment(log, lam, n=n + 1),
)


def _in_lam(xp: Any, log: Any, lam: Any) -> Any:
    """d/d lam of (exp(lam log) - 1) / lam."""
    return xp.exponential_moment(log, lam, n=1)


_scipys_boxcox = {name: forward_of(name, "x", "lam") for name in ("boxcox", "boxcox1p")}


def _with_ends(name: str, x: Any, lam: Any) -> Any:
    """SciPy's function, and its limits for lam to inf and -inf."""
    y = np.asarray(_scipys_boxcox[name](x, lam))
    if not np.any(np.isinf(lam)):
        return y[()]
    x, lam = doubles(x, lam)
    with ignoring():
        log = np.log(x) if name == "boxcox" else np.log1p(x)
        limit = np.where(lam * np.sign(log) > 0, np.sign(log) * math.inf, np.where(np.isnan(log), math.nan, 0.0))
        return np.where(np.isinf(lam), limit, y).astype(y.dtype)[()]


def boxcox_of(x: Any, lam: Any, /) -> Any:
    """(x^lam - 1) / lam."""
    return _with_ends("boxcox", x, lam)


def boxcox1p_of(x: Any, lam: Any, /) -> Any:
    """((1 + x)^lam - 1) / lam."""
    return _with_ends("boxcox1p", x, lam)


def _power_inside(xp: Any, x: Any, p: Any) -> Any:
    """x^p, and NaN below 0 for whole p too."""
    outside, y = xp.less(x, 0), xp.power(x, p)
    return y if nowhere(outside) else xp.within(y, xp.logical_not(outside))


def _power1p(xp: Any, x: Any, p: Any) -> Any:
    """(1 + x)^p, by log1p(x) where x is small."""
    far = xp.greater_equal(xp.abs(x), 0.5)
    if nowhere(far):
        return xp.exp(p * xp.log1p(x))
    near = xp.exp(p * xp.log1p(xp.where(far, 0.0, x)))
    return xp.where(far, _power_inside(xp, 1 + xp.where(far, x, 0.0), p), near)


boxcox = row(
    "boxcox",
    lambda xp, y, x, lam: _power_inside(xp, x, lam - 1),
    lambda xp, y, x, lam: _in_lam(xp, xp.log(x), lam),
    arguments="x lam",
    forward=boxcox_of,
    domain=((0.2, 3.0), (-2.0, 2.0)),
    doc="""Box and Cox's transformation (x^lam - 1) / lam, and log(x) where lam is 0. d/dx = x^(lam - 1).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.boxcox)(4.0, 0.5)
    tensor(0.5)
    """,
)
boxcox1p = row(
    "boxcox1p",
    lambda xp, y, x, lam: _power1p(xp, x, lam - 1),
    lambda xp, y, x, lam: _in_lam(xp, xp.log1p(x), lam),
    arguments="x lam",
    forward=boxcox1p_of,
    domain=((-0.8, 2.0), (-2.0, 2.0)),
    doc="boxcox(1 + x, lam), accurate for a small x. d/dx = (1 + x)^(lam - 1).",
)


def _inverse(y: Any, lam: Any) -> Any:
    """The logarithm of the x of which boxcox(x, lam) is y: log(1 + lam y) / lam, also where lam y overflows."""
    refuse_complex("inv_boxcox", y, lam)
    y, lam = doubles(y, lam)
    with ignoring():
        u = lam * y
        log = np.where(lam == 0, y, np.log1p(u) / np.where(u == 0, 1.0, lam))
        far = np.isinf(u) & np.isfinite(y) & np.isfinite(lam) & (y * np.sign(lam) > 0)
        log = np.where(far, (np.log(np.abs(y)) + np.log(np.abs(lam))) / lam, np.where(u == 0, y, log))
        return np.where(np.isinf(lam) & (y * np.sign(lam) >= 0) & np.isfinite(y), 0.0, log)


def inverse_boxcox(y: Any, lam: Any, /) -> Any:
    """The x of which boxcox(x, lam) is y."""
    with ignoring():
        return np.exp(_inverse(y, lam)).astype(float_kind(y, lam))[()]


def inverse_boxcox1p(y: Any, lam: Any, /) -> Any:
    """The x of which boxcox1p(x, lam) is y."""
    with ignoring():
        return np.expm1(_inverse(y, lam)).astype(float_kind(y, lam))[()]


Slope = Callable[[Any, Any, Any], Any]  # of xp, y and lam


def _by_parts(sign: float, near: Slope, far: Slope) -> Callable[..., Any]:
    """A partial of inv_boxcox, by moments where 1 + lam y is near 1, else by powers of it, which have their limits
    where it is 0 and infinite; 0 for lam to inf and -inf, and of the order of exp(y), with that sign, where lam is 0
    and y infinite."""

    def partial(xp: Any, x: Any, y: Any, lam: Any) -> Any:
        u = lam * y
        apart = xp.greater_equal(xp.abs(u), 0.5) & (xp.isfinite(u) | xp.isinf(y)) & xp.isfinite(lam)
        ended = xp.isinf(lam) & (xp.greater_equal(u, 0) | xp.equal(y, 0))
        straight = xp.isinf(y) & xp.equal(lam, 0)
        odd = apart | ended | straight
        if nowhere(odd):
            return near(xp, y, lam)
        inside = near(xp, *(xp.where(odd, 0.0, v) for v in (y, lam)))
        outside = far(xp, *(xp.where(apart, v, 1.0) for v in (y, lam)))
        limit = xp.where(straight, sign * xp.exp(xp.where(straight, y, 0.0)), 0.0)
        return xp.where(apart, outside, xp.where(ended | straight, limit, inside))

    return partial


def _far_in_lam(xp: Any, y: Any, lam: Any) -> Any:
    """y/lam b^(1/lam - 1) - b^(1/lam) log(b)/lam^2 of b = 1 + lam y, of which the second is all where both overflow."""
    base = 1 + lam * y
    lost = xp.isinf(_power_inside(xp, base, 1 / lam - 1)) & xp.greater(base, 1) | xp.isinf(y)
    pole = xp.equal(base, 0) & (xp.less(lam, 0) | xp.greater(lam, 1))  # of b^(1/lam - 1), where y/lam is -1/lam^2
    at, held = xp.where(lost, 0.0, y), xp.where(lost | pole, 1.0, base)
    first = at / lam * _power_inside(xp, held, 1 / lam - 1)
    found = first - xp.power_log(xp.where(pole, 1.0, base), 1 / lam) / (lam * lam)
    if nowhere(pole):
        return found
    end = xp.where(pole, base, 1.0)
    return xp.where(pole, -1 / end / end, found)


_inverse_in_y = _by_parts(
    1.0,
    lambda xp, y, lam: xp.exp((1 - lam) * xp.logarithm_moment(y, lam)),
    lambda xp, y, lam: _power_inside(xp, 1 + lam * y, 1 / lam - 1),
)
_inverse_in_lam = _by_parts(
    -1.0,
    lambda xp, y, lam: -xp.exp(xp.logarithm_moment(y, lam)) * xp.logarithm_moment(y, lam, n=1),
    _far_in_lam,
)
inv_boxcox = row(
    "inv_boxcox",
    _inverse_in_y,
    _inverse_in_lam,
    arguments="y lam",
    forward=inverse_boxcox,
    domain=((-0.4, 0.4), (-2.0, 2.0)),
    doc="The x of which boxcox(x, lam) is y, (1 + lam y)^(1/lam). d/dy = x / (1 + lam y); in lam -x times the integral "
    "of s / (1 + lam s)^2 from 0 to y.",
)
inv_boxcox1p = row(
    "inv_boxcox1p",
    _inverse_in_y,
    _inverse_in_lam,
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

    def inside(delta: Any) -> Any:
        w = xp.square(xp.hypot_share(r, delta)) / (1 + xp.hypot_share(delta, r))
        return xp.hypot(delta, r) * w * w  # in this order: the square of w may have no number

    below, slope = xp.less(delta, 0), beyond(xp, xp.equal(delta, math.inf), delta, 0.0, inside)
    return slope if nowhere(below) else xp.within(slope, xp.logical_not(below))


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
        plain = np.where((a == math.inf) & np.isfinite(b), 0.5 * b * b, plain).astype(plain.dtype)
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
    few = getattr(x, "dtype", None) in (np.int8, np.uint8)  # which hold no 360
    with ignoring():
        return getattr(special, name)(np.fmod(np.int16(x) if few else x, 360))


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
