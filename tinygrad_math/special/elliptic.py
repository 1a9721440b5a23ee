"""Elliptic integrals: Legendre's incomplete ones, and Carlson's symmetric ones.

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
from .quadrature import in_blocks
from .scipy_rows import differentiate, doubles, float_kind, forward_of, refuse_complex, row, weak

__all__ = ["ellipeinc", "ellipkinc", "elliprc", "elliprd", "elliprf", "elliprg", "elliprj"]

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
    endless = (np.isinf(rows) & (np.array(powers) > 0)).any(1)
    rows = np.where(np.isinf(rows) & (rows > 0), 1.0, rows)
    good = np.all(rows >= 0, 1)
    out = np.full(len(rows), np.nan)
    with ignoring():
        if good.any():
            out[good] = in_blocks(lambda z: _integrals(z, powers, rise), rows[good])
        out = np.where(endless & np.isfinite(out), 0.0, out)  # but 0 times infinity is no number
        return np.where(endless & np.isinf(out), np.nan, out).reshape(shape).astype(kind)[()]


def _raised(powers: Powers, k: int) -> Powers:
    a, b, c, d = (power + (n == k) for n, power in enumerate(powers))
    return a, b, c, d


def _in(k: int) -> Any:
    def partial(xp: Any, _: Any, x: Any, y: Any, z: Any, p: Any, powers: Powers, rise: int) -> Any:
        return -powers[k] * xp.carlson(x, y, z, p, powers=_raised(powers, k), rise=rise)

    return partial


differentiate(carlson, *map(_in, range(4)))


def _with_ends(name: str, arguments: str, factor: float, powers: Powers) -> Any:
    """SciPy's function, and the integral where that is no number: it overflows, or is infinite where p or y is 0."""
    known = forward_of(name, *arguments.split())
    places = [k for k in range(4) if powers[k]]

    def forward(*args: Any) -> Any:
        y = np.asarray(known(*args))
        if not np.isnan(y).any():
            return y[()]
        columns = doubles(*args)
        lost = np.isnan(y) & np.all([c >= 0 for c in columns], 0)
        full = [np.ones(np.shape(y))] * 4
        for place, column in zip(places, columns, strict=False):
            full[place] = np.where(lost, column, 1.0)
        return np.where(lost, factor * carlson.plain(*full, powers=powers), y).astype(y.dtype)[()]

    forward.__name__ = forward.__qualname__ = name
    forward.__signature__ = known.__signature__  # type: ignore[attr-defined]
    return forward


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
        forward=_with_ends(name, arguments, factor, powers),
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


def mean_of_root(x: Any, y: Any, z: Any, /) -> Any:
    """SciPy's elliprg, which is no number near the largest: it grows as the root of its arguments together."""
    from scipy import special

    refuse_complex("elliprg", x, y, z)
    found = np.asarray(special.elliprg(*weak((x, y, z))))
    if not np.isnan(found).any():
        return found[()]
    columns = doubles(x, y, z)
    large = np.isnan(found) & np.all([np.isfinite(c) & (c >= 0) for c in columns], 0)
    own = 32 * special.elliprg(*(np.where(large, c, 1.0) / 1024 for c in columns))
    return np.where(large, own, found).astype(found.dtype)[()]


elliprg = row(
    "elliprg",
    *map(_mean_slope, range(3)),
    forward=mean_of_root,
    arguments="x y z",
    domain=((0.3, 2.5),) * 3,
    latex="R_G({0}, {1}, {2})",
    doc="Carlson's R_G(x, y, z), the mean of sqrt(x u^2 + y v^2 + z w^2) over the unit sphere, halved twice. "
    "d/dx is an eighth of the integral of t (t+x)^-3/2 ((t+y)(t+z))^-1/2.",
)


# -- Legendre's ----------------------------------------------------------------------------------------------------
def _in_modulus(xp: Any, y: Any, phi: Any, m: Any, second: bool) -> Any:
    """The derivative in m: of whole half turns that of the complete integrals, and of the rest R_D's."""
    turns = xp.round(phi / math.pi)
    rest = phi - math.pi * turns
    s, c = xp.sin(rest), xp.cos(rest)
    d = 1 - m * s * s
    whole = complete_slope(xp, turns, m, second)
    part = -(s**3) * xp.elliprd(c * c, d, 1.0) if second else s**3 * xp.elliprd(c * c, 1.0, d)
    return xp.within(part / 6 + whole, xp.equal(y, y))


