"""Quantiles of large and vanishing parameters, and the parameters that belong to them, by expansions.

Of many, the gamma distribution is nearly normal: with s the normal quantile of the probability its own is

    z = a + s a^(1/2) + (s^2 - 1)/3 + (s^3 - 7 s)/36 a^(-1/2) + ...

(Cornish and Fisher 1938; the polynomials c_k solve c' - s c = what the lower ones leave of dz/ds = phi(s)/p(z), order
by order). Solved for the shape it is a = z - s z^(1/2) + (s^2 + 2)/6 + ... . A beta distribution of which one parameter
b is large is a gamma distribution: I_z(a, b) = P(a, -N log(1 - z)), N = b + (a - 1)/2, but for terms of the size of
1/N^2.
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


def gamma_quantile(a: Any, p: Any, known: Any, upper: bool) -> Any:
    """The quantile, of doubles: by the expansion for many, where SciPy's has few digits in the tails, or none."""
    from scipy import special

    inside = (p > 0) & (p < 1)
    s = special.ndtri(np.where(inside, p, 0.5)) * (-1.0 if upper else 1.0)
    many = inside & (a > MANY) & (s * s < _SLOW * a)
    far = np.where(np.isinf(a), math.inf, value(QUANTILE, np.where(many & np.isfinite(a), a, MANY), s))
    return np.where(many, far, np.where(inside & (a == 0), 0.0, known))


def shape_ends(size: Slope, chance: Slope, in_sizes: Sequence[Slope | None], factor: float = 1.0) -> list[Ends]:
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


def shape(p: Any, y: Any, known: Any) -> Any:
    """The shape, of doubles: by the expansion for a large y, with its limits."""
    from scipy import special

    inside = (p > 0) & (p < 1)
    s = special.ndtri(np.where(inside, p, 0.5))
    many = inside & (y > MANY) & (s * s < _SLOW * y)
    far = np.where(np.isinf(y), math.inf, value(SHAPE, np.where(many & np.isfinite(y), y, MANY), s))
    known = np.where(many, far, np.where(inside & (y == 0), 0.0, known))
    return np.where((p == 0) & (y > 0), math.inf, known)


# -- the beta distribution ---------------------------------------------------------------------------------------------

_FEW = 1e-5  # the other parameter, and the gamma quantile, over the large one


class Gamma:
    """The gamma distribution that a beta distribution of a large b is: with its quantile G and its slopes."""

    def __init__(self, xp: Any, a: Any, p: Any, upper: bool, slopes: Sequence[Callable[..., Any]]) -> None:
        self.quantile = getattr(xp, "gammainccinv" if upper else "gammaincinv")(a, p)
        self._slopes, self._at = slopes, (xp, self.quantile, a, p)

    def in_a(self) -> Any:
        return self._slopes[0](*self._at)

    def in_p(self) -> Any:
        return self._slopes[1](*self._at)


def beta_ends(upper: bool, lower_slopes: Sequence[Any], upper_slopes: Sequence[Any]) -> list[Ends]:
    """Of the quantile z of the beta distribution, in a, b and p, from the slopes of gammaincinv and gammainccinv.

    Where b is large, z is 1 - exp(-G/N); where a is, exp(-G/N), with the other tail. It is 0 for a = 0, 1 for b = 0.
    """

    def gamma(xp: Any, a: Any, p: Any, other: bool) -> Gamma:
        side = upper != other
        return Gamma(xp, a, p, side, upper_slopes if side else lower_slopes)

    def large(flip: bool) -> Slope:
        def where(xp: Any, a: Any, b: Any, p: Any) -> Any:
            a, b = (b, a) if flip else (a, b)
            many = xp.greater(_FEW * b, 1 + a) & proper(xp, p) & xp.greater(a, 0)
            if nowhere(many):
                return many
            quantile = gamma(xp, xp.where(many, a, 1.0), xp.where(many, p, 0.5), flip).quantile
            return many & xp.less(quantile, _FEW * b)

        return where

    def slope(kind: str, flip: bool) -> Slope:
        """In the small parameter, the large one, or p."""

        def d(xp: Any, a: Any, b: Any, p: Any) -> Any:
            a, b = (b, a) if flip else (a, b)
            inverse = 1 / (b + 0.5 * (a - 1))
            g = gamma(xp, a, p, flip)
            share = g.quantile * inverse
            if kind == "small":
                step = g.in_a() * inverse - 0.5 * share * inverse
            else:
                step = -share * inverse if kind == "large" else g.in_p() * inverse
            return (-1.0 if flip else 1.0) * xp.exp(-share) * step

        return d

    def none(xp: Any, a: Any, b: Any, p: Any) -> Any:
        return (xp.equal(a, 0) | xp.equal(b, 0)) & xp.greater(a + b, 0) & proper(xp, p)

    kinds = [("small", "large"), ("large", "small"), ("p", "p")]
    return [
        [(large(False), slope(first, False)), (large(True), slope(second, True)), (none, still)]
        for first, second in kinds
    ]


