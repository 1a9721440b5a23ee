"""Derivatives of digamma far below 0, where SciPy's count up to 0 one by one: at -1e10 that takes minutes.

There by reflection, psi^(n)(x) = (-1)^n psi^(n)(1 - x) - pi D^n cot(pi x) (DLMF 5.15.6), each derivative of cot a
polynomial of it, as D cot(pi x) = -pi (1 + cot(pi x)^2). Hurwitz's zeta function of whole s likewise (DLMF 25.11.12).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from .bessel_paths import turn

_FAR = -30.0


def _near(x: Any) -> bool:
    """Whether none of these is far below 0, nor NaN: nearly always."""
    return bool(x.size and x.item(x.argmin()) >= _FAR)


def polygamma_of(n: Any, x: Any) -> Any:
    """SciPy's polygamma(n, x) of doubles, in a moment for every x."""
    from scipy import special

    x = np.asarray(x, np.float64)
    if _near(x):
        return np.array(special.polygamma(n, x), np.float64)
    n, x = np.broadcast_arrays(n, x)
    far = (x < _FAR) & (x != np.floor(x)) & (n > 0) & (n < np.inf)
    y = np.array(special.polygamma(n, np.where(far, 1.0, x)), np.float64)
    for order in np.unique(n[far]).tolist():
        at = far & (n == order)
        c, s = turn(x[at])
        y[at] = (-1) ** order * special.polygamma(order, 1 - x[at]) - math.pi * _of_cotangent(int(order))(c / s)
    return y


def zeta_of(s: Any, q: Any) -> Any:
    """SciPy's zeta(s, q) of doubles likewise."""
    from scipy import special

    q = np.asarray(q, np.float64)
    if _near(q):
        return np.array(special.zeta(s, q), np.float64)
    s, q = np.broadcast_arrays(s, q)
    far = (q < _FAR) & (q != np.floor(q)) & (s > 1) & (s == np.floor(s)) & (s < 100)
    y = np.array(special.zeta(s, np.where(far, 1.0, q)), np.float64)
    y[far] = (-1) ** s[far] * polygamma_of(s[far] - 1, q[far]) / special.gamma(s[far])
    return y


def _of_cotangent(n: int) -> Polynomial:
    """The n-th derivative of cot(pi x) as a polynomial of it."""
    p = Polynomial([0.0, 1.0])
    for _ in range(n):
        p = -math.pi * Polynomial([1.0, 0.0, 1.0]) * p.deriv()
    return p