def complete_slope(xp: Any, turns: Any, m: Any, second: bool = False) -> Any:
    """The part of as many half turns: 0 without one, where m may be 1 and beyond."""
    none = xp.equal(turns, 0)
    rest = xp.where(none, 0.5, 1 - m)
    slope = -xp.elliprd(0.0, rest, 1.0) if second else xp.elliprd(0.0, 1.0, rest)
    return xp.where(none, 0.0, turns * slope / 3)


def _beyond_one(phi: Any, m: Any, second: bool) -> Any:
    """F or E for m > 1, real where m sin(phi)^2 <= 1 and |phi| <= pi/2: by Carlson's (DLMF 19.25.5, 19.25.11), of
    which no term cancels there."""
    from scipy import special

    s, c = np.sin(phi), np.cos(phi)
    d = (1 - np.sqrt(m) * np.abs(s)) * (1 + np.sqrt(m) * np.abs(s))
    inside = (np.abs(phi) <= math.pi / 2) & (d >= 0)
    s, c, d = np.where(inside, s, 0.0), np.where(inside, c, 1.0), np.where(inside, d, 1.0)
    if second:
        y = (m - 1) / 3 * s * s * s * special.elliprd(d, 1.0, c * c) + s * np.sqrt(d) / c
    else:
        y = s * special.elliprf(c * c, d, 1.0)
    return np.where(inside, y, math.nan)


def _legendre(name: str, phi: Any, m: Any) -> Any:
    from scipy import special

    refuse_complex(name, phi, m)
    kind = float_kind(phi, m)
    phi, m = doubles(phi, m)
    y = np.array(getattr(special, name)(phi, m))
    large = (m > 1) & (m < math.inf)
    if large.any():
        with ignoring():
            y[large] = _beyond_one(phi[large], m[large], name == "ellipeinc")
    return y.astype(kind)[()]


def first_kind(phi: Any, m: Any, /) -> Any:
    """SciPy's ellipkinc, which ends at m = 1, and Carlson's from there on."""
    return _legendre("ellipkinc", phi, m)


def second_kind(phi: Any, m: Any, /) -> Any:
    """SciPy's ellipeinc, which ends at m = 1, and Carlson's from there on."""
    return _legendre("ellipeinc", phi, m)


ellipkinc = row(
    "ellipkinc",
    lambda xp, y, phi, m: xp.within(1 / xp.sqrt(1 - m * xp.sin(phi) ** 2), xp.equal(y, y)),
    lambda xp, y, phi, m: _in_modulus(xp, y, phi, m, second=False),
    arguments="phi m",
    forward=first_kind,
    domain=((-2.0, 4.0), (-1.5, 0.8)),
    latex=r"F({0} \mid {1})",
    doc="""The incomplete elliptic integral of the first kind, of 1 / sqrt(1 - m sin(t)^2) from 0 to phi. d/dm by R_D.

    SciPy's values up to m = 1, which may lose digits below m = -1e31, and Carlson's for m > 1 and |phi| <= pi/2 with
    m sin(phi)^2 <= 1; NaN where it is not real.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.ellipkinc)(tm.pi / 2, 0.75)
    tensor(2.)
    """,
)
ellipeinc = row(
    "ellipeinc",
    lambda xp, y, phi, m: xp.within(xp.sqrt(1 - m * xp.sin(phi) ** 2), xp.equal(y, y)),
    lambda xp, y, phi, m: _in_modulus(xp, y, phi, m, second=True),
    arguments="phi m",
    forward=second_kind,
    domain=((-2.0, 4.0), (-1.5, 0.8)),
    latex=r"E({0} \mid {1})",
    doc="The incomplete elliptic integral of the second kind, of sqrt(1 - m sin(t)^2) from 0 to phi. d/dm by R_D. "
    "Of m as ellipkinc.",
)