def beta_quantile(upper: bool, a: Any, b: Any, p: Any, known: Any) -> Any:
    """z, of doubles: of parameters too large for SciPy, and of those that vanish."""
    from scipy import special

    if ((a > 0) & (a <= 1e20) & (b > 0) & (b <= 1e20)).all():  # nearly always
        return known
    lower, higher = special.gammaincinv, special.gammainccinv
    inside = (p > 0) & (p < 1) & (a >= 0) & (b >= 0) & ~(np.isinf(a) & np.isinf(b)) & (a + b > 0)
    for few, many, flip in ((a, b, False), (b, a, True)):
        far = inside & (many > 1e20) & (_FEW * many > 1 + few) & (few > 0)
        g = (higher if upper != flip else lower)(np.where(far, few, 1.0), np.where(far, p, 0.5))
        share = g / (np.where(far, many, 1.0) + 0.5 * (np.where(far, few, 1.0) - 1))
        known = np.where(far, np.exp(-share) if flip else -np.expm1(-share), known)
        known = np.where(inside & (few == 0), float(flip), known)
    return known


# -- the F and Student's distribution ----------------------------------------------------------------------------------

_ENDLESS = 1e100  # degrees of freedom beside which the others, and the quantile, are few


def fisher_ends(lower_slopes: Sequence[Any], upper_slopes: Sequence[Any]) -> list[Ends]:
    """Of the quantile x of the F distribution, in m, n and p. For n without bound it is G/a (1 + (G - a + 1)/n) of
    P(a, G) = p, a = m/2; for m without bound b/H (1 + (b - 1 - H)/m), of Q(b, H) = p, b = n/2. It vanishes with m, and
    has no bound for n to 0."""

    def endless(flip: bool) -> Slope:
        def where(xp: Any, m: Any, n: Any, p: Any) -> Any:
            few, many = (n, m) if flip else (m, n)
            return (
                xp.greater(many, _ENDLESS) & xp.greater(1 / _ENDLESS * many, few) & xp.greater(few, 0) & proper(xp, p)
            )

        return where

    def in_many(xp: Any, m: Any, n: Any, p: Any) -> Any:
        a = 0.5 * m
        g = xp.gammaincinv(a, p)
        return -g / a * (g - a + 1) / n / n

    def in_few(xp: Any, m: Any, n: Any, p: Any) -> Any:
        a = 0.5 * m
        g = Gamma(xp, a, p, False, lower_slopes)
        return 0.5 * (g.in_a() - g.quantile / a) / a

    def in_chance(xp: Any, m: Any, n: Any, p: Any) -> Any:
        a = 0.5 * m
        return Gamma(xp, a, p, False, lower_slopes).in_p() / a

    def in_many_turned(xp: Any, m: Any, n: Any, p: Any) -> Any:
        b = 0.5 * n
        h = xp.gammainccinv(b, p)
        return -b / h * (b - 1 - h) / m / m

    def in_few_turned(xp: Any, m: Any, n: Any, p: Any) -> Any:
        b = 0.5 * n
        h = Gamma(xp, b, p, True, upper_slopes)
        return 0.5 * (1 - b * h.in_a() / h.quantile) / h.quantile

    def in_chance_turned(xp: Any, m: Any, n: Any, p: Any) -> Any:
        b = 0.5 * n
        h = Gamma(xp, b, p, True, upper_slopes)
        return -b / h.quantile * h.in_p() / h.quantile

    def none(xp: Any, m: Any, n: Any, p: Any) -> Any:  # it has vanished on the way
        small = xp.less(m, 1e-2) & xp.greater_equal(m, 0) & xp.greater(n, 0) & proper(xp, p)
        if nowhere(small):
            return small
        return small & xp.equal(xp.fdtri(xp.where(small, m, 1.0), xp.where(small, n, 1.0), xp.where(small, p, 0.5)), 0)

    def lost(xp: Any, m: Any, n: Any, p: Any) -> Any:
        return xp.less(n, 1e-2) & xp.greater_equal(n, 0) & xp.greater(m, 0) & proper(xp, p) & _overflown(xp, n, p)

    def falling(xp: Any, m: Any, n: Any, p: Any) -> Any:
        return xp.log1p(-p) / n / n * xp.exp(-xp.log1p(-p) / n)

    sides = endless(False), endless(True)
    return [
        [(sides[0], in_few), (sides[1], in_many_turned), (none, still)],
        [(sides[0], in_many), (sides[1], in_few_turned), (none, still), (lost, falling)],
        [(sides[0], in_chance), (sides[1], in_chance_turned), (none, still)],
    ]


