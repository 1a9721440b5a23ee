"""Integrals that have names, expi, exp1, expn, spence, the complete elliptic ones; loggamma, wrightomega, ndtri_exp.

The derivatives of the complete elliptic integrals are Carlson's, K'(m) = R_D(0, 1, 1 - m) / 6 and E'(m) =
-R_D(0, 1 - m, 1) / 6 (DLMF 19.25(i)), which have no quotient by m, and are right up to the pole at 1 and far out on
the other side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import OutsideDomain
from ..core.samples import positive, sample
from . import logarithms  # noqa: F401  (the op of the slope of spence)
from .ends import beyond, exp_over, with_limits
from .gammas import log_gamma
from .scipy_rows import doubles, float_kind, forward_of, no_derivative, refuse_complex, row

__all__ = ["ellipe", "ellipk", "ellipkm1", "exp1", "expi", "expn", "loggamma", "ndtri_exp", "spence", "wrightomega"]

expi = row(
    "expi",
    lambda xp, y, x: exp_over(xp, x),
    domain=(0.3, 2.0),
    latex=r"\operatorname{{Ei}}({0})",
    doc="""The exponential integral Ei, the integral of exp(t) / t up to x. d/dx = exp(x) / x.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.expi)(1.0)
    tensor(2.71828183)
    """,
)
exp1 = row(
    "exp1",
    lambda xp, y, x: exp_over(xp, -x),
    domain=(0.3, 2.0),
    latex=r"E_1({0})",
    doc="The exponential integral E_1, of exp(-t) / t from x on. d/dx = -exp(-x) / x.",
)


_MANY = 50  # from this order on SciPy's own is an expansion, which ends at its first term that is zero, as at n = 2 x
_LEVELS = 16
_GONE = 1e3  # exp(-x) is 0 from here on


def _by_fraction(n: Any, x: Any) -> Any:
    """E_n for an order of _MANY or more, by its continued fraction (DLMF 8.19.17, the even part), from below."""
    rest: Any = 0.0
    for k in range(_LEVELS, 0, -1):
        rest = k * ((n + k - 1) / (x + n + 2 * k - rest))
    return np.exp(-x) / (x + n - rest)


def expn_of_count(n: Any, x: Any, /) -> Any:
    """E_n: SciPy's for few, which cuts off what an order has after the point, and the continued fraction for many."""
    from scipy import special

    refuse_complex("expn", n, x)
    kind = float_kind(n, x)
    n, x = doubles(n, x)
    if np.any((n != np.floor(n)) & np.isfinite(n)):
        raise OutsideDomain(f"expn: the order is a whole number, got {n[(n != np.floor(n)) & np.isfinite(n)][0]:g}")
    if ((n >= -1) & (n < _MANY)).all():  # nearly always
        return special.expn(n, x).astype(kind)[()]
    many = (n >= _MANY) & (x >= 0)
    whole = np.where(many & (n < math.inf), n, _MANY)
    fraction = _by_fraction(whole, np.where(many, np.minimum(x, _GONE), 0.0))
    y = np.where(many, np.where(n < math.inf, fraction, 0.0), special.expn(np.clip(np.nan_to_num(n), -1, _MANY), x))
    return np.where(np.isnan(n), math.nan, y).astype(kind)[()]


def _slope_of_none(xp: Any, x: Any) -> Any:
    """That of exp(-x) / x, beside 0 by 1/x and a function without a pole."""
    near = xp.less(x, 1)
    low, high = xp.where(near, x, 1.0), xp.where(near, 1.0, x)
    inverse = 1 / low
    return xp.where(near, xp.hyp1f1(2.0, 3.0, -low) / 2 - inverse * inverse, -xp.exp(-high) / high * (1 + 1 / high))


def _in_argument(xp: Any, y: Any, n: Any, x: Any) -> Any:
    """-E_(n-1), and of E_0, below which there is none, its own."""
    some = xp.greater(n, 0)
    slope = xp.where(
        some, -xp.expn(xp.maximum(n - 1, 0), xp.where(some, x, 1.0)), _slope_of_none(xp, xp.where(some, 1.0, x))
    )
    return xp.within(slope, xp.equal(y, y))


