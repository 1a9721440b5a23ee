"""Integrals that have names, expi, exp1, expn, spence, the complete elliptic ones; loggamma, wrightomega, ndtri_exp.

The derivatives of the complete elliptic integrals are Carlson's, K'(m) = R_D(0, 1, 1 - m) / 6 and E'(m) =
-R_D(0, 1 - m, 1) / 6 (DLMF 19.25(i)), which have no quotient by m, and are right up to the pole at 1 and far out on
the other side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import OutsideDomain
from ..core.samples import positive, sample
from . import logarithms  # noqa: F401  (the op of the slope of spence)
from .scipy_rows import doubles, float_kind, no_derivative, refuse_complex, row

__all__ = ["ellipe", "ellipk", "ellipkm1", "exp1", "expi", "expn", "loggamma", "ndtri_exp", "spence", "wrightomega"]

expi = row(
    "expi",
    lambda xp, y, x: xp.exp(x) / x,
    domain=(0.3, 2.0),
    latex=r"\operatorname{{Ei}}({0})",
    doc="""The exponential integral Ei, the integral of exp(t) / t up to x. d/dx = exp(x) / x.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.expi)(1.0)
    tensor(2.71828183)
    """,
)
exp1 = row(
    "exp1",
    lambda xp, y, x: -xp.exp(-x) / x,
    domain=(0.3, 2.0),
    latex=r"E_1({0})",
    doc="The exponential integral E_1, of exp(-t) / t from x on. d/dx = -exp(-x) / x.",
)


def expn_of_count(n: Any, x: Any, /) -> Any:
    """SciPy's expn, which cuts off what an order has after the point, and ends at orders of 32 bits."""
    from scipy import special

    refuse_complex("expn", n, x)
    kind = float_kind(n, x)
    n, x = doubles(n, x)
    if np.any((n != np.floor(n)) & np.isfinite(n)):
        raise OutsideDomain(f"expn: the order is a whole number, got {n[(n != np.floor(n)) & np.isfinite(n)][0]:g}")
    large = n >= 2**31
    y = special.expn(np.where(large | np.isnan(n), 1.0, n), x)
    share = 1 / np.where(large & (x >= 0), x + n, 1.0)  # of so large an order two terms are all digits (DLMF 8.20.6)
    two_terms = np.exp(-np.maximum(x, 0.0)) * share * (1 + share / (1 + x / np.where(large, n, 1.0)) ** 2)
    y = np.where(large & (x >= 0), two_terms, np.where(np.isnan(n), math.nan, y))
    return y.astype(kind)[()]


expn = row(
    "expn",
    no_derivative("expn", "n"),
    # E_0 is exp(-x) / x, and there are none below it
    lambda xp, y, n, x: xp.where(xp.greater(n, 0), -xp.expn(xp.maximum(n - 1, 0), x), -y * (1 + 1 / x)),
    arguments="n x",
    forward=expn_of_count,
    latex=r"E_{{{0}}}({1})",
    samples=lambda: [sample(n, positive(3)) for n in (0, 1, 2, 3)] + [sample(2, positive()), sample(1, positive(0, 2))],
    doc="The exponential integral E_n, of exp(-x t) / t^n from 1 on, n = 0, 1, 2, ... d/dx = -E_(n-1)(x).",
)
spence = row(
    "spence",
    lambda xp, y, x: xp.log_quotient(x),
    domain=(0.1, 2.5),
    latex=r"\operatorname{{Li}}_2(1 - {0})",
    doc="Spence's integral of log(t) / (1 - t) from 1 to x, the dilogarithm of 1 - x. d/dx = log(x) / (1 - x).",
)


ellipk = row(
    "ellipk",
    lambda xp, y, m: xp.elliprd(0.0, 1.0, 1 - m) / 6,
    arguments="m",
    domain=(-1.5, 0.9),
    latex="K({0})",
    doc="""The complete elliptic integral of the first kind, of 1 / sqrt(1 - m sin(t)^2) to pi / 2. d/dx = pi/8 at 0.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.ellipk)(0.0)
    tensor(0.39269908)
    """,
)
ellipkm1 = row(
    "ellipkm1",
    lambda xp, y, p: -xp.elliprd(0.0, 1.0, p) / 6,
    arguments="p",
    domain=(0.1, 2.5),
    latex="K(1 - {0})",
    doc="ellipk(1 - p), accurate for a small p. d/dp = -ellipk'(1 - p).",
)
ellipe = row(
    "ellipe",
    lambda xp, y, m: -xp.elliprd(0.0, 1 - m, 1.0) / 6,
    arguments="m",
    domain=(-1.5, 0.9),
    latex="E({0})",
    doc="The complete elliptic integral of the second kind, of sqrt(1 - m sin(t)^2) to pi / 2. d/dm = (E - K) / (2 m).",
)
loggamma = row(
    "loggamma",
    lambda xp, y, x: xp.digamma(x),
    domain=(0.3, 3.0),
    latex=r"\ln \Gamma({0})",
    doc="The logarithm of gamma(x) for x > 0; below, gammaln has that of its size. d/dx = digamma(x).",
)
wrightomega = row(
    "wrightomega",
    lambda xp, y, x: y / (1 + y),
    latex=r"\omega({0})",
    doc="Wright's omega, the w of which w + log(w) is x. d/dx = w / (1 + w).",
)
ndtri_exp = row(
    "ndtri_exp",
    lambda xp, x, y: math.sqrt(math.pi / 2) * xp.erfcx(-math.sqrt(0.5) * x),
    arguments="y",
    domain=(-4.0, -0.1),
    doc="The x of which log_ndtr(x) is y: ndtri of an exponential. d/dy = sqrt(pi/2) erfcx(-x / sqrt(2)).",
)
