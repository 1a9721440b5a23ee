"""The F distribution, differentiable in both degrees of freedom as in x, at every order.

The density is W/x for the weight W of fisher_weight.py. Derivatives of the distribution function are integrals of W
times complete Bell polynomials over log w, over the side that holds less than half, on panels that double in length,
until W has fallen by exp(-60).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import real, sample
from .ends import at_infinity
from .fisher_few import FEW, second_of_few
from .fisher_limits import beyond as beyond_limits
from .fisher_limits import density as density_far
from .fisher_limits import distribution as distribution_far
from .fisher_weight import distances, in_units, log_top, odds_of, plain_slope
from .incomplete import lower_gamma
from .incomplete_beta import lower_part, upper_part
from .quadrature import DROP, in_blocks, narrowed, panels
from .scipy_rows import differentiate, doubles, float_kind, refuse_complex, row
from .stirling import log_beta

__all__ = ["fdtr", "fdtrc"]

_FAR = 1e290  # odds from which on, and below whose inverse, the leading term of the tail is exact, but for many of both
_LONE = 1e-18  # b odds below it, where the leading term is exact


# -- the density ------------------------------------------------------------------------------------------


def _inside(m: Any, n: Any, x: Any) -> tuple[Any, Any]:
    """Where the parameters are valid, and where x is inside of the support, too."""
    valid = (m > 0) & (n > 0) & ~(np.isinf(m) & np.isinf(n)) & (x >= 0)
    return valid, valid & (x > 0) & np.isfinite(x)


def _finite(inside: Any, *args: Any) -> tuple[Any, ...]:
    """The arguments, 1 in place of all of them outside and where one is infinite."""
    good = inside & np.isfinite(args[0]) & np.isfinite(args[1])
    return tuple(np.where(good, v, 1.0) for v in args)


def _without(m: Any, n: Any, x: Any) -> tuple[Any, Any]:
    """Where there are no degrees of freedom of the one or of the other kind: then all lies at 0, or at infinity."""
    good = (x > 0) & np.isfinite(x)
    return good & (m == 0) & (n > 0), good & (n == 0) & (m > 0)


def _samples(**params: Any) -> list[Any]:
    def spread(*shape: int, key: Any) -> Any:
        return real(*shape, low=0.8, high=6.0, key=key)

    return [
        sample(spread(3, key=1), spread(3, key=2), spread(3, key=3), **params),
        sample(4, 3, spread(4, key=4), **params),
        sample(spread(2, 1, key=5), 2.5, spread(1, 3, key=6), **params),
        sample(spread(key=7), spread(key=8), spread(key=9), **params),
        sample(1, 2, real(0, 2), **params),
    ]


@general(
    arity=3,
    latex=r"{2}^{{-{k}}} \partial_{{m}}^{{{in_m}}} \partial_{{n}}^{{{in_n}}} f_{{{0}, {1}}}({2})",
    shape="broadcast of the arguments",
    samples=lambda: [*_samples(), *_samples(in_m=1, k=1)[:2]],
)
def fisher_density(m: Any, n: Any, x: Any, /, in_m: int = 0, in_n: int = 0, k: int = 0) -> Any:
    """The derivatives, of these orders in m and n, of the density of the F distribution at x, over x^k."""
    kind = float_kind(m, n, x)
    m, n, x = doubles(m, n, x)
    valid, inside = _inside(m, n, x)
    with ignoring():
        u, v, t = _finite(inside, m, n, x)
        _, s = odds_of(u, v, t)
        a, b = u / 2, v / 2
        at = distances(a, b, s, np.abs(t - 1) < 0.5, t - 1)
        log = np.log(np.where(np.isfinite(t), t, 1.0))
        y = np.exp(log_top(a, b) + a * at[2] + b * at[3] - (1 + k) * log)
        y = plain_slope(y * in_units(a, b, at, in_m, in_n), a, b, in_m, in_n)
        power = m / 2 - (1 + k)
        top = np.exp(0.5 * m * np.log(m / n) - log_beta(np.where(valid, m, 1.0) / 2, np.where(valid, n, 1.0) / 2))
        pole = (-1) ** in_m * math.inf
        edge = np.where(power > 0, 0.0, np.where((power == 0) & (in_m + in_n == 0), top, pole))
        y = np.where(inside, y, np.where(x == 0, edge, 0.0))
        y = _of_one(y, m, n, x, inside, in_m, in_n, lambda *at: density_far(*at) / at[1] ** k)
        if in_m + in_n == 0:
            for none in _without(m, n, x):
                y, valid = np.where(none, 0.0, y), valid | none
    return np.where(valid, y, math.nan).astype(kind)[()]


def _of_one(y: Any, m: Any, n: Any, x: Any, inside: Any, in_m: int, in_n: int, f: Callable[..., Any]) -> Any:
    """y, and where one of the degrees of freedom is as good as infinite f of the other's, up to its second order."""
    for where, few, order, other, upper in zip(beyond_limits(m, n, x), (m, n), (in_m, in_n), (in_n, in_m), (0, 1)):
        if np.any(where := where & inside) and order <= 2:
            y = np.array(y)
            y[where] = 0.0 if other else f(few[where], x[where], upper, order)
    if max(in_m, in_n) > 2:
        y = np.where(inside & (np.isinf(m) | np.isinf(n)), math.nan, y)
    return y


