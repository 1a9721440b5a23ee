"""Quantiles of large and vanishing parameters, and the parameters that belong to them, by expansions.

Of many, the gamma distribution is nearly normal: with s the normal quantile of the probability its own is

    z = a + s a^(1/2) + (s^2 - 1)/3 + (s^3 - 7 s)/36 a^(-1/2) + ...

(Cornish and Fisher 1938; the polynomials c_k solve c' - s c = what the lower ones leave of dz/ds = phi(s)/p(z), order
by order). Solved for the shape it is a = z - s z^(1/2) + (s^2 + 2)/6 + ... .
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.op import raw
from .ends import nowhere

__all__: list[str] = []

Slope = Callable[..., Any]  # of xp and the arguments
Ends = list[tuple[Slope, Slope]]  # where, and the slope there

MANY, _SLOW = 2e4, 1.3e-3  # from which on, and for s^2 up to that part of it, the terms below are all
QUANTILE = (  # c_k(s), from the lowest power on
    (0, 1),
    (-1 / 3, 0, 1 / 3),
    (0, -7 / 36, 0, 1 / 36),
    (8 / 405, 0, -7 / 810, 0, -1 / 270),
    (0, -433 / 38880, 0, 8 / 1215, 0, 1 / 4320),
    (184 / 25515, 0, -923 / 204120, 0, -1 / 840, 0, 1 / 17010),
    (0, 289717 / 146966400, 0, 289517 / 146966400, 0, -1451 / 48988800, 0, -139 / 5443200),
    (2248 / 3444525, 0, -104989 / 55112400, 0, -151 / 874800, 0, 769 / 9185400, 0, 1 / 204120),
)
SHAPE = (  # and solved for a
    (0, -1),
    (1 / 3, 0, 1 / 6),
    (0, 1 / 36, 0, 1 / 72),
    (-8 / 405, 0, 7 / 810, 0, 1 / 270),
    (0, -671 / 38880, 0, 137 / 38880, 0, 23 / 17280),
    (-16 / 25515, 0, -5189 / 408240, 0, 5 / 3024, 0, 19 / 34020),
    (0, -274867 / 146966400, 0, -2647909 / 293932800, 0, 165779 / 195955200, 0, 11237 / 43545600),
    (5408 / 3444525, 0, -39281 / 13778100, 0, -9683 / 1530900, 0, 301 / 656100, 0, 13 / 102060),
)


def _polynomial(coefficients: Sequence[float], s: Any) -> Any:
    total: Any = 0.0
    for c in reversed(coefficients):
        total = total * s + c
    return total


def _slope_of(coefficients: Sequence[float]) -> list[float]:
    return [k * c for k, c in enumerate(coefficients)][1:]


def value(terms: Any, x: Any, s: Any) -> Any:
    """x + the sum of c_k(s) x^((1-k)/2), of plain arrays."""
    return x + sum(_polynomial(c, s) * x ** ((1 - k) / 2) for k, c in enumerate(terms))


def in_size(xp: Any, terms: Any, x: Any, s: Any) -> Any:
    """Its slope in x."""
    w = 1 / xp.sqrt(x)
    total: Any = 0.0
    for k in range(len(terms) - 1, -1, -1):
        total = (total + 0.5 * (1 - k) * _polynomial(terms[k], s)) * w
    return 1 + total


def in_normal(xp: Any, terms: Any, x: Any, s: Any) -> Any:
    """Its slope in s, which for x to infinity has no bound."""
    root = xp.sqrt(x)
    w, total = 1 / root, 0.0 * s
    for k in range(len(terms) - 1, 0, -1):
        total = total * w + _polynomial(_slope_of(terms[k]), s)
    return terms[0][1] * root + total


def rise(xp: Any, s: Any) -> Any:
    """ds/dp, one over the normal density."""
    return math.sqrt(2 * math.pi) * xp.exp(0.5 * s * s)


def many_of(xp: Any, x: Any, p: Any) -> Any:
    """Where the expansions hold, of p that are neither 0 nor 1."""
    many = xp.greater(x, MANY) & proper(xp, p)
    if nowhere(many):
        return many
    s = xp.ndtri(xp.where(many, p, 0.5))
    return many & xp.less(s * s, _SLOW * x)


def proper(xp: Any, p: Any) -> Any:
    """Whether a probability is neither 0 nor 1."""
    return xp.greater(p, 0) & xp.less(p, 1)


def with_ends(
    name: str, rest: Sequence[float], wide: Callable[..., Any], pairs: Sequence[tuple[Callable[..., Any], Ends]]
) -> tuple[Callable[..., Any], ...]:
    """The partials of an op, each with its ends; `rest` are arguments at which nothing ends."""

    def one(inside: Callable[..., Any], ends: Ends) -> Callable[..., Any]:
        def d(xp: Any, y: Any, *args: Any) -> Any:
            y, *args = wide(xp, name, y, *args)
            defined = xp.equal(y, y)
            found = [(where(xp, *args) & defined, slope) for where, slope in ends]
            edge: Any = False
            for where, _ in found:
                edge = where | edge
            if nowhere(edge):
                return inside(xp, y, *args)
            inner = [xp.where(edge, r, v) for r, v in zip(rest, args, strict=True)]
            y = xp.where(edge, getattr(xp, name)(*rest), y) if xp is raw else getattr(xp, name)(*inner)
            total = inside(xp, y, *inner)
            for where, slope in found:
                held = [xp.where(where, v, r) for r, v in zip(rest, args, strict=True)]
                total = xp.where(where, slope(xp, *held), total)
            return total

        return d

    return tuple(one(*pair) for pair in pairs)


def still(xp: Any, *args: Any) -> float:
    """The limit of a slope that vanishes."""
    return 0.0


# -- the gamma distribution --------------------------------------------------------------------------------------------


def gamma_ends(upper: bool) -> tuple[Ends, Ends]:
    """Of its quantile, in a and in the probability: for many, and for a to 0, where it vanishes."""
    sign = -1.0 if upper else 1.0

    def many(xp: Any, a: Any, p: Any) -> Any:
        return many_of(xp, a, p)

    def none(xp: Any, a: Any, p: Any) -> Any:
        return xp.equal(a, 0) & proper(xp, p)

    def in_a(xp: Any, a: Any, p: Any) -> Any:
        return in_size(xp, QUANTILE, a, sign * xp.ndtri(p))

    def in_p(xp: Any, a: Any, p: Any) -> Any:
        s = sign * xp.ndtri(p)
        return sign * in_normal(xp, QUANTILE, a, s) * rise(xp, s)

    return [(many, in_a), (none, still)], [(many, in_p), (none, still)]


def gamma_quantile_far(a: Any, p: Any, known: Any, upper: bool) -> Any:
    """The quantile, of doubles: by the expansion for many, where SciPy's has few digits in the tails, or none."""
    from scipy import special

    inside = (p > 0) & (p < 1)
    s = special.ndtri(np.where(inside, p, 0.5)) * (-1.0 if upper else 1.0)
    many = inside & (a > MANY) & (s * s < _SLOW * a)
    far = np.where(np.isinf(a), math.inf, value(QUANTILE, np.where(many & np.isfinite(a), a, MANY), s))
    return np.where(many, far, np.where(inside & (a == 0), 0.0, known))


