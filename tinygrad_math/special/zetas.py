"""The zeta functions of Hurwitz and Riemann, differentiable in both arguments at every order.

In q, d/dq zeta(x, q) = -x zeta(x + 1, q) (DLMF 25.11.17). In x by the Euler-Maclaurin formula (DLMF 2.10.1, 25.11.5),
every term of which is differentiated: with u = q + N,

    zeta(x, q) = sum_(k<N) (q + k)^-x + u^(1-x)/(x - 1) + u^-x/2 + sum_j B_2j/(2j)! (x)_(2j-1) u^(1-x-2j).

It holds for x < 1 as well, so Riemann's derivatives are those of q = 1 down to x = -1, and from there on those of the
functional equation zeta(x) = 2 (2 pi)^(x-1) sin(pi x/2) gamma(1 - x) zeta(1 - x) (DLMF 25.4.1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import general
from ..core.errors import IllPosedDerivative
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from .bessel_paths import turn
from .gamma_parts import gamma_parts
from .polygammas import zeta_of
from .quadrature import in_blocks
from .scipy_rows import differentiate, doubles, float_kind, like, refuse_complex, row

__all__ = ["zeta"]

_GONE = 1100.0  # 2^-s, which all derivatives have as a factor, is 0 from here on
_DIRECT = 12  # terms that are added one by one
_BERNOULLI = (
    (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798), (-174611, 330),
    (854513, 138), (-236364091, 2730), (8553103, 6), (-23749461029, 870),
)  # fmt: skip


def _powers(s: Any, u: Any, n: int) -> list[Any]:
    """The derivatives in s of u^-s up to the n-th."""
    log = np.log(u)
    value = np.exp(-s * log)
    return [value * (-log) ** k for k in range(n + 1)]


def _leibniz(f: list[Any], g: list[Any], n: int) -> Any:
    return sum(math.comb(n, k) * f[k] * g[n - k] for k in range(n + 1))


def in_exponent(s: Any, q: Any, n: int) -> list[Any]:
    """The derivatives of zeta(s, q) in s up to the n-th, for vectors of s > -2 and q > 0."""
    total = [np.zeros(len(s)) for _ in range(n + 1)]
    for j in range(_DIRECT - 1, -1, -1):
        total = [t + p for t, p in zip(total, _powers(s, q + j, n), strict=True)]
    u = q + _DIRECT
    power = _powers(s, u, n)
    pole = [(-1) ** k * math.factorial(k) / (s - 1) ** (k + 1) for k in range(n + 1)]
    rising = [s / u, *(np.full(len(s), float(k == 1)) / u for k in range(1, n + 1))]  # (s)_(2j-1) u^(1-2j)
    tail = [0.5 * (k == 0) + u * p for k, p in enumerate(pole)]
    for j, (top, bottom) in enumerate(_BERNOULLI, 1):
        factor = top / bottom / math.factorial(2 * j)
        tail = [t + factor * r for t, r in zip(tail, rising, strict=True)]
        for shift in (2 * j - 1, 2 * j):
            rising = [((s + shift) * r + (k * rising[k - 1] if k else 0.0)) / u for k, r in enumerate(rising)]
    return [t + _leibniz(power, tail, k) for k, t in enumerate(total)]


def _mirrored(s: Any, n: int) -> Any:
    """Riemann's n-th derivative for a vector of s < -1, by the functional equation."""
    x = 1 - s
    log = math.log(2 * math.pi)
    c, sine = turn(-s / 2)
    sine = -sine
    sines = [(math.pi / 2) ** k * (sine, c, -sine, -c)[k % 4] for k in range(n + 1)]
    scale, gammas = gamma_parts(x, n)
    zetas = in_exponent(x, np.ones(len(x)), n)
    both = [(-1) ** k * _leibniz(gammas, zetas, k) for k in range(n + 1)]  # of functions of 1 - s
    waves = [_leibniz([log**j for j in range(n + 1)], sines, k) for k in range(n + 1)]
    return 2 * np.exp(scale - x * log) * _leibniz(waves, both, n)


@general(
    arity=2,
    latex=r"\partial_{{s}}^{{{order}}} \zeta({0}, {1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(positive(3) + 1.5, positive(3, key=1)),
        sample(np.array([[1.5], [4.0]]), positive(1, 3), order=2),
        sample(2.5, positive()),
        sample(2.5, positive(0, 2)),
    ],
)
def zeta_ds(s: Any, q: Any, /, order: int = 1) -> Any:
    """The derivative of this order (from 1) of zeta(s, q) in s, for s > 1."""
    refuse_complex("zeta", s, q)
    kind = float_kind(s, q)
    s, q = doubles(s, q)
    alone = (s > 1) & (s == np.floor(s)) & (q < 0) & (q != np.floor(q))
    if np.any(alone):
        raise IllPosedDerivative(
            f"zeta(x, q) is real at whole x only where q < 0, so it has no derivative in x there: got q = "
            f"{q[alone][0]:g} at x = {s[alone][0]:g}; hold x constant with stop_gradient() if that is meant"
        )
    inside = (s > 1) & (q > 0) & np.isfinite(s) & np.isfinite(q)
    out = np.where((s == 1) & (q > 0), (-1) ** order * math.inf, math.nan)
    out = np.where((s > 1) & (q == math.inf), 0.0, out)
    out = np.where((s == math.inf) & (q > 0), np.where(q < 1, math.inf, 0.0), out)
    if np.any(inside):
        with ignoring():
            out[inside] = in_blocks(lambda s, q: in_exponent(s, q, order)[order], s[inside], q[inside])
    lost = np.isnan(out) & (s > _GONE) & (q > 0) & (q < math.inf)  # the first term is all
    out = np.where(lost, np.where(q < 1, math.inf, 0.0), out)
    return out.astype(kind)[()]