def _overflown(xp: Any, n: Any, p: Any) -> Any:
    """Whether (1 - p)^(-1/n), of which the quantile is the square, and a factor, is beyond the range."""
    return xp.greater(-xp.log1p(-p), 720 * n)


def fisher_quantile(m: Any, n: Any, p: Any, known: Any) -> Any:
    """x, of doubles."""
    from scipy import special

    inside = (p > 0) & (p < 1)
    for few, many, flip in ((m, n, False), (n, m, True)):
        far = inside & (many > _ENDLESS) & (few < many / _ENDLESS) & (few > 0)
        a = np.where(far, few / 2, 1.0)
        g = (special.gammainccinv if flip else special.gammaincinv)(a, np.where(far, p, 0.5))
        known = np.where(far, a / g if flip else g / a, known)
    known = np.where(inside & (m == 0) & (n > 0), 0.0, known)
    return np.where(inside & (n == 0) & (m > 0), math.inf, known)


def student_ends() -> list[Ends]:
    """Of the quantile t of Student's distribution, in df and p: for df to 0, where |t| is (2 r)^(-1/df) but for a
    factor, with r the probability beyond it."""

    def lost(xp: Any, df: Any, p: Any) -> Any:
        r = xp.minimum(p, 1 - p)
        return xp.greater(-xp.log(2 * r), 720 * df) & xp.greater_equal(df, 0) & proper(xp, p) & xp.not_equal(p, 0.5)

    def in_df(xp: Any, df: Any, p: Any) -> Any:
        low = xp.less(p, 0.5)
        log = -xp.log(2 * xp.where(low, p, 1 - p))
        return xp.where(low, 1.0, -1.0) * log / df / df * xp.exp(log / df)

    return [[(lost, in_df)], []]


def freedom_ends() -> list[Ends]:
    """Of the degrees of freedom, in p and t: none are left for t to -inf, as 1/log|t|, nor for p to 1/2."""

    def where(xp: Any, p: Any, t: Any) -> Any:
        return xp.equal(t, -math.inf)

    def half(xp: Any, p: Any, t: Any) -> Any:
        return xp.equal(p, 0.5)

    return [[(where, still), (half, lambda xp, p, t: -xp.sqrt(0.5 - p))], [(where, still), (half, still)]]


