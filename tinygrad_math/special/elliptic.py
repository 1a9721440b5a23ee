"""Elliptic integrals and functions: Legendre's incomplete ones, Carlson's symmetric ones, and Jacobi's.

Carlson's are integrals of t^k (t+x)^-a (t+y)^-b (t+z)^-c (t+p)^-d from 0 to infinity (DLMF 19.16), and so are their
derivatives of every order: a power more, and a factor. One op has them all, by the trapezoidal rule in log t, which
is exact to rounding (the integrand is analytic within pi of the real axis, and falls exponentially on both sides).
With s, c the sine and cosine of phi and D^2 = 1 - m s^2 (DLMF 19.25(i)),

    dF/dm = s^3 R_D(c^2, 1, D^2) / 6,   dE/dm = -s^3 R_D(c^2, D^2, 1) / 6   for |phi| <= pi/2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from ..core.tensor import Tensor, as_tensor, rec
from .quadrature import in_blocks
from .scipy_rows import differentiate, doubles, float_kind, part, refuse_complex, row

__all__ = ["ellipeinc", "ellipj", "ellipkinc", "elliprc", "elliprd", "elliprf", "elliprg", "elliprj"]

_STEP = 0.4  # of the trapezoidal rule: its error is exp(-2 pi^2 / step)
_DROP = 42.0  # the integrand is followed until it has fallen by exp(-42)

Powers = tuple[float, float, float, float]


def _integrals(z: Any, powers: Powers, rise: float) -> Any:
    """The integral for rows of four numbers, none of them negative."""
    used = np.array(powers) > 0
    zero = z == 0
    logs = np.where(used & ~zero, np.log(np.where(zero, 1.0, z)), np.nan)
    below = rise + 1 - np.where(zero & used, powers, 0.0).sum(1)  # by which exponent it falls towards 0
    above = sum(powers) - rise - 1
    low = np.nanmin(logs, 1) - _DROP / np.where(below > 0, below, np.nan)
    high = np.nanmax(logs, 1) + _DROP / above
    count = int(np.nanmax((high - low) / _STEP, initial=1.0)) + 2
    step = (high - low) / (count - 1)
    u = low[:, None] + step[:, None] * np.arange(count)
    fall = (rise + 1) * u
    for k in range(4):
        if used[k]:
            fall = fall - powers[k] * np.where(zero[:, k, None], u, np.logaddexp(u, logs[:, k, None]))
    return np.where(below > 0, np.exp(fall).sum(1) * step, np.inf)


@general(
    arity=4,
    latex=r"\int_0^\infty t^{{{rise}}} (t + {0}, {1}, {2}, {3})^{{-{powers}}} dt",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(*(positive(3, key=k) for k in range(4)), powers=(0.5, 0.5, 1.5, 0.0)),
        sample(positive(2, 1), positive(3), positive(), positive(1, 3), powers=(0.5, 0.5, 0.5, 1.0)),
        sample(*(positive(3, key=k) for k in range(3)), 1.0, powers=(1.5, 0.5, 0.5, 0.0), rise=1),
        sample(positive(0, 2), 1.0, 2.0, 3.0),
    ],
)
def carlson(x: Any, y: Any, z: Any, p: Any, /, powers: Powers = (0.5, 0.5, 0.5, 0.0), rise: int = 0) -> Any:
    """The integral of t^rise (t+x)^-powers[0] (t+y)^-powers[1] ... over t > 0. NaN where an argument is negative."""
    refuse_complex("carlson", x, y, z, p)
    kind = float_kind(x, y, z, p)
    columns = doubles(x, y, z, p)
    shape, rows = columns[0].shape, np.stack([c.ravel() for c in columns], 1)
    good = np.all((rows >= 0) & np.isfinite(rows), 1)
    out = np.full(len(rows), np.nan)
    with ignoring():
        if good.any():
            out[good] = in_blocks(lambda z: _integrals(z, powers, rise), rows[good])
        return out.reshape(shape).astype(kind)[()]


def _raised(powers: Powers, k: int) -> Powers:
    a, b, c, d = (power + (n == k) for n, power in enumerate(powers))
    return a, b, c, d


def _in(k: int) -> Any:
    def partial(xp: Any, _: Any, x: Any, y: Any, z: Any, p: Any, powers: Powers, rise: int) -> Any:
        return -powers[k] * xp.carlson(x, y, z, p, powers=_raised(powers, k), rise=rise)

    return partial


differentiate(carlson, *map(_in, range(4)))


def _symmetric(name: str, arguments: str, factor: float, powers: Powers, doc: str) -> Any:
    """A function of Carlson's, a multiple of the integral with these powers, at arguments each used once."""
    count = len(arguments.split())
    places = [k for k in range(4) if powers[k]][:count]

    def slope(k: int) -> Any:
        def partial(xp: Any, _: Any, *args: Any) -> Any:
            full = [1.0] * 4
            for place, value in zip(places, args, strict=True):
                full[place] = value
            return -factor * powers[places[k]] * xp.carlson(*full, powers=_raised(powers, places[k]))

        return partial

    inside = ", ".join(f"{{{k}}}" for k in range(count))
    return row(
        name, *(slope(k) for k in range(count)), arguments=arguments, domain=((0.3, 2.5),) * count,
        latex=f"R_{name[-1].upper()}({inside})", doc=doc,
    )  # fmt: skip


