"""Jacobi's elliptic functions sn, cn, dn and the amplitude, for every real m.

By Landen's descending transformation (DLMF 22.7(i)): with k' = sqrt(1 - m) and k1 = (1 - k') / (1 + k'), of sn, cn, dn
of the modulus k1 at u / (1 + k1), and so on until the modulus is none and they are a sine, a cosine and 1. In each step
no small number is a difference of large ones, so that cn and dn have their digits. SciPy's have none for m between
1 - 1e-10 and 1, and a large u.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from ..core.tensor import Tensor, as_tensor, rec
from .elliptic import complete_slope
from .ends import beyond
from .scipy_rows import doubles, float_kind, refuse_complex, row

__all__ = ["ellipj"]

_STEPS = 16  # the complement's root grows as sqrt(k'): from the smallest double to 1 in 14


def _landen(u: Any, complement: Any) -> tuple[Any, ...]:
    """sn, cn, dn at u of the parameter 1 - complement, for 0 < complement <= 1; and pi u / (2 K)."""
    root, moduli = np.sqrt(complement), []
    for _ in range(_STEPS):
        moduli.append(((1 - root) / (1 + root), 2 * root / (1 + root)))  # k1, 1 - k1
        root = 2 * np.sqrt(root) / (1 + root)
    angle = u
    for k, _ in moduli:
        angle = angle / (1 + k)
    sn, cn, dn = np.sin(angle), np.cos(angle), np.ones_like(angle)
    for k, rest in reversed(moduli):
        part = k * sn * sn
        kept = np.where(part < 0.5, 1 - part, cn * cn + rest * sn * sn)
        sn, cn, dn = (1 + k) * sn / (1 + part), cn * dn / (1 + part), kept / (1 + part)
    return sn, cn, dn, angle


def jacobi(u: Any, m: Any) -> tuple[Any, ...]:
    """sn, cn, dn and the amplitude of doubles: m below 0 and beyond 1 by Jacobi's transformations (DLMF 22.17)."""
    below, above = m < 0, m > 1
    root = np.sqrt(np.where(below, 1 - m, np.where(above, m, 1.0)))
    flat = m == 1
    rest = np.where(below, 1 / np.where(below, 1 - m, 1.0), np.where(above, (m - 1) / np.where(above, m, 1.0), 1 - m))
    s, c, d, angle = _landen(u * root, np.where(flat, 0.5, rest))
    sn = np.where(below, s / (d * root), np.where(above, s / root, s))
    cn = np.where(below, c / d, np.where(above, d, c))
    dn = np.where(below, 1 / d, np.where(above, c, d))
    sn, sech = np.where(flat, np.tanh(u), sn), 1 / np.cosh(u)
    cn, dn = np.where(flat, sech, cn), np.where(flat, sech, dn)
    ph = np.arctan2(sn, cn)
    swings = above | flat  # and comes back, or never turns over
    turns = np.round((np.where(swings, 0.0, angle) - np.where(swings, 0.0, ph)) / (2 * math.pi))
    ph = np.where(np.isinf(u) & (m < 1), u, ph + 2 * math.pi * turns)
    endless = (m == math.inf) & np.isfinite(u)  # they are of the size of 1/sqrt(m), and dn goes on swinging
    return np.where(endless, 0.0, sn), np.where(endless, 1.0, cn), dn, np.where(endless, 0.0, ph)


def _one(k: int, u: Any, m: Any) -> Any:
    refuse_complex("ellipj", u, m)
    kind = float_kind(u, m)
    u, m = doubles(u, m)
    with ignoring():
        return jacobi(u, m)[k].astype(kind)[()]


def sine(u: Any, m: Any, /) -> Any:
    """sn."""
    return _one(0, u, m)


def cosine(u: Any, m: Any, /) -> Any:
    """cn."""
    return _one(1, u, m)


def delta(u: Any, m: Any, /) -> Any:
    """dn."""
    return _one(2, u, m)


def amplitude(u: Any, m: Any, /) -> Any:
    """ph."""
    return _one(3, u, m)


