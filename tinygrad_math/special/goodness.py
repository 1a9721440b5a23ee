"""The distributions of Kolmogorov's and Smirnov's statistics: kolmogorov, smirnov, and their inverses.

Kolmogorov's is 2 sum_k (-1)^(k-1) exp(-2 k^2 x^2), whose derivatives are Hermite functions. That alternates and is slow
for small x, where Jacobi's transformation of the theta function (DLMF 20.7.32) gives
1 - sqrt(2 pi)/x sum_k exp(-(2k-1)^2 pi^2 / (8 x^2)).
Smirnov's, of n observations, is a polynomial between the points j/n (Birnbaum, Tingey 1951, formula 3.0).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.errors import NoDerivative, OutsideDomain
from ..core.op import raw
from ..core.quiet import ignoring
from ..core.samples import real, sample
from .quadrature import in_blocks
from .scipy_rows import differentiate, doubles, float_kind, refuse_complex, row

__all__ = ["kolmogi", "kolmogorov", "smirnov", "smirnovi"]

_MIDDLE = 0.9  # below, the second series of Kolmogorov's
_MOST = 1_000_000
_MOST_SEARCHED = 100_000
_MANY = 10_000
_AT_ONCE = 1 << 20  # terms that are held in memory


def _polynomial(coefficients: Any, x: Any) -> Any:
    total = np.zeros_like(x)
    for c in coefficients:
        total = total * x + c
    return total


def _kolmogorov_slope(x: Any, order: int) -> Any:
    """For a vector of x > 0. Either derivative is the function times a polynomial, in x or in w = 1/x."""
    high = np.maximum(x, _MIDDLE)
    total = np.zeros_like(x)
    for k in range(1, 8):
        q = np.poly1d([1.0])
        for _ in range(order):
            q = np.poly1d([-4.0 * k * k, 0.0]) * q + q.deriv()
        total += 2 * (-1) ** (k - 1) * np.exp(-2.0 * k * k * high * high) * _polynomial(q.coeffs, high)
    w = 1 / np.minimum(x, _MIDDLE)
    low = np.zeros_like(x)
    for k in range(1, 6):
        c = (2 * k - 1) ** 2 * math.pi**2 / 8
        p = np.poly1d([1.0, 0.0])  # exp(-c w^2) w, and d/dx = -w^2 d/dw
        for _ in range(order):
            p = np.poly1d([2 * c, 0.0, 0.0, 0.0]) * p - np.poly1d([1.0, 0.0, 0.0]) * p.deriv()
        fall = np.where(c * w * w < 700, np.exp(-c * np.minimum(w * w, 700 / c)), 0.0)
        low -= math.sqrt(2 * math.pi) * np.where(
            fall > 0, fall * _polynomial(p.coeffs, np.where(fall > 0, w, 0.0)), 0.0
        )
    return np.where(x < _MIDDLE, low, total)


@general(
    latex=r"K^{{({order})}}({0})",
    shape="same as x",
    samples=lambda: [
        sample(real(4, low=0.4, high=2.0)),
        sample(real(2, 2, low=0.4, high=2.0), order=2),
        sample(real(low=0.6, high=0.8)),
        sample(real(0, 2)),
    ],
)
def kolmogorov_slope(x: Any, /, order: int = 1) -> Any:
    """The derivative of this order (from 1) of kolmogorov(x)."""
    refuse_complex("kolmogorov", x)
    kind = float_kind(x)
    (x,) = doubles(x)
    out = np.where(np.isnan(x), math.nan, 0.0)
    inside = (x > 0) & (x < 40)
    if np.any(inside):
        out[inside] = in_blocks(lambda x: _kolmogorov_slope(x, order), x[inside])
    return out.astype(kind)[()]


differentiate(kolmogorov_slope, lambda xp, y, x, order: xp.kolmogorov_slope(x, order=order + 1))


def _smirnov_slope(n: Any, d: Any, order: int) -> Any:
    """For vectors of n >= 1 and 0 <= d <= 1: of the sum over j of C(n, j) d (d + j/n)^(j-1) (1 - d - j/n)^(n-j)."""
    from scipy import special

    n, d = n[:, None], d[:, None]
    j = np.arange(1, int(np.max(n)) + 1)[None]
    w = 1 - d - j / n
    inside = (j < n) & (w >= 0)  # the term j = n is none inside of the interval
    u, rest = d + j / n, np.where(inside, n - j, 0.0)
    log_choice = special.gammaln(n + 1) - special.gammaln(j + 1) - special.gammaln(rest + 1)
    log_u, log_w = np.log(u), np.log(np.where(w > 0, w, 1.0))

    def falling(x: Any, k: int) -> Any:
        out = np.ones_like(x)
        for i in range(k):
            out = out * (x - i)
        return out

    def inner(m: int) -> Any:
        """The m-th derivative of u^(j-1) w^(n-j), times C(n, j)."""
        total = np.zeros_like(u)
        for k in range(m + 1):
            power = rest - k
            zero = (w <= 0) & (power > 0)
            size = np.exp(log_choice + (j - 1 - (m - k)) * log_u + power * log_w)
            part = math.comb(m, k) * falling(j - 1.0, m - k) * (-1) ** k * falling(rest, k) * np.where(zero, 0.0, size)
            total += part
        return np.where(inside, total, 0.0)

    out = np.sum(d * inner(order) + order * inner(order - 1), -1)
    n, d = n[:, 0], d[:, 0]
    first = falling(n, order) * (-1) ** order  # of (1 - d)^n, which is the term j = 0
    return out + first * np.where(n >= order, (1 - d) ** np.maximum(n - order, 0.0), 0.0)


@general(
    arity=2,
    latex=r"\partial_{{d}}^{{{order}}} D_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(5, real(3, low=0.22, high=0.38)),
        sample(np.array([[4], [30]]), np.array([[0.31, 0.43]]), order=2),
        sample(3, real(0, 2)),
    ],
)
def smirnov_slope(n: Any, d: Any, /, order: int = 1) -> Any:
    """The derivative of this order (from 1) of smirnov(n, d) in d; at j/n, where it may jump, that from below."""
    refuse_complex("smirnov", n, d)
    kind = float_kind(n, d)
    n, d = doubles(n, d)
    inside = (n >= 1) & np.isfinite(n) & (d >= 0) & (d <= 1)
    if np.any(n[inside] > _MOST):
        raise OutsideDomain(
            f"smirnov: its derivative is a sum of n terms, taken up to n = {_MOST:,}; got n = {np.max(n[inside]):g}; "
            "for so many observations exp(-2 n d^2) is its limit"
        )
    out = np.full(d.shape, math.nan)
    if np.any(inside):
        whole = np.floor(n[inside])
        size = max(1, _AT_ONCE // int(np.max(whole)))
        out[inside] = in_blocks(lambda n, d: _smirnov_slope(n, d, order), whole, d[inside], size=size)
    return out.astype(kind)[()]


def _no_count(name: str) -> Any:
    def partial(*_: Any, **__: Any) -> Any:
        raise NoDerivative(
            f"{name} has no derivative in n, a whole number of observations; hold n constant with stop_gradient()"
        )

    return partial


differentiate(smirnov_slope, _no_count("smirnov"), lambda xp, y, n, d, order: xp.smirnov_slope(n, d, order=order + 1))


def _by_count(name: str, n: Any, x: Any) -> Any:
    from scipy import special

    refuse_complex(name, n, x)
    kind = float_kind(n, x)
    n, x = doubles(n, x)
    whole = np.floor(n)
    known = (whole >= 1) & (whole < 2**31)
    return np.where(known, getattr(special, name)(np.where(known, whole, 1.0), x), math.nan).astype(kind)[()]


def smirnov_of_count(n: Any, d: Any, /) -> Any:
    """SciPy's smirnov, without a warning where n is no whole number."""
    return _by_count("smirnov", n, d)


