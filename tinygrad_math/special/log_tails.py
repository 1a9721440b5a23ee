"""Logarithms of the tails of the gamma, beta and Student's distributions, differentiable at every order.

Far out a tail vanishes, and its logarithm does not. It is a multiple of the density, whose logarithm is simple, and
what is left is the logarithm of an integral M of exp(f), f = 0 at its lower end and falling, of the size of 1:

- gamma, above x:    Q(a, x) = x p M,           f = (a - 1) log1p(u) - x u,                  t = x (1 + u);
- gamma, below x:    P(a, x) = x p/a (1 + x M), f = -(a + 1) v - x expm1(-v),                t = x exp(-v);
- beta, below x:     I_x(a, b) = x (1 - x) p/a (1 + (a + b) x M),
                     f = -(a + 1) log1p((1 - x) expm1(v)) - b log1p(x expm1(-v)),            t/(1 - t) falls by exp(-v);
- Student's, above:  Q = t p M, f = v - (n + 1)/2 log1p(T/(n + T) expm1(2 v)), T = t^2,      t exp(v).

Those below take the first step of the recurrence in a (DLMF 8.8.5, 8.17.20), so that nothing is singular at a small
a. The derivatives of M are integrals of exp(f) times Bell polynomials of the derivatives of f, and those of log M the
cumulants of these: sums of few terms, of which none are large that cancel. By Gauss-Legendre quadrature on panels that
double in length, to where exp(f) has fallen by exp(-60).

Each op is asked beyond the mode only, x >= a and so on; nearer to it a tail is no small number, and `log` will do.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import Declared, general
from ..core.quiet import ignoring
from ..core.samples import sample
from .beta_panels import beta_panels
from .quadrature import FAR, bell, cumulant, in_blocks, panels, reach
from .scipy_rows import differentiate, doubles, float_kind
from .stirling import bend, expm1_rest, log1p_rest, log_mean_exp

Orders = tuple[int, ...]


# -- the integrals, of vectors -----------------------------------------------------------------------------------------


def _above_gamma(a: Any, x: Any, orders: Orders) -> Any:
    """Of the integral in s = x u, which is held where it is differentiated in x."""
    steep = np.where(a > 2, (x - a) + 1, x - (a - 1))
    more, less = np.maximum(a - 1, 0.0), np.maximum(1 - a, 0.0)

    def fall(u: Any, x: Any, steep: Any, more: Any, less: Any) -> Any:
        return np.where(less > 0, x * u + less * np.log1p(u), steep * u + more * log1p_rest(u))

    ends = reach(lambda u: fall(u, x, steep, more, less), np.full_like(x, FAR))
    u, weights = panels(ends)
    a, x, steep, more, less = (v[:, None] for v in (a, x, steep, more, less))
    density = weights * np.exp(-fall(u, x, steep, more, less))
    power = np.log1p(u)

    def kappa(i: int, j: int) -> Any:
        if i > 1:
            return 0.0
        size = 1.0 if i else a - 1
        if j == 0:
            return size * power
        return (-1.0) ** (j - 1) * math.factorial(j - 1) * (size / x) * np.expm1(-j * power) * x ** (1.0 - j)

    return _log_derivative(_moments(density, kappa), orders, lambda size: np.log(x[:, 0] * size))


def _below_gamma(a: Any, x: Any, orders: Orders) -> Any:
    steep = (a - x) + 1

    def fall(v: Any, x: Any, steep: Any) -> Any:
        return steep * v + x * expm1_rest(-v)

    v, weights = panels(reach(lambda v: fall(v, x, steep), np.full_like(x, FAR)))
    density = weights * np.exp(-fall(v, x[:, None], steep[:, None]))
    slopes = {(1, 0): -v, (0, 1): -np.expm1(-v)}
    moment = _moments(density, lambda i, j: slopes.get((i, j), 0.0))
    return _log_of_one_and({(0, 0): x, (0, 1): 1.0}, moment, orders)


def _beta_tail(a: Any, b: Any, x: Any, orders: Orders, *, upper: bool) -> Any:
    """Seen from above, a and b change places, as do x and 1 - x."""
    if not upper:
        return _below_beta(a, b, x, 1 - x, orders)
    in_a, in_b, in_x = orders
    return (-1.0) ** in_x * _below_beta(b, a, 1 - x, x, (in_b, in_a, in_x))


def _below_beta(a: Any, b: Any, x: Any, y: Any, orders: Orders) -> Any:
    v, weights, fallen = beta_panels(a, b, x, y)
    p, q = a[:, None] + 1, b[:, None]
    density = weights * np.exp(-fallen)
    logs = log_mean_exp(y[:, None], x[:, None], v), log_mean_exp(x[:, None], y[:, None], -v)
    turns = -np.expm1(-v) * np.exp(v - logs[0]), -np.expm1(-v) * np.exp(-logs[1])

    def kappa(i: int, j: int, k: int) -> Any:
        if i + j > 1:
            return 0.0
        in_a, in_b = (math.factorial(k - 1) * turn**k if k else -log for turn, log in zip(turns, logs, strict=True))
        return in_a if i else in_b if j else p * in_a + q * in_b

    factor: dict[Orders, Any] = {
        (0, 0, 0): (a + b) * x,
        (1, 0, 0): x,
        (0, 1, 0): x,
        (0, 0, 1): a + b,
        (1, 0, 1): 1.0,
        (0, 1, 1): 1.0,
    }
    return _log_of_one_and(factor, _moments(density, kappa), orders)


def _above_student(n: Any, square: Any, orders: Orders) -> Any:
    """Of n and T = t^2. With w = T/(n + T) expm1(2 v) the derivatives of f of order m >= 2 are (-1)^m (m - 1)!/2
    (n + T)^(1-m) times differences of powers of 1 + w and exp(2 v)/(1 + w), written so that none cancel."""
    size = n + square
    share = square / size
    steep, half = n * ((square - 1) / size), 0.5 * (n + 1)

    def fall(v: Any, steep: Any, half: Any, share: Any) -> Any:
        return steep * v + half * bend(share, 1 - share, 2 * v)

    v, weights = panels(reach(lambda v: fall(v, steep, half, share), (FAR - half * np.log(share)) / n))
    n, square, size, share = (w[:, None] for w in (n, square, size, share))
    density = weights * np.exp(-fall(v, steep[:, None], half[:, None], share))
    w, lack = share * np.expm1(2 * v), (square - 1) / size
    part, log, gain = w / (1 + w), np.log1p(w), np.log1p(n / size * np.expm1(2 * v) / (1 + w))

    def bracket(i: int, j: int) -> Any:
        above = np.expm1(j * gain - i * log)
        if i == 0:
            return (n + 1) / size * above
        if j == 0:
            terms = (math.comb(i - 2, k) * (-1) ** k * part ** (k + 2) / (k + 2) for k in range(i - 1))
            return i * sum(terms) - lack * above
        before = np.expm1(j * gain - (i - 1) * log)
        return -(before + 1) * part - lack * above + (1 - i / (i + j - 1)) * before

    def kappa(i: int, j: int) -> Any:
        if (i, j) == (1, 0):
            return -0.5 * (np.where(w < 0.5, w * part - log1p_rest(w), log - part) + lack * part)
        m = i + j
        return 0.5 * (-1) ** m * math.factorial(m - 1) * size ** (1.0 - m) * bracket(i, j)

    return _log_derivative(_moments(density, kappa), orders, np.log)


def _moments(density: Any, kappa: Callable[..., Any]) -> Callable[..., Any]:
    """The derivatives of M: the integrals of exp(f) times Bell polynomials."""
    return lambda *at: (density * bell(kappa, *at)).sum(-1)


def _log_derivative(moment: Callable[..., Any], orders: Orders, log: Callable[[Any], Any]) -> Any:
    size = moment(*(0 for _ in orders))
    return cumulant(lambda *at: moment(*at) / size, *orders) if any(orders) else log(size)


def _log_of_one_and(factor: dict[Orders, Any], moment: Callable[..., Any], orders: Orders) -> Any:
    """The derivative of log(1 + k M), by Leibniz' rule; `factor` has the derivatives of k."""

    def product(*at: int) -> Any:
        total = 0.0
        for part, k in factor.items():
            rest = tuple(n - p for n, p in zip(at, part, strict=True))
            if min(rest) >= 0:
                total = total + math.prod(map(math.comb, at, part)) * k * moment(*rest)
        return total

    if not any(orders):
        return np.log1p(product(*orders))
    return _log_derivative(lambda *at: product(*at) + (0.0 if any(at) else 1.0), orders, np.log)


