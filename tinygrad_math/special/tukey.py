"""Tukey's lambda distribution, whose quantile is (p^lam - (1-p)^lam) / lam: the p of an x, however small."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .scipy_rows import doubles, float_kind, refuse_complex, row

__all__ = ["tklmbda"]


def _shape_slope(xp: Any, log: Any, lam: Any) -> Any:
    """d/d lam of (exp(lam log) - 1) / lam."""
    return log * log * 0.5 * xp.hyp1f1(2.0, 3.0, lam * log)


_FOUND = 1e-6  # from which on SciPy's p has the digits to start from
_STEPS = 60


def _below(x: Any, lam: Any) -> Any:
    """The p for vectors of x <= 0, by Newton's method in log p, from SciPy's or from where 1 - p is taken for 1."""
    from scipy import special

    p = special.tklmbda(x, lam)
    p = np.where(p > _FOUND, p, special.inv_boxcox(x, lam))
    ended = ((lam > 0) & (lam * x <= -1)) | np.isneginf(x)
    for _ in range(_STEPS):
        over = special.boxcox(p, lam) - special.boxcox1p(-p, lam) - x
        step = over / (p**lam + p * (1 - p) ** (lam - 1))
        p = p * np.exp(-np.clip(step, -2.0, 2.0))
        if not np.any(np.abs(step[np.isfinite(step)]) > 1e-15):
            break
    return np.where(ended, 0.0, p)


def tukey(x: Any, lam: Any, /) -> Any:
    """The distribution function of Tukey's lambda: SciPy's has an error of 1e-14, be it never so small."""
    refuse_complex("tklmbda", x, lam)
    kind = float_kind(x, lam)
    x, lam = doubles(x, lam)
    with ignoring():
        p = _below(-np.abs(x), lam)
        return np.where(x > 0, 1 - p, p).astype(kind)[()]


def _density(xp: Any, x: Any, lam: Any) -> tuple[Any, Any, Any]:
    """The density, which is even; the smaller of p and 1 - p with 1/2 in place of a 0; and whether it is the former."""
    low = xp.less_equal(x, 0)
    side = xp.where(low, x, -x)
    p = xp.tklmbda(side, lam)
    gone = xp.equal(p, 0)
    end = xp.where(xp.logical_or(xp.less_equal(lam, 1), xp.less(lam * side, -1)), 0.0, 1.0)
    p, lam = xp.where(gone, 0.5, p), xp.where(gone, 1.0, lam)  # whose powers may have no number
    density = 1 / (xp.power(p, lam - 1) + xp.power(1 - p, lam - 1))
    return xp.where(gone, end, xp.where(xp.equal(p, p), density, p)), p, low


def _in_shape(xp: Any, x: Any, lam: Any) -> Any:
    density, p, low = _density(xp, x, lam)
    lam = xp.where(xp.equal(xp.tklmbda(xp.where(low, x, -x), lam), 0), 1.0, lam)
    slope = -density * (_shape_slope(xp, xp.log(p), lam) - _shape_slope(xp, xp.log1p(-p), lam))
    return xp.where(low, slope, -slope)


tklmbda = row(
    "tklmbda",
    lambda xp, y, x, lam: _density(xp, x, lam)[0],
    lambda xp, y, x, lam: _in_shape(xp, x, lam),
    arguments="x lam",
    forward=tukey,
    domain=((-0.6, 0.6), (0.2, 1.3)),
    doc="""The distribution function of Tukey's lambda, the p of which (p^lam - (1-p)^lam) / lam is x.

    d/dx = 1 / (p^(lam-1) + (1-p)^(lam-1)), 0 beyond the ends of the support, |x| = 1/lam for lam > 0.
    d/dlam = (s(1-p) - s(p)) d/dx, s(p) = d/dlam (p^lam - 1)/lam.

    >>> import tinygrad_math as tm
    >>> [tm.grad(tm.special.tklmbda)(x, 1.0).item() for x in (0.3, 2.0)]  # uniform on (-1, 1)
    [0.5, 0.0]
    """,
)
