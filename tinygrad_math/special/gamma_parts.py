"""The gamma function and its reciprocal with their derivatives, scaled, and products of such factors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .polygammas import polygamma_of
from .quadrature import bell

Parts = tuple[Any, list[Any]]  # the logarithm of a scale, and what the derivatives are multiples of it by


def gamma_parts(x: Any, n: int) -> Parts:
    """Gamma and its derivatives up to the n-th; infinite or NaN at the poles."""
    from scipy import special

    sign = special.gammasgn(x)
    psi = [polygamma_of(k, x) for k in range(n)]
    return special.gammaln(x), [sign * bell(lambda k, _: psi[k - 1], m) for m in range(n + 1)]


def reciprocal_gamma_parts(x: Any, n: int) -> Parts:
    """1/Gamma and its derivatives up to the n-th: below 1/2 by reflection (DLMF 5.5.3), so that it is entire."""
    from scipy import special

    high = x >= 0.5
    top = np.where(high, x, 1.0)
    psi = [polygamma_of(k, top) for k in range(n)]
    low = np.where(high, 1.0, x)
    scale, mirrored = gamma_parts(1 - low, n)
    turn = low - 2 * np.round(low / 2)
    s, c = np.where(turn == np.round(turn), 0.0, np.sin(math.pi * turn)), np.cos(math.pi * turn)
    sines = [math.pi ** (k - 1) * (s, c, -s, -c)[k % 4] for k in range(n + 1)]
    out = []
    for m in range(n + 1):
        below = sum(math.comb(m, k) * sines[m - k] * (-1) ** k * mirrored[k] for k in range(m + 1))
        out.append(np.where(high, bell(lambda k, _: -psi[k - 1], m), below))
    return np.where(high, -special.gammaln(top), scale), out


def product(factors: Sequence[tuple[tuple[int, int, int], Parts]], orders: tuple[int, int, int]) -> Any:
    """The derivative of these orders in three parameters of a product of functions of linear forms of them."""
    scale = sum(parts[0] for _, parts in factors)

    def leibniz(left: Sequence[Any], orders: tuple[int, int, int]) -> Any:
        form, (_, parts) = left[0]
        if len(left) == 1:
            return _along(form, parts, orders)
        total: Any = 0.0
        for i in range(orders[0] + 1):
            for j in range(orders[1] + 1):
                for k in range(orders[2] + 1):
                    first = _along(form, parts, (i, j, k))
                    if first is not None:
                        ways = math.comb(orders[0], i) * math.comb(orders[1], j) * math.comb(orders[2], k)
                        rest = leibniz(left[1:], (orders[0] - i, orders[1] - j, orders[2] - k))
                        total = total + (0.0 if rest is None else ways * first * rest)
        return total

    return np.exp(scale) * leibniz(factors, orders)


def _along(form: tuple[int, int, int], parts: list[Any], orders: tuple[int, int, int]) -> Any:
    """None where it is zero."""
    factor = math.prod(f**n for f, n in zip(form, orders, strict=True))
    return factor * parts[sum(orders)] if factor else None