# -- the ops -----------------------------------------------------------------------------------------------------------


def _forward(integral: Callable[..., Any], orders: Orders, *args: Any) -> Any:
    """The integral where all arguments are positive; 0 where the last is, in place of elements that are not asked."""
    kind = float_kind(*args)
    args = doubles(*args)
    inside = np.logical_and.reduce([np.isfinite(v) & (v > 0) for v in args])
    out = np.where(args[-1] == 0, 0.0, np.nan)
    with ignoring():
        if np.any(inside):
            out[inside] = in_blocks(lambda *v: integral(*v, orders), *(v[inside] for v in args), size=512)
        return out.astype(kind)[()]


def _differentiable(op: Declared[...], name: str, arity: int) -> None:
    """The derivative in each argument: the op itself, of one order more."""

    def partial(place: int) -> Callable[..., Any]:
        def ahead(xp: Any, y: Any, *args: Any, orders: Orders, **side: bool) -> Any:
            more = tuple(n + (k == place) for k, n in enumerate(orders))
            return getattr(xp, name)(*args, orders=more, **side)

        return ahead

    differentiate(op, *map(partial, range(arity)))


def _two(**params: Any) -> list[Any]:
    return [
        sample(np.array([0.5, 2.0, 30.0]), np.array([3.0, 4.5, 44.0]), **params),
        sample(np.array([[2.0], [3.0]]), np.array([4.0, 5.0]), **params),
        sample(2.5, np.float64(7.0), **params),
        sample(2.0, np.ones((0, 2)), **params),
    ]