def _shares(xp: Any, m: Any, n: Any, x: Any) -> tuple[Any, ...]:
    """1/(n + m x), and m x, n and m times that, also where m x is beyond the range."""
    over = xp.logical_and(xp.isinf(m * x), xp.isfinite(x))
    t = xp.where(over, 0.0, x)
    inverse = 1 / (n + m * t)
    far = 1 / xp.where(over, x, 1.0)
    part, rest = xp.where(over, 1.0, m * t * inverse), xp.where(over, n / m * far, n * inverse)
    return xp.where(over, 0.0, inverse), part, rest, xp.where(over, far, m * inverse)


def _mean_part(xp: Any, m: Any, n: Any, x: Any, i: int, j: int) -> Any:
    """The derivative of these orders, in m and n, of h = a b/(b + a x) = 1/(2/m + 2 x/n) = (b - b rest)/x."""
    inverse, part, rest, share = _shares(xp, m, n, x)
    if i + j == 0:
        return 0.5 * n * share
    if (i, j) in ((1, 0), (0, 1)):
        return 0.5 * (rest * rest if i else part * share)
    if i == 0:  # of (a - a part): -a^2 x (-1)^j j! / (b + a x)^(j+1)
        return -0.5 * (-1) ** j * math.factorial(j) * part * share * inverse ** (j - 1)
    total = 0.0
    for r in range(min(j, 2) + 1):  # of n^2 (n + m x)^-(i+1), in n
        power = (-1) ** (j - r) * math.factorial(i + j - r) / math.factorial(i)
        total = total + math.comb(j, r) * (1, 2, 2)[r] * power * rest ** (2 - r) * inverse ** (i + j - 1)
    return 0.5 * (-1) ** (i + 1) * math.factorial(i) * x ** (i - 1) * total


def _density_slope(xp: Any, m: Any, n: Any, x: Any, in_m: int, in_n: int, k: int) -> Any:
    """D^ij of f_(k+1) (h (1 - x) - 1 - k), for few degrees of freedom with h (1 - x) as a - x a (a + b)/(b + a x)."""
    few = xp.less(m, 4 * (2 + k))
    share = _shares(xp, m, n, x)[-1]
    gap = xp.where(few, (0.5 * m - (1 + k)) - x * (0.5 * (m + n) * share), 0.0)
    gap = xp.where(few, gap, _mean_part(xp, m, n, x, 0, 0) * (1 - x) - (1 + k))
    flat = xp.logical_and(xp.equal(x, 0), xp.equal(m, 2 * (1 + k)))  # there the next one is infinite, and the gap 0
    t = xp.where(flat, 1.0, x)
    total = gap * xp.fisher_density(m, n, t, in_m=in_m, in_n=in_n, k=k + 1)
    mean = 0.5 * m * (1 + m / n) / (1 + m / n * x)  # which falls from 0 on
    at_zero = -mean * xp.fisher_density(m, n, x, in_m=in_m, in_n=in_n, k=k)
    total = xp.where(flat, at_zero, total)
    for i in range(in_m + 1):
        for j in range(in_n + 1):
            if i + j:
                step = _mean_part(xp, m, n, x, i, j) * (1 - x)
                lower = xp.fisher_density(m, n, x, in_m=in_m - i, in_n=in_n - j, k=k + 1)
                total = total + math.comb(in_m, i) * math.comb(in_n, j) * step * lower
    return total


differentiate(
    fisher_density,
    lambda xp, y, m, n, x, in_m, in_n, k: xp.fisher_density(m, n, x, in_m=in_m + 1, in_n=in_n, k=k),
    lambda xp, y, m, n, x, in_m, in_n, k: xp.fisher_density(m, n, x, in_m=in_m, in_n=in_n + 1, k=k),
    lambda xp, y, m, n, x, in_m, in_n, k: at_infinity(xp, x, 0.0, lambda x: _density_slope(xp, m, n, x, in_m, in_n, k)),
)