def smirnovi_of_count(n: Any, p: Any, /) -> Any:
    """SciPy's smirnovi likewise, whose search among sums of n terms takes long where n is large."""
    most = np.max(np.where(np.asarray(n) < 2**31, n, 0), initial=0)
    if most > _MOST_SEARCHED:
        raise OutsideDomain(
            f"smirnovi: a search among sums of n terms, taken up to n = {_MOST_SEARCHED:,}; got n = {most:g}; for "
            "so many observations sqrt(-log(p) / (2 n)) is its limit"
        )
    if most <= _MANY:
        return _by_count("smirnovi", n, p)
    refuse_complex("smirnovi", n, p)
    kind = float_kind(n, p)
    n, p = doubles(n, p)
    with ignoring():
        start = np.sqrt(-np.log(p) / (2 * n)) - 1 / (6 * n)
    known = (n > _MANY) & (start * n > 10) & (start < 0.5)
    out = np.array(_by_count("smirnovi", np.where(known, 1.0, n), p))
    with ignoring():
        out[known] = [_searched(*at) for at in zip(np.floor(n[known]), p[known], start[known], strict=True)]
    return out.astype(kind)[()]


def _searched(n: float, p: float, d: float) -> float:
    """Newton's method on the logarithm, from the limit for many observations, which is off by 1/n."""
    from scipy import special

    for _ in range(5):
        tail = float(special.smirnov(n, d))
        step = math.log(tail / p) * tail / float(_smirnov_slope(np.array([n]), np.array([d]), 1)[0])
        d -= step
        if abs(step) < 1e-8 * d:  # and its square is below the rounding
            break
    return d