def _turned(xp: Any, u: Any, m: Any) -> Any:
    """The derivative of the amplitude in m: F(phi, m) = u stays, so it is -dF/dm / (dF/dphi); dF/dphi = 1/dn.

    The sine, the cosine and the root of 1 - m sin^2 of the amplitude are sn, cn and dn, which have more digits. Beyond
    m = 1 it swings to and fro, and u is F or -F after an even or an odd number of swings, each of 2 K(1/m) / sqrt(m).
    """
    swings = xp.greater(m, 1)
    large = xp.where(swings, m, 2.0)
    rest = (large - 1) / large
    quarter = xp.ellipkm1(rest)
    count = xp.rint(0.5 * u * xp.sqrt(large) / quarter)
    turns = xp.rint(xp.ellipj_ph(u, m) / math.pi)
    s, c, d = xp.ellipj_sn(u, m), xp.ellipj_cn(u, m), xp.ellipj_dn(u, m)
    odd = xp.not_equal(xp.remainder(xp.where(swings, count, turns), 2), 0)
    part = s**3 * xp.elliprd(c * c, 1.0, d * d) / 6
    swing = -(quarter + xp.elliprd(0.0, 1.0, rest) / (3 * large)) / (large * xp.sqrt(large))
    whole = xp.where(swings, count * swing, complete_slope(xp, xp.where(swings, 0.0, turns), m))
    return -d * (xp.where(odd, -part, part) + whole)


def _settled(inside: Callable[..., Any]) -> Callable[..., Any]:
    """A partial in m, and its limit for m to inf, 0."""
    return lambda xp, y, u, m: beyond(xp, xp.equal(m, math.inf), m, 0.0, lambda m: inside(xp, u, m))


_JACOBI: dict[str, tuple[Any, Any, Any]] = {
    "ellipj_sn": (
        sine,
        lambda xp, y, u, m: xp.ellipj_cn(u, m) * xp.ellipj_dn(u, m),
        _settled(lambda xp, u, m: xp.ellipj_cn(u, m) * _turned(xp, u, m)),
    ),
    "ellipj_cn": (
        cosine,
        lambda xp, y, u, m: -xp.ellipj_sn(u, m) * xp.ellipj_dn(u, m),
        _settled(lambda xp, u, m: -xp.ellipj_sn(u, m) * _turned(xp, u, m)),
    ),
    "ellipj_dn": (
        delta,
        lambda xp, y, u, m: -m * xp.ellipj_sn(u, m) * xp.ellipj_cn(u, m),
        lambda xp, y, u, m: (
            -xp.ellipj_sn(u, m) * (xp.ellipj_sn(u, m) / 2 + m * xp.ellipj_cn(u, m) * _turned(xp, u, m)) / y
        ),
    ),
    "ellipj_ph": (amplitude, lambda xp, y, u, m: xp.ellipj_dn(u, m), _settled(_turned)),
}
for _title, (_value, *_slopes) in _JACOBI.items():
    row(
        "ellipj", *_slopes, forward=_value, title=_title, arguments="u m", domain=((-2.0, 4.0), (0.1, 0.8)),
        latex=rf"\operatorname{{{{{_title[-2:]}}}}}({{0}} \mid {{1}})", doc=f"{_title[-2:]}, of `ellipj`.",
    )  # fmt: skip


def ellipj(u: Any, m: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Jacobi's elliptic functions sn, cn, dn, and the amplitude ph of which F(ph | m) is u, for every real m.

    For m = 1 they are tanh(u), sech(u) twice and the Gudermannian; for m > 1 the amplitude swings, |ph| <= pi/2. Values
    by Landen's transformation: SciPy's are NaN for m below 0 and beyond 1, and have no digits for 1 - 1e-10 < m < 1.
    d/du: cn dn, -sn dn, -m sn cn, dn; d/dm by that of the amplitude, -dn dF/dm. Beside m = 1 the second derivatives in
    m of cn and dn lose digits for u beyond about 5, all of them from 18 on.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda u: tm.special.ellipj(u, 0.5)[0])(0.0)
    tensor(1.)
    """
    u, m = as_tensor(u), as_tensor(m)
    return rec.ellipj_sn(u, m), rec.ellipj_cn(u, m), rec.ellipj_dn(u, m), rec.ellipj_ph(u, m)