# -- a parameter of the beta distribution ------------------------------------------------------------------------------

BOTH = 1e11  # both parameters above it: what is left out is smaller by as much
_TINY = 1e-30


def beta_shape_ends(mirrored: bool, slopes: Sequence[Any]) -> list[Ends]:
    """Of the a with I_x(a, b) = p, in p, b and x, as btdtria takes them; mirrored, of btdtrib, with 1 - p and 1 - x.

    With r = x/(1 - x), for large b it is r b - s sqrt(r (1 + r) b) + ((2 r + 1) s^2 + 2 - 2 r)/6; for a small b it is
    b (1 - p)/p (1 + b logit(x)/p); for x next to 1 it is -G/log(x) - (b - 1)/2 with Q(b, G) = p. For p to 0 and x to 1
    there is no bound. `slopes` are those of gammainccinv, mirrored of gammaincinv.
    """

    def parts(xp: Any, *args: Any) -> tuple[Any, ...]:
        """p, 1 - p, b, x, 1 - x."""
        if mirrored:
            b, p, x = args
            return 1 - p, p, b, 1 - x, x
        p, b, x = args
        return p, 1 - p, b, x, 1 - x

    turn = -1.0 if mirrored else 1.0

    def normal(xp: Any, *args: Any) -> Any:
        return turn * xp.ndtri(args[1] if mirrored else args[0])

    def large(xp: Any, *args: Any) -> Any:
        p, rest, b, x, other = parts(xp, *args)
        inside = xp.greater(p, 0) & xp.greater(rest, 0) & xp.greater(x, 0) & xp.greater(other, 0)
        return inside & xp.greater(b, BOTH) & xp.greater(b * x, BOTH * other)

    def small(xp: Any, *args: Any) -> Any:
        p, rest, b, x, other = parts(xp, *args)
        inside = xp.greater(p, 0) & xp.greater(rest, 0) & xp.greater(x, 0) & xp.greater(other, 0)
        return inside & xp.greater_equal(b, 0) & xp.less(b, _TINY) & xp.less(b, 1e-15 * p)

    def many_in_b(xp: Any, *args: Any) -> Any:
        _, _, b, x, other = parts(xp, *args)
        r = x / other
        return r - 0.5 * normal(xp, *args) * xp.sqrt(r * (1 + r)) / xp.sqrt(b)

    def many_in_p(xp: Any, *args: Any) -> Any:
        _, _, b, x, other = parts(xp, *args)
        r, s = x / other, normal(xp, *args)
        return turn * rise(xp, s) * ((2 * r + 1) * s / 3 - xp.sqrt(r * (1 + r)) * xp.sqrt(b))

    def many_in_x(xp: Any, *args: Any) -> Any:
        _, _, b, x, other = parts(xp, *args)
        r, s = x / other, normal(xp, *args)
        step = b - 0.5 * s * (1 + 2 * r) / xp.sqrt(r * (1 + r)) * xp.sqrt(b) + (s * s - 1) / 3
        return turn * step / (other * other)

    def few_in_b(xp: Any, *args: Any) -> Any:
        p, rest, b, x, other = parts(xp, *args)
        return rest / p * (1 + 2 * b * (xp.log(x) - xp.log(other)) / p)

    def few_in_p(xp: Any, *args: Any) -> Any:
        p, _, b, _, _ = parts(xp, *args)
        return -turn * b / p / p

    def few_in_x(xp: Any, *args: Any) -> Any:
        p, rest, b, x, other = parts(xp, *args)
        return turn * (b / p) * (b / p) * rest / (x * other)

    def gamma(xp: Any, *args: Any) -> tuple[Gamma, Any]:
        """Of the gamma distribution, and log(x)."""
        b, p, x = args if mirrored else (args[1], args[0], args[2])
        log = xp.log1p(-x) if mirrored else xp.log(x)
        return Gamma(xp, b, p, not mirrored, slopes), log

    def next_to_one(xp: Any, *args: Any) -> Any:
        p, rest, b, _, other = parts(xp, *args)
        beside = xp.less(other, _FEW) & xp.greater(other, 0) & xp.greater(b, 0) & xp.less(other * b, _FEW)
        beside = beside & xp.greater(p, 0) & xp.greater(rest, 0)
        if nowhere(beside):
            return beside
        g = gamma(xp, *(xp.where(beside, v, r) for v, r in zip(args, (1.0, 0.5, 0.5) if mirrored else (0.5, 1.0, 0.5))))
        g, small = g[0].quantile, xp.where(beside, other, 1.0)
        return beside & xp.less(small * g, _FEW) & xp.less(small * (1 + xp.where(beside, b, 0.0)), _FEW * g)

    def beside_in_b(xp: Any, *args: Any) -> Any:
        g, log = gamma(xp, *args)
        return -g.in_a() / log - 0.5

    def beside_in_p(xp: Any, *args: Any) -> Any:
        g, log = gamma(xp, *args)
        return -g.in_p() / log

    def beside_in_x(xp: Any, *args: Any) -> Any:
        g, log = gamma(xp, *args)
        return turn * g.quantile / log / log / parts(xp, *args)[3]

    def at(place: int) -> Slope:
        def where(xp: Any, *args: Any) -> Any:
            found = parts(xp, *args)
            return xp.equal(found[place], 0) & xp.greater(found[2], 0) & xp.isfinite(found[2])

        return where

    def root(place: int, sign: float) -> Slope:
        return lambda xp, *args: sign * turn / xp.sqrt(parts(xp, *args)[place])

    in_b: Ends = [(large, many_in_b), (next_to_one, beside_in_b), (small, few_in_b)]
    in_p: Ends = [(large, many_in_p), (next_to_one, beside_in_p), (small, few_in_p), (at(0), root(0, -1.0))]
    in_x: Ends = [(large, many_in_x), (next_to_one, beside_in_x), (small, few_in_x)]
    in_x += [(at(3), root(3, 1.0)), (at(4), root(4, 1.0))]
    return [in_b, in_p, in_x] if mirrored else [in_p, in_b, in_x]