def _inverse_slope(xp: Any, x: Any, p: Any) -> Any:
    """1/K'(x). At the ends, where K' is 0, -1/p - 1/(1 - p), which has the same limits as it and its derivatives."""
    end = xp.logical_or(xp.equal(x, 0), xp.isinf(x))
    edge = xp.where(end, p, 0.5)
    if xp is not raw:  # x itself would pass 0 times its infinite slope on
        x = xp.kolmogi(xp.where(end, 0.5, p))
    return xp.where(end, -1 / edge - 1 / (1 - edge), 1 / xp.kolmogorov_slope(xp.where(end, 1.0, x), order=1))


def _inverse_slope_of_count(xp: Any, d: Any, n: Any, p: Any) -> Any:
    """1/D'(d); beyond the last point but one, where D is (1 - d)^n, that of d = 1 - p^(1/n): 1 - d has no digits."""
    whole = xp.where(xp.greater_equal(n, 1), xp.floor(n), math.nan)
    power = 1 / whole
    last = xp.logical_and(xp.less_equal(p, xp.power(whole, -whole)), xp.greater_equal(p, 0))
    if xp is not raw:
        d = xp.smirnovi(n, xp.where(last, 0.5, p))
    tail = -power * xp.power(xp.where(last, p, 1.0), power - 1)
    return xp.where(last, tail, 1 / xp.smirnov_slope(n, xp.where(last, 0.5, d), order=1))


kolmogorov = row(
    "kolmogorov",
    lambda xp, y, x: xp.kolmogorov_slope(x, order=1),
    domain=(0.4, 2.0),
    latex=r"K({0})",
    doc="""The chance that sqrt(n) times Kolmogorov's distance exceeds x, for many observations n.

    K(x) = 2 sum_k (-1)^(k-1) exp(-2 k^2 x^2); d/dx = -8 x sum_k (-1)^(k-1) k^2 exp(-2 k^2 x^2); 1 and 0 for x <= 0.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.kolmogorov)(0.0)
    tensor(0.)
    """,
)
kolmogi = row(
    "kolmogi",
    lambda xp, y, p: _inverse_slope(xp, y, p),
    domain=(0.1, 0.9),
    latex=r"K^{{-1}}({0})",
    doc="The x with kolmogorov(x) = p. d/dp = 1/K'(x).",
)
smirnov = row(
    "smirnov",
    _no_count("smirnov"),
    lambda xp, y, n, d: xp.smirnov_slope(n, d, order=1),
    arguments="n d",
    forward=smirnov_of_count,
    latex=r"D_{{{0}}}({1})",
    order=True,
    samples=lambda: [
        sample(5, real(3, low=0.22, high=0.38)),
        sample(np.array([[4], [30]]), np.array([[0.31, 0.43]])),
        sample(3, real(0, 2, low=0.1, high=0.3)),
    ],
    doc="""The chance that Smirnov's one-sided distance of n observations exceeds d, for d in [0, 1].

    A polynomial of d between the points j/n; d/dd is that of the polynomial. What n has after the point is cut off.
    Raises NoDerivative in n.

    >>> import tinygrad_math as tm
    >>> tm.special.smirnov(1, 0.25), tm.grad(tm.special.smirnov, argnums=1)(1, 0.25)
    (tensor(0.75), tensor(-1.))
    """,
)
smirnovi = row(
    "smirnovi",
    _no_count("smirnovi"),
    lambda xp, y, n, p: _inverse_slope_of_count(xp, y, n, p),
    arguments="n p",
    forward=smirnovi_of_count,
    latex=r"D^{{-1}}_{{{0}}}({1})",
    order=True,
    samples=lambda: [
        sample(5, real(3, low=0.3, high=0.5)),
        sample(np.array([[4], [30]]), np.array([[0.31, 0.43]])),
        sample(3, real(0, 2, low=0.1, high=0.3)),
    ],
    doc="The d with smirnov(n, d) = p, for n up to 100,000. d/dp = 1/D'(d). Raises NoDerivative in n, OutsideDomain.",
)