def gamma_shape_ends(size: Slope, chance: Slope, in_sizes: Sequence[Slope | None], factor: float = 1.0) -> list[Ends]:
    """Of the shape b of P(b, y) = p, times a factor, in each argument: `in_sizes` are the slopes of y, None for p.

    b is infinite for p to 0 and to infinity as y, and vanishes with y, as 1/log(y).
    """

    def many(xp: Any, *args: Any) -> Any:
        return many_of(xp, size(xp, *args), chance(xp, *args))

    def nothing(xp: Any, *args: Any) -> Any:
        return xp.equal(size(xp, *args), 0) & proper(xp, chance(xp, *args))

    def in_chance(xp: Any, *args: Any) -> Any:
        s = xp.ndtri(chance(xp, *args))
        return factor * in_normal(xp, SHAPE, size(xp, *args), s) * rise(xp, s)

    def of(slope: Slope | None) -> Ends:
        if slope is None:
            never = lambda xp, *args: xp.equal(chance(xp, *args), 0)  # noqa: E731
            return [(many, in_chance), (nothing, still), (never, lambda xp, *v: -1 / xp.sqrt(chance(xp, *v)))]

        def along(xp: Any, *args: Any) -> Any:
            y = size(xp, *args)
            return factor * slope(xp, *args) * in_size(xp, SHAPE, y, xp.ndtri(chance(xp, *args)))

        return [(many, along), (nothing, lambda xp, *v: slope(xp, *v) / xp.sqrt(size(xp, *v)))]

    return [of(slope) for slope in in_sizes]


def gamma_shape(p: Any, y: Any, known: Any) -> Any:
    """The shape, of doubles: by the expansion for a large y, with its limits."""
    from scipy import special

    inside = (p > 0) & (p < 1)
    s = special.ndtri(np.where(inside, p, 0.5))
    many = inside & (y > MANY) & (s * s < _SLOW * y)
    far = np.where(np.isinf(y), math.inf, value(SHAPE, np.where(many & np.isfinite(y), y, MANY), s))
    known = np.where(many, far, np.where(inside & (y == 0), 0.0, known))
    return np.where((p == 0) & (y > 0), math.inf, known)