expn = row(
    "expn",
    no_derivative("expn", "n"),
    _in_argument,
    arguments="n x",
    forward=expn_of_count,
    latex=r"E_{{{0}}}({1})",
    samples=lambda: [sample(n, positive(3)) for n in (0, 1, 2, 3)] + [sample(2, positive()), sample(1, positive(0, 2))],
    doc="The exponential integral E_n, of exp(-x t) / t^n from 1 on, n = 0, 1, 2, ... d/dx = -E_(n-1)(x). "
    "From n = 50 on by a continued fraction: SciPy's loses up to nine digits beside n = 2 x.",
)
_spence = forward_of("spence", "x")


def spence_of(x: Any, /) -> Any:
    """SciPy's spence, and its limit at infinity."""
    return with_limits(_spence(x), x, -math.inf, math.nan)


spence = row(
    "spence",
    lambda xp, y, x: xp.log_quotient(x),
    forward=spence_of,
    domain=(0.1, 2.5),
    latex=r"\operatorname{{Li}}_2(1 - {0})",
    doc="Spence's integral of log(t) / (1 - t) from 1 to x, the dilogarithm of 1 - x. d/dx = log(x) / (1 - x).",
)


ellipk = row(
    "ellipk",
    lambda xp, y, m: xp.elliprd(0.0, 1.0, 1 - m) / 6,
    arguments="m",
    domain=(-1.5, 0.9),
    latex="K({0})",
    doc="""The complete elliptic integral of the first kind, of 1 / sqrt(1 - m sin(t)^2) to pi / 2. d/dx = pi/8 at 0.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.ellipk)(0.0)
    tensor(0.39269908)
    """,
)
ellipkm1 = row(
    "ellipkm1",
    lambda xp, y, p: -xp.elliprd(0.0, 1.0, p) / 6,
    arguments="p",
    domain=(0.1, 2.5),
    latex="K(1 - {0})",
    doc="ellipk(1 - p), accurate for a small p. d/dp = -ellipk'(1 - p).",
)
ellipe = row(
    "ellipe",
    lambda xp, y, m: -xp.elliprd(0.0, 1 - m, 1.0) / 6,
    arguments="m",
    domain=(-1.5, 0.9),
    latex="E({0})",
    doc="The complete elliptic integral of the second kind, of sqrt(1 - m sin(t)^2) to pi / 2. d/dm = (E - K) / (2 m).",
)


def _log_gamma(x: Any, /) -> Any:
    """Of negative x, where it would not be real, NaN."""
    y = log_gamma(x)
    return np.where(np.less(x, 0), math.nan, y).astype(np.asarray(y).dtype)[()] if np.any(np.less(x, 0)) else y


loggamma = row(
    "loggamma",
    lambda xp, y, x: xp.digamma(x),
    forward=_log_gamma,
    domain=(0.3, 3.0),
    latex=r"\ln \Gamma({0})",
    doc="The logarithm of gamma(x) for x > 0; below, gammaln has that of its size. d/dx = digamma(x).",
)
wrightomega = row(
    "wrightomega",
    lambda xp, y, x: beyond(xp, xp.equal(y, math.inf), y, 1.0, lambda y: y / (1 + y)),
    latex=r"\omega({0})",
    doc="Wright's omega, the w of which w + log(w) is x. d/dx = w / (1 + w).",
)
ndtri_exp = row(
    "ndtri_exp",
    lambda xp, x, y: math.sqrt(math.pi / 2) * xp.erfcx(-math.sqrt(0.5) * x),
    arguments="y",
    domain=(-4.0, -0.1),
    doc="The x of which log_ndtr(x) is y: ndtri of an exponential. d/dy = sqrt(pi/2) erfcx(-x / sqrt(2)).",
)
