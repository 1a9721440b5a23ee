"""Quantile functions: the inverses of the gamma, beta and Student's t distribution function in their point.

An inverse z of F(parameters, z) = q has dz/dq = 1/F_z and, by the implicit function theorem, dz/dp = -F_p / F_z; both
are written with z itself, so that they hold at every order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.samples import sample
from .scipy_rows import row

__all__ = ["betainccinv", "betaincinv", "gammainccinv", "gammaincinv", "stdtrit"]


def _partials(
    slopes: tuple[Callable[..., Any], ...], density: Callable[..., Any], upper: bool = False
) -> tuple[Callable[..., Any], ...]:
    """The partial derivatives of an inverse in its parameters and in q, of the lower or of the upper tail."""

    def of(slope: Callable[..., Any]) -> Callable[..., Any]:
        return lambda xp, y, *args: -slope(xp, *args[:-1], y) / density(xp, *args[:-1], y)

    sign = -1.0 if upper else 1.0
    return (*map(of, slopes), lambda xp, y, *args: sign / density(xp, *args[:-1], y))


def _samples(*parameters: Any) -> Callable[[], list[Any]]:
    q = np.array([0.15, 0.4, 0.85])
    return lambda: [
        sample(*(np.array([p, 1.5 * p, 2.5 * p]) for p in parameters), q),
        sample(*(np.float64(p) for p in parameters), q[:, None]),
        sample(*(np.array([p]) for p in parameters), np.zeros((0, 1))),
    ]


_GAMMA = ((lambda xp, a, z: xp.gammainc_da(a, z, order=1),), lambda xp, a, z: xp.gamma_density(a, z))
_BETA = (
    (
        lambda xp, a, b, z: xp.betainc_dab(a, b, z, in_a=1, in_b=0),
        lambda xp, a, b, z: xp.betainc_dab(a, b, z, in_a=0, in_b=1),
    ),
    lambda xp, a, b, z: xp.beta_density(a, b, z),
)
_STUDENT = ((lambda xp, df, z: xp.stdtr_ddf(df, z, order=1),), lambda xp, df, z: xp.student_density(df, z))

gammaincinv = row(
    "gammaincinv",
    *_partials(*_GAMMA),
    arguments="a y",
    latex=r"P^{{-1}}({0}, {1})",
    samples=_samples(1.2),
    doc="""The z with gammainc(a, z) = y: quantiles of the gamma distribution. d/dy = 1/p(z), d/da = -(dP/da)/p(z).

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.gammaincinv(1.0, 0.5), 4)
    tensor(0.6931)
    """,
)
gammainccinv = row(
    "gammainccinv",
    *_partials(*_GAMMA, upper=True),
    arguments="a y",
    latex=r"Q^{{-1}}({0}, {1})",
    samples=_samples(1.2),
    doc="The z with gammaincc(a, z) = y, accurate for small y. Derivatives as of gammaincinv.",
)
betaincinv = row(
    "betaincinv",
    *_partials(*_BETA),
    arguments="a b y",
    latex=r"I^{{-1}}_{{{2}}}({0}, {1})",
    samples=_samples(1.2, 1.7),
    doc="The z with betainc(a, b, z) = y: quantiles of the beta distribution. d/dy = 1/p(z), d/da = -(dI/da)/p(z).",
)
betainccinv = row(
    "betainccinv",
    *_partials(*_BETA, upper=True),
    arguments="a b y",
    latex=r"(1 - I)^{{-1}}_{{{2}}}({0}, {1})",
    samples=_samples(1.2, 1.7),
    doc="The z with betaincc(a, b, z) = y, accurate for small y. Derivatives as of betaincinv.",
)
stdtrit = row(
    "stdtrit",
    *_partials(*_STUDENT),
    arguments="df p",
    latex=r"T^{{-1}}_{{{0}}}({1})",
    samples=_samples(2.2),
    order=True,
    doc="The t with stdtr(df, t) = p: quantiles of Student's distribution. d/dp = 1/p(t), d/ddf = -(dT/ddf)/p(t).",
)
