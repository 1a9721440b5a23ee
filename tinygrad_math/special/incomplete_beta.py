"""The incomplete beta function and Student's distribution, differentiable in every argument at every order.

In x, or t, the derivative is the density. In the parameters it is an integral of the density's derivatives, as
for `incomplete`: with the derivatives k_ij of log p in a and b, D p = p B(k) with the complete Bell polynomials of
two variables, and D I_x is its integral over that side of x on which p falls. In the variable in which p is
log-concave with exponential tails (s = log t/(1-t) for the beta density, w = asinh(t/sqrt(df)) for Student's) it is
followed until it has fallen by exp(-60), by Gauss-Legendre quadrature on panels that double in length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core.declare import elementwise, general, helper
from ..core.quiet import ignoring
from ..core.samples import real, sample
from .quadrature import DROP, bell, in_blocks, panels
from .scipy_rows import doubles, float_kind, forward_of, refuse_complex, row
from .stirling import MANY, beside, deviance, log_beta, rest

__all__ = ["betainc", "betaincc", "stdtr"]

# -- the beta distribution --------------------------------------------------------------------------------


def _beta_kappa(psi: Callable[[int, Any], Any], a: Any, b: Any, log_x: Any, log_1mx: Any) -> Callable[[int, int], Any]:
    """The derivatives of (a - 1) log x + (b - 1) log(1 - x) - log B(a, b) in a and b."""

    def kappa(i: int, j: int) -> Any:
        k = psi(i + j - 1, a + b)
        if j == 0:
            k = k - psi(i - 1, a)
        elif i == 0:
            k = k - psi(j - 1, b)
        return k + log_x if (i, j) == (1, 0) else k + log_1mx if (i, j) == (0, 1) else k

    return kappa


@general(
    arity=3,
    latex=r"{2}^{{{0} - 1 - {j}}} (1 - {2})^{{{1} - 1 - {k}}} / B({0}, {1})",
    shape="broadcast of the arguments",
    samples=lambda: [*_beta_samples(), *_beta_samples(j=1, k=0)[:2]],
)
def beta_weight(a: Any, b: Any, x: Any, /, j: int = 0, k: int = 0) -> Any:
    """x^(a-1-j) (1-x)^(b-1-k) / B(a, b), with its limits at 0 and 1.

    Closed under differentiation in x: (a - 1 - j) times that of the next j, minus (b - 1 - k) times that of the next k.
    """
    kind = float_kind(a, b, x)
    a, b, x = doubles(a, b, x)
    p, q = a - (1 + j), b - (1 + k)
    with ignoring():
        inside = np.where((x > 0) & (x < 1), x, 0.5)
        log_b = log_beta(a, b)
        y = np.exp(p * np.log(inside) + q * np.log1p(-inside) - log_b)
        near = beside(a, (a + b) * inside) & beside(b, (a + b) * (1 - inside))
        if near.any():
            u, v, t = np.where(near, a, MANY), np.where(near, b, MANY), np.where(near, inside, 0.5)
            n = u + v
            fall = rest(n) - rest(u) - rest(v) - deviance(u, n * t) - deviance(v, n * (1 - t))
            top = np.sqrt(u / n * v / (2 * math.pi)) * np.exp(fall)
            y = np.where(near, top / t ** (1 + j) / (1 - t) ** (1 + k), y)
        for end, power in ((0, p), (1, q)):
            edge = np.where(power == 0, np.exp(-log_b), np.where(power > 0, 0.0, math.inf))
            y = np.where(x == end, edge, y)
    return np.where((x >= 0) & (x <= 1), y, math.nan).astype(kind)[()]


def _next(xp: Any, power: Any, a: Any, b: Any, x: Any, j: int, k: int) -> Any:
    """power times the weight, and 0 where power is 0."""
    flat = xp.equal(power, 0)
    return xp.where(flat, 0.0, xp.where(flat, 1.0, power) * xp.beta_weight(a, b, x, j=j, k=k))


def _beta_weight_slope(xp: Any, a: Any, b: Any, x: Any, j: int, k: int) -> Any:
    """Within a product, so that nothing cancels twice. At the ends two terms, of which the one with the pole there
    decides, so that there is no inf - inf; and so where a power is 0."""
    p, q = a - (1 + j), b - (1 + k)
    apart = xp.equal(x * (1 - x) * p * q, 0)
    t = xp.where(apart, 0.5, x)
    within = xp.beta_weight(a, b, t, j=j + 1, k=k + 1) * (p * (1 - t) - q * t)
    at_zero = xp.logical_and(xp.equal(x, 0), xp.not_equal(p, 0))
    at_one = xp.logical_and(xp.equal(x, 1), xp.not_equal(q, 0))
    x = xp.where(apart, x, 0.5)
    rising = xp.where(at_one, 0.0, _next(xp, p, a, b, x, j + 1, k))
    return xp.where(apart, rising - xp.where(at_zero, 0.0, _next(xp, q, a, b, x, j, k + 1)), within)


def _beta_weight_partials(xp: Any, y: Any, a: Any, b: Any, x: Any, j: int, k: int) -> list[Callable[[], Any]]:
    def in_parameter(first: bool) -> Any:
        if j == k == 0:
            return xp.beta_density(a, b, x, int(first), int(not first))
        edge = xp.equal(x * (1 - x), 0)
        t = xp.where(edge, 0.5, x)
        log_t = xp.log(t) if first else xp.log1p(-t)
        d = y * (log_t - xp.digamma(a if first else b) + xp.digamma(a + b))
        return xp.where(edge, xp.where(xp.equal(y, 0), 0.0, math.nan), d)  # of powers at their pole there is no limit

    return [
        lambda: in_parameter(True),
        lambda: in_parameter(False),
        lambda: _beta_weight_slope(xp, a, b, x, j, k),
    ]


@beta_weight.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any, x: Any, j: int, k: int) -> Any:
    partials = _beta_weight_partials(xp, y, a, b, x, j, k)
    return [g * partial() if wanted else None for wanted, partial in zip(need, partials, strict=True)]


@beta_weight.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any, x: Any, j: int, k: int) -> Any:
    partials = _beta_weight_partials(xp, y, a, b, x, j, k)
    return sum(t * partial() for t, partial in zip(ts, partials, strict=True) if t is not None)


@helper("beta_density")
def beta_density(xp: Any, a: Any, b: Any, x: Any, in_a: int = 0, in_b: int = 0) -> Any:
    """The derivatives in a and b, of these orders, of x^(a-1) (1-x)^(b-1) / B(a, b)."""
    if not in_a and not in_b:
        return xp.beta_weight(a, b, x)
    edge = xp.equal(x * (1 - x), 0)
    t = xp.where(edge, 0.5, x)
    d = xp.beta_weight(a, b, t) * bell(_beta_kappa(xp.polygamma, a, b, xp.log(t), xp.log1p(-t)), in_a, in_b)
    vanishing = xp.where(xp.equal(x, 0), xp.greater(a, 1), xp.greater(b, 1))
    return xp.where(edge, xp.where(vanishing, 0.0, math.inf), d)


def _beta_samples(**params: Any) -> list[Any]:
    def spread(*shape: int, key: Any) -> Any:
        return real(*shape, low=0.6, high=3.0, key=key)

    inside = real(3, low=0.1, high=0.9)
    return [
        sample(spread(3, key=1), spread(3, key=2), inside, **params),
        sample(2, 3, inside, **params),
        sample(np.array([1, 2, 3]), 2.5, inside, **params),
        sample(spread(2, 1, key=3), 2, inside, **params),
        sample(spread(key=4), spread(key=5), real(low=0.1, high=0.9), **params),
        sample(1, 2, real(0, 2), **params),
    ]


def _beta_integral(a: Any, b: Any, x: Any, in_a: int, in_b: int) -> Any:
    """betainc_dab for vectors inside the domain."""
    from scipy import special

    lower = x * (a + b) < a
    p, q = np.where(lower, a, b), np.where(lower, b, a)  # seen from the upper side, a and b change places
    start = np.log(x) - np.log1p(-x)
    start = np.where(lower, start, -start)
    top = np.logaddexp(0, start)
    v = (DROP + (p + q) * top) / p  # Newton's method on a convex function from its right side
    for _ in range(60):
        fall = p * v - (p + q) * (top - np.logaddexp(0, start - v))
        v = v - (fall - DROP) / (p - (p + q) * special.expit(start - v))
    nodes, weights = panels(v)
    s = start[:, None] - nodes
    log_p, log_q = special.log_expit(s), special.log_expit(-s)
    p, q, a, b, low = p[:, None], q[:, None], a[:, None], b[:, None], lower[:, None]
    density = np.exp(p * log_p + q * log_q - special.betaln(p, q))
    log_x, log_1mx = np.where(low, log_p, log_q), np.where(low, log_q, log_p)
    terms = bell(_beta_kappa(special.polygamma, a, b, log_x, log_1mx), in_a, in_b)
    integral = np.sum(weights * density * terms, -1)
    return np.where(lower, integral, -integral)


@general(
    arity=3,
    latex=r"\partial_{{a}}^{{{in_a}}} \partial_{{b}}^{{{in_b}}} I_{{{2}}}({0}, {1})",
    shape="broadcast of the arguments",
    samples=lambda: [*_beta_samples(in_a=1, in_b=0), *_beta_samples(in_a=1, in_b=1)[:1]],
)
def betainc_dab(a: Any, b: Any, x: Any, /, in_a: int = 1, in_b: int = 0) -> Any:
    """The derivatives of betainc(a, b, x) in a and b, of these orders (not both 0). By quadrature, see the module."""
    refuse_complex("betainc", a, b, x)
    kind = float_kind(a, b, x)
    shape = np.broadcast_shapes(np.shape(a), np.shape(b), np.shape(x))
    a, b, x = (np.broadcast_to(np.asarray(v, np.float64), shape) for v in (a, b, x))
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    inside = valid & (x > 0) & (x < 1) & np.isfinite(a) & np.isfinite(b)
    out = np.where(valid, 0.0, np.nan)
    if np.any(inside):
        out[inside] = in_blocks(lambda a, b, x: _beta_integral(a, b, x, in_a, in_b), a[inside], b[inside], x[inside])
    return out.astype(kind)[()]


def _dab_partials(xp: Any, a: Any, b: Any, x: Any, in_a: int, in_b: int) -> list[Callable[[], Any]]:
    return [
        lambda: xp.betainc_dab(a, b, x, in_a=in_a + 1, in_b=in_b),
        lambda: xp.betainc_dab(a, b, x, in_a=in_a, in_b=in_b + 1),
        lambda: xp.beta_density(a, b, x, in_a, in_b),
    ]


@betainc_dab.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any, x: Any, in_a: int, in_b: int) -> Any:
    partials = _dab_partials(xp, a, b, x, in_a, in_b)
    return [g * partial() if wanted else None for wanted, partial in zip(need, partials, strict=True)]


@betainc_dab.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any, x: Any, in_a: int, in_b: int) -> Any:
    partials = _dab_partials(xp, a, b, x, in_a, in_b)
    return sum(t * partial() for t, partial in zip(ts, partials, strict=True) if t is not None)


_FEW = 1e-4  # where SciPy's betainc(a, b, x) begins to lose b in 1 - b


def _of_few(a: Any, b: Any, x: Any) -> Any:
    """I_x(a, b) for a tiny b: by SciPy's function of the other side, and below 1/2 the series (DLMF 8.17.8)."""
    from scipy import special

    term = total = 1 / a  # x^-a B_x(a, b) = sum of (1-b)_n x^n / (n! (a+n))
    ratio = np.ones_like(x)
    low = np.minimum(x, 0.5)
    for n in range(1, 60):
        ratio = ratio * (n - b) / n * low
        term = ratio / (a + n)
        total = total + term
    below = np.exp(a * np.log(low) - special.betaln(a, b)) * total
    return np.where(x > 0.5, special.betaincc(b, a, 1 - x), below)


