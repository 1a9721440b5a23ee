"""What integrals are taken with: Gauss-Legendre, Bell polynomials of derivatives in parameters, peaks on the line."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DROP = 60.0  # an integrand is followed until it has fallen by exp(-60)
FAR = DROP + 1  # by where it has, at the latest, if its logarithm falls at a rate of at least 1


@functools.cache
def gauss_legendre(n: int) -> tuple[Any, Any]:
    """The nodes and weights of Gauss-Legendre quadrature on (-1, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def panels(length: Any, count: int = 12, nodes: int = 64) -> tuple[Any, Any]:
    """Nodes and weights on (0, length), along a new last axis: panels that double in length."""
    x, w = gauss_legendre(nodes)
    edges = np.concatenate([[0.0], 0.5 ** np.arange(count, -1, -1)])
    half = np.diff(edges) / 2
    unit = (edges[:-1] + half)[:, None] + half[:, None] * x
    return length[..., None] * unit.ravel(), length[..., None] * (half[:, None] * w).ravel()


def from_zero(f: Callable[..., Any], x: Any, reach: float, count: int = 12, nodes: int = 24) -> Any:
    """The integral of f from 0 to x, for a vector of x >= 0, of an f that has fallen to nothing at x - reach."""
    unit, weights = gauss_legendre(nodes)
    steps = ((np.arange(count)[:, None] + (unit + 1) / 2) / count).ravel()
    length = np.minimum(x, reach)[:, None]
    return (f(x[:, None] - length * steps) * length * np.tile(weights / (2 * count), count)).sum(1)


def in_blocks(f: Callable[..., Any], *columns: Any, size: int = 2048) -> Any:
    """f of these vectors, a block of elements at a time: each becomes a row of nodes, and all at once take memory."""
    n = len(columns[0])
    if n <= size:
        return f(*columns)
    return np.concatenate([f(*(c[k : k + size] for c in columns)) for k in range(0, n, size)])


def bell(kappa: Callable[..., Any], n: int, m: int = 0, *more: int) -> Any:
    """The complete Bell polynomial of several variables: D_a^n D_b^m exp(f) = exp(f) bell, kappa(i, j) = D_a^i D_b^j f
    (and so on with `more` orders)."""
    orders = (n, m, *more)
    table: dict[tuple[int, ...], Any] = {}
    for at in _below(orders):
        table[at] = sum((w * kappa(*rise) * table[rest] for w, rise, rest in _splits(at)), 0.0) if any(at) else 1.0
    return table[orders]


def cumulant(moment: Callable[..., Any], *orders: int) -> Any:
    """The derivative of log M of these orders, moment(i, j, ...) = D_a^i D_b^j ... M / M: `bell` the other way."""
    table: dict[tuple[int, ...], Any] = {}
    moments = {at: moment(*at) for at in _below(orders) if any(at)}
    for at in moments:
        known = (w * table[rise] * moments[rest] for w, rise, rest in _splits(at) if any(rest))
        table[at] = moments[at] - sum(known, 0.0)
    return table[orders]


def _below(orders: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*(range(n + 1) for n in orders))


def _splits(at: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    """One derivative is taken of f, and the others of f or of the factor: how often, and which are taken of which."""
    first = next(d for d, n in enumerate(at) if n)
    left = tuple(n - (d == first) for d, n in enumerate(at))
    for part in _below(left):
        weight = math.prod(map(math.comb, left, part))
        rise = tuple(k + (d == first) for d, k in enumerate(part))
        yield weight, rise, tuple(n - k for n, k in zip(left, part, strict=True))


_CUTS = np.arange(1, 25)[:, None] / 25


def reach(fall: Callable[[Any], Any], high: Any) -> Any:
    """Where a rising `fall` of vectors passes DROP, or a little beyond, between `high` and the smallest numbers."""
    return np.exp(narrowed(lambda log: fall(np.exp(log)) > DROP, np.full_like(high, -700.0), np.log(high), 0))


_FEW = 64


def narrowed(beyond: Callable[[Any], Any], low: Any, high: Any, axis: int) -> Any:
    """From where on a number between `low` and `high` is beyond, to the 15,000th part of their distance.

    By halving; of few numbers, for which a call takes as long for 25, a 25th part is chosen, whose borders are asked
    for at once along this axis: a new first one of vectors, or the second of columns.
    """
    rounds, parts = (3, 25) if low.size <= _FEW else (14, 2)
    steps = np.arange(1, parts) / parts
    steps = steps[:, None] if axis == 0 else steps
    for _ in range(rounds):
        length = high - low
        there = beyond(low + length * steps)
        count = np.where(there.any(axis), there.argmax(axis), parts - 1)
        count = count if axis == 0 else count[:, None]
        low, high = low + length * (count / parts), low + length * ((count + 1) / parts)
    return high


_POINTS = 160  # of a peak, and more where a slow fall makes it wide, at most so far apart:
_STEP = 0.28  # of exp(-exp(-s)) the trapezoidal rule is off by exp(-pi^2 / step)
_FALL = 42.0  # of the logarithm of an integrand, from its peak to where it ends
_NARROWEST, _WIDEST = 1e-9, 800.0  # how near and how far away, in s, the ends of peaks of doubles are


def log_of_peak(f: Callable[..., Any], peak: Any, rate: Any, *rows: Any) -> Any:
    """The logarithm of the integral over all u of exp(f(u, *rows)), for vectors.

    f has one peak, about there, and far below it falls at this rate, far above faster than at any.

    With u = s - exp(-s) all falls double exponentially below, too, and the trapezoidal rule has all digits.
    """
    from scipy import special

    def g(s: Any, *rows: Any) -> Any:
        inverse = np.exp(-s)
        return f(s - inverse, *rows) + np.log1p(inverse)

    def end(side: int) -> Any:
        near, far = np.full_like(at, _NARROWEST), np.full_like(at, _WIDEST)
        for _ in range(10):
            middle = np.sqrt(near * far)
            beyond = ~(g(at + side * middle, *rows) >= top - _FALL)
            near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
        return at + side * far

    at, early = peak + special.wrightomega(-peak), np.log(rate)  # at a low rate, most lies where that alone counts
    at = np.where(g(early, *rows) > g(at, *rows), early, at)
    top = g(at, *rows)
    low = end(-1)
    width = end(1) - low
    points = max(_POINTS, math.ceil(float(width.max(initial=0.0)) / _STEP))
    step = width / points
    s = low[:, None] + step[:, None] * np.arange(points + 1)
    heights = np.exp(g(s, *(r[:, None] for r in rows)) - top[:, None])
    return top + np.log(step * heights.sum(1))