elliprf = _symmetric(
    "elliprf",
    "x y z",
    0.5,
    (0.5, 0.5, 0.5, 0.0),
    """Carlson's R_F(x, y, z), half the integral of ((t+x)(t+y)(t+z))^-1/2 over t > 0. d/dx = -R_D(y, z, x) / 6.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.elliprf)(1.0, 1.0, 1.0)
    tensor(-0.16666667)
    """,
)
elliprc = _symmetric(
    "elliprc",
    "x y",
    0.5,
    (0.5, 1.0, 0.0, 0.0),
    "Carlson's R_C(x, y) = R_F(x, y, y), half the integral of (t+x)^-1/2 / (t+y); the derivatives are for y > 0.",
)
elliprd = _symmetric(
    "elliprd",
    "x y z",
    1.5,
    (0.5, 0.5, 1.5, 0.0),
    "Carlson's R_D(x, y, z) = R_J(x, y, z, z). The derivatives are integrals of the same kind.",
)
elliprj = _symmetric(
    "elliprj",
    "x y z p",
    1.5,
    (0.5, 0.5, 0.5, 1.0),
    "Carlson's R_J(x, y, z, p), 3/2 of the integral of ((t+x)(t+y)(t+z))^-1/2 / (t+p); the derivatives are for p > 0.",
)


def _mean_slope(k: int) -> Any:
    def partial(xp: Any, _: Any, *args: Any) -> Any:
        return xp.carlson(*args, 1.0, powers=_raised((0.5, 0.5, 0.5, 0.0), k), rise=1) / 8

    return partial


elliprg = row(
    "elliprg",
    *map(_mean_slope, range(3)),
    arguments="x y z",
    domain=((0.3, 2.5),) * 3,
    latex="R_G({0}, {1}, {2})",
    doc="Carlson's R_G(x, y, z), the mean of sqrt(x u^2 + y v^2 + z w^2) over the unit sphere, halved twice. "
    "d/dx is an eighth of the integral of t (t+x)^-3/2 ((t+y)(t+z))^-1/2.",
)


# -- Legendre's and Jacobi's --------------------------------------------------------------------------------------
def _in_modulus(xp: Any, phi: Any, m: Any, second: bool) -> Any:
    """The derivative in m: of whole half turns that of the complete integrals, and of the rest R_D's."""
    turns = xp.round(phi / math.pi)
    rest = phi - math.pi * turns
    s, c = xp.sin(rest), xp.cos(rest)
    d = 1 - m * s * s
    if second:
        return -(s**3 * xp.elliprd(c * c, d, 1.0) + 2 * turns * xp.elliprd(0.0, 1 - m, 1.0)) / 6
    return (s**3 * xp.elliprd(c * c, 1.0, d) + 2 * turns * xp.elliprd(0.0, 1.0, 1 - m)) / 6


