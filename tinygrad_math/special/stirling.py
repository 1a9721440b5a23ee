"""Densities of many trials without terms that cancel, by their distance from the mode (Loader 2000).

With D(u, v) = u log(u/v) + v - u and Stirling's rest R, gammaln(u + 1) = (u + 1/2) log u - u + log(2 pi)/2 + R(u),

    x^a exp(-x) / Gamma(a) = sqrt(a / (2 pi)) exp(-R(a) - D(a, x)),
    x^a (1-x)^b / B(a, b) = sqrt(a b / (2 pi n)) exp(R(n) - R(a) - R(b) - D(a, n x) - D(b, n (1-x))),    n = a + b.

All take and give doubles.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .scipy_rows import doubles, float_kind

MANY = 10.0  # from which on Stirling's series of seven terms is exact to rounding
_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)  # DLMF 5.11.1


def rest(u: Any) -> Any:
    """R(u) for u >= MANY."""
    inverse, total = 1 / u, 0.0
    square = inverse * inverse
    for c in reversed(_SERIES):
        total = total * square + c
    return total * inverse


def deviance(u: Any, v: Any) -> Any:
    """D(u, v) for u and v that differ by no more than a factor of two: by its series, as the terms would cancel.

    With w = (u - v)/(u + v) it is (u - v) w + 2 u (w^3/3 + w^5/5 + ...).
    """
    w = (u - v) / (u + v)
    square, total = w * w, 0.0
    for k in range(33, 1, -2):
        total = (total + 1 / k) * square
    return (u - v) * w + 2 * u * w * total


def beside(u: Any, v: Any) -> Any:
    """Whether D(u, v) is wanted by its series: u is large, and v near it."""
    return (u >= MANY) & (v > 0.5 * u) & (v < 2 * u)


def log_rise(big: Any, step: Any) -> Any:
    """log(Gamma(big + step) / Gamma(big)), of two numbers that are both MANY or more."""
    n = big + step
    return step * np.log(n) + (big - 0.5) * np.log1p(step / big) - step + rest(n) - rest(big)


def log_beta(a: Any, b: Any) -> Any:
    """log B(a, b) for positive a and b, where one of them is large, too."""
    from scipy import special

    small, large = np.minimum(a, b), np.maximum(a, b)
    big, n = np.maximum(large, MANY), small + np.maximum(large, MANY)
    few = np.minimum(small, MANY)
    ratio = small / big
    many = np.maximum(small, MANY)
    both = (
        (small - 0.5) * np.log(small / n)
        - big * np.log1p(ratio)
        - 0.5 * np.log(big)
        + 0.5 * math.log(2 * math.pi)
        + rest(many)
        + rest(big)
        - rest(n)
    )
    one = special.gammaln(few) - log_rise(big, few)
    return np.where(large < MANY, special.betaln(a, b), np.where(small < MANY, one, both))


def log1p_rest(u: Any) -> Any:
    """u - log1p(u); for a small u by the series in w = u/(u + 2), as log1p(u) = 2 artanh(w)."""
    small = np.abs(u) < 0.5
    w = np.where(small, u, 0.0) / (2.0 + np.where(small, u, 0.0))
    square, total = w * w, np.zeros_like(w)
    for k in range(29, 1, -2):
        total = (total + 2.0 / k) * square
    return np.where(small, w * (u - total), u - np.log1p(u))


def expm1_rest(v: Any) -> Any:
    """expm1(v) - v, for v > -1 by its series."""
    near = np.clip(v, -1.0, 1.0)
    total = np.zeros_like(near)
    for k in range(22, 1, -1):
        total = (1.0 + total) * near / k
    return np.where(np.abs(v) < 1, near * total, np.expm1(v) - v)


def log_mean_exp(p: Any, q: Any, v: Any) -> Any:
    """log(q + p exp(v)) for shares p and q that add up to 1, of which either may be tiny."""
    u = p * np.expm1(v)
    return np.where(np.abs(u) < 0.5, np.log1p(np.maximum(u, -0.5)), np.logaddexp(np.log(q), np.log(p) + v))


def bend(p: Any, q: Any, v: Any) -> Any:
    """log(q + p exp(v)) - p v, of second order in v."""
    u = p * np.expm1(v)
    return np.where(np.abs(u) < 0.5, p * expm1_rest(v) - log1p_rest(u), log_mean_exp(p, q, v) - p * v)


_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)  # DLMF 5.11.2


def log_over_psi(x: Any, a: Any, /) -> Any:
    """log x - psi(a) for positive x and a, which are large and nearly equal, too."""
    from scipy import special

    kind = float_kind(x, a)
    x, a = doubles(x, a)
    many = np.maximum(a, MANY)
    inverse, total = 1 / many, np.zeros_like(many)
    for c in reversed(_DIGAMMA):
        total = (total + c) * inverse * inverse
    near = beside(a, x)
    gap = np.where(near, np.log1p((np.where(near, x, many) - many) / many), np.log(x) - np.log(many))
    return np.where(a < MANY, np.log(x) - special.psi(a), gap + 0.5 * inverse + total).astype(kind)[()]


def log_over_next_psi(x: Any, a: Any) -> Any:
    """log x - psi(a + 1), where a + 1 has lost the 1, too."""
    many = a >= MANY
    return log_over_psi(x, np.where(many, a, a + 1)) - np.where(many, 1 / np.where(many, a, 1.0), 0.0)