def _three() -> list[Any]:
    return [
        sample(np.array([0.5, 2.0, 30.0]), np.array([3.0, 4.5, 14.0]), np.array([0.1, 0.2, 0.3])),
        sample(np.array([[2.0], [3.0]]), 2.0, np.array([0.1, 0.2])),
        sample(2.5, 2.0, np.float64(0.9), upper=True),
        sample(2.0, 2.0, np.ones((0, 2))),
    ]


@general(
    arity=2,
    latex=r"\ln \frac{{Q({0}, {1})}}{{p({0}, {1})}}",
    shape="broadcast of the arguments",
    samples=_two,
)
def log_gamma_above(a: Any, x: Any, /, orders: Orders = (0, 0)) -> Any:
    """log(Q(a, x) / p(a, x)), p = x^(a-1) exp(-x)/gamma(a), for x >= max(a, 1); its derivative of these orders."""
    return _forward(_above_gamma, orders, a, x)


@general(
    arity=2,
    latex=r"\ln \frac{{{0} P({0}, {1})}}{{{1} p({0}, {1})}}",
    shape="broadcast of the arguments",
    samples=lambda: [sample(s.args[1], s.args[0]) for s in _two()],
)
def log_gamma_below(a: Any, x: Any, /, orders: Orders = (0, 0)) -> Any:
    """log(a P(a, x) / (x p(a, x))) for x <= a; its derivative of these orders."""
    return _forward(_below_gamma, orders, a, x)


@general(
    arity=3,
    latex=r"\ln \frac{{{0} \, B({0}, {1}) \, I_{{{2}}}({0}, {1})}}{{{2}^{{{0}}} (1 - {2})^{{{1}}}}}",
    shape="broadcast of the arguments",
    samples=_three,
)
def log_beta_tail(a: Any, b: Any, x: Any, /, upper: bool = False, orders: Orders = (0, 0, 0)) -> Any:
    """log(a B(a, b) I_x(a, b) / (x^a (1-x)^b)) for x <= a/(a + b); its derivative of these orders.

    With `upper`, for x >= a/(a + b), the same of 1 - I_x(a, b) = I_(1-x)(b, a).
    """
    return _forward(functools.partial(_beta_tail, upper=upper), orders, a, b, x)


@general(
    arity=2,
    latex=r"\ln \frac{{T_{{{0}}}(-t)}}{{t \, \tau_{{{0}}}(t)}}, t^2 = {1}",
    shape="broadcast of the arguments",
    samples=lambda: [sample(s.args[0] + 1.0, s.args[1]) for s in _two()],
)
def log_student_above(df: Any, square: Any, /, orders: Orders = (0, 0)) -> Any:
    """log(T(-t) / (t p(t))) of Student's distribution T of density p, of t^2 >= 1, df >= 1; its derivative of these
    orders."""
    return _forward(_above_student, orders, df, square)


for _op, _name, _arity in (
    (log_gamma_above, "log_gamma_above", 2),
    (log_gamma_below, "log_gamma_below", 2),
    (log_beta_tail, "log_beta_tail", 3),
    (log_student_above, "log_student_above", 2),
):
    _differentiable(_op, _name, _arity)