def beta_shape(p: Any, b: Any, x: Any, known: Any, mirrored: bool = False) -> Any:
    """The a with I_x(a, b) = p, of doubles; mirrored, with 1 - p and 1 - x, which are p and x themselves here."""
    from scipy import special

    rest, other = 1 - p, 1 - x
    if mirrored:
        p, rest, x, other = rest, p, other, x
    open_p = (p > 0) & (rest > 0) & (b >= 0)
    inside = open_p & (x > 0) & (other > 0)
    r = x / np.where(inside, other, 1.0)
    large = inside & (b > BOTH) & (r * b > BOTH)
    s = special.ndtri(np.where(large, rest if mirrored else p, 0.5)) * (-1.0 if mirrored else 1.0)
    many = r * b - s * np.sqrt(r * (1 + r)) * np.sqrt(b) + ((2 * r + 1) * s * s + 2 - 2 * r) / 6
    known = np.where(large, np.where(np.isinf(b), math.inf, many), known)
    small = inside & (b < _TINY) & (b < 1e-15 * p)
    known = np.where(small, b * rest / np.where(small, p, 1.0), known)
    beside = inside & (other < 1e-20) & (other * (1 + b) < 1e-20) & (b > 0)
    g = (special.gammaincinv if mirrored else special.gammainccinv)(
        *(np.where(beside, v, 0.5) for v in (b, rest if mirrored else p))
    )
    known = np.where(
        beside & (other * g < 1e-20) & (other * (1 + b) < 1e-20 * g), g / np.where(beside, other, 1.0), known
    )
    good = (b > 0) & np.isfinite(b)
    known = np.where(good & ((open_p & (x == 0)) | ((rest == 0) & (other > 0))), 0.0, known)
    return np.where(good & (((p == 0) & (x > 0)) | ((other == 0) & (rest > 0))), math.inf, known)