def _betainc(a: Any, b: Any, x: Any, /) -> Any:
    """SciPy's function, but for a tiny b, of which it loses the digits."""
    plain = _scipys_betainc(a, b, x)
    few = (np.asarray(b) < _FEW) & (np.asarray(b) > 0)
    if not np.any(few):
        return plain
    a, b, x = doubles(a, b, x)
    inside = few & (a > 0) & (x > 0) & (x < 1) & np.isfinite(a)
    with ignoring():
        own = _of_few(*(np.where(inside, v, 0.25) for v in (a, b, x)))
    return np.where(inside, own, plain).astype(np.asarray(plain).dtype)[()]


_scipys_betainc = forward_of("betainc", "a", "b", "x", order=True)
betainc = row(
    "betainc",
    lambda xp, y, a, b, x: xp.betainc_dab(a, b, x, in_a=1, in_b=0),
    lambda xp, y, a, b, x: xp.betainc_dab(a, b, x, in_a=0, in_b=1),
    lambda xp, y, a, b, x: xp.beta_density(a, b, x),
    arguments="a b x",
    latex=r"I_{{{2}}}({0}, {1})",
    samples=_beta_samples,
    forward=_betainc,
    doc="""The regularised incomplete beta function, a, b > 0 and x in [0, 1].

    d/dx = x^(a-1) (1-x)^(b-1)/B(a, b); d/da and d/db by integrals of that, at every order.
    """,
)
betaincc = row(
    "betaincc",
    lambda xp, y, a, b, x: -xp.betainc_dab(a, b, x, in_a=1, in_b=0),
    lambda xp, y, a, b, x: -xp.betainc_dab(a, b, x, in_a=0, in_b=1),
    lambda xp, y, a, b, x: -xp.beta_density(a, b, x),
    arguments="a b x",
    latex=r"1 - I_{{{2}}}({0}, {1})",
    samples=_beta_samples,
    order=True,
    doc="1 - betainc(a, b, x), accurate where that is small. Derivatives: minus those of betainc.",
)


