"""Quantiles next to the ends of their support, by the first terms of their distribution functions there.

Where z is so close to an end that one term, or two, are all of F, z is a power of the probability. Its slopes are
powers too: written so they have their digits where the density, or its square, is beyond the range, and where z is.

P(a, z) = z^a/gamma(a + 1) (1 - a z/(a + 1) + ...) (DLMF 8.7.1), I_z(a, b) = z^a/(a B(a, b)) (1 + a (1 - b) z/(a + 1) +
...) (8.17.7), and Student's and the F distribution are of the latter kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__: list[str] = []

NEAR = 1e-15  # z, with its factor in the second term: the third is below the rounding
_FAR = 1e9  # its square: where one term is all


class Power:
    """z = C q^(1/a) (1 + c C q^(1/a)), and its slopes; log_c is a log(C)."""

    def __init__(self, xp: Any, a: Any, q: Any, log_c: Any, second: Any) -> None:
        self.xp, self.a, self.q, self.log_c, self.second = xp, a, q, log_c, second
        self.scale = xp.exp(log_c / a)

    def in_q(self) -> Any:
        """The second term counts where a is next to 1, of which the first is a line."""
        xp, line = self.xp, self.xp.less(self.xp.abs(self.a - 1), 1e-3)
        part = 2 * self.second * self.scale * self.scale * xp.power(xp.where(line, self.q, 0.5), 2 / self.a - 1)
        return (self.scale * xp.power(self.q, 1 / self.a - 1) + xp.where(line, part, 0.0)) / self.a


def gamma_power(xp: Any, a: Any, q: Any) -> Power:
    """The z with P(a, z) = q, next to 0."""
    return Power(xp, a, q, xp.gammaln(a + 1), 1 / (a + 1))


def beta_power(xp: Any, a: Any, b: Any, q: Any) -> Power:
    """The z with I_z(a, b) = q, next to 0."""
    return Power(xp, a, q, xp.log(a) + xp.betaln(a, b), (b - 1) / (a + 1))


Ends = list[tuple[Any, Callable[..., Any]]]  # where, and the slope in the probability there, of the parameters


def of_gamma(xp: Any, z: Any, a: Any, q: Any, upper: bool) -> Ends:
    """The ends of the gamma distribution: at 0, and at infinity, where the density is the probability that is left."""
    sign, low, high = (-1.0, 1 - q, q) if upper else (1.0, q, 1 - q)
    return [
        (xp.less(z, NEAR), lambda held: sign * gamma_power(xp, held(a), held(low)).in_q()),
        (xp.equal(z, math.inf), lambda held: sign / held(high)),
    ]


def of_beta(xp: Any, z: Any, a: Any, b: Any, low: Any) -> Ends:
    """The end of the beta distribution at 0, below which lies the probability `low`."""
    return [(xp.less(z * (1 + b), NEAR), lambda held: beta_power(xp, held(a), held(b), held(low)).in_q())]


def of_student(xp: Any, t: Any, df: Any, p: Any) -> Ends:
    """Both ends of Student's distribution."""
    far = _FAR * xp.sqrt(df)
    return [
        (xp.less(t, -far), lambda held: -student_slope(xp, held(df), held(p))),
        (xp.greater(t, far), lambda held: -student_slope(xp, held(df), held(1 - p))),
    ]


def of_fisher(xp: Any, x: Any, m: Any, n: Any, p: Any) -> Ends:
    """Both ends of the F distribution: x is (n/m) z/(1 - z), of a beta distribution's z."""

    def low(held: Any) -> Any:
        m_, n_ = held(m), held(n)
        power = beta_power(xp, m_ / 2, n_ / 2, held(p))
        return n_ / m_ * Power(xp, power.a, power.q, power.log_c, power.second + 1).in_q()

    odds = m / n * x
    return [
        (xp.less(odds * (1 + n), NEAR), low),
        (xp.greater(odds, _FAR * _FAR * (1 + m)), lambda held: -fisher_slope(xp, held(m), held(n), held(1 - p))),
    ]


def student_slope(xp: Any, df: Any, r: Any) -> Any:
    """The slope of |t| in the probability r beyond it, for |t| far above sqrt(df): -sqrt(df)/df (df B)^(-1/df)
    r^(-1/df - 1), with B that of df/2 and 1/2."""
    scale = xp.exp(-(xp.log(df) + xp.betaln(df / 2, 0.5)) / df)
    return -scale / xp.sqrt(df) * xp.power(r, -1 / df - 1)


def fisher_slope(xp: Any, m: Any, n: Any, r: Any) -> Any:
    """The slope of x in the probability r beyond it, for m x far above n: x is (n/m)/w, w the quantile next to 0."""
    b = n / 2
    scale = xp.exp(-(xp.log(b) + xp.betaln(b, m / 2)) / b)
    return -2 / m * scale * xp.power(r, -1 / b - 1)