differentiate(
    zeta_ds,
    lambda xp, y, s, q, order: xp.zeta_ds(s, q, order=order + 1),
    lambda xp, y, s, q, order: (
        -s * xp.zeta_ds(s + 1, q, order=order)
        - order * (xp.zeta_ds(s + 1, q, order=order - 1) if order > 1 else xp.zeta(s + 1, q))
    ),
)


def hurwitz_of(x: Any, q: Any, /) -> Any:
    """SciPy's zeta of two numbers, and where x is so large that it is none the first term, q^-x."""
    refuse_complex("zeta", x, q)
    kind = float_kind(like(x, q), q)
    s, at = doubles(x, q)
    with ignoring():
        y = zeta_of(s, at)
    if not np.isnan(y).any():
        return y.astype(kind)[()]
    lost = np.isnan(y) & (s > _GONE) & (at > 0)
    return np.where(lost, np.where(at < 1, math.inf, np.where(at > 1, 0.0, 1.0)), y).astype(kind)[()]


hurwitz = row(
    "zeta",
    lambda xp, y, s, q: xp.zeta_ds(s, q, order=1),
    lambda xp, y, s, q: -s * xp.zeta(s + 1, q),
    forward=hurwitz_of,
    arguments="x q",
    latex=r"\zeta({0}, {1})",
    samples=lambda: [
        sample(2, positive(4)),
        sample(np.array([2, 3, 4]), positive(3) + 0.5),
        sample(np.array([[2], [3]]), positive(1, 3) + 0.5),
        sample(positive(3) + 1.5, positive(3)),
        sample(3, positive() + 0.5),
        sample(2, positive(0, 2)),
    ],
    order=True,
    doc="Hurwitz's zeta function sum_k 1/(q + k)^x. d/dq = -x zeta(x + 1, q); d/dx = -sum_k log(q + k)/(q + k)^x.",
)


@general(
    latex=r"\zeta^{{({order})}}({0})",
    shape="same as x",
    samples=lambda: [
        sample(np.array([-3.2, -0.4, 0.5, 2.5])),
        sample(positive(2, 2) + 1.5, order=2),
        sample(np.float64(3.0)),
        sample(positive(0, 2)),
    ],
)
def riemann_slope(x: Any, /, order: int = 1) -> Any:
    """The derivative of this order (from 1) of Riemann's zeta function."""
    refuse_complex("zeta", x)
    kind = float_kind(x)
    (s,) = doubles(x)
    out = np.where(s == math.inf, 0.0, np.where(s == 1, -math.inf, math.nan))

    def f(s: Any) -> Any:
        low = s < -1
        right = np.where(low, 2.0, s)
        near = in_exponent(right, np.ones(len(s)), order)[order]
        return np.where(low, _mirrored(np.where(low, s, -2.0), order), near) if np.any(low) else near

    out = np.where((s > _GONE) & (s < math.inf), 0.0, out)
    inside = (s <= _GONE) & (s > -math.inf) & (s != 1)
    if np.any(inside):
        with ignoring():
            out[inside] = in_blocks(f, s[inside])
    return out.astype(kind)[()]


differentiate(riemann_slope, lambda xp, y, x, order: xp.riemann_slope(x, order=order + 1))

riemann = row(
    "zeta",
    lambda xp, y, x: xp.riemann_slope(x, order=1),
    title="riemann_zeta",
    latex=r"\zeta({0})",
    samples=lambda: [sample(np.array([-2.5, 0.5, 2.0, 3.0])), sample(np.array([2, 3])), sample(positive(0, 2))],
    doc="Riemann's zeta function. d/dx = -sum_k log(k)/k^x for x > 1, and its continuation.",
)


@named
def zeta(x: Any, q: Any = None) -> Any:
    """Hurwitz's zeta function sum_k 1/(q + k)^x for x > 1, or Riemann's for q=None, for any real x.

    Derivative in q: -x zeta(x + 1, q); in x at every order, for q > 0: -sum_k log(q + k)/(q + k)^x, by the
    Euler-Maclaurin formula. Raises IllPosedDerivative for the one in x where q < 0, where the function is real at
    whole x only.

    >>> import tinygrad_math as tm
    >>> abs(tm.special.zeta(2.0).item() - tm.pi**2 / 6) < 1e-15
    True
    >>> slope = tm.grad(tm.special.zeta)(0.0)  # -log(2 pi)/2, DLMF 25.6.11
    >>> abs(slope.item() + 0.5 * float(tm.log(2 * tm.pi))) < 1e-14
    True
    """
    return riemann(x) if q is None else hurwitz(x, q)
