"""What the F distribution's density weighs, and its derivatives in both degrees of freedom.

With a = m/2, b = n/2, the odds w = m x/n, part = w/(1 + w) and rest = 1/(1 + w) its density is W/x for
W = part^a rest^b / B(a, b). All is told by the distance from x = 1, where W is largest, so that no terms cancel for
many degrees of freedom. With p = rest (x - 1), q = part (1/x - 1), so that a p + b q = 0, and
s(t) = t log t - t - log Gamma(t),

    log W = s(a) + s(b) - s(a + b) + a (log(1 + p) - p) + b (log(1 + q) - q),

and with c_k the k-th derivative of log t - psi(t), those of log W, of orders (i, j) in a and b at a fixed x, are

    (1, 0): log(1 + p) - p + c_0(a) - c_0(a + b),    and with q and b for (0, 1),
    N = i + j > 1: [j = 0] c_(N-1)(a) + [i = 0] c_(N-1)(b) - c_(N-1)(a + b)
                   + (-1)^N (N-2)! / (a + b)^(N-1) sum over k + l > 1 of C(i, k) C(j, l) (k + l - 1) p^k q^l.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .quadrature import bell
from .stirling import MANY, rest

# of c_0, by the powers of 1/t
_TERMS = {1: 1 / 2, 2: 1 / 12, 4: -1 / 120, 6: 1 / 252, 8: -1 / 240, 10: 1 / 132, 12: -691 / 32760, 14: 1 / 12}


def odds_of(m: Any, n: Any, x: Any) -> tuple[Any, Any]:
    """m x/n, without leaving the range on the way, and its logarithm."""
    (fm, em), (fn, en), (fx, ex) = map(np.frexp, (m, n, x))
    odds = np.ldexp(fm / fn * fx, np.clip(em.astype(np.int64) - en + ex, -5000, 5000).astype(np.int32))
    return odds, np.log(fm / fn * fx) + math.log(2) * (em.astype(np.int64) - en + ex)


def _s(t: Any) -> Any:
    from scipy import special

    large, small = np.maximum(t, MANY), np.minimum(t, MANY)
    few = special.xlogy(small, small) - small - special.gammaln(small)
    return np.where(t < MANY, few, 0.5 * np.log(large / (2 * math.pi)) - rest(large))


def _shift(p: Any, log: Any) -> Any:
    """log(1 + p) - p for p > -1, of which the logarithm is given where p is not near 0."""
    near = np.abs(p) < 0.5
    t = np.where(near, p, 0.0)
    w, total = t / (2 + t), 0.0  # log(1 + t) = 2 (w + w^3/3 + ...), 2 w - t = -w t
    for k in range(29, 1, -2):
        total = (total + 1 / k) * w * w
    return np.where(near, 2 * w * total - w * t, log - p)


def _rising(p: int, k: int) -> int:
    return math.prod(range(p, p + k))


def _psi_rise(a: Any, b: Any, k: int) -> Any:
    """The k-th derivative of psi at a + b less that at a >= 1; for a small b by Taylor's series."""
    from scipy import special

    close = b < 1e-3 * a
    step, at = np.where(close, b, 0.0), np.where(close, a, 1.0)
    series = sum(special.polygamma(k + j, at) * step**j / math.factorial(j) for j in range(1, 7))
    return np.where(close, series, special.polygamma(k, a + b) - special.polygamma(k, a))


def _power_rise(a: Any, b: Any, k: int, unit: Any) -> Any:
    """((a + b)^-k - a^-k) unit^k."""
    return (unit / a) ** k * np.expm1(-k * np.log1p(b / a))


def _c_fall(a: Any, b: Any, k: int, unit: Any) -> Any:
    """c_k(a) - c_k(a + b), times unit^(k+1); of a small a the poles at 0 apart."""
    large, small = np.maximum(a, MANY), np.minimum(a, MANY)
    tail = -((-1) ** k) * sum(_rising(p, k) * c * _power_rise(large, b, p + k, 1.0) for p, c in _TERMS.items())
    sign, steps = (-1) ** (k + 1), _psi_rise(1 + small, b, k) * unit ** (k + 1)
    pole = sign * math.factorial(k) * _power_rise(small, b, k + 1, unit)
    log = np.log1p(b / small) if k == 0 else sign * math.factorial(k - 1) * _power_rise(small, b, k, unit)
    return np.where(a < MANY, steps + pole - unit * log, tail)


def _c_both(n: Any, k: int, units: Any, shares: Any) -> Any:
    """c_k(n) of k > 0, times units, a product of k + 1 of them; shares is that over n^(k+1)."""
    from scipy import special

    large, small = np.maximum(n, MANY), np.minimum(n, MANY)
    tail = (-1) ** k * sum(_rising(p, k) * c * large ** -float(p + k) for p, c in _TERMS.items())
    pole = (-1) ** (k + 1) * math.factorial(k - 1) * shares * (small - k)
    return np.where(n < MANY, pole - units * special.polygamma(k, 1 + small), units * tail)


def distances(a: Any, b: Any, s: Any, near: Any, past: Any) -> tuple[Any, ...]:
    """p, q, log(1 + p) - p and log(1 + q) - q at the odds exp(s), of which x - 1 is given where x is near 1."""
    from scipy import special

    part, rest = special.expit(s), special.expit(-s)
    past = np.where(near, past, 0.0)
    p = np.where(near, rest * past, b / a * part - rest)
    q = np.where(near, -part * past / (1 + past), a / b * rest - part)
    below = _shift(p, special.log_expit(s) + np.log1p(b / a))
    return p, q, below, _shift(q, special.log_expit(-s) + np.log1p(a / b))


def log_top(a: Any, b: Any) -> Any:
    """The largest log W."""
    return _s(a) + _s(b) - _s(a + b)


def _units(a: Any, b: Any) -> tuple[Any, Any]:
    """What derivatives in a and b are taken in, as powers of the inverses of small ones would leave the range."""
    return np.minimum(a, 1.0), np.minimum(b, 1.0)


def in_units(a: Any, b: Any, at: tuple[Any, ...], i: int, j: int) -> Any:
    """The derivative of W of these orders, over W, times the units."""
    p, q, below, above = at
    t, u = _units(a, b)
    p, q = t * p, u * q

    def kappa(i: int, j: int) -> Any:
        n = i + j
        if j == 0:
            fall = _c_fall(a, b, i - 1, t)
        elif i == 0:
            fall = _c_fall(b, a, j - 1, u)
        else:
            fall = -_c_both(a + b, n - 1, t**i * u**j, (t / (a + b)) ** i * (u / (a + b)) ** j)
        if n == 1:
            return fall + (t * below if i else u * above)
        total = 0.0
        for k in range(i + 1):
            for r in range(j + 1):
                if k + r > 1:
                    ways = math.comb(i, k) * math.comb(j, r) * (k + r - 1)
                    total = total + ways * (p**k * t ** (i - k)) * (q**r * u ** (j - r))
        return fall + (-1) ** n * math.factorial(n - 2) * (a + b) ** (1.0 - n) * total

    return bell(kappa, i, j) if i or j else 1.0


def plain_slope(y: Any, a: Any, b: Any, i: int, j: int) -> Any:
    """What is in units without them; in the degrees of freedom, twice a and b."""
    t, u = _units(a, b)
    for _ in range(i):
        y = 0.5 * y / t
    for _ in range(j):
        y = 0.5 * y / u
    return y
