"""The error function and the normal distribution: erf, erfc, erfcx and their inverses, ndtr, log_ndtr, ndtri.

Everything follows from erf' = 2/sqrt(pi) exp(-x^2). In the tail, where erfc and ndtr vanish, the scaled
function erfcx(x) = exp(x^2) erfc(x) keeps all digits. Its derivative 2 x erfcx - 2/sqrt(pi) would lose
them again, for large x, so it is written with the next of the scaled repeated integrals

    E_n(x) = exp(x^2) i^n erfc(x) = 2/sqrt(pi) integral_0^inf u^n/n! exp(-u^2 - 2 x u) du,   E_n' = -2 (n+1) E_(n+1)

(Abramowitz and Stegun 7.2.1, 7.2.5, 7.2.8), which stay accurate at every order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import elementwise, general
from ..core.op import raw
from ..core.quiet import ignoring
from ..core.samples import real, sample, whole_plane
from ..ops import gating  # noqa: F401  (declares held)
from .quadrature import DROP, gauss_legendre, in_blocks
from .scipy_rows import float_kind, refuse_complex, row

__all__ = ["erf", "erfc", "erfcinv", "erfcx", "erfi", "erfinv", "log_ndtr", "ndtr", "ndtri"]

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
_ROOT_TWO_PI = math.sqrt(2 * math.pi)


_NOTHING = 1e200  # here and beyond all but E_0 are 0


def _integral(x: Any, n: int) -> Any:
    """E_n for a vector of non-negative x."""
    reach = DROP / (x + np.sqrt(x * x + DROP))
    nodes, weights = gauss_legendre(64)
    u = reach[:, None] * (nodes + 1) / 2
    integrand = u**n * np.exp(-u * (u + 2 * x[:, None]))
    return _TWO_OVER_ROOT_PI / math.factorial(n) * reach / 2 * (integrand @ weights)


@general(
    latex=r"e^{{{0}^2}} \operatorname{{i}}^n\operatorname{{erfc}} {0}",
    shape="same as x",
    samples=lambda: [
        sample(real(4), n=1),
        sample(real(2, 2), n=0),
        sample(real(3, low=3.0, high=30.0), n=2),
        sample(real(), n=1),
        sample(real(0, 2), n=3),
    ],
)
def erfcx_integral(x: Any, /, n: int = 1) -> Any:
    """The scaled repeated integral of the error function, E_n(x) = exp(x^2) i^n erfc(x). E_n' = -2 (n+1) E_(n+1).

    Below zero by the recurrence 2 (k+1) E_(k+1) = E_(k-1) - 2 x E_k, in which all terms are positive there;
    above by Gauss-Legendre quadrature of the positive integrand, cut off where it has fallen by exp(-60).
    """
    from scipy import special

    refuse_complex("erfcx", x)
    kind = float_kind(x)
    z = np.asarray(x, dtype=np.float64)
    with ignoring():
        below = np.minimum(z, 0.0)
        before, found = np.full_like(z, _TWO_OVER_ROOT_PI), np.asarray(special.erfcx(below))
        for k in range(n):
            before, found = found, (before - 2 * below * found) / (2 * (k + 1))
        above = np.maximum(z, 0.0)
        held = np.minimum(above, _NOTHING)
        integral = in_blocks(lambda v: _integral(v, n), held.ravel()).reshape(z.shape) if n else special.erfcx(above)
    return np.where(np.isinf(above), 0.0, np.where(z > 0, integral, found)).astype(kind)[()]


@erfcx_integral.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, n: int) -> Any:
    return (g * (-2 * (n + 1) * xp.erfcx_integral(x, n=n + 1)),)


@erfcx_integral.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, n: int) -> Any:
    return ts[0] * (-2 * (n + 1) * xp.erfcx_integral(x, n=n + 1))


def _gauss(x: Any, /) -> Any:
    return np.exp(-x * x)


def _half_gauss(x: Any, /) -> Any:
    return np.exp(-0.5 * x * x)


gauss = elementwise(
    _gauss,
    lambda xp, y, x: -2 * xp.held(x) * y,  # at infinity the slope is 0, not inf times 0
    name="gauss",
    latex=r"e^{{-{0}^2}}",
    holomorphic=True,
    samples=lambda: whole_plane(sample(np.array([-np.inf, 0.0, np.inf]), smooth=False)),
    doc="exp(-x^2). Derivative: -2 x y; 0 at infinity.",
)
half_gauss = elementwise(
    _half_gauss,
    lambda xp, y, x: -xp.held(x) * y,
    name="half_gauss",
    latex=r"e^{{-{0}^2/2}}",
    holomorphic=True,
    samples=lambda: whole_plane(sample(np.array([-np.inf, 0.0, np.inf]), smooth=False)),
    doc="exp(-x^2/2). Derivative: -x y; 0 at infinity.",
)


def _normal_density(xp: Any, x: Any) -> Any:
    return xp.half_gauss(x) / _ROOT_TWO_PI


erf = row(
    "erf",
    lambda xp, y, x: _TWO_OVER_ROOT_PI * xp.gauss(x),
    holomorphic=True,
    doc="""The error function 2/sqrt(pi) integral_0^x exp(-t^2) dt. d/dx = 2/sqrt(pi) exp(-x^2). Real or complex.

    >>> import tinygrad_math as tm
    >>> float(tm.grad(tm.special.erf)(0.0)) == 2 / tm.pi**0.5
    True
    """,
)
erfc = row(
    "erfc",
    lambda xp, y, x: -_TWO_OVER_ROOT_PI * xp.gauss(x),
    holomorphic=True,
    doc="The complementary error function 1 - erf(x). d/dx = -2/sqrt(pi) exp(-x^2). Real or complex.",
)
erfi = row(
    "erfi",
    lambda xp, y, x: _TWO_OVER_ROOT_PI * xp.exp(x * x),
    holomorphic=True,
    doc="The imaginary error function -i erf(ix). d/dx = 2/sqrt(pi) exp(x^2). Real or complex.",
)
erfcx = row(
    "erfcx",
    lambda xp, y, x: -2 * xp.erfcx_integral(x, n=1),
    doc="The scaled complementary error function exp(x^2) erfc(x). d/dx = 2 x y - 2/sqrt(pi), accurate for large x.",
)
erfinv = row(
    "erfinv",
    lambda xp, y, x: xp.exp(y * y) / _TWO_OVER_ROOT_PI,
    domain=(-0.9, 0.9),
    doc="The inverse of erf, on (-1, 1). d/dx = sqrt(pi)/2 exp(y^2).",
)
erfcinv = row(
    "erfcinv",
    lambda xp, y, x: -xp.exp(y * y) / _TWO_OVER_ROOT_PI,
    domain=(0.1, 1.9),
    doc="The inverse of erfc, on (0, 2). d/dx = -sqrt(pi)/2 exp(y^2).",
)
ndtr = row(
    "ndtr",
    lambda xp, y, x: _normal_density(xp, x),
    holomorphic=True,
    latex=r"\Phi({0})",
    doc="The distribution function of the standard normal. d/dx = exp(-x^2/2)/sqrt(2 pi). Real or complex.",
)


_FAR = 30.0  # from where on the series is exact to rounding
_HAZARD = (1, -2, 10, -74, 706, -8162, 110410, -1708394, 29752066)  # of 1/Mills' ratio: OEIS A000698


def _hazard(xp: Any, y: Any, x: Any) -> Any:
    """phi/Phi: below zero by erfcx, in which nothing vanishes; above by its definition, in which nothing overflows.
    Far below by -x - 1/x + 2/x^3 - ..., as in the derivatives of the quotient terms cancel."""
    negative, far = xp.less(x, 0), xp.less(x, -_FAR)
    low, high = xp.where(negative, xp.where(far, 0, x), 0), xp.where(negative, 0, x)
    near, above = math.sqrt(2 / math.pi) / xp.erfcx(low * -math.sqrt(0.5)), _normal_density(xp, high) / xp.ndtr(high)
    if xp is raw and not np.any(far):  # the series is that of nothing
        return xp.where(negative, near, above)
    inverse = 1 / xp.where(far, x, -_FAR)
    square, rest = inverse * inverse, 0.0
    for c in reversed(_HAZARD):
        rest = rest * square + c
    return xp.where(negative, xp.where(far, -x - inverse * rest, near), above)


log_ndtr = row(
    "log_ndtr",
    _hazard,
    latex=r"\ln \Phi({0})",
    samples=lambda: [
        sample(real(4)),
        sample(real(2, 3, low=-40.0, high=-5.0)),
        sample(real()),
        sample(real(0, 2)),
        sample(np.array([0.0, 50.0])),
    ],
    doc="The logarithm of ndtr, accurate in the far left tail. d/dx = phi(x)/Phi(x), accurate there as well.",
)
ndtri = row(
    "ndtri",
    lambda xp, y, x: _ROOT_TWO_PI * xp.exp(0.5 * y * y),
    domain=(0.05, 0.95),
    latex=r"\Phi^{{-1}}({0})",
    doc="The quantile function of the standard normal, on (0, 1). d/dx = sqrt(2 pi) exp(y^2/2).",
)
