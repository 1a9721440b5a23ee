"""Student's distribution, differentiable in its degrees of freedom n as in t, at every order.

In t the derivative is the density p = (1 + t^2/n)^(-(n+1)/2) / (sqrt(n) B(n/2, 1/2)). In n it is an integral of the
density's derivatives. With those of log p, k_1, k_2, ..., they are p B(k), B the complete Bell polynomials, but

- for many degrees of freedom the terms of k cancel: there they are those of the expansion of log p in 1/n;
- for n < 1 those of log p are 1/n, -1/n^2, ... and cancel in B: there p = n q, and D^j p = n D^j q + j D^(j-1) q.

The integral is odd in t: from 0 to t where it grows, else beyond t in w = asinh(t/sqrt(n)), in which p falls
exponentially, until it has fallen by exp(-60); by Gauss-Legendre quadrature on panels that double in length.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import elementwise, general
from ..core.quiet import ignoring
from ..core.samples import real, sample
from .quadrature import DROP, bell, in_blocks, panels
from .scipy_rows import differentiate, doubles, float_kind, refuse_complex, row
from .stirling import log_beta

__all__ = ["stdtr"]

_MANY = 100.0  # degrees of freedom from which on the logarithm of the density is expanded in 1/n, where t^2 < n/10
_BETA_TERMS = {1: -1 / 4, 3: 1 / 24, 5: -1 / 20, 7: 17 / 112}  # of -log(B(n/2, 1/2) sqrt(n)), by Stirling's series
_LARGEST = 1e300  # that t^2 is taken for


# -- the derivatives of the density in n ------------------------------------------------------------------


def _expanded(n: Any, square: Any, order: int) -> Any:
    """The derivative of this order of log p, of many degrees of freedom, by its series in 1/n."""

    def rising(k: int) -> int:
        return math.prod(range(k, k + order))

    u, total = square / n, 0.0
    for k in range(16, 0, -1):  # (-1)^k u^k (1/k - t^2/(k + 1)) / 2, by Horner's rule
        total = (total + rising(k) * 0.5 * (-1) ** k * (1 / k - square / (k + 1))) * u
    for k, b in _BETA_TERMS.items():
        total = total + rising(k) * b * n ** -float(k)
    return (-1) ** order * total * n ** -float(order)


def _direct(n: Any, square: Any, log1p: Any, order: int) -> Any:
    """The same as it stands, for n that is neither large nor small."""
    from scipy import special

    def pole(k: int) -> float:
        return float((-1) ** (k - 1) * math.factorial(k - 1))

    def h(k: int) -> Any:
        return log1p if k == 0 else pole(k) * ((n + square) ** -float(k) - n ** -float(k))

    steps = special.polygamma(order - 1, 0.5 * (n + 1)) - special.polygamma(order - 1, 0.5 * n)
    rest = pole(order) * n ** -float(order) + (n + 1) * h(order) + order * h(order - 1)
    return 0.5**order * steps - 0.5 * rest


def _of_several(p: Any, n: Any, square: Any, log1p: Any, order: int) -> Any:
    """D^order p for n >= 1."""
    far = (n > _MANY) & (n > 10 * square)
    many, small = np.where(far, n, _MANY), np.where(far, square, 0.0)
    n, square, log1p = np.where(far, 1.0, n), np.where(far, 1.0, square), np.where(far, math.log(2), log1p)

    def kappa(k: int, _: int) -> Any:
        return np.where(far, _expanded(many, small, k), _direct(n, square, log1p, k))

    return p * bell(kappa, order)


def _of_few(q: Any, n: Any, square: Any, log1p: Any, order: int) -> Any:
    """D^order p for n < 1, with q = p/n. The derivatives of log q are of size m^-k, m = n + t^2: they are taken times
    m^k, or where m exceeds 1 as they are."""
    from scipy import special

    inverse = 1 / (n + square)
    m = np.minimum(n + square, 1.0)
    share, rest = square * inverse, n * inverse

    def kappa(k: int, _: int) -> Any:
        steps = special.polygamma(k - 1, 0.5 * (n + 1)) - special.polygamma(k - 1, 1 + 0.5 * n)
        pole = (-1) ** (k - 1) * math.factorial(k - 1) * (m * inverse) ** (k - 1) * ((square - 1) * m * inverse)
        total = (0.5 * m) ** k * steps + 0.5 * pole
        if k == 1:
            return total - 0.5 * m * log1p
        powers = share * sum(rest**j for j in range(k - 1))  # of n^(1-k) - (n + t^2)^(1-k)
        return total + 0.5 * (-1) ** k * math.factorial(k - 2) * m * (m / n) ** (k - 1) * powers

    lower = order * bell(kappa, order - 1) if order else 0.0
    return q * (n / m * bell(kappa, order) + lower) * m ** (1.0 - order)


def _weight(n: Any, log_cosh: Any) -> Any:
    """p dt/dw = cosh(w)^-n / B(n/2, 1/2), for n < 1 over n: B n/2 = sqrt(pi) gamma(1 + n/2)/gamma((n + 1)/2)."""
    from scipy import special

    few = special.gammaln(0.5 * (n + 1)) - special.gammaln(1 + 0.5 * n) - math.log(2) - 0.5 * math.log(math.pi)
    return np.exp(np.where(n < 1, few, -log_beta(np.maximum(0.5 * n, 0.5), np.float64(0.5))) - n * log_cosh)


def _rise(n: Any, square: Any, log_cosh: Any, order: int) -> Any:
    """D^order p dt/dw at t^2 = n sinh(w)^2."""
    weight, small = _weight(n, log_cosh), n < 1
    square = np.minimum(square, _LARGEST)
    few = _of_few(weight, np.where(small, n, 0.5), square, 2 * log_cosh, order)
    return np.where(small, few, _of_several(weight, np.maximum(n, 1.0), square, 2 * log_cosh, order))


# -- the density ------------------------------------------------------------------------------------------


def _log1p_square(x: Any, /) -> Any:
    size = np.abs(x)
    return np.where(size > 1, 2 * np.log(np.hypot(1, x)), np.log1p(np.square(np.minimum(size, 1))))[()]


log1p_square = elementwise(
    _log1p_square,
    lambda xp, y, x: 2 * xp.hypot_share(x, xp.ones_like(x)) / xp.hypot(1, x),
    name="log1p_square",
    latex=r"\ln(1 + {0}^2)",
    doc="log(1 + x^2) without overflow. Derivative: 2 x / (1 + x^2).",
)


def _student_samples(**params: Any) -> list[Any]:
    return [
        sample(real(3, low=0.6, high=9.0), real(3), **params),
        sample(2, real(4), **params),
        sample(np.array([[1], [4]]), real(1, 3), **params),
        sample(real(low=0.6, high=9.0), real(), **params),
        sample(3, real(0, 2), **params),
        sample(real(1, low=0.6, high=9.0), np.zeros(1), **params),
    ]


def _log_cosh_of(n: Any, t: Any) -> Any:
    """log cosh w = log(1 + t^2/n)/2, also where t/sqrt(n) overflows."""
    root = np.sqrt(n)
    ratio = t / root
    return np.where(np.isinf(ratio), np.log(np.abs(t)) - np.log(root), 0.5 * _log1p_square(ratio))


def _none(n: Any, t: Any) -> Any:
    """Where there are no degrees of freedom, and half lies at each infinity."""
    return (n == 0) & (t != 0) & np.isfinite(t)


@general(
    arity=2,
    latex=r"\partial_{{\nu}}^{{{order}}} \tau_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [*_student_samples(), *_student_samples(order=1)[:2]],
)
def student_density(df: Any, t: Any, /, order: int = 0) -> Any:
    """The derivative of this order in df of Student's density at t; of infinite df it is the normal one.

    d/ddf is that of the next order. d/dt is c p = -(df + 1) t/(df + t^2) p, differentiated `order` times in df.
    """
    kind = float_kind(df, t)
    n, t = doubles(df, t)
    given, valid = n, n > 0
    normal = valid & np.isinf(n)
    inside = valid & np.isfinite(n) & np.isfinite(t)
    n, x = np.where(inside, n, 1.0), np.where(inside, t, 0.0)
    with ignoring():
        y = _rise(n, x * x, _log_cosh_of(n, x), order) / np.hypot(x, np.sqrt(n))
        limit = np.exp(-0.5 * t * t) / math.sqrt(2 * math.pi) if order == 0 else np.where(np.isnan(t), t, 0.0)
        y = np.where(inside, y, np.where(normal, limit, np.where(valid & np.isinf(t), 0.0, math.nan)))
        y = np.where(_none(given, t) & (order == 0), 0.0, y)
        return y.astype(kind)[()]


def _density_slope(xp: Any, df: Any, t: Any, order: int) -> Any:
    """The sum over j of binom(order, j) D^j c D^(order - j) p.

    With n + t^2 = h^2 and s = t/h, c is -(n + 1) s/h, and next to 0, where that would cancel in n,
    -t - t (1 - t^2)/h^2; D^j c = -(-1)^j j! s (1 - t^2)/h^(2j + 1).
    """
    root = xp.sqrt(df)
    inverse, share = 1 / xp.hypot(t, root), xp.hypot_share(t, root)
    apart = ((1 - t) * inverse) * ((1 + t) * inverse)  # (1 - t^2)/h^2 without overflow
    far = xp.greater(xp.abs(t), root)
    near = xp.where(far, 0.0, t)
    first = xp.where(far, -(xp.where(far, df, 1.0) + 1) * share * inverse, -near - near * xp.where(far, 0.0, apart))
    total = first * xp.student_density(df, t, order=order)
    for j in range(1, order + 1):
        factor = -math.comb(order, j) * (-1) ** j * math.factorial(j)
        step = share * inverse ** (2 * j - 1) * apart
        total = total + factor * step * xp.student_density(df, t, order=order - j)
    return total


differentiate(
    student_density,
    lambda xp, y, df, t, order: xp.student_density(df, t, order=order + 1),
    lambda xp, y, df, t, order: _density_slope(xp, df, t, order),
)


# -- the distribution function ----------------------------------------------------------------------------


def _log_cosh(w: Any) -> Any:
    return np.where(w < 1, 0.5 * np.log1p(np.sinh(np.minimum(w, 1.0)) ** 2), np.logaddexp(w, -w) - math.log(2))


def _student_integral(n: Any, t: Any, order: int) -> Any:
    """stdtr_ddf for vectors inside the domain."""
    size = np.abs(t)
    reached = _log_cosh_of(n, size)
    w = np.where(reached > 300, reached + math.log(2), np.arcsinh(size / np.sqrt(n)))
    inner = np.where(n < 1, n * reached < 1, size < 1)
    fallen = reached + DROP / n  # log cosh at the end of the tail
    last = fallen + np.log1p(np.sqrt(-np.expm1(-2 * fallen)))
    nodes, weights = panels(np.where(inner, w, last - w))
    n, at = n[:, None], np.where(inner, 0.0, w)[:, None] + nodes
    terms = _rise(n, (np.sqrt(n) * np.sinh(np.minimum(at, 700.0))) ** 2, _log_cosh(at), order)
    return np.where(inner, 1.0, -1.0) * np.sign(t) * np.sum(weights * terms, -1)


@general(
    arity=2,
    latex=r"\partial_{{\nu}}^{{{order}}} T_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: _student_samples(order=1),
)
def stdtr_ddf(df: Any, t: Any, /, order: int = 1) -> Any:
    """The derivative of this order (from 1) of stdtr(df, t) in df. By quadrature, see the module."""
    refuse_complex("stdtr", df, t)
    kind = float_kind(df, t)
    shape = np.broadcast_shapes(np.shape(df), np.shape(t))
    df, t = (np.broadcast_to(np.asarray(v, np.float64), shape) for v in (df, t))
    inside = (df > 0) & np.isfinite(df) & np.isfinite(t)
    out = np.where((df > 0) & ~np.isnan(t), 0.0, np.nan)
    if np.any(inside):
        with ignoring():
            out[inside] = in_blocks(lambda df, t: _student_integral(df, t, order), df[inside], t[inside])
    out = np.where(_none(df, t), (-1.0) ** (order + 1) * np.copysign(math.inf, t), out)
    return out.astype(kind)[()]


differentiate(
    stdtr_ddf,
    lambda xp, y, df, t, order: xp.stdtr_ddf(df, t, order=order + 1),
    lambda xp, y, df, t, order: xp.student_density(df, t, order=order),
)


def stdtr_of(df: Any, t: Any, /) -> Any:
    """SciPy's stdtr of doubles: its form of fewer bits is 0 from 1e-15 on. Where t^2 overflows in it, the first term of
    the expansion in n/t^2, gamma((n + 1)/2) / (2 sqrt(pi) gamma(n/2 + 1)) (sqrt(n)/|t|)^n below 0."""
    from scipy import special

    refuse_complex("stdtr", df, t)
    kind = float_kind(df, t)
    df, t = doubles(df, t)
    with ignoring():
        y = np.asarray(special.stdtr(df, t))
        if ((df > 0) & (np.abs(t) <= _FAR)).all():  # nearly always
            return y.astype(kind)[()]
        y = np.where(_none(df, t), 0.5, y)
        far = (np.abs(t) > _FAR) & np.isfinite(t) & (df > 0) & (df < _FAR)
        if far.any():
            n, size = df[far], np.abs(t[far])
            log = special.gammaln(0.5 * (n + 1)) - special.gammaln(1 + 0.5 * n) + n * (0.5 * np.log(n) - np.log(size))
            tail = np.exp(log) / (2 * math.sqrt(math.pi))
            y[far] = np.where(t[far] < 0, tail, 1 - tail)
        return y.astype(kind)[()]


_FAR = 1e100


stdtr = row(
    "stdtr",
    lambda xp, y, df, t: xp.stdtr_ddf(df, t, order=1),
    lambda xp, y, df, t: xp.student_density(df, t),
    arguments="df t",
    forward=stdtr_of,
    latex=r"T_{{{0}}}({1})",
    samples=_student_samples,
    doc="Student's distribution function with df degrees of freedom. d/dt is its density; d/df an integral of that.",
)
