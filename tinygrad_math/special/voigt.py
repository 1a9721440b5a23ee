"""Voigt's profile: the density of a normal number plus a Cauchy one, whose derivatives have all their digits.

It is the real part of f(x + i gamma) with f(u) = w(u / (sigma sqrt 2)) / (sigma sqrt(2 pi)) and Faddeeva's w, so all
derivatives are among those of f in u, of which real and imaginary part are made apart (DLMF 7.7.1, 7.19):

    d/dx = f',  d/dgamma = i f',  d/dsigma = sigma f''  (the equation of heat).

Written so, nothing cancels between them. Where u is large beside sigma, f is its expansion. Elsewhere w is the
integral of exp(-t^2) / (z - t), by the trapezoidal rule with the real part of z in the midst of two nodes, and what the
pole adds to it (Matta and Reichel, Math. Comp. 25, 1971); the real part of both is as small beside the real axis as it
should be.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import positive, real, sample
from .quadrature import in_blocks
from .scipy_rows import differentiate, doubles, float_kind, refuse_complex, row

__all__ = ["voigt_profile"]

_FAR = 10.6  # |u| / sigma from which on the smallest term of the expansion is below all digits
_TERMS = 40
_STEP, _NODES = 0.5, 14  # of the rule, and how many nodes there are on each side
_NARROW, _NARROW_TERMS = 0.01, 8  # |Re(z)| up to which there is a series, and its length
_BESIDE = 1e-4  # this far from the axis, far out, the rest is larger than what is normal by more than all digits


def _expanded(n: int, m: int, u: Any, s: Any, share: Any) -> Any:
    """s^m f^(n) of large u: i/pi times the sum of (2k-1)!! s^(2k) D^n u^(-2k-1), and exp(-z^2) on the real axis."""
    inverse = np.where(np.isinf(u), 0, 1 / u)
    q, total = (s * inverse) ** 2, np.ones_like(u)
    for k in range(_TERMS, 0, -1):
        total = 1 + (2 * k + n) * (2 * k + n - 1) / (2 * k) * q * total
    lead = (-1) ** n * math.factorial(n) / math.pi * 1j * total
    for k in range(n + 1):  # each factor in turn, as neither power need have a number
        lead = lead * (s * inverse if k < m else inverse)
    z = np.where(share > 0, u, 0) / (np.where(s > 0, s, 1) * math.sqrt(2))
    return lead + np.where(s > 0, share, 0) * _normal(n, z) * _scale(n, m, np.where(s > 0, s, 1.0))


def _scale(n: int, m: int, s: Any) -> Any:
    """What D^n of a function of z is multiplied by to be s^m that of f."""
    return math.sqrt(0.5) ** m * (1 / (s * math.sqrt(2))) ** (n - m) / (s * math.sqrt(2 * math.pi))


def _normal(n: int, z: Any) -> Any:
    """D^n exp(-z^2), by the recurrence of Hermite's polynomials."""
    before, now = np.zeros_like(z), np.exp(-z * z)
    for k in range(n):
        before, now = now, -2 * (z * now + k * before)
    return now


@lru_cache(32)
def _bend(n: int) -> tuple[float, ...]:
    """D^n of 1 / (1 + exp(v)) = (1 - T)/2 as a polynomial in T = tanh(v/2), over 1 - T^2."""
    if n == 1:
        return (-0.25,)
    p = np.polynomial.Polynomial(_bend(n - 1))
    one = np.polynomial.Polynomial([0, -1]) * p + np.polynomial.Polynomial([0.5, 0, -0.5]) * p.deriv()
    return tuple(one.coef.tolist())


def _from_pole(n: int, z: Any) -> Any:
    """D^n of 2 exp(-z^2) / (1 + exp(v)), v = 2 pi Im(z) / h: what the pole at z adds to the rule, for Re(z) in the
    midst of two nodes."""
    v = 2 * math.pi / _STEP * z.imag
    near = z.imag < math.pi / _STEP
    at, half = np.where(near, z, 0), np.tanh(np.where(near, v, 0.0) / 2)
    across = 1 / np.cosh(np.where(near, v, 0.0) / 2) ** 2
    share: list[Any] = [across / (2 * (1 + half))]  # (1 - T)/2
    for m in range(1, n + 1):
        share.append((-2j * math.pi / _STEP) ** m * across * np.polynomial.polynomial.polyval(half, _bend(m)))
    total = 2 * sum(math.comb(n, m) * share[m] * _normal(n - m, at) for m in range(n + 1))
    return np.where(near, total, 0)


def _by_rule(n: int, z: Any) -> Any:
    """D^n w for a vector of Im(z) >= 0."""
    j = np.arange(-_NODES, _NODES) + 0.5
    whole = np.round(z.real / _STEP)[:, None]
    t = j * _STEP + (z.real[:, None] - whole * _STEP)
    term = np.exp(-t * t) / ((whole - j) * _STEP + 1j * z.imag[:, None]) ** (n + 1)
    return (-1) ** n * math.factorial(n) * 1j * _STEP / math.pi * term.sum(1) + _from_pole(n, z)


def _on_axis(n: int, y: Any) -> Any:
    """D^n w at i y, which is (-i)^n times a real number, for a vector of y >= 0."""
    turn = 1j**n
    return (turn * _by_rule(n, 1j * y)).real / turn