# -- its integrals ----------------------------------------------------------------------------------------


def _below(a: Any, b: Any, odds: Any, log: Any) -> Any:
    """The part of the distribution below these odds."""
    far = ((odds < 1 / _FAR) & (b * odds < _LONE)) | ((odds > _FAR) & (a / odds < _LONE))
    w = np.where(far, 1.0, odds)
    part, rest = w / (1 + w), 1 / (1 + w)
    low = part < 0.5
    inner = lower_part(a, b, np.where(low, part, 0.25))
    outer = upper_part(b, a, np.where(low, 0.25, rest))
    tail = np.exp(a * np.minimum(log, 0.0) - np.log(a) - log_beta(a, b))
    last = 0.0 - np.expm1(-b * np.maximum(log, 0.0) - np.log(b) - log_beta(b, a))
    return np.where(far, np.where(odds < 1, tail, last), np.where(low, inner, outer))


def _lower_integral(a: Any, b: Any, s: Any, x: Any, past: Any, i: int, j: int) -> Any:
    """Of the lower side of x = exp(s) b/a, for vectors; `past` is x - 1.

    By panels from x; but where W is flat there, by some from both ends of where it is, and beyond. For w >> 1 it is
    w^-b exp(-a/w), and falls where w < a; also, where a is small, for w < 1.
    """
    flat = s - np.log(np.maximum(a, 1.0))
    log_x = np.log(x)[:, None]
    a, b, s, x, past = a[:, None], b[:, None], s[:, None], x[:, None], past[:, None]

    def at(distance: Any) -> tuple[Any, ...]:
        log = log_x - distance
        left = np.where(np.abs(log_x) < 1, x * np.expm1(-distance) + past, np.expm1(log))
        return distances(a, b, s - distance, np.abs(log) < 0.5, left)

    def fallen(distance: Any) -> Any:
        _, _, below, above = at(distance)
        return a * below + b * above

    def over(length: Any, start: Any, way: float) -> Any:
        nodes, weights = panels(length, 32, 20)
        here = at(np.reshape(start, (-1, 1)) + way * nodes)
        weight = np.exp(log_top(a, b) + a * here[2] + b * here[3])
        return np.sum(weights * weight * in_units(a, b, here, i, j), -1)

    top = np.where(log_x > 0, 0.0, fallen(0.0))
    ends = np.full_like(s, -70.0), np.full_like(s, 1020.0)
    # the distance, to a tenth, at which W has fallen by exp(-60), by its logarithm
    high = narrowed(lambda log: top - fallen(np.exp2(log)) > DROP, *ends, 1)
    length = np.exp2(high)[:, 0]
    crossed = (flat > 1) & (length > flat)
    flat = np.where(crossed, flat, 0.0)
    total = over(np.where(crossed, 0.5 * flat, length), 0.0, 1.0)
    if crossed.any():
        total = total + over(0.5 * flat, flat, -1.0) + over(np.where(crossed, length - flat, 0.0), flat, 1.0)
    return plain_slope(total, a[:, 0], b[:, 0], i, j)


def _integrals(m: Any, n: Any, x: Any, i: int, j: int) -> Any:
    """fdtr_dmn for vectors inside of the support."""
    odds, s = odds_of(m, n, x)
    if i + j == 2 and (few := (m < FEW) & (n < FEW)).any():
        out = np.empty_like(x)
        out[few] = second_of_few(m[few], n[few], s[few], i, j)
        if (rest := ~few).any():
            out[rest] = _integrals(m[rest], n[rest], x[rest], i, j)
        return out
    low = _below(m / 2, n / 2, odds, s) < 0.5
    out = np.empty_like(x)
    if low.any():
        a, b, t = (v[low] for v in (m / 2, n / 2, x))
        out[low] = _lower_integral(a, b, s[low], t, t - 1, i, j)
    if not low.all():  # from the upper side a and b change places
        a, b, t = (v[~low] for v in (n / 2, m / 2, x))
        out[~low] = -_lower_integral(a, b, -s[~low], 1 / t, (1 - t) / t, j, i)
    return out


