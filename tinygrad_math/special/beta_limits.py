"""Quantiles and parameters of the beta, F and Student's distributions where a parameter is large, or vanishes.

A beta distribution of which one parameter b is large is a gamma distribution: I_z(a, b) = P(a, -N log(1 - z)), N = b +
(a - 1)/2, but for terms of the size of 1/N^2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .ends import nowhere
from .quantile_limits import Ends, Slope, proper, rise, still

__all__: list[str] = []

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


def beta_quantile_far(upper: bool, a: Any, b: Any, p: Any, known: Any) -> Any:
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


def fisher_quantile_far(m: Any, n: Any, p: Any, known: Any) -> Any:
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
