"""Integrals of which the logarithm is the first: the dilogarithm's slope, and the moments of 1 / (1 + lam s)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import positive, real, sample
from .ends import with_limits
from .scipy_rows import differentiate, doubles, float_kind, refuse_complex

__all__: list[str] = []

_TERMS = 56  # of a power series of up to 1/2


def _rest(w: Any, n: int) -> Any:
    """The sum of w^k / (n + k) over k >= 0, of |w| < 1/2: -(log(1 - w) + w + ... + w^(n-1)/(n-1)) / w^n."""
    total = np.zeros_like(w)
    for k in range(_TERMS, -1, -1):
        total = total * w + 1 / (n + k)
    return total


def log_moment(y: Any, u: Any, n: int) -> Any:
    """The integral of s^n / (1 + u s / y)^(n+1) from 0 to y, by w = u / (1 + u): y^(n+1) times a series in w."""
    w = u / (1 + u)
    near = np.abs(w) < 0.5
    low = np.where(near, w, 0.0)
    series = (y / (1 + np.where(near, u, 0.0))) ** (n + 1) * _rest(low, n + 1)
    ratio = np.where(near, 1.0, np.where(np.isinf(u), 1.0, w))
    logs = np.log1p(u) - sum(ratio**j / j for j in range(1, n + 1))
    return np.where(near, series, logs * (y / np.where(near, 1.0, u)) ** (n + 1))


@general(
    arity=2,
    latex=r"\int_0^{{{0}}} s^{n} (1 + {1} s)^{{-{n}-1}} \, ds",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(real(3, low=-0.6, high=0.6), real(3, key=1, low=-1.5, high=1.5), n=1),
        sample(real(2, 1, low=-0.6, high=0.6), real(1, 3, low=-1.5, high=1.5), n=2),
        sample(real(low=-0.6, high=0.6), positive(), n=0),
        sample(positive(0, 2), 0.5, n=1),
    ],
)
def logarithm_moment(y: Any, lam: Any, /, n: int = 0) -> Any:
    """The integral of s^n / (1 + lam s)^(n+1) from 0 to y; of n = 0 it is log(1 + lam y) / lam.

    d/dy = (y / (1 + lam y))^n / (1 + lam y), d/d lam = -(n + 1) times that of the next n.
    """
    refuse_complex("logarithm_moment", y, lam)
    kind = float_kind(y, lam)
    y, lam = doubles(y, lam)
    with ignoring():
        m = log_moment(y, lam * y, n)
        beyond = np.isinf(lam * y) & np.isfinite(y) & np.isfinite(lam)
        if beyond.any():
            logs = np.log(np.abs(y)) + np.log(np.abs(lam)) - sum(1 / j for j in range(1, n + 1))
            m = np.where(beyond & (y * np.sign(lam) > 0), logs / lam ** (n + 1.0), m)
        return m.astype(kind)[()]


differentiate(
    logarithm_moment,
    lambda xp, m, y, lam, n: math.prod([y / (1 + lam * y)] * n) / (1 + lam * y),
    lambda xp, m, y, lam, n: -(n + 1) * xp.logarithm_moment(y, lam, n=n + 1),
)


@general(
    arity=1,
    latex=r"\partial_{{x}}^{{{n}}} \frac{{\ln {0}}}{{1 - {0}}}",
    shape="same as x",
    samples=lambda: [sample(positive(4), n=n) for n in (0, 1)] + [sample(positive(), n=1), sample(positive(0, 2))],
)
def log_quotient(x: Any, /, n: int = 0) -> Any:
    """The n-th derivative of log(x) / (1 - x), the slope of the dilogarithm of 1 - x, also where x is near 1.

    With u = x - 1 it is -log(1 + u) / u, whose derivatives are (-1)^(n+1) n! times the moments above at y = 1.
    """
    refuse_complex("spence", x)
    kind = float_kind(x)
    (x,) = doubles(x)
    with ignoring():
        y = (-1) ** (n + 1) * math.factorial(n) * _moment_at(np.where(np.isinf(x), 1.0, x), n)
        y = np.where(x == 0, (-1) ** (n + 1) * math.inf, y)  # of log(x) and its derivatives
        return with_limits(y, x, 0.0, math.nan).astype(kind)[()]


def _moment_at(x: Any, n: int) -> Any:
    """The moment of y = 1 and lam = x - 1, of a tiny x too: the integral of s^n / (1 + (x - 1) s)^(n+1)."""
    small = x < 0.25
    usual = log_moment(np.ones_like(x), np.where(small, 1.0, x) - 1, n)
    w = (x - 1) / x  # all digits, far below 0
    logs = np.log(x) - sum(w**j / j for j in range(1, n + 1))
    return np.where(small, logs / (x - 1) ** (n + 1), usual)


differentiate(log_quotient, lambda xp, y, x, n: xp.log_quotient(x, n=n + 1))
