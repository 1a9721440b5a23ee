"""Bessel functions of real x where SciPy's have vanished, overflowed or are no numbers, though the doubles go on."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .scipy_rows import doubles, forward_of

__all__: list[str] = []


def second_kind(name: str, n: Any, x: Any) -> Any:
    """SciPy's kv or kn of real x also where the numbers of doubles do not end yet: those end at 1e-305 and 1e305."""
    from scipy import special

    y = np.asarray(forward_of(name, "n", "x", holomorphic=name == "kv", order=True)(n, x))
    lost = (y == 0) | np.isinf(y)
    if y.dtype.kind != "f" or not np.any(lost):
        return y[()]
    order, at = doubles(n, x)
    order, at = np.abs(order[lost]), at[lost]
    half = np.exp(-np.maximum(at, 0) / 2)
    near = (order >= 1) & (at > 0) & (at < 1e-8)  # the first term is all (DLMF 10.30.2)
    v, small = np.where(near, order, 1.0), np.where(near, at, 1.0)
    with ignoring("over", "invalid"):
        far = special.kve(order, at) * half * half
        first = special.gamma(v) * (2 / small) ** (v - 1) / small
        large = np.where((order > _STEPS + 1) & (at > 0), _uphill(order, np.where(at > 0, at, 1.0)), y[lost])
        y[lost] = np.where(y[lost] == 0, np.where(np.isnan(far), 0.0, far), np.where(near, first, large))
    return y[()]


_STEPS = 7  # each takes K up by a factor of 3 and more where it overflows, so that SciPy still has what they start from


def _uphill(v: Any, x: Any) -> Any:
    """K_v(x) from smaller orders, by the recurrence (DLMF 10.29.1), which is stable upwards."""
    from scipy import special

    before, y = special.kv(v - _STEPS - 1, x), special.kv(v - _STEPS, x)
    for k in range(_STEPS, 0, -1):
        before, y = y, before + 2 * (v - k) / x * y
    return y


def first_kind(name: str, n: Any, x: Any) -> Any:
    """SciPy's jv, iv or ive of real x also where it has ended though the numbers of doubles do not: beyond 1e-305 and
    1e305, and where ive says nan. There by the power series (DLMF 10.2.2, 10.25.2), whose terms do not cancel."""
    from scipy import special

    y = np.asarray(forward_of(name, "n", "x", holomorphic=name != "ive", order=True)(n, x))
    if y.dtype.kind != "f" or not np.any((y == 0) | ~np.isfinite(y)):
        return y[()]
    v, at = doubles(n, x)
    size, q = np.abs(at), (-0.25 if name == "jv" else 0.25) * at * at
    whole = v == np.floor(v)
    real = (size > 0) & ((at > 0) | whole) & (v != 0)
    apart = np.abs(v - np.round(v))  # of negative orders, from those at whose poles the terms are large
    far = (v < -_TERMS) & (apart > 1e-3)  # where those are the last terms, with small powers of q
    near = np.where(v > 0, np.abs(q) <= v + 1, (np.abs(q) <= 0.25 * np.where(far, -v, apart)) & ~whole)
    lost = ((y == 0) | ~np.isfinite(y)) & real & near
    if not lost.any():
        return y[()]
    y, v, size, q, odd = y.copy(), v[lost], size[lost], q[lost], (at < 0)[lost] & (v[lost] % 2 == 1)
    with ignoring():
        term = total = np.ones_like(q)
        for k in range(1, _TERMS):
            term = term * q / (k * (v + k))
            total = total + term
        log = v * np.log(size / 2) - special.gammaln(v + 1) - (size if name == "ive" else 0.0)
        y[lost] = np.where(odd, -1.0, 1.0) * special.gammasgn(v + 1) * np.exp(log) * total
    return y[()]


_TERMS = 40  # of a series in which each is at most 1/k of that before


def jv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's jv to the ends of the doubles."""
    return first_kind("jv", n, x)


def iv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's iv likewise."""
    return first_kind("iv", n, x)


def yv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's yv, which at orders -1/2, -3/2, ... has 0 times an infinity: J is all that there is (DLMF 10.47.3)."""
    y = np.asarray(forward_of("yv", "n", "x", holomorphic=True, order=True)(n, x))
    if y.dtype.kind != "f" or not np.any(~np.isfinite(y)):
        return y[()]
    v, at = doubles(n, x)
    lost = ~np.isfinite(y) & (v < 0) & (v % 1 == 0.5) & (at > 0)
    sign = np.where((v + 0.5) % 2 == 0, 1.0, -1.0)
    own = sign * first_kind("jv", np.where(lost, -v, 1.0), np.where(lost, at, 1.0))
    return np.where(lost, own, y).astype(y.dtype)[()]


def ive_of_order(v: Any, x: Any, /) -> Any:
    """SciPy's ive likewise."""
    return first_kind("ive", v, x)


def kv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's kv to the ends of the doubles."""
    return second_kind("kv", n, x)


def kn_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's kn likewise."""
    return second_kind("kn", n, x)
