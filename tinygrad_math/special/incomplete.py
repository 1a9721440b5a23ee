"""The regularised incomplete gamma functions, differentiable in both arguments at every order.

In x the derivative is the gamma density p(a, x) = x^(a-1) exp(-x) / Gamma(a). In a there is no closed form,
but an integral of one: with D^n = d^n/da^n,

    D^n p(a, t) = p(a, t) B_n(log t - psi(a), -psi_1(a), -psi_2(a), ...),   D^n P(a, x) = integral_0^x D^n p(a, t) dt,

where B_n are the complete Bell polynomials (the derivatives of the exponential of a function; Comtet 1974,
section 3.3). The integral of D^n p over the whole line is zero, so it is taken over that side of x on which, for
n = 1, the integrand has one sign, and nothing cancels; on the lower side after P(a, x) = P(a+1, x) + p(a+1, x)
(DLMF 8.8.5), which takes the singularity away from small a. With `order` a parameter, D^n P is an op whose
derivatives are D^(n+1) P and D^n p.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import elementwise, general, helper
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from .log_tails import log_gamma_below
from .quadrature import bell, gauss_legendre, in_blocks, reach
from .scipy_rows import doubles, float_kind, forward_of, refuse_complex, row
from .stirling import MANY, beside, deviance, expm1_rest, log_over_next_psi, log_over_psi, rest

__all__ = ["gammainc", "gammaincc"]


def _samples(**params: Any) -> list[Any]:
    return [
        sample(positive(3), positive(3, key=1), **params),
        sample(positive(2, 1), positive(1, 3), **params),
        sample(positive(), positive(2), **params),
        sample(positive(0, 2), positive(2), **params),
        sample(2.0, positive(3), **params),
        sample(np.array([30.0, 30.0]), np.array([25.0, 40.0]), **params),
    ]


elementwise(
    log_over_psi,
    lambda xp, y, x, a: 1 / x,
    lambda xp, y, x, a: -xp.polygamma(1, a),
    name="log_over_psi",
    latex=r"\ln {0} - \psi({1})",
    samples=lambda: _samples(),
    doc="log x - psi(a), of large and nearly equal ones with all digits. d/dx = 1/x, d/da = -polygamma(1, a).",
)


@general(
    arity=2,
    latex=r"{1}^{{{0} - 1 - {k}}} e^{{-{1}}} / \Gamma({0})",
    shape="broadcast of the arguments",
    samples=lambda: [*_samples(), *_samples(k=1)],
)
def gamma_weight(a: Any, x: Any, /, k: int = 0) -> Any:
    """x^(a-1-k) exp(-x) / Gamma(a), with its limits at 0 and at infinity.

    Closed under differentiation in x: d/dx of the k-th is (a - 1 - k) times the next one, minus itself.
    """
    from scipy import special

    kind = float_kind(a, x)
    a, x = doubles(a, x)
    power = a - (1 + k)
    with ignoring():
        inside = np.where((x > 0) & (x < math.inf), x, 1.0)
        y = np.exp(power * np.log(inside) - inside - special.gammaln(a))
        near = beside(a, inside)
        if near.any():
            u, v = np.where(near, a, MANY), np.where(near, inside, MANY)
            top = np.sqrt(u / (2 * math.pi)) / v * np.exp(-rest(u) - deviance(u, v))
            y = np.where(near, top / v**k, y)
        edge = np.where(power == 0, special.rgamma(a), np.where(power > 0, 0.0, math.inf))
    y = np.where(x == 0, edge, np.where(x == math.inf, 0.0, y))
    y = np.where(np.isinf(a), np.where(x < math.inf, 0.0, math.nan), y)
    return np.where((a >= 0) & (x >= 0), y, math.nan).astype(kind)[()]


def _weight_slope(xp: Any, y: Any, a: Any, x: Any, k: int) -> Any:
    """Of (a - 1 - k) times the next weight, minus this one, which is x times the next."""
    power = a - (1 + k)
    edge = xp.logical_or(xp.equal(x, 0), xp.equal(x, math.inf))
    flat = xp.logical_and(xp.equal(power, 0), xp.equal(x, 0))  # elsewhere it depends on a, through the power
    ahead = xp.gamma_weight(a, x, k=k + 1)
    t = xp.where(edge, 1.0, x)
    gap = xp.where(xp.greater(a, 2 * (2 + k)), (a - t) - (1 + k), power - t)  # a - 1 of a large a has lost the 1
    inside = gap * xp.where(edge, 1.0, ahead)
    return xp.where(edge, xp.where(flat, 0.0, xp.where(flat, 1.0, power) * ahead) - y, inside)


def _weight_in_a(xp: Any, y: Any, a: Any, x: Any, k: int) -> Any:
    if k == 0:
        return xp.gamma_density(a, x, 1)
    edge = xp.logical_or(xp.equal(x, 0), xp.equal(x, math.inf))
    return xp.where(
        edge, xp.where(xp.equal(y, 0), 0.0, -math.inf), y * (xp.log(xp.where(edge, 1.0, x)) - xp.digamma(a))
    )


@gamma_weight.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, x: Any, k: int) -> Any:
    return (
        g * _weight_in_a(xp, y, a, x, k) if need[0] else None,
        xp.resting_product(g, _weight_slope(xp, y, a, x, k)) if need[1] else None,
    )


@gamma_weight.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, x: Any, k: int) -> Any:
    in_a = None if ts[0] is None else ts[0] * _weight_in_a(xp, y, a, x, k)
    in_x = None if ts[1] is None else ts[1] * _weight_slope(xp, y, a, x, k)
    return in_x if in_a is None else in_a if in_x is None else in_a + in_x


@helper("gamma_density")
def gamma_density(xp: Any, a: Any, x: Any, order: int = 0) -> Any:
    """The derivative of this order, in a, of x^(a-1) exp(-x) / Gamma(a)."""
    if order == 0:
        return xp.gamma_weight(a, x)
    at_infinity = xp.equal(x, math.inf)
    at_zero = xp.equal(x, 0)
    t = xp.where(at_zero, 1.0, xp.where(at_infinity, 1.0, x))
    few = xp.less(a, 1)  # of which the terms would cancel: see _integral
    b = xp.where(few, a + 1, a)

    def terms(n: int) -> Any:
        return bell(lambda k, _: xp.log_over_psi(t, b) if k == 1 else -xp.polygamma(k - 1, b), n)

    d = xp.where(few, a * terms(order) + order * terms(order - 1), terms(order))
    d = xp.gamma_weight(b, t) / xp.where(few, t, 1.0) * d
    edge = xp.where(xp.logical_or(at_infinity, xp.greater(a, 1)), 0.0, (-1) ** order * math.inf)
    return xp.where(xp.logical_or(at_zero, at_infinity), edge, d)


def _integral(a: Any, x: Any, order: int) -> Any:
    """gammainc_da for vectors of valid a and positive x.

    With t = x exp(v), t p(b, t) is top exp(-fall). Below b = a + 1. Above, for a small a, p(a, t) = a p(a + 1, t)/t, of
    which the derivatives in a are a D^n + n D^(n-1) of a smooth function: those of p itself would cancel.
    """
    from scipy import special

    with ignoring():
        lower = np.log(x) < special.psi(a + 1)
        few = ~lower & (a < 1)
        b, side = np.where(lower | few, a + 1, a), np.where(lower, -1.0, 1.0)
        steep = np.where(lower, (a - x) + 1, x - a)

        def fall(v: Any, side: Any, steep: Any, x: Any) -> Any:
            return steep * v + x * expm1_rest(side * v)

        ends = reach(lambda v: fall(v, side, steep, x), np.where(lower, 160.0, 10.0))
        nodes, weights = gauss_legendre(80)
        v = (ends / 2)[:, None] * (nodes + 1)
        top = _log_top(b, x) - np.where(few, np.log(x), 0.0)
        density = np.exp(top[:, None] - fall(v, side[:, None], steep[:, None], x[:, None]))
        log = np.where(lower | few, log_over_next_psi(x, a), log_over_psi(x, b))

        def terms(n: int, log: Any, b: Any) -> Any:
            return bell(lambda k, _: log if k == 1 else -special.polygamma(k - 1, b), n)

        here, b, few = log[:, None] + side[:, None] * v, b[:, None], few[:, None]
        total = np.where(few, a[:, None], 1.0) * terms(order, here, b)
        total = total + np.where(few, order * terms(order - 1, here, b), 0.0)
        integral = (density * total) @ weights * ends / 2
        edge = np.exp(top - np.log(x)) * terms(order, log, b[:, 0])
        return np.where(lower, integral + edge, -integral)


def _log_top(b: Any, x: Any) -> Any:
    """log(x p(b, x))."""
    from scipy import special

    near = beside(b, x)
    u, t = np.where(near, b, MANY), np.where(near, x, MANY)
    beside_mode = 0.5 * np.log(u / (2 * math.pi)) - rest(u) - deviance(u, t)
    return np.where(near, beside_mode, b * np.log(x) - x - special.gammaln(b))


@general(
    arity=2,
    latex=r"\partial_{{a}}^{{{order}}} P({0}, {1})",
    shape="broadcast of the arguments",
    samples=lambda: [*_samples(order=1), sample(positive(2), positive(2, key=1), order=2)],
)
def gammainc_da(a: Any, x: Any, /, order: int = 1) -> Any:
    """The derivative of this order of gammainc(a, x) in a. By Gauss-Legendre quadrature, see the module."""
    refuse_complex("gammainc", a, x)
    kind = float_kind(a, x)
    shape = np.broadcast_shapes(np.shape(a), np.shape(x))
    a, x = (np.broadcast_to(np.asarray(v, np.float64), shape) for v in (a, x))
    valid = (a >= 0) & (x >= 0) & (a + x > 0) & (np.isfinite(a) | np.isfinite(x))
    inside = (a >= 0) & (x > 0) & np.isfinite(x) & np.isfinite(a)
    out = np.where(valid, 0.0, np.nan)
    if np.any(inside):
        out[inside] = in_blocks(lambda a, x: _integral(a, x, order), a[inside], x[inside])
    return out.astype(kind)[()]


@gammainc_da.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, x: Any, order: int) -> Any:
    return (
        g * xp.gammainc_da(a, x, order=order + 1) if need[0] else None,
        g * xp.gamma_density(a, x, order) if need[1] else None,
    )


@gammainc_da.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, x: Any, order: int) -> Any:
    in_a = ts[0] * xp.gammainc_da(a, x, order=order + 1) if ts[0] is not None else None
    in_x = ts[1] * xp.gamma_density(a, x, order) if ts[1] is not None else None
    return in_x if in_a is None else in_a if in_x is None else in_a + in_x


_MANY, _TAIL = 3e4, 4.4  # from which shape on, and so many deviations below it, SciPy's series has too few terms
_scipys_gammainc = forward_of("gammainc", "a", "x")


def lower_gamma(a: Any, x: Any, /) -> Any:
    """SciPy's P(a, x), whose series stops at 2000 terms: in the lower tail of many, which it has had to a part or none,
    by the integral of `log_tails`."""
    y = np.asarray(_scipys_gammainc(a, x))
    if not np.any(np.greater(a, _MANY)):
        return y[()]
    b, t = doubles(a, x)
    with ignoring():
        tail = (b > _MANY) & (t > 0) & (t < b - _TAIL * np.sqrt(b)) & np.isfinite(b)
        if not tail.any():
            return y[()]
        b, t, y = b[tail], t[tail], np.array(y)
        y[tail] = np.exp(_log_top(b, t) - np.log(b) + log_gamma_below.plain(b, t))
        return y[()]


gammainc = row(
    "gammainc",
    lambda xp, y, a, x: xp.gammainc_da(a, x, order=1),
    lambda xp, y, a, x: xp.gamma_density(a, x),
    forward=lower_gamma,
    arguments="a x",
    latex=r"P({0}, {1})",
    samples=_samples,
    doc="""The regularised lower incomplete gamma function P(a, x), for a > 0, x >= 0.

    d/dx = x^(a-1) exp(-x)/gamma(a); d/da by an integral of that, at every order.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.gammainc, argnums=1)(1.0, 0.0)
    tensor(1.)
    """,
)
gammaincc = row(
    "gammaincc",
    lambda xp, y, a, x: -xp.gammainc_da(a, x, order=1),
    lambda xp, y, a, x: -xp.gamma_density(a, x),
    arguments="a x",
    latex=r"Q({0}, {1})",
    samples=_samples,
    doc="The regularised upper incomplete gamma function, 1 - gammainc(a, x), accurate where that is small. "
    "Derivatives: minus those of gammainc.",
)
