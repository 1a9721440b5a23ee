"""The arithmetic-geometric mean, and its derivatives of every order.

Each step of Gauss's, (a, b) -> ((a + b)/2, sqrt(a b)), is taken by Taylor polynomials in both numbers, whose
coefficients converge as the mean does, quadratically. They are those of f(a (1 + s), b (1 + t)) in s and t, so that
nothing overflows on the way, whatever the size of a and b.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from .scipy_rows import differentiate, doubles, float_kind, refuse_complex, row

__all__ = ["agm"]

_STEPS = 24  # of these 10 for a ratio of 1e-300, and 5 from there on

Series = dict[tuple[int, int], Any]


def _root_of_product(f: Series, g: Series) -> Series:
    """The coefficients of sqrt(f g), one after the other from what stands for it in the square (f's keys, in order)."""
    out: Series = {}
    for i, j in f:
        total = sum(f[r, s] * g[i - r, j - s] for r in range(i + 1) for s in range(j + 1))
        if not out:
            out[i, j] = np.sqrt(total)
            continue
        inner = sum(
            out[r, s] * out[i - r, j - s]
            for r in range(i + 1)
            for s in range(j + 1)
            if (r, s) != (0, 0) and (r, s) != (i, j)
        )
        out[i, j] = (total - inner) / (2 * out[0, 0])
    return out


def _half_powers(n: int) -> list[float]:
    """The coefficients of sqrt(1 + s)."""
    out = [1.0]
    for k in range(n):
        out.append(out[-1] * (0.5 - k) / (k + 1))
    return out


def _scaled_derivative(a: Any, b: Any, i: int, j: int) -> tuple[Any, Any]:
    """A factor and a size, the product of which is a^i b^j times the derivative, of positive numbers."""
    left, right = _half_powers(i), _half_powers(j)
    size = a / 2 + b / 2
    top, low = a / 2 / size, (np.sqrt(a) / np.sqrt(size)) * (np.sqrt(b) / np.sqrt(size))
    keys = [(r, s) for r in range(i + 1) for s in range(j + 1)]
    f: Series = {k: np.zeros(np.shape(a)) for k in keys}
    f[0, 0] = np.ones(np.shape(a))
    if i:
        f[1, 0] = top
    if j:
        f[0, 1] = b / 2 / size
    g: Series = {(r, s): low * left[r] * right[s] for r, s in keys}
    for _ in range(_STEPS):
        f, g = {k: (f[k] + g[k]) / 2 for k in keys}, _root_of_product(f, g)
    return math.factorial(i) * math.factorial(j) * f[i, j], size


def _divided(y: Any, x: Any, times: Any) -> Any:
    """y, divided by x so many times."""
    for k in range(int(np.max(times, initial=0))):
        y = np.where(times > k, y / x, y)
    return y


def _sign(n: int) -> float:
    """That of the n-th derivative of a function that rises ever slower."""
    return (-1.0) ** (n - 1)


@general(
    arity=2,
    latex=r"\partial_{{a}}^{{{in_a}}} \partial_{{b}}^{{{in_b}}} \operatorname{{agm}}({0}, {1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(positive(3), positive(3, key=1), in_a=1),
        sample(positive(2, 1), positive(1, 3), in_a=1, in_b=1),
        sample(0.5, positive(), in_b=2),
        sample(positive(0, 2), 2.0, in_b=1),
    ],
)
def agm_slope(a: Any, b: Any, /, in_a: int = 0, in_b: int = 0) -> Any:
    """The derivative of these orders of the arithmetic-geometric mean; at 0 and infinity its limits."""
    refuse_complex("agm", a, b)
    kind = float_kind(a, b)
    a, b = doubles(a, b)
    sign = np.where((a <= 0) & (b <= 0), (-1.0) ** (in_a + in_b + 1), 1.0)  # it is odd
    p, q = np.abs(a), np.abs(b)
    same = np.sign(a) * np.sign(b) > 0
    inside = same & np.isfinite(a) & np.isfinite(b)
    c, d = np.where(inside, p, 1.0), np.where(inside, q, 1.0)
    with ignoring():
        y, size = _scaled_derivative(c, d, in_a, in_b)
        y = y * size
        first = c >= d
        y = _divided(y, np.maximum(c, d), np.where(first, in_a, in_b))  # by the larger first, so that none overflows
        y = _divided(y, np.minimum(c, d), np.where(first, in_b, in_a))
    y = np.where(inside, y, math.nan)
    for x, other, n, m in ((p, q, in_a, in_b), (q, p, in_b, in_a)):
        # pi large/(2 log(4 large/small)), which rises in both, and bends down: in the larger ever slower
        low, high = np.isfinite(other) & (other > 0) & (x == 0), same & np.isinf(x)
        y = np.where(low, (_sign(n) * _sign(m) if m > 1 else _sign(n)) * math.inf if n else 0.0, y)
        y = np.where(high & np.isfinite(other), 0.0 if n else _sign(m) * math.inf if m else math.inf, y)
    return (sign * np.where(same & np.isinf(p) & np.isinf(q) & (in_a + in_b == 0), math.inf, y)).astype(kind)[()]


def _next(which: str) -> Any:
    return lambda xp, y, a, b, **orders: xp.agm_slope(a, b, **{**orders, which: orders[which] + 1})


differentiate(agm_slope, _next("in_a"), _next("in_b"))

agm = row(
    "agm",
    lambda xp, y, a, b: xp.agm_slope(a, b, in_a=1),
    lambda xp, y, a, b: xp.agm_slope(a, b, in_b=1),
    arguments="a b",
    domain=((0.3, 2.5), (0.3, 2.5)),
    doc="""The arithmetic-geometric mean of a and b, pi/(2 R_F(0, a^2, b^2)). d/da = 2/(3 pi) agm^2 a R_D(0, b^2, a^2).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.agm)(2.0, 2.0)
    tensor(0.5)
    """,
)