@general(
    arity=3,
    latex=r"\partial_{{m}}^{{{in_m}}} \partial_{{n}}^{{{in_n}}} F_{{{0}, {1}}}({2})",
    shape="broadcast of the arguments",
    samples=lambda: [*_samples(in_m=1, in_n=0), *_samples(in_m=1, in_n=1)[:1]],
)
def fdtr_dmn(m: Any, n: Any, x: Any, /, in_m: int = 1, in_n: int = 0) -> Any:
    """The derivatives of fdtr(m, n, x) in m and n, of these orders (not both 0). By quadrature, see the module."""
    kind = float_kind(m, n, x)
    m, n, x = doubles(m, n, x)
    valid, inside = _inside(m, n, x)
    out = np.where(valid, 0.0, math.nan)
    if np.any(inside):
        with ignoring():
            columns = (v[inside] for v in _finite(inside, m, n, x))
            out[inside] = in_blocks(lambda m, n, x: _integrals(m, n, x, in_m, in_n), *columns)
            out = _of_one(out, m, n, x, inside, in_m, in_n, distribution_far)
    for none, own, other, sign in zip(_without(m, n, x), (in_m, in_n), (in_n, in_m), (1.0, -1.0), strict=True):
        out = np.where(none, math.nan if own and other else sign * (-1.0) ** own * math.inf if own else 0.0, out)
    return out.astype(kind)[()]


differentiate(
    fdtr_dmn,
    lambda xp, y, m, n, x, in_m, in_n: xp.fdtr_dmn(m, n, x, in_m=in_m + 1, in_n=in_n),
    lambda xp, y, m, n, x, in_m, in_n: xp.fdtr_dmn(m, n, x, in_m=in_m, in_n=in_n + 1),
    lambda xp, y, m, n, x, in_m, in_n: xp.fisher_density(m, n, x, in_m=in_m, in_n=in_n),
)


def _fdtr(upper: bool) -> Callable[..., Any]:
    def forward(dfn: Any, dfd: Any, x: Any, /) -> Any:
        from scipy import special

        refuse_complex("fdtrc" if upper else "fdtr", dfn, dfd, x)
        kind = float_kind(dfn, dfd, x)
        m, n, x = doubles(dfn, dfd, x)
        valid, inside = _inside(m, n, x)
        with ignoring():
            u, v, t = _finite(inside, m, n, x)
            odds, s = odds_of(u, v, t)
            y = _below(v / 2, u / 2, 1 / odds, -s) if upper else _below(u / 2, v / 2, odds, s)
            for none, share in zip(_without(m, n, x), (0.0, 1.0) if upper else (1.0, 0.0), strict=True):
                y, valid, inside = np.where(none, share, y), valid | none, inside | none
            for few, many, below in ((m, n, True), (n, m, False)):
                endless = inside & np.isinf(many)
                if endless.any():
                    a, at = np.where(endless, few / 2, 1.0), np.where(endless, x, 1.0)
                    tail = special.gammaincc if upper == below else lower_gamma
                    y = np.where(endless, tail(a, a * at if below else a / at), y)
        y = np.where(inside, y, np.where((x == 0) == upper, 1.0, 0.0))
        return np.where(valid, y, math.nan).astype(kind)[()]

    return forward


fdtr = row(
    "fdtr",
    lambda xp, y, m, n, x: xp.fdtr_dmn(m, n, x, in_m=1, in_n=0),
    lambda xp, y, m, n, x: xp.fdtr_dmn(m, n, x, in_m=0, in_n=1),
    lambda xp, y, m, n, x: xp.fisher_density(m, n, x),
    forward=_fdtr(False),
    arguments="dfn dfd x",
    latex=r"F_{{{0}, {1}}}({2})",
    samples=_samples,
    doc="""The F distribution function: I_z(dfn/2, dfd/2) at z = dfn x/(dfd + dfn x), differentiable in all three.

    d/dx is its density; d/ddfn and d/ddfd are integrals of that, at every order. Where one of them is as good as
    infinite beside the other they are those of the gamma distribution, up to the second; NaN where their ratio is
    beyond 1e308 though neither is above 1e22. Third ones lose digits where both are below 1e-3 and one far less than
    the other.

    >>> import tinygrad_math as tm
    >>> tm.special.fdtr(2.0, 2.0, 1.0)
    tensor(0.5)
    """,
)
fdtrc = row(
    "fdtrc",
    lambda xp, y, m, n, x: -xp.fdtr_dmn(m, n, x, in_m=1, in_n=0),
    lambda xp, y, m, n, x: -xp.fdtr_dmn(m, n, x, in_m=0, in_n=1),
    lambda xp, y, m, n, x: -xp.fisher_density(m, n, x),
    forward=_fdtr(True),
    arguments="dfn dfd x",
    latex=r"1 - F_{{{0}, {1}}}({2})",
    samples=_samples,
    doc="""1 - fdtr(dfn, dfd, x), accurate where that is small. Derivatives: minus those of fdtr.

    >>> import tinygrad_math as tm
    >>> tm.special.fdtrc(2.0, 2.0, 3.0)
    tensor(0.25)
    """,
)