def _upper(n: int, z: Any) -> Any:
    """D^n w for a vector of Im(z) >= 0; beside the imaginary axis by Taylor's series, each term of which is real or
    imaginary: one of the parts of odd derivatives vanishes with Re(z)."""
    f, beside = np.empty_like(z), np.abs(z.real) < _NARROW
    if beside.any():
        x, y = z[beside].real, z[beside].imag
        total: Any = 0
        for k in range(_NARROW_TERMS, -1, -1):
            total = _on_axis(n + k, y) + (x / (k + 1) * total if k < _NARROW_TERMS else 0)
        f[beside] = total
    if not beside.all():
        f[~beside] = _by_rule(n, z[~beside])
    return f


def _near(n: int, z: Any) -> Any:
    """D^n w for a vector of moderate numbers: below the axis w(z) is 2 exp(-z^2) - w(-z)."""
    below = z.imag < 0
    f = _upper(n, np.where(below, -z, z))
    return np.where(below, 2 * _normal(n, z) - (-1) ** n * f, f)


def _derivative(n: int, m: int, x: Any, s: Any, gamma: Any) -> Any:
    """s^m f^(n) for vectors."""
    u = x + 1j * gamma
    f = np.zeros(x.shape, complex)
    far = np.abs(u) >= _FAR * np.abs(s)
    near = ~far & np.isfinite(s)
    if far.any():
        height, width = gamma[far] * np.sign(s[far]), np.abs(s[far])
        share = np.where(np.abs(height) < _BESIDE * width, 1.0, np.where(height < 0, 2.0, 0.0))
        f[far] = _expanded(n, m, u[far], width, share) * np.where(s[far] < 0, -1.0, 1.0) ** m
    if near.any():
        f[near] = _near(n, u[near] / (s[near] * math.sqrt(2))) * _scale(n, m, s[near])
    return np.where(np.isnan(x) | np.isnan(s) | np.isnan(gamma), math.nan, f)


@general(
    arity=3,
    latex=r"\operatorname{{V}}^{{(n)}}({0}, {1}, {2})",
    shape="broadcast of the arguments",
    samples=lambda: [
        *(sample(real(4), positive(4), positive(4), n=n, m=m, across=c) for n, m, c in ((1, 0, False), (2, 1, True))),
        sample(40 * real(3), positive(3), positive(3), n=3, m=1),
        sample(real(), positive(), positive(0, 2), n=2),
    ],
)
def voigt_slope(x: Any, sigma: Any, gamma: Any, /, n: int = 1, m: int = 0, across: bool = False) -> Any:
    """sigma^m times the n-th derivative in x of Voigt's profile; `across` of the imaginary part of the same function.

    Derivatives: n + 1 in x; in gamma that of the other part, from the real one with a minus; in sigma n + 2 and m + 1,
    and m times m - 1.
    """
    refuse_complex("voigt_profile", x, sigma, gamma)
    kind = float_kind(x, sigma, gamma)
    x, sigma, gamma = doubles(x, sigma, gamma)
    with ignoring():
        f = in_blocks(lambda *v: _derivative(n, m, *v), x.ravel(), sigma.ravel(), gamma.ravel()).reshape(x.shape)
        return (f.imag if across else f.real).astype(kind)[()]


def _in_sigma(xp: Any, y: Any, x: Any, s: Any, gamma: Any, n: int, m: int, across: bool) -> Any:
    bent = xp.voigt_slope(x, s, gamma, n=n + 2, m=m + 1, across=across)
    return bent + m * xp.voigt_slope(x, s, gamma, n=n, m=m - 1, across=across) if m else bent


def _in_gamma(xp: Any, y: Any, x: Any, s: Any, gamma: Any, n: int, m: int, across: bool) -> Any:
    return (1 if across else -1) * xp.voigt_slope(x, s, gamma, n=n + 1, m=m, across=not across)


differentiate(
    voigt_slope,
    lambda xp, y, x, s, gamma, n, m, across: xp.voigt_slope(x, s, gamma, n=n + 1, m=m, across=across),
    _in_sigma,
    _in_gamma,
)


def voigt_profile_of(x: Any, sigma: Any, gamma: Any, /) -> Any:
    """SciPy's, which has no number where x or a width is infinite: 0."""
    from scipy import special

    refuse_complex("voigt_profile", x, sigma, gamma)
    kind = float_kind(x, sigma, gamma)
    x, sigma, gamma = doubles(x, sigma, gamma)
    y = np.asarray(special.voigt_profile(x, sigma, gamma))
    if np.isnan(y).any():
        gone = np.isinf(x) | np.isinf(sigma) | np.isinf(gamma)
        y = np.where(np.isnan(y) & gone & ~np.isnan(x + np.abs(sigma) + np.abs(gamma)), 0.0, y)
    return y.astype(kind)[()]


voigt_profile = row(
    "voigt_profile",
    lambda xp, y, x, s, gamma: xp.voigt_slope(x, s, gamma),
    lambda xp, y, x, s, gamma: xp.voigt_slope(x, s, gamma, n=2, m=1),
    lambda xp, y, x, s, gamma: -xp.voigt_slope(x, s, gamma, across=True),
    forward=voigt_profile_of,
    domain=((-2.0, 2.0), (0.4, 2.0), (0.1, 2.0)),
    doc="The density at x of the sum of a normal number, of the standard deviation sigma > 0, and a Cauchy number of "
    "half width gamma: V = Re w((x + i gamma) / (sigma sqrt 2)) / (sigma sqrt(2 pi)). d/dx = V', d/dsigma = sigma V'', "
    "d/dgamma = -Im w' / (2 sqrt(pi) sigma^2).",
)