ellipkinc = row(
    "ellipkinc",
    lambda xp, y, phi, m: 1 / xp.sqrt(1 - m * xp.sin(phi) ** 2),
    lambda xp, y, phi, m: _in_modulus(xp, phi, m, second=False),
    arguments="phi m",
    domain=((-2.0, 4.0), (-1.5, 0.8)),
    latex=r"F({0} \mid {1})",
    doc="""The incomplete elliptic integral of the first kind, of 1 / sqrt(1 - m sin(t)^2) from 0 to phi. d/dm by R_D.

    For m <= 1: SciPy's values, NaN beyond (also where sin(phi)^2 < 1/m), which may lose digits below m = -1e31.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.ellipkinc)(tm.pi / 2, 0.75)
    tensor(2.)
    """,
)
ellipeinc = row(
    "ellipeinc",
    lambda xp, y, phi, m: xp.sqrt(1 - m * xp.sin(phi) ** 2),
    lambda xp, y, phi, m: _in_modulus(xp, phi, m, second=True),
    arguments="phi m",
    domain=((-2.0, 4.0), (-1.5, 0.8)),
    latex=r"E({0} \mid {1})",
    doc="The incomplete elliptic integral of the second kind, of sqrt(1 - m sin(t)^2) from 0 to phi. d/dm by R_D. "
    "For m <= 1 and down to -1e31, as ellipkinc.",
)


def _turned(xp: Any, u: Any, m: Any) -> Any:
    """The derivative of the amplitude in m: F(phi, m) = u stays, so it is -dF/dm / (dF/dphi); dF/dphi = 1/dn."""
    return -xp.ellipj_dn(u, m) * _in_modulus(xp, xp.ellipj_ph(u, m), m, second=False)


_JACOBI: dict[str, tuple[Any, Any]] = {
    "ellipj_sn": (
        lambda xp, y, u, m: xp.ellipj_cn(u, m) * xp.ellipj_dn(u, m),
        lambda xp, y, u, m: xp.ellipj_cn(u, m) * _turned(xp, u, m),
    ),
    "ellipj_cn": (
        lambda xp, y, u, m: -xp.ellipj_sn(u, m) * xp.ellipj_dn(u, m),
        lambda xp, y, u, m: -xp.ellipj_sn(u, m) * _turned(xp, u, m),
    ),
    "ellipj_dn": (
        lambda xp, y, u, m: -m * xp.ellipj_sn(u, m) * xp.ellipj_cn(u, m),
        lambda xp, y, u, m: (
            -xp.ellipj_sn(u, m) * (xp.ellipj_sn(u, m) / 2 + m * xp.ellipj_cn(u, m) * _turned(xp, u, m)) / y
        ),
    ),
    "ellipj_ph": (lambda xp, y, u, m: xp.ellipj_dn(u, m), lambda xp, y, u, m: _turned(xp, u, m)),
}
for _k, (_title, _slopes) in enumerate(_JACOBI.items()):
    part(
        "ellipj", _k, _title, *_slopes, arguments="u m", domain=((-2.0, 4.0), (0.1, 0.8)),
        latex=rf"\operatorname{{{{{_title[-2:]}}}}}({{0}} \mid {{1}})", doc=f"{_title[-2:]}, of `ellipj`.",
    )  # fmt: skip


def ellipj(u: Any, m: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Jacobi's elliptic functions sn, cn, dn, and the amplitude ph of which F(ph | m) is u. 0 <= m <= 1.

    d/du: cn dn, -sn dn, -m sn cn, dn; d/dm by that of the amplitude, -dn dF/dm.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda u: tm.special.ellipj(u, 0.5)[0])(0.0)
    tensor(1.)
    """
    u, m = as_tensor(u), as_tensor(m)
    return rec.ellipj_sn(u, m), rec.ellipj_cn(u, m), rec.ellipj_dn(u, m), rec.ellipj_ph(u, m)
