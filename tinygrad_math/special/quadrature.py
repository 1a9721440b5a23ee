"""What the parameter derivatives of distribution functions are integrated with: Gauss-Legendre, Bell polynomials."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

DROP = 60.0  # an integrand is followed until it has fallen by exp(-60)


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


def bell(kappa: Callable[[int, int], Any], n: int, m: int = 0) -> Any:
    """The complete Bell polynomial of two variables: D_a^n D_b^m exp(f) = exp(f) bell, kappa(i, j) = D_a^i D_b^j f."""
    table: dict[tuple[int, int], Any] = {(0, 0): 1.0}
    for i in range(n + 1):
        for j in range(m + 1):
            if i:  # take one derivative in a off, else one in b
                table[i, j] = sum(
                    math.comb(i - 1, k) * math.comb(j, r) * kappa(k + 1, r) * table[i - 1 - k, j - r]
                    for k in range(i)
                    for r in range(j + 1)
                )
            elif j:
                table[i, j] = sum(math.comb(j - 1, r) * kappa(0, r + 1) * table[0, j - 1 - r] for r in range(j))
    return table[n, m]