# -- Student's distribution -------------------------------------------------------------------------------


_MANY = 100.0  # degrees of freedom from which on the logarithm of the density is expanded in 1/df, where t^2 < df/10
_BETA_TERMS = {1: -1 / 4, 3: 1 / 24, 5: -1 / 20, 7: 17 / 112}  # of -log(B(df/2, 1/2) sqrt(df)), by Stirling's series


def _student_kappa(xp: Any, df: Any, square: Any, log1p: Any) -> Callable[[int, int], Any]:
    """The derivatives in df of the logarithm of Student's density; `square` is t^2, `log1p` that of t^2/df.

    For many degrees of freedom the terms cancel; there each derivative is that of the expansion in 1/df.
    """
    far = xp.greater(xp.where(xp.greater(df, _MANY), df, 0.0), 10 * square)
    n, small = xp.where(far, df, _MANY), xp.where(far, square, 0.0)
    df = xp.where(far, 1.0, df)
    square, log1p = xp.where(far, 1.0, square), xp.where(far, math.log(2), log1p)

    def pole(n: int) -> float:
        return float((-1) ** (n - 1) * math.factorial(n - 1))

    def h(n: int) -> Any:
        return log1p if n == 0 else pole(n) * ((df + square) ** -float(n) - df ** -float(n))

    def expanded(order: int) -> Any:
        def rising(k: int) -> int:
            return math.prod(range(k, k + order))

        u, total = small / n, 0.0
        for k in range(16, 0, -1):  # (-1)^k u^k (1/k - t^2/(k + 1)) / 2, by Horner's rule
            total = (total + rising(k) * 0.5 * (-1) ** k * (1 / k - small / (k + 1))) * u
        for k, b in _BETA_TERMS.items():
            total = total + rising(k) * b * n ** -float(k)
        return (-1) ** order * total * n ** -float(order)

    def kappa(n: int, _: int) -> Any:
        constant = 0.5**n * (xp.polygamma(n - 1, 0.5 * (df + 1)) - xp.polygamma(n - 1, 0.5 * df))
        near = constant - 0.5 * pole(n) * df ** -float(n) - 0.5 * ((df + 1) * h(n) + n * h(n - 1))
        return xp.where(far, expanded(n), near)

    return kappa


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


