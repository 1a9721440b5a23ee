"""The incomplete beta function, differentiable in every argument at every order.

In x the derivative is the density. In the parameters it is an integral of the density's derivatives, as for
`incomplete`: with the derivatives k_ij of log p in a and b, D p = p B(k) with the complete Bell polynomials of two
variables, and D I_x is its integral over that side of x on which p falls. In the variable in which p is log-concave
with exponential tails, s = log t/(1-t), it is followed until it has fallen by exp(-60), by Gauss-Legendre quadrature
on panels that double in length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import general, helper
from ..core.quiet import ignoring
from ..core.samples import real, sample
from .beta_panels import beta_panels
from .gammas import psi_difference
from .quadrature import bell, in_blocks
from .scipy_rows import doubles, float_kind, forward_of, refuse_complex, row
from .stirling import MANY, beside, deviance, log_beta, log_mean_exp, log_over_next_psi, log_over_psi, rest

__all__ = ["betainc", "betaincc"]

# -- the beta distribution --------------------------------------------------------------------------------


def _beta_kappa(xp: Any, a: Any, b: Any, x: Any) -> Callable[[int, int], Any]:
    """The derivatives of (a - 1) log x + (b - 1) log(1 - x) - log B(a, b) in a and b."""
    n = a + b

    def kappa(i: int, j: int) -> Any:
        if i + j == 1:
            return xp.log_over_psi(n * (x if i else 1 - x), a if i else b) - xp.log_over_psi(n, n)
        k = xp.polygamma(i + j - 1, n)
        return k - xp.polygamma(i - 1, a) if j == 0 else k - xp.polygamma(j - 1, b) if i == 0 else k

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
    valid = (a >= 0) & (b >= 0) & (x >= 0) & (x <= 1) & (np.isfinite(a) | np.isfinite(b))
    return np.where(valid, y, math.nan).astype(kind)[()]


def _pole(xp: Any, power: Any) -> Any:
    """Whether a derivative of some order of x^power has a pole at 0: unless it is a polynomial."""
    return xp.logical_or(xp.less(power, 0), xp.not_equal(power, xp.floor(power)))


def _beta_weight_slope(xp: Any, a: Any, b: Any, x: Any, j: int, k: int) -> Any:
    """Within a product, so that nothing cancels twice. At the ends two terms, of which the one with the pole there
    decides, so that there is no inf - inf; and so where a power is 0, whose derivative in a or b is the weight."""
    p, q = a - (1 + j), b - (1 + k)
    apart = xp.equal(x * (1 - x) * p * q, 0)
    t = xp.where(apart, 0.5, x)
    within = xp.beta_weight(a, b, t, j=j + 1, k=k + 1) * (p * (1 - t) - q * t)
    at_zero = xp.logical_and(xp.equal(x, 0), _pole(xp, p))
    at_one = xp.logical_and(xp.equal(x, 1), _pole(xp, q))
    x = xp.where(apart, x, 0.5)
    rising = xp.where(at_one, 0.0, xp.resting_product(p, xp.beta_weight(a, b, x, j=j + 1, k=k)))
    falling = xp.where(at_zero, 0.0, xp.resting_product(q, xp.beta_weight(a, b, x, j=j, k=k + 1)))
    return xp.where(apart, rising - falling, within)


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
    return [xp.resting_product(g, d()) if wanted else None for wanted, d in zip(need, partials, strict=True)]


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
    d = xp.beta_weight(a, b, t) * bell(_beta_kappa(xp, a, b, t), in_a, in_b)
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


_HARDLY_ANY = 1e-3


def _beta_integral(a: Any, b: Any, x: Any, in_a: int, in_b: int) -> Any:
    """betainc_dab for vectors inside the domain: of the side on which the density falls, which seen from above is that
    of 1 - x, and a and b change places."""
    out, lower = np.empty_like(x), x * (a + b) < a
    if in_a + in_b > 1:  # of few of both a/(a + b) is above, of which terms of derivatives in a cancel, b/(a + b) below
        lower = np.where((a < _HARDLY_ANY) & (b < _HARDLY_ANY), in_a > 0, lower)
    with ignoring():
        p, q, t = a[lower], b[lower], x[lower]
        out[lower] = below_part(p, q, t, 1 - t, in_a, in_b)
        p, q, t = a[~lower], b[~lower], x[~lower]
        out[~lower] = -below_part(q, p, 1 - t, t, in_b, in_a)
    return out


def below_part(a: Any, b: Any, x: Any, y: Any, in_a: int, in_b: int) -> Any:
    """The derivative of I_x(a, b) = x^a y^b/(a B(a, b)) + I_x(a + 1, b) (DLMF 8.17.20), in which nothing is singular at
    a small a. Of a small b it is b times a smooth function, as 1/B(a, b) is."""
    v, weights, fall = beta_panels(a, b, x, y)
    top, n = _log_top(a, b, x, y), a + b
    step = np.exp(top) * _terms(_shares(a, b, 0, x, y), a, b, 0, in_a, in_b)
    a, b, x, y, n = (w[:, None] for w in (a, b, x, y, n))
    density = weights * np.exp(top[:, None] - fall) * (n * x)
    in_first, in_second = _shares(a, b, 1, x, y)
    shares = in_first - log_mean_exp(y, x, v), in_second - log_mean_exp(x, y, -v)
    return step + (density * _terms(shares, a, b, 1, in_a, in_b)).sum(-1)


def _log_top(a: Any, b: Any, x: Any, y: Any) -> Any:
    """The logarithm of x^a y^b/(a B(a, b)), for a small b over b."""
    n = a + b
    near = beside(a, n * x) & beside(b, n * y)
    u, v, t, s = (np.where(near, w, other) for w, other in ((a, MANY), (b, MANY), (x, 0.5), (y, 0.5)))
    m = u + v
    fall = rest(m) - rest(u) - rest(v) - deviance(u, m * t) - deviance(v, m * s)
    beside_mode = 0.5 * (np.log(v / m) - np.log(u) - math.log(2 * math.pi)) + fall
    log_x, log_y = (np.where(w > 0.5, np.log1p(-other), np.log(w)) for w, other in ((x, y), (y, x)))
    more_a, more_b = np.where(a < 1, 1.0, 0.0), np.where(b < 1, 1.0, 0.0)  # a B(a, b) is (a + b) B(a + 1, b)
    poles = np.where(a < 1, np.log(n + more_b), np.log(a)) + np.where(b < 1, np.log(n), 0.0)
    away = a * log_x + b * log_y - log_beta(a + more_a, b + more_b) - poles
    return np.where(near, beside_mode, away)


def _shares(a: Any, b: Any, more: int, x: Any, y: Any) -> tuple[Any, Any]:
    """log x - psi(a + 1) + psi(n) with n = a + b + more, and the same of y and b, for a small b of b + 1; of the larger
    of a and b by a difference of psi of nearly equal ones."""
    n, rest_of_b = a + b + more, np.where(b < 1, b + 1, b)
    beyond, lift = log_over_psi(n, n), np.log1p(more / (a + b))
    first = np.log1p(-np.minimum(y, 0.5)) + psi_difference(a, b) + (more / (a + b) - 1 / a)
    second = np.log1p(-np.minimum(x, 0.5)) + psi_difference(b, a) + more / (a + b)
    return (
        np.where((b < a) & (y < 0.5), first, log_over_next_psi((a + b) * x, a) + lift - beyond),
        np.where((a < b) & (b >= 1) & (x < 0.5), second, log_over_psi((a + b) * y, rest_of_b) + lift - beyond),
    )


def _terms(shares: tuple[Any, Any], a: Any, b: Any, more: int, in_a: int, in_b: int) -> Any:
    """The derivatives of the function of these logarithmic ones, over that function; of a small b of b times it."""
    from scipy import special

    few, n = b < 1, a + b + more
    rest_of_b = np.where(few, b + 1, b)

    def rise(start: Any, step: Any, k: int) -> Any:
        fall = special.polygamma(k, n) - special.polygamma(k, start)  # of few n is not start + step, which has lost it
        return np.where(step < 0, fall, psi_difference(start, step, k))

    def kappa(i: int, j: int) -> Any:
        if i + j == 1:
            return shares[j]
        if j == 0:
            return rise(a + 1, b - 1 + more, i - 1)
        if i == 0:
            return rise(rest_of_b, np.where(few, a - 1 + more, a + more), j - 1)
        return special.polygamma(i + j - 1, n)

    total = np.where(few, b, 1.0) * bell(kappa, in_a, in_b)
    return total + np.where(few, in_b * bell(kappa, in_a, in_b - 1), 0.0) if in_b else total


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
    valid = (a >= 0) & (b >= 0) & (a + b > 0) & (x >= 0) & (x <= 1) & (np.isfinite(a) | np.isfinite(b))
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


_LOST = 1e-270  # below it the factors of SciPy's may vanish, or have few digits
_MANY = 1e9  # from where on SciPy's functions lose digits, the more the larger a or b: all of them in the end
_BEYOND = 1e17  # from where on they are incomplete gamma functions, where the other of a and b is below 1


def _of_many(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """I_x(a, b) and 1 - I_x(a, b) where a or b is large: the smaller of the two by quadrature."""
    below = x * (a + b) < a
    side = in_blocks(lambda a, b, x: np.abs(_beta_integral(a, b, x, 0, 0)), a, b, x)
    return np.where(below, side, 1 - side), np.where(below, 1 - side, side)


def _of_gamma(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """The same for a < 1 and b beyond 1e17, or the other way round: t^(a-1) (1-t)^b is t^(a-1) exp(b log(1-t))."""
    from scipy import special

    first = a < b
    few, point = np.where(first, a, b), -np.where(first, b * np.log1p(-x), a * np.log(x))
    small, rest = special.gammainc(few, point), special.gammaincc(few, point)
    return np.where(first, small, rest), np.where(first, rest, small)


def _where(which: Any, plain: Any, mend: Callable[..., Any], *args: Any) -> Any:
    """`plain`, and what `mend` makes of the arguments of the elements that are asked."""
    if not np.any(which):
        return plain
    args, kind = doubles(*args), np.asarray(plain).dtype
    inside = (args[2] > 0) & (args[2] < 1) & np.isfinite(args[0]) & np.isfinite(args[1])
    which = np.broadcast_to(which, inside.shape) & inside
    if not which.any():
        return plain
    y = np.array(plain, np.float64)
    with ignoring():
        y[which] = mend(*(v[which] for v in args))
    return y.astype(kind)[()]


def _side(upper: int, a: Any, b: Any, x: Any) -> Any:
    """SciPy's function, but where it loses digits: for a tiny b, of which 1 - b has none, and for many of a or b."""
    y = (_scipys_betaincc if upper else _scipys_betainc)(a, b, x)
    less, more = np.minimum(a, b), np.maximum(a, b)
    if not upper:
        y = _where((np.asarray(b) < _FEW) & (less > 0), y, _of_few, a, b, x)
    if np.any(more > _MANY):
        y = _where((more > _MANY) & (less >= 1), y, lambda *v: _of_many(*v)[upper], a, b, x)
        y = _where((more > _BEYOND) & (less > 0) & (less < 1), y, lambda *v: _of_gamma(*v)[upper], a, b, x)
    lost = (np.asarray(y) < _LOST) & (less >= _FEW) & (more <= _MANY)
    return _where(lost, y, lambda *v: _of_many(*v)[upper], a, b, x)


def lower_part(a: Any, b: Any, x: Any, /) -> Any:
    return _side(0, a, b, x)


def upper_part(a: Any, b: Any, x: Any, /) -> Any:
    return _side(1, a, b, x)


_scipys_betainc = forward_of("betainc", "a", "b", "x", order=True, wide=True)
_scipys_betaincc = forward_of("betaincc", "a", "b", "x", order=True, wide=True)
betainc = row(
    "betainc",
    lambda xp, y, a, b, x: xp.betainc_dab(a, b, x, in_a=1, in_b=0),
    lambda xp, y, a, b, x: xp.betainc_dab(a, b, x, in_a=0, in_b=1),
    lambda xp, y, a, b, x: xp.beta_density(a, b, x),
    arguments="a b x",
    latex=r"I_{{{2}}}({0}, {1})",
    samples=_beta_samples,
    forward=lower_part,
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
    forward=upper_part,
    doc="1 - betainc(a, b, x), accurate where that is small. Derivatives: minus those of betainc.",
)