@helper("student_density")
def student_density(xp: Any, df: Any, t: Any, order: int = 0) -> Any:
    """The derivative of this order in df of Student's density."""
    log1p = xp.log1p_square(t / xp.sqrt(df))
    p = xp.exp(-xp.betaln(0.5 * df, 0.5) - 0.5 * xp.log(df) - 0.5 * (df + 1) * log1p)
    return p * bell(_student_kappa(xp, df, t * t, log1p), order) if order else p


def _student_samples(**params: Any) -> list[Any]:
    return [
        sample(real(3, low=0.6, high=9.0), real(3), **params),
        sample(2, real(4), **params),
        sample(np.array([[1], [4]]), real(1, 3), **params),
        sample(real(low=0.6, high=9.0), real(), **params),
        sample(3, real(0, 2), **params),
        sample(real(1, low=0.6, high=9.0), np.zeros(1), **params),
    ]


def _log_cosh(w: Any) -> Any:
    return np.where(w < 1, 0.5 * np.log1p(np.sinh(np.minimum(w, 1.0)) ** 2), np.logaddexp(w, -w) - math.log(2))


def _student_integral(df: Any, t: Any, order: int) -> Any:
    """stdtr_ddf for vectors inside the domain: odd in t, so over the tail beyond |t|."""
    from scipy import special

    first = np.arcsinh(np.abs(t) / np.sqrt(df))
    fallen = _log_cosh(first) + DROP / df  # log cosh at the end
    last = fallen + np.log1p(np.sqrt(-np.expm1(-2 * fallen)))
    nodes, weights = panels(last - first)
    w, n = first[:, None] + nodes, df[:, None]
    log_cosh = _log_cosh(w)
    density = np.exp(-n * log_cosh - special.betaln(0.5 * n, 0.5))
    with ignoring("over"):
        square = n * np.sinh(w) ** 2
    plain = SimpleNamespace(greater=np.greater, where=np.where, polygamma=special.polygamma)
    terms = bell(_student_kappa(plain, n, square, 2 * log_cosh), order)
    return -np.sign(t) * np.sum(weights * density * terms, -1)


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
        out[inside] = in_blocks(lambda df, t: _student_integral(df, t, order), df[inside], t[inside])
    return out.astype(kind)[()]


@stdtr_ddf.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, df: Any, t: Any, order: int) -> Any:
    return (
        g * xp.stdtr_ddf(df, t, order=order + 1) if need[0] else None,
        g * xp.student_density(df, t, order) if need[1] else None,
    )


@stdtr_ddf.defjvp
def _(xp: Any, ts: Any, y: Any, df: Any, t: Any, order: int) -> Any:
    in_df = ts[0] * xp.stdtr_ddf(df, t, order=order + 1) if ts[0] is not None else None
    in_t = ts[1] * xp.student_density(df, t, order) if ts[1] is not None else None
    return in_t if in_df is None else in_df if in_t is None else in_df + in_t


stdtr = row(
    "stdtr",
    lambda xp, y, df, t: xp.stdtr_ddf(df, t, order=1),
    lambda xp, y, df, t: xp.student_density(df, t),
    arguments="df t",
    latex=r"T_{{{0}}}({1})",
    samples=_student_samples,
    order=True,
    doc="Student's distribution function with df degrees of freedom. d/dt is its density; d/df an integral of that.",
)
